"""Cached tasks as finished nodes of Argo's: `holds.md`, "Fill in", is the law here. Pure; called by `decide`.

What hangs a run for ever and therefore never leaves this module: a node whose parent does not name it as a child, a
graph Succeeded without `children` or `outboundNodes`, anything behind a graph left Running, a declared output missing,
a memo mark on a graph. `problems` checks all of it, in tests and before every write. A map is a graph of one group,
whose children are its items; of a group left Running the engine runs the items that lack. A repeat is a graph of the
rounds that are taken; of one left Running the engine asks for the next round.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alula_api.argo import nodes
from alula_api.argo.nodes import Node, Nodes
from alula_api.contract import names, values
from alula_api.contract.graphs import calls
from alula_api.contract.graphs.bindings import UNKNOWN, wire_of
from alula_api.contract.graphs.calls import BranchCall, TaskCall
from alula_api.contract.graphs.frames import Frame, Outputs, Spot
from alula_controller.admission import cache_walk
from alula_controller.admission.cache_walk import CacheWalk

CACHE_NAME = "alula"
MESSAGE = "cached"


class SameId(Exception):
    """Two nodes that are filled in have one id: one would be taken for the other."""


def fill(walk: CacheWalk, kept: Collection[Spot], held: Nodes, run: str, moment: str) -> Nodes:
    """The node map `held` with the part `kept` of the walk filled in.

    Args:
        walk: the walk, over.
        kept: spots to fill in, as `CacheWalk.limited` gives them.
        held: the run's nodes as read: the root and `admit`.
        run: the run's name.
        moment: now.

    Raises:
        SameId: nothing can be filled in.
    """
    filled = {key: dict(node) for key, node in held.items()}
    admit = nodes.id_of(run, names.ADMIT)
    scope = str(held[admit].get("templateScope") or "local/")
    scene = _Scene(walk.keys, frozenset(kept), run, scope, moment)
    children: dict[str, dict[str, None]] = {run: {admit: None}, admit: {}}
    for spot in _shown(walk.root, scene.kept):
        above = _above(spot, run)
        for node in _nodes(spot, scene):
            if filled.setdefault(node["id"], node) is not node:
                raise SameId(node["name"])
            children.setdefault(node["id"], {})
            for each in above:
                children.setdefault(each, {})[node["id"]] = None
            above = [node["id"]]
    for key, below in children.items():
        present = filled[key].get("children") or ()
        merged = [*present, *(each for each in below if each not in set(present))]
        if merged:
            filled[key]["children"] = merged
    return filled


def _shown(root: Spot, kept: Collection[Spot]) -> Iterator[Spot]:
    """What is kept, and the graphs around it that have begun, a graph before what lies in it."""
    begun: dict[Spot, None] = {}
    for spot in kept:
        above = spot.whole or spot.frame.spot
        while above is not None and above.path and above not in begun:
            begun[above] = None
            above = above.whole or above.frame.spot
    stack = [root]
    while stack:
        for spot in cache_walk.inside(stack.pop()):
            if spot in kept or spot in begun:
                yield spot
                stack.append(spot)


@dataclass(frozen=True)
class _Scene:
    """What all nodes that are filled in have in common."""

    keys: Mapping[Spot, str]
    kept: frozenset[Spot]
    run: str
    scope: str
    moment: str


def _nodes(spot: Spot, scene: _Scene) -> list[Node]:
    """The node of a spot; below that of a conditional the branch which is taken, below that of a map its group."""
    node = _node(spot, scene)
    if calls.over(spot.call):
        return [node, _group(spot, node, scene)]
    if not isinstance(spot.call, BranchCall):
        return [node]
    assert spot.inner is not None, "a conditional of which no branch is taken is left to the engine"
    taken = branch_path(spot.inner)
    name = taken.rpartition(".")[2]
    graph = spot.inner.graph
    branch: Node = {
        **node,
        **_named(taken, scene),
        "displayName": name,
        "templateName": graph.template or spot.inner.name,
        "boundaryID": node["id"],
    }
    if not graph.steps:
        branch |= {"type": "Suspend", "templateName": names.NOTHING}
        branch.pop("outputs", None)
        branch.pop("outboundNodes", None)
    if "finishedAt" in node:
        said = {"name": names.TAKEN, "value": name}
        node["outputs"] = {"parameters": [said, *parameters(spot.outputs)]}
    return [node, branch]


def _group(spot: Spot, node: Node, scene: _Scene) -> Node:
    """The node between a map and its items; the engine skips it where there are none."""
    group: Node = {
        **node,
        **_named(group_path(spot), scene),
        "displayName": names.ITEM,
        "type": "TaskGroup",
        "templateName": _item_template(spot),
        "boundaryID": node["id"],
    }
    group.pop("outputs", None)
    group.pop("outboundNodes", None)
    return group if spot.items else group | {"type": "Skipped", "phase": "Skipped"}


def group_path(spot: Spot) -> str:
    """The path of the node below which the items of a map lie."""
    return f"{spot.path}.{names.ITEM}"


def branch_path(inner: Frame) -> str:
    """The path of the branch of a conditional that was opened: its DAG is a node between it and its tasks."""
    return inner.prefix.removesuffix(".")


def _node(spot: Spot, scene: _Scene) -> Node:
    is_task = isinstance(spot.call, TaskCall)
    done = spot in scene.kept
    named = _named(spot.path, scene)
    node: Node = {
        **named,
        "displayName": spot.step.name if spot.whole is None else named["name"].rpartition(".")[2],
        "type": "Pod" if is_task else "DAG",
        "templateName": _template(spot),
        "templateScope": scene.scope,
        "phase": "Succeeded" if done else "Running",
        "boundaryID": _id(spot.whole.path if spot.whole else spot.frame.prefix.removesuffix("."), scene.run),
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


def _named(path: str, scene: _Scene) -> Node:
    name = names.argo_node_name(scene.run, names.argo_path(path))
    return {"id": names.argo_node_id(scene.run, name), "name": name}


def _id(path: str, run: str) -> str:
    return nodes.id_of(run, names.argo_path(path))


def _template(spot: Spot) -> str:
    return spot.step.template if spot.whole is None else _item_template(spot)


def _item_template(spot: Spot) -> str:
    return spot.step.item or calls.name(spot.call)


def parameters(outputs: Outputs) -> list[dict[str, Any]]:
    """Outputs as Argo's parameters: Argo-safe JSON, whatever the values hold."""
    return [
        {"name": name, "value": values.argo_safe(values.dumps(wire_of(value)))}
        for name, value in outputs.items()
        if value is not UNKNOWN
    ]


