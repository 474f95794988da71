"""What starts runs of a launch plan beside a schedule, as the compiler writes it beside the plan's template and the
controller reads it: the end of a run of another plan or workflow, and a new revision.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from alula_api.contract import families, jsontext, labels, type_names
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
        domain: Whose runs do, of the same project; empty for those of the plan's own domain.
    """

    plan: str = ""
    workflow: str = ""
    when: str = When.SUCCEEDED
    inputs: tuple[Passed, ...] = ()
    release: bool = False
    suspended: bool = False
    domain: str = ""

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


def named(name: str, domain: str, own: str) -> str:
    """How the domain `own` names something of a domain of its project: of another one, `domain/name`."""
    return name if not name or domain == own else f"{domain}/{name}"


def of_project(own: str, domains: Mapping[str, Waits]) -> Waits:
    """What the launch plans of a project wait for, as its domain `own` names them.

    Args:
        own: One of the domains.
        domains: What the launch plans of each of them wait for.
    """
    found = {}
    for domain, waits in domains.items():
        for plan, (workflow, trigger) in waits.items():
            there = trigger.domain or domain
            plain = replace(
                trigger,
                plan=named(trigger.plan, there, own),
                workflow=named(trigger.workflow, there, own),
                domain="",
            )
            found[named(plan, domain, own)] = named(workflow, domain, own), plain
    return found


def unlisted(domain: str, listed: Collection[str]) -> tuple[str, str] | None:
    """What is wrong with a trigger that waits for runs of another domain, and a hint; None where the Domain of the
    plan lists it.

    Args:
        domain: The other one.
        listed: `spec.triggers.from` of the plan's Domain.
    """
    if domain in listed:
        return None
    message = f"`trigger.domain` is {domain}, which this domain's Domain does not list in `spec.triggers.from`"
    hint = f"it lists {', '.join(sorted(listed))}" if listed else "have it listed, or wait for runs of this domain"
    return message, hint


def not_inline(input: str, schema: families.Schema, domain: str) -> tuple[str, str] | None:
    """What is wrong with an input that gets an output of a run of another domain, and a hint; None where it takes
    plain values.

    Args:
        input: Its name.
        schema: Its type.
        domain: The other domain.
    """
    if not families.has_references(schema):
        return None
    kind = type_names.describe(schema)
    message = f"input `{input}` ({kind}) is stored data, and what {domain} stores is not read from another domain"
    return message, "pass plain values, such as where the data lies"


def unknown_domain(plan: str, domain: str, project: str) -> Diagnostic:
    """What is wrong with a launch plan that waits for runs of a domain that is not there.

    Args:
        plan: The launch plan.
        domain: The other domain.
        project: Of both.
    """
    message = f"`trigger.domain` is {domain}, and no namespace that is known here is that domain of project {project}"
    hint = "is it spelled as in the label alula.dev/domain of its namespace, and served by this installation?"
    return Diagnostic(Code.BAD_TRIGGER, message, subject=f"launch plan {plan}", hint=hint)


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
