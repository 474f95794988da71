"""What to do with a run that waits at `admit`. Pure: a world that was read goes in, one patch at most comes out.

The steps stand in `STEPS` in their order; the first that has an answer gives it. Called by `reconcile`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from alula_api.argo import holds, nodes, origins, runs
from alula_api.argo.nodes import Nodes
from alula_api.contract import durations, labels, names
from alula_api.contract.graphs.plans import Plan
from alula_controller import conditions, timestamps
from alula_controller.admission import cache_walk, check, earlier_run, fill
from alula_controller.admission.cache_walk import CacheWalk
from alula_controller.conditions import Reason

LARGEST_RUN = 900_000  # bytes of the whole object; Argo gives up at 1 MiB, and it has yet to add nodes
LONGEST_MESSAGE = 4_000
SAME_ID = "two nodes of this run have the same id in Argo"


@dataclass(frozen=True)
class World:
    """A run and everything that its admission rests on, as read.

    `refusal` is why it can never be admitted, if that is known already, and `ending` what its label then says;
    `unfilled` why nothing is filled in; `waits` whether it is not its turn.
    """

    run: Mapping[str, Any]
    nodes: Nodes
    plan: Plan | None = None
    checked: check.Checked | None = None
    walk: CacheWalk | None = None
    refusal: str = ""
    ending: str = ""
    unfilled: str = ""
    waits: bool = False

    @property
    def name(self) -> str:
        """The run's name."""
        return str(self.run["metadata"]["name"])


class Outcome(StrEnum):
    """What became of the run."""

    LEFT = "left"
    WAITING = "waiting"
    REFUSED = "refused"
    ADMITTED = "admitted"


@dataclass(frozen=True)
class Decision:
    """The outcome, what to write (if anything), and what to tell people.

    `message` goes into an Event and into the log, which others read than the run: no value of an input is in it.
    """

    outcome: Outcome
    patch: Mapping[str, Any] | None = None
    reason: Reason | None = None
    message: str = ""
    filled: int = 0
    notes: tuple[tuple[Reason, str], ...] = field(default=())


Step = Callable[[World, str], Decision | None]


def decide(world: World, moment: str) -> Decision:
    """The first answer that a step has.

    Args:
        world: as read.
        moment: now, as Argo writes times.
    """
    return next(decision for step in STEPS if (decision := step(world, moment)) is not None)


def leave_alone(world: World, moment: str) -> Decision | None:
    """Runs that are over, being stopped, answered already, or that Argo has not brought to `admit` yet.

    Whether a hold was answered is read from the hold. The mark is for those who see metadata only.
    """
    del moment
    if runs.finished(world.run) or (world.run.get("spec") or {}).get("shutdown"):
        return Decision(Outcome.LEFT)
    hold = holds.find(world.name, world.nodes)
    return None if hold is not None and holds.unanswered(hold) else Decision(Outcome.LEFT)


def refuse(world: World, moment: str) -> Decision | None:
    """Fail a run that can never be right, before any pod: everything that is wrong, on the root and on `admit`."""
    problems = [each.render() for each in world.checked.problems] if world.checked else []
    message = world.refusal or "\n".join(problems)
    if not message:
        return None
    message = conditions.clip(message, LONGEST_MESSAGE)
    root = {**world.nodes[world.name], "message": message}
    filled = holds.with_nodes(world.nodes, root, holds.refused(_hold(world), message, moment))
    # A mark that is there is of another run, or of a hold before this one.
    unmarked = {labels.ADMITTED: None} if runs.label(world.run, labels.ADMITTED) else {}
    ending = {labels.OUTCOME: world.ending} if world.refusal and world.ending else {}
    patch = holds.patch(world.run, nodes.pack(filled), {**unmarked, **ending, **_started_by(world)})
    return Decision(Outcome.REFUSED, patch, Reason.RUN_REFUSED, message)


def wait(world: World, moment: str) -> Decision | None:
    """Leave a run held until it is its turn. One with the mark of a hold before this one counts as running no more."""
    del moment
    if not world.waits:
        return None
    metadata = world.run["metadata"]
    if not (metadata.get("labels") or {}).get(labels.ADMITTED):
        return Decision(Outcome.WAITING)
    unmarked = {"metadata": {"resourceVersion": metadata["resourceVersion"], "labels": {labels.ADMITTED: None}}}
    return Decision(Outcome.WAITING, unmarked)


