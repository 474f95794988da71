"""A run whose filled-in data turned out to be gone or damaged is started again, once.

The pod that found it ended with an exit code that means nothing else, and put what was damaged aside, so the lookups of
the new run miss and the data is made anew. No message is read: any text may stand in one. The new run's name follows
from the old one's uid: however often this is decided, it is made once. It follows the same revision or is not made at
all, and a run that was made so is not followed by a third.

`Recovery` is called by `runs.reconcile`; the functions are pure.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from alula_api.argo import holds, nodes, runs
from alula_api.contract import exits, labels
from alula_controller import metrics, timestamps
from alula_controller.cluster import resources
from alula_controller.cluster.access import Access
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason

RECENT = timedelta(hours=24)  # after a restart of ours, failed runs older than that are not looked at again
_KEPT = ("workflowTemplateRef", "arguments", "priority")
_SUFFIX = r"-again-[0-9a-f]{16}"
_MAX_NAME = 63


def candidate(seen: Seen, now: datetime) -> bool:
    """Whether a run may have failed for lost data, by its labels alone."""
    created = timestamps.parse(seen.created)
    return (
        seen.labels.get(runs.PHASE_LABEL) == "Failed"
        and holds.marks(seen.labels.get(labels.ADMITTED, ""), seen.uid)
        and created is not None
        and now - created < RECENT
    )


def lost(run: Mapping[str, Any]) -> str:
    """The node that found its data lost, if one did; empty for a run that was started again or is the second one."""
    if (run.get("status") or {}).get("phase") != "Failed" or _second(run) or _followed(run):
        return ""
    try:
        found = nodes.read(run["status"])
    except nodes.Hidden:
        return ""
    name = str(run["metadata"]["name"])
    failed = (node for node in found.values() if _found_it_lost(node))
    return next((str(node.get("name") or "").removeprefix(f"{name}.") for node in failed), "")


def _found_it_lost(node: Mapping[str, Any]) -> bool:
    code = (node.get("outputs") or {}).get("exitCode")
    return node.get("type") == "Pod" and node.get("phase") == "Failed" and code == str(exits.INPUT_LOST)


def _second(run: Mapping[str, Any]) -> bool:
    """Whether the run took another one's place. A copy of such a run (resubmitted) has a name of its own."""
    metadata = run["metadata"]
    first = str((metadata.get("annotations") or {}).get(labels.RESTARTED_FROM) or "")
    return bool(first) and re.fullmatch(re.escape(_stem(first)) + _SUFFIX, str(metadata["name"])) is not None


def _followed(run: Mapping[str, Any]) -> bool:
    """Whether the run says what became of it. What a copy of it says is about the run that it was copied from."""
    said = (run["metadata"].get("annotations") or {}).get(labels.RESTARTED_AS)
    return said in (successor_name(run), _nothing(run))


def successor_name(run: Mapping[str, Any]) -> str:
    """The name of the run that takes this one's place."""
    return _stem(str(run["metadata"]["name"])) + f"-again-{_digest(run)}"


def _stem(name: str) -> str:
    return name[: _MAX_NAME - len("-again-") - 16].rstrip("-.")


def _digest(run: Mapping[str, Any]) -> str:
    return hashlib.sha256(str(run["metadata"]["uid"]).encode()).hexdigest()[:16]


def _nothing(run: Mapping[str, Any]) -> str:
    return f"none-{_digest(run)}"


def mark(run: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The patch by which a run says what took its place, so that nothing else does, not even when that is deleted.

    Args:
        run: as read.
        name: of the run that took its place; empty if none could.
    """
    annotations = {labels.RESTARTED_AS: name or _nothing(run)}
    return {"metadata": {"uid": run["metadata"]["uid"], "annotations": annotations}}


def successor(run: Mapping[str, Any], node: str, template: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The run to create in its place; None if what it was started from is no longer there as it was.

    Args:
        run: as read.
        node: what `lost` said.
        template: the WorkflowTemplate that the run names, as it is now.
    """
    metadata = run["metadata"]
    revision = (metadata.get("labels") or {}).get(labels.REVISION)
    current = ((template or {}).get("spec") or {}).get("workflowMetadata") or {}
    if template is None or (current.get("labels") or {}).get(labels.REVISION) != revision or _is_of_the_cluster(run):
        return None
    spec = {key: value for key, value in run["spec"].items() if key in _KEPT}
    notes = {labels.RESTARTED_FROM: metadata["name"], labels.REASON: f"data that {node} needed was lost"}
    return resources.run(metadata["namespace"], successor_name(run), spec, notes)


def _is_of_the_cluster(run: Mapping[str, Any]) -> bool:
    """Whether the run names a template outside its namespace; none of ours does."""
    return bool((run["spec"].get("workflowTemplateRef") or {}).get("clusterScope"))


class Recovery:
    """Starts runs again whose data was lost.

    Args:
        access: the cluster.
    """

    def __init__(self, access: Access) -> None:
        self._access = access

    async def handle(self, run: Mapping[str, Any]) -> None:
        """Start a run anew, once, whose filled-in data was gone or damaged when a task needed it."""
        node = await asyncio.to_thread(lost, run)
        if not node or not self._access.may_write():
            return
        path = resources.TEMPLATES.path(run["metadata"]["namespace"], runs.template(run))
        template = await self._access.api.find(path)
        body = successor(run, node, template)
        name = str(body["metadata"]["name"]) if body is not None else ""
        if body is not None and await self._access.start(body):
            metrics.RUNS_RESTARTED.inc()
        await self._access.patch_run(run, mark(run, name))
        reason = Reason.STARTED_AGAIN if name else Reason.NOT_STARTED_AGAIN
        then = f"the run is started again as {name}" if name else "the workflow has changed since, so start a new run"
        self._access.announce(run, reason, f"data that {node} needed was lost; {then}", warning=True)
