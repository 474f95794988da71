"""Builders of Argo's objects as plain dicts. Called by `compile`, by way of `build`; nothing else knows Argo."""