def admit(world: World, moment: str) -> Decision:
    """Publish the inputs, fill in what the cache answers, let the run go."""
    note = world.unfilled
    hits = len(world.walk.hits) if world.walk else 0
    most = hits
    while True:
        filled, wrong = _filled(world, most, moment)
        if wrong:
            most, note = 0, wrong
            continue
        packed = nodes.pack(filled)
        if not most or _weight(world) + len(packed) <= LARGEST_RUN:
            break
        most //= 2  # the run's object has room for fewer finished nodes; the rest is looked up again in its pods
        note = f"the run's object has no room for more than {most} of {hits} cached tasks"
    notes = ((Reason.NOT_FILLED, note),) if note else ()
    count = sum("memoizationStatus" in node for node in filled.values())
    message = f"{count} {'task' if count == 1 else 'tasks'} taken from the cache" if count else ""
    assert world.checked is not None
    inputs = {labels.INPUTS: earlier_run.inputs_digest(world.checked.inputs)}
    marked = {labels.ADMITTED: holds.mark(world.run, _hold(world)), **inputs}
    # A run that was resubmitted carries the outcome of another, and what its end has started.
    unmarked = {name: None for name in (labels.OUTCOME, labels.TRIGGERED) if runs.label(world.run, name)}
    patch = holds.patch(world.run, packed, {**marked, **unmarked, **_started_by(world)})
    limit = deadline(world.run, moment)
    if limit is not None:
        patch["status"]["storedWorkflowTemplateSpec"] = {"activeDeadlineSeconds": limit}
    return Decision(Outcome.ADMITTED, patch, Reason.ADMITTED, message, filled=count, notes=notes)


def unmarked(run: Mapping[str, Any]) -> dict[str, Any] | None:
    """The patch that takes the marks of an end from a run under way, whose own end would start nothing else. None where
    it has none: they are of the run that it is a copy of, with what was done there, or of its end before a retry.
    """
    metadata = run["metadata"]
    if not runs.label(run, labels.TRIGGERED) and labels.TRIGGERED_IN not in (metadata.get("annotations") or {}):
        return None
    gone = {"labels": {labels.TRIGGERED: None}, "annotations": {labels.TRIGGERED_IN: None}}
    return {"metadata": {"uid": metadata["uid"], **gone}}


def deadline(run: Mapping[str, Any], moment: str) -> int | None:
    """The seconds after its start at which a run that is admitted now is ended: Argo counts the time that it was held.

    Args:
        run: as read.
        moment: now.
    """
    given = str((run["metadata"].get("annotations") or {}).get(labels.DEADLINE) or "")
    began, now = timestamps.parse(str((run.get("status") or {}).get("startedAt") or "")), timestamps.parse(moment)
    try:
        seconds = durations.seconds(given) if given else 0.0
    except ValueError:
        return None
    if not seconds or began is None or now is None:
        return None
    return max(2, math.ceil((now - began).total_seconds() + seconds))  # 1 is what a stopped run has


STEPS: tuple[Step, ...] = (leave_alone, refuse, wait, admit)


def _started_by(world: World) -> dict[str, str]:
    """The label that says so; one that was resubmitted carries another's."""
    return {labels.STARTED_BY: str(origins.origin(world.run["metadata"]))}


def _hold(world: World) -> nodes.Node:
    hold = holds.find(world.name, world.nodes)
    assert hold is not None  # `leave_alone` came before
    return hold


def _filled(world: World, most: int, moment: str) -> tuple[Nodes, str]:
    """The nodes of the run with the first `most` that the cache answers, or why it must be no such nodes."""
    assert world.checked is not None
    published = {name: check.safe(value) for name, value in world.checked.inputs.items()} or {names.ADMITTED: "true"}
    answered = holds.with_nodes(world.nodes, holds.answered(_hold(world), published, moment))
    if not world.walk or not most:
        return answered, ""
    assert world.plan is not None
    try:
        found = fill.fill(world.walk, world.walk.limited(most), answered, world.name, moment)
        if cache_walk.colliding(world.plan, world.name, found):
            return answered, SAME_ID
    except fill.SameId:
        return answered, SAME_ID
    wrong = fill.problems(found, world.name)  # a defect of ours must cost lookups in pods, never a run that hangs
    return found, f"what was filled in would hang the run: {wrong[0]}" if wrong else ""


def _weight(world: World) -> int:
    """The bytes of the run's object without its nodes."""
    status = {
        key: value for key, value in (world.run.get("status") or {}).items() if key not in ("nodes", "compressedNodes")
    }
    return len(json.dumps({**world.run, "status": status}, separators=(",", ":")))
