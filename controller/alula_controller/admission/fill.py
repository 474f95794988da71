"""Cached tasks as finished nodes of Argo's: `holds.md`, "Fill in", is the law here. Pure; called by `decide`.

What hangs a run for ever and therefore never leaves this module: a node whose parent does not name it as a child, a
graph Succeeded without `children` or `outboundNodes`, anything behind a graph left Running, a declared output missing,
a memo mark on a graph. `problems` checks all of it, in tests and before every write.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from alula_api.contract import values
from alula_controller.admission.cache_walk import Known, Spot, Walk
from alula_controller.runs import nodes

CACHE_NAME = "alula"
MESSAGE = "cached"


def fill(walk: Walk, kept: Collection[int], held: nodes.Nodes, run: str, moment: str) -> nodes.Nodes:
    """The node map `held` with the part `kept` of the walk filled in.

    Args:
        walk: the walk, over.
        kept: spots to fill in, as `Walk.limited` gives them.
        held: the run's nodes as read: the root and `admit`.
        run: the run's name.
        moment: now.
    """
    kept = set(kept)
    filled = {key: dict(node) for key, node in held.items()}
    admit = nodes.node_id(run, f"{run}.{nodes.ADMIT}")
    scope = str(held[admit].get("templateScope") or "local/")
    scene = _Scene(walk, frozenset(kept), run, scope, moment)
    shown = [spot for spot in walk.spots if spot.index in kept or _partly(walk, spot, kept)]
    children: dict[str, dict[str, None]] = {run: {admit: None}, admit: {}}
    for spot in shown:
        filled[spot.id] = _node(spot, scene)
        children.setdefault(spot.id, {})
        for above in _above(spot, walk, admit):
            children.setdefault(above, {})[spot.id] = None
    for key, below in children.items():
        present = filled[key].get("children") or ()
        merged = [*present, *(each for each in below if each not in set(present))]
        if merged:
            filled[key]["children"] = merged
    return filled


def _partly(walk: Walk, spot: Spot, kept: Collection[int]) -> bool:
    """A graph that has begun: some of what lies in it is kept, not all of it is."""
    if not spot.step.dag or not spot.open or spot.index in kept:
        return False
    stack = list(spot.children)
    while stack:
        below = walk.spots[stack.pop()]
        if below.index in kept:
            return True
        stack.extend(below.children)
    return False


@dataclass(frozen=True)
class _Scene:
    """What all nodes that are filled in have in common."""

    walk: Walk
    kept: frozenset[int]
    run: str
    scope: str
    moment: str


def _node(spot: Spot, scene: _Scene) -> nodes.Node:
    done = spot.index in scene.kept
    node: nodes.Node = {
        "id": spot.id,
        "name": spot.name,
        "displayName": spot.step.name,
        "type": "Pod" if spot.step.task else "DAG",
        "templateName": spot.step.template,
        "templateScope": scene.scope,
        "phase": "Succeeded" if done else "Running",
        "boundaryID": scene.walk.spots[spot.parent].id if spot.parent >= 0 else scene.run,
        "startedAt": scene.moment,
    }
    if not done:
        return node
    node["finishedAt"] = scene.moment
    outputs = parameters(spot.outputs or {})
    if outputs:
        node["outputs"] = {"parameters": outputs}
    if spot.step.task:
        node["message"] = MESSAGE
        node["memoizationStatus"] = {"hit": True, "key": spot.key, "cacheName": CACHE_NAME}
    else:
        node["outboundNodes"] = outbound(scene.walk, spot)
    return node


def parameters(outputs: Mapping[str, Known]) -> list[dict[str, Any]]:
    """Outputs as Argo's parameters: Argo-safe JSON, whatever the values hold."""
    return [{"name": name, "value": values.argo_safe(values.dumps(known.json))} for name, known in outputs.items()]


def outbound(walk: Walk, spot: Spot) -> list[str]:
    """The ids of the nodes that whatever comes after `spot` hangs under: itself, or a graph's last tasks."""
    found: dict[str, None] = {}
    stack = [spot]
    while stack:
        at = stack.pop()
        if at.step.task:
            found[at.id] = None
            continue
        stack.extend(walk.spots[child] for child in reversed(at.children) if not walk.spots[child].dependents)
    return list(found)


def _above(spot: Spot, walk: Walk, admit: str) -> list[str]:
    """The nodes that name `spot` as their child."""
    if spot.depends:
        return [each for before in spot.depends for each in outbound(walk, walk.spots[before])]
    return [walk.spots[spot.parent].id if spot.parent >= 0 else admit]


def problems(filled: Mapping[str, nodes.Node], run: str) -> list[str]:
    """What would hang the run in this node map; empty if nothing would."""
    found = []
    below = {child for node in filled.values() for child in node.get("children") or ()}
    for key, node in filled.items():
        name = node.get("name", key)
        if node.get("id") != key or nodes.node_id(run, str(name)) != key:
            found.append(f"{name} does not have its own id")
        if key != run and key not in below:
            found.append(f"nothing names {name} as its child")
        for each in (*(node.get("children") or ()), *(node.get("outboundNodes") or ())):
            if each not in filled:
                found.append(f"{name} names {each}, which is not there")
        if node.get("type") == "DAG" and "memoizationStatus" in node:
            found.append(f"{name} is a graph with a memo mark")
        if node.get("type") == "DAG" and node.get("phase") == "Succeeded":
            found += [f"{name} is done without {part}" for part in ("children", "outboundNodes") if not node.get(part)]
        if key != run and node.get("boundaryID") not in filled:
            found.append(f"{name} lies in {node.get('boundaryID')}, which is not there")
        if any("value" not in output for output in nodes.parameters(node)) and node.get("phase") == "Succeeded":
            found.append(f"{name} is done without its outputs")
    return found
