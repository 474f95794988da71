"""`--event FILE`: the payload of an event in a file, and the inputs that a launch plan gets of it.

Called by `alula run` and `alula launch`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from alula import display
from alula.cli import usage
from alula_api.contract import events, jsontext
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.jsontext import Json
from alula_api.contract.problems import InvalidValue

if TYPE_CHECKING:
    from alula.cli.inputs import Parameter
    from alula.cli.targets import Target


def payload(file: str) -> Json:
    """The payload in a file, as it arrives on the cluster.

    Raises:
        UsageError: The file cannot be read, is no JSON, or is larger than a payload may be.
    """
    from pathlib import Path

    try:
        with Path(file).open("rb") as opened:
            text = opened.read(events.MAX_PAYLOAD * 4)
        found = jsontext.parse(text.decode())
    except OSError as error:
        raise usage.error(f"{file} cannot be read: {error.strerror or error}") from None
    except InvalidValue as error:
        raise usage.error(f"{file} {error.problems[0].message}", "", Code.BAD_JSON) from None
    except UnicodeDecodeError:
        raise usage.error(f"{file} is not text in UTF-8", "", Code.BAD_JSON) from None
    try:
        return events.decoded(events.encoded(found), file)
    except events.BadPayload as error:
        raise usage.UsageError([error.problem]) from None


def inputs(target: Target, parameters: Sequence[Parameter], file: str) -> dict[str, Json] | None:
    """The wire values that the payload in a file gives to a launch plan; None where the run would be skipped.

    Raises:
        UsageError: The target is no launch plan that events start, or the payload does not fit.
    """
    from alula.declare import launch_plans, triggers

    plan = target.named
    trigger = plan.trigger if isinstance(plan, launch_plans.LaunchPlan) else None
    if not isinstance(trigger, triggers.Event):
        message = f"no event starts the {target.kind} {plan.name}"
        raise usage.error(message, "name a launch plan with trigger=Event(...)", Code.BAD_TRIGGER)
    event, found = triggers.contract(trigger, plan.name), payload(file)
    if why := events.unfulfilled(event, found):
        display.note(f"skipped: the event is another one: {why}")
        return None
    types = {each.name: each.schema for each in parameters}
    texts, problems = events.inputs(event, found, types, f"launch plan {plan.name}")
    lacks = {each.name: each.path for each in event.inputs if each.name not in texts}
    required = {each.name for each in parameters if each.required} & lacks.keys()
    problems += [] if problems else [_missing(name, lacks[name], plan.name) for name in sorted(required)]
    if problems:
        raise usage.UsageError(problems)
    display.note(f"from the event: {', '.join(f'{name}={text}' for name, text in texts.items()) or 'nothing'}")
    return {name: jsontext.parse(text) for name, text in texts.items()}


def _missing(name: str, path: str, plan: str) -> Diagnostic:
    message = f"{name} must be given, and the event has nothing at {path}"
    return Diagnostic(Code.MISSING_INPUT, message, subject=f"launch plan {plan}")
