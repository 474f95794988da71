"""Builders of Argo's objects as plain dicts. Called by `compile`, by way of `build`; nothing else knows Argo.

What is said of Argo here was seen on 4.0.5 and 4.1.2, and the objects fit the full CRDs of both.
"""
