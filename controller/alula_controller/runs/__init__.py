"""Runs: Argo Workflows that started from a compiled template, held at `admit` until `answering` lets them through.

`gathering` reads, `deciding` decides (pure: `arguments`, `walking`, `filling`, `queueing` are its steps), `answering`
writes.
"""
