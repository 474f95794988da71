"""A run that is asked to end: by `alula stop`, an annotation with the reason, or because a newer run of its launch plan
replaces it. Called by `runs.reconcile`.

Argo's own `shutdown` would overwrite the reason and leave hooks in nested graphs unwatched, so a held run is failed at
its hold, and any other gets a deadline that has passed. One that is suspended, as a run that drains is, goes on as far
as that: Argo kills the pods of a suspended run at its deadline, and never ends it. Once is enough: what was written is
seen on the next look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from alula_api.argo import holds, nodes
from alula_api.contract import labels
from alula_controller import conditions, timestamps
from alula_controller.cluster.access import Access
from alula_controller.conditions import Reason

AGAIN_SECONDS = 1.0
PASSED = 1  # a deadline one second after the start
LONGEST_REASON = 1_000


def reason(run: Mapping[str, Any]) -> str:
    """Why the run is to end; empty when it is not asked to."""
    asked = (run["metadata"].get("annotations") or {}).get(labels.STOP)
    return "" if asked is None else f"stopped: {conditions.clip(str(asked), LONGEST_REASON)}"


def ending(run: Mapping[str, Any], message: str, moment: str, outcome: str = "") -> dict[str, Any] | None:
    """The patch that ends a run, for the version that was read; None when it is ending.

    Args:
        run: As read.
        message: Why it ends.
        moment: Now, as Argo writes times.
        outcome: What its label is to say, if anything.

    Raises:
        nodes.Hidden: its nodes cannot be reached or read.
    """
    status = run["status"]
    name = str(run["metadata"]["name"])
    found = nodes.read(status)
    root = found.get(name)
    suspended = bool((run.get("spec") or {}).get("suspend"))
    ends = status["storedWorkflowTemplateSpec"].get("activeDeadlineSeconds") == PASSED and not suspended
    if root is None or root.get("id") != name or ends:
        return None
    hold = holds.find(name, found)
    changed = [{**root, "message": message}]
    written: dict[str, Any] = {}
    if hold is not None and holds.unanswered(hold):
        changed.append(holds.refused(hold, message, moment))
    elif hold is not None and hold.get("phase") == "Failed":
        return None
    else:
        written["storedWorkflowTemplateSpec"] = {"activeDeadlineSeconds": PASSED}
    packed = nodes.pack(holds.with_nodes(found, *changed))
    return {
        "metadata": _metadata(run, outcome),
        **({"spec": {"suspend": None}} if suspended else {}),
        "status": {"nodes": None, "compressedNodes": packed, **written},
    }


def _metadata(run: Mapping[str, Any], outcome: str) -> dict[str, Any]:
    labelled = {"labels": {labels.OUTCOME: outcome}} if outcome else {}
    return {"resourceVersion": run["metadata"]["resourceVersion"], **labelled}


class Stop:
    """Ends runs.

    Args:
        access: the cluster.
        replaced: why the run of this namespace and uid is to end for another one, and the outcome that its label is to
            say; empty for one that may stay.
    """

    def __init__(
        self, access: Access, replaced: Callable[[str, str], tuple[str, str]] = lambda namespace, uid: ("", "")
    ) -> None:
        self._access = access
        self._replaced = replaced

    def asked(self, run: Mapping[str, Any]) -> tuple[str, str]:
        """Why a run is to end, and what its label is to say; empty when none is asked. One that waits is refused by its
        admission."""
        metadata = run["metadata"]
        if message := reason(run):
            return message, ""
        if not holds.marks(str((metadata.get("labels") or {}).get(labels.ADMITTED) or ""), str(metadata["uid"])):
            return "", ""
        message, outcome = self._replaced(str(metadata["namespace"]), str(metadata["uid"]))
        return (message, outcome) if outcome else ("", "")

    async def handle(self, run: Mapping[str, Any], message: str, outcome: str = "") -> float | None:
        """End a run; when to look again, if ever."""
        if not (run.get("status") or {}).get("storedWorkflowTemplateSpec"):
            return AGAIN_SECONDS  # Argo has not had its first round with it
        try:
            patch = ending(run, message, timestamps.seconds(timestamps.now()), outcome)
        except nodes.Hidden:
            if (run.get("spec") or {}).get("shutdown"):
                return None
            patch = {"metadata": _metadata(run, outcome), "spec": {"shutdown": "Stop", "suspend": None}}
        if patch is None or not self._access.may_write():
            return None
        await self._access.patch_run(run, patch)
        self._access.announce(run, Reason.STOPPED, message, warning=True)
        return None
