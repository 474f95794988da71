"""Builders of Argo's objects as plain dicts. Only the passes `lower` and `emit` call them; nothing else knows Argo."""
