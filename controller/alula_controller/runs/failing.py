"""A run in which something failed for good: nothing new starts any more, or all is ended, as its workflow says.

Argo itself goes on with whatever does not depend on what failed. So a run that drains is suspended: what runs is
recorded and may finish, attempts and holds wait; when nothing runs any more, or at once where the run is to be aborted,
it gets a deadline that has passed. The first failure is the run's message from the beginning: Argo takes over the
message of the root node. All of it follows from the run as read, so it may be decided any number of times.

Called by `runs.reconcile`, some time after the run has changed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from alula_api.argo import failing, holds, nodes
from alula_api.contract import labels, names
from alula_api.contract.graphs.walks import Policy
from alula_controller import conditions, timestamps
from alula_controller.cluster.access import Access
from alula_controller.conditions import Reason
from alula_controller.runs.stop import PASSED

LOOK_SECONDS = 1.0
"""After a change of a run it is looked at; changes within that time are looked at once."""
LONGEST_MESSAGE = 2_000


def policy(given: Mapping[str, str]) -> Policy:
    """What the labels of a run say; as without one, where they say nothing that is known."""
    said = given.get(labels.FAILURE_POLICY, "")
    return Policy(said) if said in tuple(Policy) else Policy.DRAIN


def ending(run: Mapping[str, Any]) -> dict[str, Any] | None:
    """The next patch of a run that fails, for the version that was read; None when there is nothing to do (yet).

    Raises:
        nodes.Hidden: its nodes cannot be reached or read.
    """
    status = run.get("status") or {}
    stored = status.get("storedWorkflowTemplateSpec")
    if not stored or stored.get("activeDeadlineSeconds") == PASSED:
        return None
    name = str(run["metadata"]["name"])
    found = nodes.read(status)
    root = found.get(name)
    if root is None or root.get("id") != name or root.get("phase") != "Running":
        return None
    first = failing.first(run, found)
    if first is None or first.path == names.ADMIT:
        return None
    chosen = policy(run["metadata"].get("labels") or {})
    if _is_late(run, first.at):
        chosen = Policy.CONTINUE  # Argo ends all of it
    ends = chosen is Policy.ABORT or (chosen is Policy.DRAIN and not failing.running(found))
    message = conditions.clip(_text(run, first), LONGEST_MESSAGE)
    if root.get("message") == message and not ends:
        return None
    packed = nodes.pack(holds.with_nodes(found, {**root, "message": message}))
    passed = {"storedWorkflowTemplateSpec": {"activeDeadlineSeconds": PASSED}} if ends else {}
    return {
        "metadata": {"resourceVersion": run["metadata"]["resourceVersion"]},
        **({} if chosen is Policy.CONTINUE else {"spec": {"suspend": None if ends else True}}),
        "status": {"nodes": None, "compressedNodes": packed, **passed},
    }


def cleaning(run: Mapping[str, Any]) -> dict[str, Any] | None:
    """The patch of a run that is over: without our deadline, by which `argo retry` of it would end at once, and with
    the first failure as its message where it has none; None when there is nothing to do."""
    status = run["status"]
    changed: dict[str, Any] = {}
    if (status.get("storedWorkflowTemplateSpec") or {}).get("activeDeadlineSeconds") == PASSED:
        changed["storedWorkflowTemplateSpec"] = {"activeDeadlineSeconds": None}
    said = str(status.get("message") or "")
    if not said or said.endswith(failing.LATE):
        with contextlib.suppress(nodes.Hidden):
            first = failing.first(run, nodes.read(status))
            text = _text(run, first) if first is not None else _overrun(run, str(status.get("finishedAt") or ""))
            message = conditions.clip(text, LONGEST_MESSAGE) or said
            changed |= {"message": message} if message != said else {}
    metadata = {"resourceVersion": run["metadata"]["resourceVersion"]}
    return {"metadata": metadata, "status": changed} if changed else None


def _is_late(run: Mapping[str, Any], at: str) -> bool:
    """Whether it was the deadline of the run that ended something then."""
    status = run.get("status") or {}
    limit = (status.get("storedWorkflowTemplateSpec") or {}).get("activeDeadlineSeconds")
    began, failed = timestamps.parse(str(status.get("startedAt") or "")), timestamps.parse(at)
    if not isinstance(limit, int) or limit == PASSED or began is None or failed is None:
        return False
    return (failed - began).total_seconds() >= limit - 1  # times are whole seconds


def _text(run: Mapping[str, Any], first: failing.Failing) -> str:
    """The message of a run: its deadline, where that ended it, else what failed first."""
    return _overrun(run, first.at) or first.text


def _overrun(run: Mapping[str, Any], at: str) -> str:
    """That its deadline ended a run, or its first task, then; empty where it did not."""
    limit = (run["metadata"].get("annotations") or {}).get(labels.DEADLINE)
    failed = (run.get("status") or {}).get("phase") != "Succeeded"
    return f"the run took longer than its deadline of {limit}" if limit and failed and _is_late(run, at) else ""


class Failures:
    """Ends runs that fail.

    Args:
        access: the cluster.
    """

    def __init__(self, access: Access) -> None:
        self._access = access

    async def handle(self, run: Mapping[str, Any]) -> None:
        """Do the next step with a run that may be failing; its own changes bring the next look."""
        try:
            patch = ending(run)
        except nodes.Hidden:
            return  # Argo's own way is what is left
        if patch is None or not self._access.may_write():
            return
        await self._access.patch_run(run, patch)
        first = failing.first(run, nodes.read(run["status"]))
        if first is not None and not (run.get("spec") or {}).get("suspend"):
            self._access.announce(run, Reason.FAILING, conditions.clip(first.text, 900), warning=True)

    async def clean(self, run: Mapping[str, Any]) -> Mapping[str, Any]:
        """Leave a run that is over as people and `argo retry` should find it; returns it."""
        patch = cleaning(run)
        if patch is None or not self._access.may_write():
            return run
        return await self._access.patch_run(run, patch)
