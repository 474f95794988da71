"""What starts runs of a launch plan beside a schedule, as the compiler writes it beside the plan's template and the
controller reads it: the end of a run of another plan or workflow, and a new revision.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from alula_api.contract import jsontext, labels
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.graphs import json_fields
from alula_api.contract.problems import InvalidValue

MOST_TEXT: Final = 16_000
"""Characters of a trigger as text."""


class When(StrEnum):
    """How a run has to end to start another one."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ENDED = "Ended"


@dataclass(frozen=True, slots=True)
class Passed:
    """An input that gets an output of the run that ended."""

    name: str
    output: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts runs of a plan.

    Attributes:
        plan: The launch plan whose runs do; empty for none.
        workflow: The workflow whose runs do, with a launch plan or without; empty for none.
        when: A `When`: how they have to end.
        inputs: What the new run gets of the one that ended.
        release: A new revision of the plan starts one too.
        suspended: The plan starts nothing.
    """

    plan: str = ""
    workflow: str = ""
    when: str = When.SUCCEEDED
    inputs: tuple[Passed, ...] = ()
    release: bool = False
    suspended: bool = False

    def to_text(self) -> str:
        """As it stands in an annotation; empty if it says nothing."""
        says = self.plan or self.workflow or self.release
        return jsontext.dumps_sorted(json_fields.to_json(self)) if says else ""

    @classmethod
    def from_text(cls, text: str) -> Trigger | None:
        """Read what `to_text` wrote; None for no trigger, and for what is none."""
        try:
            found = json_fields.from_json(cls, jsontext.parse(text)) if 0 < len(text) <= MOST_TEXT else None
        except InvalidValue:
            return None
        return found if found is not None and found.when in tuple(When) else None

    def digest(self) -> str:
        """Names what it waits for: another one has another digest."""
        text = replace(self, inputs=(), suspended=False).to_text()
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def follows(self, marks: Mapping[str, str]) -> bool:
        """Whether it waits for the runs with these labels, however they end."""
        plan, workflow = marks.get(labels.LAUNCH_PLAN, ""), marks.get(labels.WORKFLOW, "")
        return bool((self.plan and self.plan == plan) or (self.workflow and self.workflow == workflow))

    def wants(self, phase: str) -> bool:
        """Whether a run that ended in this phase starts one."""
        succeeded = phase == "Succeeded"
        return self.when == When.ENDED or succeeded == (self.when == When.SUCCEEDED)


Waits = Mapping[str, tuple[str, Trigger]]
"""The launch plans of a domain that wait for something: each with its workflow and what it waits for."""


def circle(plan: str, waits: Waits) -> tuple[str, ...]:
    """Return launch plans that wait for each other, `plan` first and last; empty where it is in no such circle."""
    of_workflow: dict[str, list[str]] = {}
    for name, (workflow, _) in waits.items():
        of_workflow.setdefault(workflow, []).append(name)
    came: dict[str, str] = {}  # a plan -> the one that waits for it
    left = [plan] if plan in waits else []
    while left:
        name = left.pop()
        trigger = waits[name][1]
        for earlier in (trigger.plan, *of_workflow.get(trigger.workflow, ())):
            if earlier == plan:
                return _path(plan, name, came)
            if earlier in waits and earlier not in came:
                came[earlier] = name
                left.append(earlier)
    return ()


def compiled(workflow: str, objects: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, Trigger]]:
    """What the launch plans of a workflow wait for, by the templates that they were compiled to."""
    found = {}
    for body in objects:
        metadata = body["metadata"]
        trigger = Trigger.from_text(str((metadata.get("annotations") or {}).get(labels.TRIGGER) or ""))
        if trigger is not None:
            found[str(metadata["labels"][labels.LAUNCH_PLAN])] = workflow, trigger
    return found


def circle_problem(plan: str, waits: Waits) -> Diagnostic | None:
    """Return what is wrong with a launch plan that closes a circle; None where it closes none."""
    around = circle(plan, waits)
    if not around:
        return None
    message = f"the launch plans {' -> '.join(around)} wait for each other in a circle"
    hint = "have one of them wait for nothing, or for another one"
    return Diagnostic(Code.BAD_TRIGGER, message, subject=f"launch plan {plan}", hint=hint)


def _path(plan: str, last: str, came: Mapping[str, str]) -> tuple[str, ...]:
    """From `plan`, which `last` waits for, along those that wait, back to it."""
    path = [plan]
    while last != plan:
        path.append(last)
        last = came[last]
    return (*path, plan)
