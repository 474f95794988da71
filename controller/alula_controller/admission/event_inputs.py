"""The arguments of a run that an event started, in place of the payload that it brings. Pure; called by `gather`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alula_api.contract import events
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.graphs.plans import Plan
from alula_controller.admission.check import Checked


@dataclass(frozen=True)
class FromEvent:
    """What a run gets of its payload.

    Attributes:
        arguments: As `spec.arguments` would be if they had been given one by one.
        checked: What is wrong with the payload; None where nothing is.
        skipped: Why the event is none that is meant; empty where it is.
    """

    arguments: Mapping[str, Any] = field(default_factory=dict)
    checked: Checked | None = None
    skipped: str = ""


def read(plan: Plan, arguments: Mapping[str, Any], run: str) -> FromEvent:
    """Read the payload of a run, if it brings one and its plan is one that events start.

    Args:
        plan: Of the run.
        arguments: `spec.arguments`.
        run: Its name.
    """
    listed = arguments.get("parameters")
    given = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    brought = [each for each in given if each.get("name") == events.ARGUMENT]
    if not brought:
        return FromEvent(arguments)
    subject = f"run {run}"
    if plan.event is None:
        message = "the run brings the payload of an event, and no event starts runs of what it was started from"
        return _wrong(Diagnostic(Code.UNKNOWN_INPUT, message, subject=subject))
    if len(given) > 1:
        message = "a run that an event starts gets its inputs from the event alone"
        return _wrong(Diagnostic(Code.BAD_VALUE, message, subject=subject, hint=f"give {events.ARGUMENT}, or inputs"))
    try:
        payload = events.decoded(str(brought[0].get("value") or ""), subject)
    except events.BadPayload as error:
        return _wrong(error.problem)
    if why := events.unfulfilled(plan.event, payload):
        return FromEvent(skipped=f"skipped: the event is another one: {why}")
    types = {each.name: each.type for each in plan.inputs}
    texts, problems = events.inputs(plan.event, payload, types, subject)
    if problems:
        return _wrong(*problems)
    parameters = [{"name": name, "value": text} for name, text in texts.items()]
    return FromEvent({"parameters": parameters})


def _wrong(*problems: Diagnostic) -> FromEvent:
    return FromEvent(checked=Checked({}, problems))
