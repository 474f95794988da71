"""The decorators and what they make: tasks, workflows and launch plans, with their options and interfaces."""
