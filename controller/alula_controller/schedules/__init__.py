"""Schedules of launch plans: when a plan fires (`ticks`), which ticks start runs (`decide`), these runs (`firing`),
what the plan's status says of it (`status`), when each plan is looked at (`agenda`); `reconcile` reads and writes.

The engine's own cron objects are not used for it: they postpone what they skip, know neither catching up nor the day
whose midnight a change of clocks takes away, and start a run twice whose object was collected between two writes.
"""
