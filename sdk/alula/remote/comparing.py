"""Does the cluster run what the file says? Pure: compares two specs at the level that a domain's patches leave alone.

Called before a run is started from a file, so that nobody runs last week's code and takes it for today's. The order of
lists with names says nothing: kustomize puts what it patched first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from alula_api.contract import values

Item = Mapping[str, Any]
Meaning = dict[str, Any]

TASK_FIELDS = ("entrypoint", "key", "cache")
"""What of a task, beside its inputs and outputs, a domain may not change."""


def differences(local: Item, cluster: Item) -> list[str]:
    """What the file has and the cluster has not, and the reverse, one short phrase each; empty when they agree.

    Args:
        local: The spec of a Workflow as the file makes it.
        cluster: The spec as the API server returns it.
    """
    parts = {"inputs": _port, "outputs": _port, "tasks": _task, "graphs": _graph}
    return [each for part, meaning in parts.items() for each in _differences(part, part[:-1], meaning, local, cluster)]


def plan_differences(local: Item, cluster: Item) -> list[str]:
    """The same for a LaunchPlan: the workflow and the values; when and whether it runs by itself is the domain's."""
    found = []
    if local.get("workflow") != cluster.get("workflow"):
        found.append(f"on the cluster it runs {cluster.get('workflow')}")
    for part, what in (("inputs", "value"), ("fixedInputs", "fixed value")):
        found += _differences(part, what, _port, local, cluster)
    return found


def _differences(part: str, what: str, meaning: Callable[[Item], Meaning], local: Item, cluster: Item) -> Iterator[str]:
    here, there = _named(local.get(part), meaning), _named(cluster.get(part), meaning)
    for name in [*here, *(name for name in there if name not in here)]:
        if name not in there:
            yield f"{what} {name} is only in the file"
        elif name not in here:
            yield f"{what} {name} is only on the cluster"
        elif here[name] != there[name]:
            yield f"{what} {name} differs{_where(here[name], there[name])}"


def _where(here: Meaning, there: Meaning) -> str:
    """` (default, type)`: the fields that differ. Another cache version means other code."""
    fields = [field for field in dict.fromkeys([*here, *there]) if here.get(field) != there.get(field)]
    return f" ({', '.join('code' if field == 'cache' else field for field in fields)})" if fields else ""


def _named(items: Any, meaning: Callable[[Item], Meaning], key: str = "name") -> dict[str, Meaning]:
    return {str(item[key]): meaning(item) for item in items or ()}


def _port(item: Item) -> Meaning:
    """An input, output or given value."""
    texts = {field: _value(item[field]) for field in ("default", "value") if field in item}
    binding = {"from": _binding(item["from"])} if "from" in item else {}
    return {"type": item.get("type"), **texts, **binding}


def _ports(item: Item) -> Meaning:
    return {part: _named(item.get(part), _port) for part in ("inputs", "outputs")}


def _task(item: Item) -> Meaning:
    return {**{field: item.get(field) for field in TASK_FIELDS}, **_ports(item)}


def _graph(item: Item) -> Meaning:
    return {"nodes": _named(item.get("nodes"), _node, "id"), **_ports(item)}


def _node(item: Item) -> Meaning:
    inputs = {name: _binding(each) for name, each in (item.get("inputs") or {}).items()}
    target = {field: item.get(field) for field in ("task", "graph")}
    return {**target, "inputs": inputs, "after": sorted(item.get("after") or ())}


def _binding(item: Item) -> Meaning:
    found = dict(item)
    if "value" in found:
        found["value"] = _value(found["value"])
    if "items" in found:
        found["items"] = [_binding(each) for each in found["items"]]
    return found


def _value(text: Any) -> Any:
    """One text for all texts of a value: escaped or not, with blanks or without."""
    try:
        return values.dumps(values.parse(text))
    except (values.InvalidValue, TypeError):
        return text
