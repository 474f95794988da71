"""Builders of Argo's objects as plain dicts. Only `lower_tasks` and `emit` call them; nothing else knows Argo."""
