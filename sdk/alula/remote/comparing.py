"""Does the cluster run what the file says? Pure: compares two specs at the level that a domain's patches leave alone.

Called before a run is started from a file, so that nobody runs last week's code and takes it for today's.
"""

from __future__ import annotations

from typing import Any

PARTS = {"inputs": "name", "outputs": "name", "tasks": "name", "graphs": "name"}
"""The lists of a Workflow that say what it computes, with the key of their items."""

TASK_FIELDS = ("entrypoint", "key", "inputs", "outputs", "cache")
"""What of a task a domain may not change; resources, retries, image and environment are its own."""


def differences(local: dict[str, Any], cluster: dict[str, Any]) -> list[str]:
    """What the file has and the cluster has not, and the reverse, one short line each; empty when they agree."""
    lines = []
    for part, key in PARTS.items():
        here = {item[key]: _meaning(part, item) for item in local.get(part) or []}
        there = {item[key]: _meaning(part, item) for item in cluster.get(part) or []}
        for name in [*here, *(name for name in there if name not in here)]:
            if name not in there:
                lines.append(f"{part[:-1]} {name} is only in the file")
            elif name not in here:
                lines.append(f"{part[:-1]} {name} is only on the cluster")
            elif here[name] != there[name]:
                lines.append(f"{part[:-1]} {name} differs")
    return lines


def _meaning(part: str, item: dict[str, Any]) -> Any:
    if part == "tasks":
        return {field: _plain(item[field]) for field in TASK_FIELDS if item.get(field)}
    return _plain(item)


def _plain(value: Any) -> Any:
    """Without what only people read: lines, sources, descriptions."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if key not in ("line", "source", "description")}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value
