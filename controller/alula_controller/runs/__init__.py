"""Runs: Argo Workflows that started from a compiled template, beside and after their admission.

`reconcile` looks at one, `recovery` starts runs again whose data was lost, `watchdog` helps or ends those that carry
none of our labels.
"""
