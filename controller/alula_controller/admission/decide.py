"""What to do with a run that waits at `admit`. Pure: a world that was read goes in, one patch at most comes out.

The steps stand in `STEPS` in their order; the first that has an answer gives it. Called by `reconcile`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from alula_api.argo import holds, nodes, runs
from alula_api.argo.nodes import Nodes
from alula_api.contract import labels, names
from alula_api.contract.graphs.plans import Plan
from alula_controller import conditions
from alula_controller.admission import check, fill
from alula_controller.admission.cache_walk import CacheWalk
from alula_controller.conditions import Reason

LARGEST_RUN = 900_000  # bytes of the whole object; Argo gives up at 1 MiB, and it has yet to add nodes
LONGEST_MESSAGE = 4_000


@dataclass(frozen=True)
class World:
    """A run and everything that its admission rests on, as read.

    `refusal` is why it can never be admitted, if that is known already; `unfilled` why nothing is filled in.
    """

    run: Mapping[str, Any]
    nodes: Nodes
    plan: Plan | None = None
    checked: check.Checked | None = None
    walk: CacheWalk | None = None
    refusal: str = ""
    unfilled: str = ""

    @property
    def name(self) -> str:
        """The run's name."""
        return str(self.run["metadata"]["name"])


class Outcome(StrEnum):
    """What became of the run."""

    LEFT = "left"
    REFUSED = "refused"
    ADMITTED = "admitted"


@dataclass(frozen=True)
class Decision:
    """The outcome, what to write (if anything), and what to tell people."""

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
    """Runs that are over, being stopped, admitted already, or that Argo has not brought to `admit` yet."""
    del moment
    if runs.finished(world.run) or admitted(world.run) or (world.run.get("spec") or {}).get("shutdown"):
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
    return Decision(Outcome.REFUSED, _patch(world, nodes.pack(filled)), Reason.RUN_REFUSED, message)


def admit(world: World, moment: str) -> Decision:
    """Publish the inputs, fill in what the cache answers, let the run go."""
    note = world.unfilled
    hits = len(world.walk.hits) if world.walk else 0
    most = hits
    while True:
        filled = _filled(world, most, moment)
        wrong = fill.problems(filled, world.name) if most else []
        if wrong:  # a defect of ours must cost lookups in pods, never a run that hangs
            most, note = 0, f"what was filled in would hang the run: {wrong[0]}"
            continue
        packed = nodes.pack(filled)
        if not most or _weight(world) + len(packed) <= LARGEST_RUN:
            break
        most //= 2  # the run's object has room for fewer finished nodes; the rest is looked up again in its pods
        note = f"the run's object has no room for more than {most} of {hits} cached tasks"
    notes = ((Reason.NOT_FILLED, note),) if note else ()
    count = sum("memoizationStatus" in node for node in filled.values())
    message = f"{count} {'task' if count == 1 else 'tasks'} taken from the cache" if count else ""
    return Decision(Outcome.ADMITTED, _patch(world, packed), Reason.ADMITTED, message, filled=count, notes=notes)


STEPS: tuple[Step, ...] = (leave_alone, refuse, admit)


def admitted(run: Mapping[str, Any]) -> bool:
    """Whether the run carries its own mark; one that was copied from another run (resubmitted) does not count."""
    metadata = run["metadata"]
    return bool((metadata.get("labels") or {}).get(labels.ADMITTED) == metadata.get("uid"))


def _hold(world: World) -> nodes.Node:
    hold = holds.find(world.name, world.nodes)
    assert hold is not None  # `leave_alone` came before
    return hold


def _filled(world: World, most: int, moment: str) -> Nodes:
    assert world.checked is not None
    published = {name: check.safe(value) for name, value in world.checked.inputs.items()} or {names.ADMITTED: "true"}
    answered = holds.with_nodes(world.nodes, holds.answered(_hold(world), published, moment))
    if not world.walk or not most:
        return answered
    return fill.fill(world.walk, world.walk.limited(most), answered, world.name, moment)


def _patch(world: World, packed: str) -> dict[str, Any]:
    return holds.patch(world.run, packed, {labels.ADMITTED: str(world.run["metadata"]["uid"])})


def _weight(world: World) -> int:
    """The bytes of the run's object without its nodes."""
    status = {
        key: value for key, value in (world.run.get("status") or {}).items() if key not in ("nodes", "compressedNodes")
    }
    return len(json.dumps({**world.run, "status": status}, separators=(",", ":")))
