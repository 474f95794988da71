"""Two states of a domain side by side: what the change means first, which tasks run again, compiled objects last. Pure.

Called by `alula diff` and by promotion, whose commit says the same in its message.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alula.emit import manifests
from alula.gitops import interface_changes, plan_changes, workflow_changes
from alula.gitops.changes import Change
from alula.gitops.snapshots import Snapshot, name
from alula.gitops.verify import Compile
from alula.gitops.workflow_changes import Reruns
from alula_api.contract import values
from alula_api.contract.graphs.specs import LaunchPlanSpec, WorkflowSpec
from alula_api.kinds import yamltext

WORDS = {"Workflow": "workflow", "LaunchPlan": "launch plan"}


@dataclass(frozen=True)
class ReleaseChange:
    """A release that another one takes the place of; empty where there is none."""

    source: str
    before: str
    after: str


@dataclass(frozen=True)
class ObjectChange:
    """A compiled object that changes: what it is, and the lines of a unified diff without its head."""

    object: str
    lines: tuple[str, ...]

    @property
    def added(self) -> int:
        """So many lines are new."""
        return sum(line.startswith("+") for line in self.lines)

    @property
    def removed(self) -> int:
        """So many lines go."""
        return sum(line.startswith("-") for line in self.lines)


@dataclass(frozen=True)
class Difference:
    """What lies between two states of one domain, or of two domains.

    Attributes:
        title: Which domain, or which two.
        releases: By source; none where one side is a cluster.
        changes: What it means, in the order of the files.
        reruns: By workflow, where anything of it runs again.
        objects: What it does, where it was asked for.
    """

    title: str
    releases: tuple[ReleaseChange, ...] = ()
    changes: tuple[Change, ...] = ()
    reruns: Mapping[str, Reruns] = field(default_factory=dict)
    objects: tuple[ObjectChange, ...] = ()

    @property
    def breaking(self) -> list[Change]:
        """Those changes that break what relied on it."""
        return [each for each in self.changes if each.breaking]

    @property
    def none(self) -> bool:
        """Whether both are the same."""
        return not (self.changes or self.objects or any(each.before != each.after for each in self.releases))


def compare(before: Snapshot, after: Snapshot, title: str, compile: Compile | None = None) -> Difference:
    """What becomes of `before` when it becomes `after`.

    Args:
        before: What was.
        after: What is to be.
        title: How to call it.
        compile: The compiler; without it no compiled objects are compared.
    """
    old, new = _found(before.built), _found(after.built)
    changes: list[Change] = []
    reruns: dict[str, Reruns] = {}
    plans = _plans(new)
    for key in [*old, *(key for key in new if key not in old)]:
        kind, called = key
        subject = f"{WORDS[kind]} {called}"
        if key not in new:
            changes.append(
                Change(subject, "", "removed", True, tuple(_users(called, plans)) if kind == "Workflow" else ())
            )
        elif key not in old:
            changes.append(Change(subject, "", "added"))
        elif old[key]["spec"] != new[key]["spec"]:
            pair = old[key]["spec"], new[key]["spec"]
            if kind == "LaunchPlan":
                changes += _of_plan(subject, *pair)
            else:
                found, again = _of_workflow(subject, *pair, plans.get(called, {}))
                changes += found
                reruns |= {subject: again} if again.again or again.perhaps else {}
    own = [each.domain.resource if each.domain else None for each in (before, after)]
    unknown = (before.live or after.live) and None in own  # git need not hold it, and not everybody may read it
    changes += plan_changes.domain(*own) if before.place == after.place and not unknown else ()
    objects = tuple(_objects(compile(before.with_domain)[0], compile(after.with_domain)[0])) if compile else ()
    moved = () if before.live or after.live else tuple(_releases(before, after))
    return Difference(title, moved, tuple(changes), reruns, objects)


def _found(built: Iterable[manifests.Found]) -> dict[tuple[str, str], dict[str, Any]]:
    listed = {(str(each.resource["kind"]), name(each)): each.resource for each in built}
    return {key: listed[key] for key in sorted(listed, reverse=False) if key[0] in WORDS and "spec" in listed[key]}


def _plans(found: Mapping[tuple[str, str], Mapping[str, Any]]) -> dict[str, dict[str, LaunchPlanSpec]]:
    """The launch plans of each workflow."""
    plans: dict[str, dict[str, LaunchPlanSpec]] = {}
    for (kind, called), resource in found.items():
        if kind == "LaunchPlan":
            try:
                spec = LaunchPlanSpec.from_json(resource["spec"])
            except values.InvalidValue:
                continue
            plans.setdefault(spec.workflow, {})[called] = spec
    return plans


def _users(workflow: str, plans: Mapping[str, Mapping[str, LaunchPlanSpec]]) -> Iterator[str]:
    yield from (f"launch plan {each} is of it" for each in plans.get(workflow, ()))


def _of_plan(subject: str, old: Any, new: Any) -> list[Change]:
    try:
        return [*plan_changes.compare(subject, LaunchPlanSpec.from_json(old), LaunchPlanSpec.from_json(new))]
    except values.InvalidValue as error:
        return [_unreadable(subject, error)]


def _of_workflow(subject: str, old: Any, new: Any, plans: Mapping[str, LaunchPlanSpec]) -> tuple[list[Change], Reruns]:
    try:
        before, after = WorkflowSpec.from_json(old), WorkflowSpec.from_json(new)
    except values.InvalidValue as error:
        return [_unreadable(subject, error)], Reruns()
    changes = [
        *interface_changes.compare(subject, before, after, plans),
        *plan_changes.code(subject, before.code, after.code),
        *workflow_changes.compare(subject, before, after),
    ]
    return changes, workflow_changes.reruns(before, after)


def _unreadable(subject: str, error: values.InvalidValue) -> Change:
    return Change(subject, "", f"cannot be read: {error.problems[0].message}", True)


def _objects(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> Iterator[ObjectChange]:
    old, new = ({f"{each['kind']} {each['metadata']['name']}": each for each in side} for side in (before, after))
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            one, other = (yamltext.dump(side[key]).splitlines() if key in side else [] for side in (old, new))
            lines = [*difflib.unified_diff(one, other, lineterm="", n=3)][2:]
            yield ObjectChange(key, tuple(lines))


def _releases(before: Snapshot, after: Snapshot) -> Iterator[ReleaseChange]:
    for source in sorted({*before.releases, *after.releases}):
        old, new = (side.releases.get(source) for side in (before, after))
        yield ReleaseChange(source, old.version if old else "", new.version if new else "")
