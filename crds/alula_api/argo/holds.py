"""Holds: suspend nodes that the controller completes by patching the run, `admit` and those amid a run.

Pure: a node map as read goes in, another comes out. What is answered is decided by its callers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alula_api.argo import nodes
from alula_api.argo.nodes import Node, Nodes
from alula_api.contract import names


def find(run: str, found: Mapping[str, Node], path: str = names.ADMIT) -> Node | None:
    """The hold at a path below the run's name, where ids are what we think they are; None if it is not there (yet).

    Raises:
        Unreadable: Argo names its nodes in another way than is known here, so nothing may be written.
    """
    name = names.argo_node_name(run, path)
    root = found.get(run)
    hold = next((node for node in found.values() if node.get("name") == name), None)
    if root is None or hold is None:
        return None
    expected = nodes.id_of(run, path)
    if root.get("name") != run or hold.get("id") != expected or found.get(expected) is not hold:
        raise nodes.Unreadable(f"Argo calls the node {name} {hold.get('id')}, not {expected}")
    return hold


def unanswered(hold: Mapping[str, Any]) -> bool:
    """Whether a hold waits for us: Running, or resumed by a person while its outputs were not supplied."""
    if hold.get("phase") in ("Running", "Pending"):
        return True
    return hold.get("phase") == "Succeeded" and any("value" not in output for output in nodes.parameters(hold))


def waiting(run: str, found: Mapping[str, Node]) -> list[str]:
    """The paths of all holds that wait for an answer, in the order of their names."""
    prefix = names.argo_node_name(run, "")
    held = [node for node in found.values() if node.get("type") == "Suspend" and unanswered(node)]
    return sorted(str(node.get("name")).removeprefix(prefix) for node in held)


def answered(hold: Node, outputs: Mapping[str, str], moment: str) -> Node:
    """The hold completed with these outputs, which are texts that are safe for Argo."""
    parameters = [{"name": name, "value": value} for name, value in outputs.items()]
    return {**hold, "phase": "Succeeded", "finishedAt": moment, "outputs": {"parameters": parameters}}


def refused(hold: Node, message: str, moment: str) -> Node:
    """The hold failed with a message, and with it whatever waits for it."""
    return {**hold, "phase": "Failed", "message": message, "finishedAt": moment}


def mark(run: Mapping[str, Any], hold: Mapping[str, Any]) -> str:
    """The label by which a run says that this hold was answered: the run's uid, and when the hold began.

    A run that was resubmitted carries the label of another uid; one that Argo holds anew after a retry, another time.
    """
    began = "".join(character for character in str(hold.get("startedAt") or "") if character.isalnum())
    return f"{run['metadata']['uid']}.{began[:20] or '0'}"


def marks(label: str, uid: str) -> bool:
    """Whether a label is the mark of a run with this uid, of whichever hold."""
    return bool(uid) and label.startswith(f"{uid}.")


def patch(run: Mapping[str, Any], packed: str, labels: Mapping[str, str | None]) -> dict[str, Any]:
    """The whole node map (`nodes.pack`) and labels in one write, which holds only for the version that was read.

    A label of None goes.
    """
    return {
        "metadata": {"resourceVersion": run["metadata"]["resourceVersion"], "labels": dict(labels)},
        "status": {"nodes": None, "compressedNodes": packed},
    }


def with_nodes(found: Nodes, *changed: Node) -> Nodes:
    """A copy of a node map with some nodes in their new form."""
    return {**{key: dict(node) for key, node in found.items()}, **{node["id"]: node for node in changed}}