def outbound(spot: Spot, run: str) -> list[str]:
    """The ids of the nodes under which hangs what comes after `spot`: itself, a graph's last tasks, a map's items."""
    found: dict[str, None] = {}
    stack = [spot]
    while stack:
        at = stack.pop()
        if at.items:
            stack.extend(reversed(at.items))
            continue
        if at.inner is None:
            found[_id(group_path(at) if calls.over(at.call) else at.path, run)] = None
            continue
        if not at.inner.graph.steps:
            found[_id(branch_path(at.inner), run)] = None
        if at.inner.rounds is not None:
            stack += [*cache_walk.inside(at)][-1:]
            continue
        last = [step.name for step in at.inner.graph.steps if step.name not in at.inner.shape.after]
        stack.extend(at.inner.spots[name] for name in reversed(last))
    return list(found)


def _above(spot: Spot, run: str) -> list[str]:
    """The ids of the nodes that name `spot` as their child."""
    if spot.whole is not None:
        return [_id(group_path(spot.whole), run)]
    if spot.step.depends:
        before = [spot.frame.spots[name] for name in spot.step.depends]
        return [each for one in before for each in outbound(one, run)]
    return [_id(spot.frame.prefix.removesuffix(".") or names.ADMIT, run)]


_NEEDED = {"DAG": ("children", "outboundNodes"), "TaskGroup": ("children",)}
"""What a node must have to be done."""


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
        needed = _NEEDED.get(str(node.get("type")), ())
        if needed and "memoizationStatus" in node:
            found.append(f"{name} is a graph with a memo mark")
        if node.get("phase") == "Succeeded":
            found += [f"{name} is done without {part}" for part in needed if not node.get(part)]
        if key != run and node.get("boundaryID") not in filled:
            found.append(f"{name} lies in {node.get('boundaryID')}, which is not there")
        if any("value" not in output for output in nodes.parameters(node)) and node.get("phase") == "Succeeded":
            found.append(f"{name} is done without its outputs")
    return found
