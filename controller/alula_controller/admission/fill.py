"""Cached tasks as finished nodes of Argo's: `holds.md`, "Fill in", is the law here. Pure; called by `decide`.

What hangs a run for ever and therefore never leaves this module: a node whose parent does not name it as a child, a
graph Succeeded without `children` or `outboundNodes`, anything behind a graph left Running, a declared output missing,
a memo mark on a graph. `problems` checks all of it, in tests and before every write.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alula_api.argo import nodes
from alula_api.argo.nodes import Node, Nodes
from alula_api.contract import names, values
from alula_api.contract.graphs.bindings import UNKNOWN, wire_of
from alula_api.contract.graphs.frames import Frame
from alula_api.contract.graphs.plans import TaskCall
from alula_api.contract.graphs.walks import Outputs, Spot
from alula_controller.admission.cache_walk import CacheWalk

CACHE_NAME = "alula"
MESSAGE = "cached"


def fill(walk: CacheWalk, kept: Collection[Spot], held: Nodes, run: str, moment: str) -> Nodes:
    """The node map `held` with the part `kept` of the walk filled in.

    Args:
        walk: the walk, over.
        kept: spots to fill in, as `CacheWalk.limited` gives them.
        held: the run's nodes as read: the root and `admit`.
        run: the run's name.
        moment: now.
    """
    filled = {key: dict(node) for key, node in held.items()}
    admit = nodes.id_of(run, names.ADMIT)
    scope = str(held[admit].get("templateScope") or "local/")
    scene = _Scene(walk.keys, frozenset(kept), run, scope, moment)
    children: dict[str, dict[str, None]] = {run: {admit: None}, admit: {}}
    for spot in _shown(walk.frame, scene.kept):
        node = _node(spot, scene)
        filled[node["id"]] = node
        children.setdefault(node["id"], {})
        for above in _above(spot, run):
            children.setdefault(above, {})[node["id"]] = None
    for key, below in children.items():
        present = filled[key].get("children") or ()
        merged = [*present, *(each for each in below if each not in set(present))]
        if merged:
            filled[key]["children"] = merged
    return filled


def _shown(frame: Frame, kept: Collection[Spot]) -> Iterator[Spot]:
    """What is kept, and the graphs around it that have begun, a graph before what lies in it."""
    begun: dict[Spot, None] = {}
    for spot in kept:
        above = spot.frame.spot
        while above is not None and above.path and above not in begun:
            begun[above] = None
            above = above.frame.spot
    stack = [frame]
    while stack:
        at = stack.pop()
        shown = (at.spots[step.name] for step in at.graph.steps if step.name in at.spots)
        for spot in shown:
            if spot in kept or spot in begun:
                yield spot
                stack += [spot.inner] if spot.inner is not None else []


@dataclass(frozen=True)
class _Scene:
    """What all nodes that are filled in have in common."""

    keys: Mapping[Spot, str]
    kept: frozenset[Spot]
    run: str
    scope: str
    moment: str


def _node(spot: Spot, scene: _Scene) -> Node:
    is_task = isinstance(spot.call, TaskCall)
    done = spot in scene.kept
    around = spot.frame.spot
    node: Node = {
        "id": nodes.id_of(scene.run, spot.path),
        "name": names.argo_node_name(scene.run, spot.path),
        "displayName": spot.step.name,
        "type": "Pod" if is_task else "DAG",
        "templateName": spot.step.template,
        "templateScope": scene.scope,
        "phase": "Succeeded" if done else "Running",
        "boundaryID": nodes.id_of(scene.run, around.path if around is not None else ""),
        "startedAt": scene.moment,
    }
    if not done:
        return node
    node["finishedAt"] = scene.moment
    outputs = parameters(spot.outputs)
    if outputs:
        node["outputs"] = {"parameters": outputs}
    if is_task:
        node["message"] = MESSAGE
        node["memoizationStatus"] = {"hit": True, "key": scene.keys[spot], "cacheName": CACHE_NAME}
    else:
        node["outboundNodes"] = outbound(spot, scene.run)
    return node


def parameters(outputs: Outputs) -> list[dict[str, Any]]:
    """Outputs as Argo's parameters: Argo-safe JSON, whatever the values hold."""
    return [
        {"name": name, "value": values.argo_safe(values.dumps(wire_of(value)))}
        for name, value in outputs.items()
        if value is not UNKNOWN
    ]


def outbound(spot: Spot, run: str) -> list[str]:
    """The ids of the nodes that whatever comes after `spot` hangs under: itself, or a graph's last tasks."""
    found: dict[str, None] = {}
    stack = [spot]
    while stack:
        at = stack.pop()
        if at.inner is None:
            found[nodes.id_of(run, at.path)] = None
            continue
        last = [step.name for step in at.inner.graph.steps if step.name not in at.inner.shape.after]
        stack.extend(at.inner.spots[name] for name in reversed(last))
    return list(found)


def _above(spot: Spot, run: str) -> list[str]:
    """The ids of the nodes that name `spot` as their child."""
    if spot.step.depends:
        before = [spot.frame.spots[name] for name in spot.step.depends]
        return [each for one in before for each in outbound(one, run)]
    around = spot.frame.spot
    return [nodes.id_of(run, around.path if around is not None and around.path else names.ADMIT)]


def problems(filled: Mapping[str, Node], run: str) -> list[str]:
    """What would hang the run in this node map; empty if nothing would."""
    found = []
    below = {child for node in filled.values() for child in node.get("children") or ()}
    for key, node in filled.items():
        name = node.get("name", key)
        if node.get("id") != key or names.argo_node_id(run, str(name)) != key:
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
