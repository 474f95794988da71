"""Runs that Argo copied with what was done in another one (`argo resubmit --memoized`), and that then never end.

Argo resets the graphs in the copy to Pending, those whose nodes are all done as well, and takes up only what still has
to run; its root stays Pending for ever, in plain Argo too (seen on 4.0.5). So once nothing runs any more, the graphs
that still are Pending get the phase that their nodes make. What was skipped in the first run is skipped anew as a node
without children, so that what had hung under it hangs nowhere: it gets the graph that it lies in as its parent, where
Argo finds it. `Watchdog.heal` calls `healing`, twice a minute. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from alula_api.argo import holds, nodes, runs
from alula_api.argo.nodes import Node, Nodes
from alula_api.contract import labels
from alula_controller import timestamps

LABEL: Final = "workflows.argoproj.io/resubmitted-from-workflow"
SELECTOR: Final = f"{labels.REVISION},{LABEL},{runs.COMPLETED_LABEL}!=true"
SETTLED: Final = timedelta(seconds=10)
"""For so long nothing has ended: several of Argo's rounds."""
_GROUPS: Final = ("DAG", "TaskGroup")
_ENDED: Final = ("Succeeded", "Failed", "Error", "Skipped", "Omitted")
_BAD: Final = ("Failed", "Error")


def healing(run: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
    """The patch after which Argo ends the run, for the version that was read; None where it needs none.

    Raises:
        nodes.Hidden: its nodes cannot be reached or read.
    """
    status = run.get("status") or {}
    name = str(run["metadata"]["name"])
    found = nodes.read(status)
    root = found.get(name)
    if status.get("phase") != "Running" or root is None or root.get("phase") != "Pending":
        return None
    pending = {
        key: node
        for key, node in found.items()
        if key != name and node.get("type") in _GROUPS and node.get("phase") == "Pending"
    }
    others = [node for key, node in found.items() if key != name and key not in pending]
    lost = _lost(name, found)
    if not (pending or lost) or not others or any(node.get("phase") not in _ENDED for node in others):
        return None
    ends = [timestamps.parse(str(node.get("finishedAt") or "")) for node in others]
    if any(end is None or now - end < SETTLED for end in ends):
        return None
    moment = timestamps.seconds(now)
    phases = _phases(pending, found)
    healed = {key: {**node, "phase": phases[key], "finishedAt": moment} for key, node in pending.items()}
    for around, keys in lost.items():
        parent = healed.get(around, found[around])
        healed[around] = {**parent, "children": [*(parent.get("children") or ()), *keys]}
    packed = nodes.pack(holds.with_nodes(found, *healed.values()))
    return {
        "metadata": {"resourceVersion": run["metadata"]["resourceVersion"]},
        "status": {"nodes": None, "compressedNodes": packed},
    }


def _lost(root: str, found: Nodes) -> dict[str, list[str]]:
    """The nodes that none names as its child, by the graph that they lie in."""
    below = {child for node in found.values() for child in node.get("children") or ()}
    lost: dict[str, list[str]] = {}
    for key, node in found.items():
        around = str(node.get("boundaryID") or "")
        if key != root and key not in below and around in found:
            lost.setdefault(around, []).append(key)
    return lost


def _phases(pending: Mapping[str, Node], found: Nodes) -> dict[str, str]:
    """The phase of each graph: Failed where one lies in it, however deep, that failed."""
    bad = set()
    for node in found.values():
        if node.get("phase") not in _BAD:
            continue
        at, seen = str(node.get("boundaryID") or ""), set[str]()
        while at in pending and at not in seen:
            seen.add(at)
            at = str(pending[at].get("boundaryID") or "")
        bad |= seen
    bad |= {key for key, node in pending.items() if _has_bad_child(node, found)}
    return {key: "Failed" if key in bad else "Succeeded" for key in pending}


def _has_bad_child(group: Node, found: Nodes) -> bool:
    """Whether an item of a group failed; the boundary of an item is the graph around the group."""
    children = group.get("children") or () if group.get("type") == "TaskGroup" else ()
    return any((found.get(child) or {}).get("phase") in _BAD for child in children)
