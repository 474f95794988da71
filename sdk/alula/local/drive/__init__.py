"""When what starts: `schedule` decides, `dispatch` reports it and keeps the timeouts, `serial` and `threads` drive."""
