"""Which notices are due. Pure: the moment is a parameter, what was told before is given.

A run that its launch plan's policy skipped or replaced gives no notice and changes nothing, nor does one that was
started again because data was lost: the one that takes its place counts. All else that ended counts, also a run that
was refused before any pod, or ended by hand: who waits for its result waits in vain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from alula_api.argo import runs
from alula_api.contract import labels
from alula_api.contract.notices import Choice, When
from alula_controller import timestamps

SUCCEEDED = "Succeeded"
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Memory:
    """What a plan's status says of the runs that were told of.

    Attributes:
        failing: Whether the last of them had failed.
        run: The uid of the run with which that began.
        missed: Up to which scheduled time those without a run are told of; None for a plan that was never looked at.
    """

    failing: bool = False
    run: str = ""
    missed: str | None = None

    @classmethod
    def of(cls, plan: Body) -> Memory:
        """What a launch plan says, as read."""
        found = (plan.get("status") or {}).get("notices") or {}
        return cls(bool(found.get("failing")), str(found.get("run") or ""), found.get("missed"))


@dataclass(frozen=True, slots=True)
class End:
    """What the end of a run is: an event, empty for none, and what is to be remembered."""

    event: str
    memory: Memory


def ended(metadata: Body, memory: Memory) -> End:
    """What the end of a run is, by its metadata.

    Decided again for the run with which the failing began or ended, it is the same: a controller that was killed after
    it remembered and before it told goes on from there.
    """
    run = {"metadata": metadata}
    if runs.label(run, labels.OUTCOME) or _restarted(metadata):
        return End("", memory)
    uid = str(metadata["uid"])
    if runs.label(run, runs.PHASE_LABEL) != SUCCEEDED:
        return End(When.FAILED, memory if memory.failing else Memory(True, uid, memory.missed))
    if memory.failing:
        return End(When.RECOVERED, Memory(False, uid, memory.missed))
    return End(When.RECOVERED if memory.run == uid else When.SUCCEEDED, memory)


def _restarted(metadata: Body) -> bool:
    """Whether another run has taken its place."""
    said = str((metadata.get("annotations") or {}).get(labels.RESTARTED_AS) or "")
    return bool(said) and not said.startswith("none-")


def moments(
    choice: Choice, *, created: datetime | None, tick: datetime | None, waits: bool
) -> Iterator[tuple[datetime, str]]:
    """When notices of a run that is still under way are due, and which: `Late/pager`.

    Args:
        choice: Of its plan.
        created: When the run was.
        tick: The scheduled time that it was started for; None for another run.
        waits: Whether it waits in the queue.
    """
    for each in choice.notices:
        if When.LATE in each.when and each.late_after is not None and tick is not None:
            yield tick + timedelta(seconds=each.late_after), f"{When.LATE}/{each.place}"
        if When.QUEUED in each.when and each.queued_for is not None and created is not None and waits:
            yield created + timedelta(seconds=each.queued_for), f"{When.QUEUED}/{each.place}"


def due(found: Iterable[tuple[datetime, str]], now: datetime) -> tuple[list[str], datetime | None]:
    """The notices whose moment has come, and when the next one does."""
    listed = sorted(found)
    return [notice for moment, notice in listed if moment <= now], next(
        (moment for moment, _ in listed if moment > now), None
    )


@dataclass(frozen=True, slots=True)
class Missed:
    """Scheduled times that have no run, and of which no notice was given."""

    latest: str
    reason: str


def missed(plan: Body, memory: Memory, by_policy: Callable[[str], bool]) -> Missed | None:
    """What a plan's status says of scheduled times without a run or a notice; None for nothing.

    Args:
        plan: The launch plan as read.
        memory: What it says of its notices.
        by_policy: Whether a reason is one of the plan's own policy.
    """
    listed = ((plan.get("status") or {}).get("schedule") or {}).get("skipped") or []
    new = [
        each for each in listed if not by_policy(str(each.get("reason"))) and str(each["tick"]) > (memory.missed or "")
    ]
    if not new:
        return None
    latest = max(new, key=lambda each: str(each["tick"]))
    more = f" (and {len(new) - 1} before it)" if len(new) > 1 else ""
    return Missed(str(latest["tick"]), f"{latest.get('reason')}{more}")


def late_from(choice: Choice) -> list[str]:
    """The places that are told of late runs."""
    return [each.place for each in choice.notices if When.LATE in each.when and each.late_after is not None]


def moment(text: object) -> datetime | None:
    """A time as resources write it."""
    return timestamps.parse(str(text or ""))
