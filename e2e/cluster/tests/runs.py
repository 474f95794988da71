"""Small Argo workflows for the harness's tests."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

MOUNT = {"name": "alula", "mountPath": "/var/run/alula"}


def template(name: str, program: str, *arguments: str, **fields: Any) -> Object:
    """A template that runs a Python program with the runtime's folder mounted."""
    container = {
        "image": "example.org/python:3.11",
        "command": ["python", "-c"],
        "args": [program, *arguments],
        "volumeMounts": [MOUNT],
        **fields.pop("container", {}),
    }
    return {
        "name": name,
        "container": container,
        "volumes": [{"name": "alula", "emptyDir": {}}],
        **fields,
    }


def outputs(*names: str) -> Object:
    """Declares outputs that the program writes to files of these names in the runtime's folder."""
    return {"parameters": [{"name": n, "valueFrom": {"path": f"/var/run/alula/{n}"}} for n in names]}


def workflow(name: str, *templates: Object, **spec: Any) -> Object:
    """A run whose entry is its first template."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name},
        "spec": {"entrypoint": templates[0]["name"], "templates": list(templates), **spec},
    }


def node(run: Object, name: str) -> Object:
    """The node of a run that Argo displays as `name`."""
    found: Object = next(n for n in run["status"]["nodes"].values() if n["displayName"] == name)
    return found
