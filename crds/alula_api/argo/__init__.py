"""Argo's run object, read and answered once for the controller and `alula.remote`. Stdlib at import; no I/O.

What is said of Argo here was seen on 4.1.2 and on 4.0.5.
"""
