"""Runs: Argo Workflows that started from a compiled template, after and beside their admission.

`recovery` starts runs again whose data was lost, `watchdog` ends those that Argo cannot digest.
"""
