"""What a run's object says of its state. Pure: Argo's status in, lines for people out. Called by `remote.runs`."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass, field
from typing import Any

FINISHED = ("Succeeded", "Failed", "Error")


@dataclass(frozen=True)
class NodeState:
    """A task's node: what Argo shows of it."""

    name: str
    phase: str
    cached: bool
    message: str


@dataclass(frozen=True)
class RunState:
    """A run at one moment."""

    name: str
    phase: str
    message: str
    nodes: tuple[NodeState, ...] = ()
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether Argo will not touch it again."""
        return self.phase in FINISHED


def state(run: dict[str, Any]) -> RunState:
    """Read an Argo Workflow, its node map packed or plain."""
    name, status = run["metadata"]["name"], run.get("status") or {}
    found = node_map(status)
    root = found.get(name, {})
    outputs = (root.get("outputs") or status.get("outputs") or {}).get("parameters") or []
    message = root.get("message") or status.get("message") or ""
    tasks = sorted(
        (node for node in found.values() if _is_task(node, name)),
        key=lambda node: (node.get("startedAt") or "", node["name"]),
    )
    return RunState(
        name,
        status.get("phase") or "Pending",
        message,
        tuple(_node(node, name) for node in tasks),
        {each["name"]: each.get("value", "") for each in outputs},
    )


def node_map(status: dict[str, Any]) -> dict[str, Any]:
    """The nodes of a run's status, unpacked when Argo packed them with gzip; else what is there."""
    packed = status.get("compressedNodes")
    if not packed:
        return status.get("nodes") or {}
    raw = base64.b64decode(packed)
    if raw[:2] != b"\x1f\x8b":
        return status.get("nodes") or {}
    unpacked: dict[str, Any] = json.loads(gzip.decompress(raw))
    return unpacked


def news(before: RunState | None, now: RunState) -> list[str]:
    """One line for each node whose phase changed since `before`."""
    old = {node.name: node for node in before.nodes} if before else {}
    return [line(node) for node in now.nodes if node.name not in old or old[node.name].phase != node.phase]


def line(node: NodeState) -> str:
    """`train  Succeeded (cached)`."""
    word = "cached" if node.cached else node.phase.lower()
    return f"{node.name:<32} {word}" + (f"  {node.message}" if node.message and not node.cached else "")


def _is_task(node: dict[str, Any], run: str) -> bool:
    """Pods and what retries them, without a retry's single attempts, groups and holds."""
    if node.get("type") == "Retry":
        return True
    return node.get("type") == "Pod" and not node["name"].endswith(")")


def _node(node: dict[str, Any], run: str) -> NodeState:
    memo = node.get("memoizationStatus") or {}
    return NodeState(
        node["name"].removeprefix(f"{run}."),
        node.get("phase") or "Pending",
        bool(memo.get("hit")),
        node.get("message") or "",
    )
