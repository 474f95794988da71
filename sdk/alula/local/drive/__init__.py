"""When what starts: `schedule` decides, `dispatch` keeps timeouts, `serial` and `threads` drive, `reporter` notes."""
