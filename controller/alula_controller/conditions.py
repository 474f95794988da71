"""Condition types, reasons and the rules for writing them, for every definition; Events use the same reasons.

Kubernetes' conventions and kstatus: `Ready` is the summary; `Reconciling` and `Stalled` are there only while True.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from alula_api.contract.codes import Explained

READY = "Ready"
RECONCILING = "Reconciling"
STALLED = "Stalled"

LONGEST = 16_000  # characters of a message; the API server allows 32,768


class Reason(Explained):
    """Why a condition has its status, or why an Event was posted; `Reason.X.sentence` says what it means."""

    # Definitions that work.
    COMPILED = "Compiled", "The definition is compiled and everything made from it is in the cluster."
    SUSPENDED = "Suspended", "The launch plan is compiled; its schedule is suspended."
    REVERTED = "Reverted", "Others changed what was compiled, and it was set right; the message names the fields."
    ACCEPTED = "Accepted", "The domain's settings are in use."

    # What has to be changed by hand.
    INVALID = "Invalid", "The definition does not compile; the message says everything that is wrong with it."
    TOO_MANY_PLANS = "TooManyPlans", "More launch plans name one Workflow than are compiled with it."
    COMPILER_STOPPED = "CompilerStopped", "The compiler had to be stopped; the message says at which limit."
    NAMESPACE_NOT_LABELLED = "NamespaceNotLabelled", "The namespace lacks the labels that say project and domain."
    PAIR_CLAIMED = "PairClaimed", "An older namespace has the same project and domain, so this one reads nothing."
    UNKNOWN_ROOT = "UnknownRoot", "The Domain names a root of storage that the installation does not have."
    NAME_TAKEN = "NameTaken", "Something that we did not make has the name of an object that we would make."
    WRONG_NAME = "WrongName", "A namespace has one Domain, and it is called `domain`."
    UNREADABLE = "Unreadable", "An object that is needed nests too deep, or is too large, to be read."
    REFUSED = "Refused", "The API server refused an object that we made; the message has its reason."

    # What passes by itself.
    WAITING_FOR_WORKFLOW = "WaitingForWorkflow", "The launch plan names a Workflow that does not exist yet."
    WORKFLOW_NOT_READY = "WorkflowNotReady", "The launch plan's Workflow does not compile, so neither does the plan."
    APPLY_FAILED = "ApplyFailed", "Writing to the cluster failed; it is tried again."

    # Events about schedules.
    TICK_SKIPPED = "TickSkipped", "A schedule did not start a run at its time; the message says why."

    TRIGGER_SKIPPED = "TriggerSkipped", "The end of a run did not start the run of this plan; the message says why."

    # Notices of runs.
    NOTICES_DELIVERED = "NoticesDelivered", "The places of the Domain take the notices that they are sent."
    NOTICES_FAIL = "NoticesFail", "A place does not take a notice, which is tried again; the message names it and why."
    NOTICE_LOST = "NoticeLost", "A notice was given up after many attempts; the message says which, and why."

    # Events about runs.
    ADMITTED = "Admitted", "The run was let through; the message says how many tasks came from the cache."
    RUN_REFUSED = "RunRefused", "The run was failed before any pod; the message says why."
    HEALED = "Healed", "Argo would never have ended the run, which it copied from another one; its graphs were ended."
    NOT_BEGUN = "NotBegun", "Argo has not begun the run, nor any later one, so it is not known whether Argo is at work."
    STATUS_OFFLOADED = (
        "StatusOffloaded",
        "Argo keeps this run's nodes in a database, where its holds cannot be answered.",
    )
    STARTED_AGAIN = "StartedAgain", "Data that a task needed was lost, so the run was started again; this happens once."
    NOT_STARTED_AGAIN = (
        "NotStartedAgain",
        "A run is not started again: what it was compiled to is gone or has changed.",
    )
    GUARDS_MATCH = "GuardsMatch", "What Kubernetes holds the domain to is what follows from its Domain."
    GUARDS_DIFFER = "GuardsDiffer", "A guard of the domain is not what follows from its Domain; the message names it."
    GUARDS_UNKNOWN = "GuardsUnknown", "Whether the guards follow from the Domain is not known; the message says why."
    STOPPED = "Stopped", "The run was ended on request; the message says why."
    FAILING = "Failing", "A task of the run failed for good, so nothing new starts; the message says which and why."
    HANDLED = "Handled", "The run is over, and what its workflow names for that was started; the message says as what."
    NOT_HANDLED = "NotHandled", "The run is over, and a handler could not be started; the message says why."
    NOT_FILLED = "NotFilled", "The run was let through without cached nodes; the message says why."


@dataclass(frozen=True)
class Wanted:
    """What `Ready` should say, and which of the abnormal conditions go with it."""

    ready: bool
    reason: Reason
    message: str
    stalled: bool = False
    reconciling: bool = False


@dataclass(frozen=True)
class Also:
    """A condition of its own beside `Ready`."""

    type: str
    status: str  # True, False or Unknown
    reason: Reason
    message: str


def write(
    previous: Iterable[Mapping[str, Any]], wanted: Wanted, generation: int, moment: str, also: Iterable[Also] = ()
) -> list[dict[str, Any]]:
    """The conditions to store; the transition time of one that keeps its status is kept.

    Args:
        previous: the conditions as read.
        wanted: what is true now.
        generation: of the object that was looked at.
        moment: now, as the API server writes times.
        also: conditions beside these.
    """
    before = {str(condition.get("type")): condition for condition in previous}
    common = {
        "reason": str(wanted.reason),
        "message": clip(wanted.message),
        "observedGeneration": generation,
    }
    types = [(READY, "True" if wanted.ready else "False")]
    types += [(RECONCILING, "True")] if wanted.reconciling else []
    types += [(STALLED, "True")] if wanted.stalled else []
    made = [_condition(before.get(kind), kind, status, moment) | common for kind, status in types]
    for each in also:
        said = {"reason": str(each.reason), "message": clip(each.message), "observedGeneration": generation}
        made.append(_condition(before.get(each.type), each.type, each.status, moment) | said)
    return made


def _condition(before: Mapping[str, Any] | None, kind: str, status: str, moment: str) -> dict[str, Any]:
    since = before.get("lastTransitionTime") if before and before.get("status") == status else None
    return {"type": kind, "status": status, "lastTransitionTime": since or moment}


def ready(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The `Ready` condition of an object as read."""
    conditions = (body.get("status") or {}).get("conditions") or ()
    return next((condition for condition in conditions if condition.get("type") == READY), None)


def clip(message: str, longest: int = LONGEST) -> str:
    """`message`, cut with a note of how much is left out."""
    if len(message) <= longest:
        return message
    return message[: longest - 40] + f"\n... and {len(message) - longest + 40} more characters"
