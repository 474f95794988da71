"""The controller: turns Workflows and LaunchPlans into Argo objects, and admits runs. `python -m alula_controller`
starts it.

Nothing imports this package but its own entry point and its tests. It needs the extra `alula[controller]`.
"""
