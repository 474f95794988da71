"""What an event from outside becomes: which payloads start a run of a launch plan, and the inputs that it gets of them.

The compiler writes it into the plan of a revision, `admit` applies it to the payload that a run brings, and
`alula run --event` does the same at home. The payload came through Argo's server, which reads JSON as Go does: the keys
of objects arrive sorted, whole numbers beyond 2^53 rounded, and what is no Unicode as U+FFFD. So a value in which one
of the last two may have happened is refused: what a task gets is exactly what was sent.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from alula_api.contract import codecs, jsontext, references, schemas
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.families import Schema
from alula_api.contract.jsontext import Json
from alula_api.contract.problems import InvalidValue, Problem

ARGUMENT: Final = "event--payload"
"""The argument of a run that holds the payload as base64 of JSON text; no input of a user is called so."""
MAX_PAYLOAD: Final = 48 << 10
"""Bytes of a payload as Argo's server writes it, with line breaks and two spaces for each level."""
MAX_TEXT: Final = (MAX_PAYLOAD + 2) // 3 * 4
"""Characters of the argument."""
LARGER: Final = "!"
"""The argument in place of a payload that is larger."""
WHOLE: Final = "$"
"""The path of the payload itself."""
PATH: Final = r"^([$]|[A-Za-z0-9_@:-]+([.][A-Za-z0-9_@:-]+)*)$"
"""Names of members, or numbers of items from 0, with dots between: `Records.0.s3.object.key`."""
MAX_PATH: Final = 256
EXACT: Final = 1 << 53
"""From here on a whole number may have been rounded on its way."""
_REPLACED = "\ufffd"
_ESCAPED = re.compile("[<>&\u2028\u2029]")
_HEADER = re.compile(r"x-[a-z0-9-]+")


class BadPayload(Exception):
    """What a run brings is no payload; the diagnostic says why."""

    def __init__(self, problem: Diagnostic) -> None:
        self.problem = problem
        super().__init__(problem.message)


@dataclass(frozen=True, slots=True)
class Condition:
    """A part of the payload that has to be one of some values, each canonical JSON text."""

    path: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mapped:
    """An input that gets a part of the payload."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Event:
    """What starts runs of a launch plan: events of a name, those that fulfil all conditions.

    Attributes:
        name: As in the address that they are sent to.
        where: What has to be so.
        inputs: What a run gets of the payload; one that the payload lacks has its default.
    """

    name: str
    where: tuple[Condition, ...] = ()
    inputs: tuple[Mapped, ...] = ()


def steps(path: str) -> tuple[str, ...]:
    """Return the steps of a path."""
    return () if path == WHOLE else tuple(path.split("."))


def is_path(text: str) -> bool:
    """Tell whether a text names a part of a payload."""
    return len(text) <= MAX_PATH and re.fullmatch(PATH, text) is not None


def is_header(text: str) -> bool:
    """Tell whether a text names a header that Argo's server hands on: in lower case, with `x-` before it."""
    return len(text) <= MAX_PATH and _HEADER.fullmatch(text) is not None


def wanted(text: str) -> str:
    """Return the canonical text of a value in a condition; what is no JSON is a text as it stands.

    Raises:
        InvalidValue: It is a list, an object, or a whole number that may be rounded on its way.
    """
    try:
        found = jsontext.parse(text)
    except InvalidValue:
        found = text
    if isinstance(found, (list, dict)):
        raise InvalidValue([Problem("$", "must be a text, a number, true, false or null")])
    if inexact(found):
        raise InvalidValue([Problem("$", f"must not be {inexact(found)}")])
    return jsontext.dumps(found)


def encoded(payload: Json) -> str:
    """Return a payload as a run brings it: as Argo's server writes JSON, whose bytes are counted."""
    jsontext.dumps(payload)  # says what no text file can hold
    text = json.dumps(payload, indent=2, sort_keys=True, ensure_ascii=False)
    return base64.b64encode(_ESCAPED.sub(lambda match: f"\\u{ord(match.group()):04x}", text).encode()).decode()


def decoded(text: str, subject: str = "") -> Json:
    """Return the payload that a run brings.

    Args:
        text: The argument.
        subject: The run, for what is wrong.

    Raises:
        BadPayload: It is none, or too large.
    """
    if text == LARGER or len(text) > MAX_TEXT:
        message = f"the payload of the event is larger than {MAX_PAYLOAD:,} bytes"
        hint = "send a reference to the data in place of the data"
        raise BadPayload(Diagnostic(Code.TOO_LARGE, message, subject=subject, hint=hint))
    try:
        return jsontext.parse(base64.b64decode(text, validate=True).decode())
    except InvalidValue as error:
        message = f"the payload of the event {error.problems[0].message}"
        raise BadPayload(Diagnostic(Code.BAD_JSON, message, subject=subject)) from None
    except ValueError:
        message = "the payload of the event is not base64 of JSON text"
        raise BadPayload(Diagnostic(Code.BAD_JSON, message, subject=subject)) from None


def unfulfilled(event: Event, payload: Json) -> str:
    """Return the condition that a payload does not fulfil, as a sentence; empty where it fulfils all."""
    for each in event.where:
        found = _at(payload, each.path)
        if not any(same(jsontext.parse(text), value) for text in each.values for value in found):
            return f"{each.path} is not {' or '.join(each.values)}"
    return ""


def same(one: Json, other: Json) -> bool:
    """Tell whether two values of JSON are the same: 1 is 1.0, and true is no number."""
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return isinstance(one, bool) == isinstance(other, bool) and one == other
    return type(one) is type(other) and one == other


def inputs(
    event: Event, payload: Json, types: Mapping[str, Schema], subject: str
) -> tuple[dict[str, str], list[Diagnostic]]:
    """Return the texts of the inputs that a run gets of a payload, and what is wrong with it; no message shows a value.

    Args:
        event: With the mapping.
        payload: As `decoded` returns it.
        types: Of the workflow's inputs.
        subject: The run.
    """
    texts: dict[str, str] = {}
    problems = []
    for each in event.inputs:
        found = _at(payload, each.path)
        if not found or each.name not in types:
            continue
        where, schema = f"{subject}, input {each.name}", dict(types[each.name])
        if references.is_envelope(found[0]):
            message = f"what the event has at {each.path} must not refer to stored data"
            problems.append(Diagnostic(Code.BAD_VALUE, message, subject=where))
            continue
        try:  # as JSON and no other way: a text input takes no number
            value = codecs.codec(schema).normal(found[0])
        except InvalidValue as error:
            message = f"what the event has at {each.path} does not fit"
            expected = schemas.describe(schema)
            problems.append(Diagnostic(error.problems[0].code, message, subject=where, expected=expected))
            continue
        if why := inexact(value, floats='"number"' in jsontext.encode(schema)):
            message = f"what the event has at {each.path} is or holds {why}"
            problems.append(Diagnostic(Code.BAD_VALUE, message, subject=where, hint="send it as a text"))
            continue
        texts[each.name] = jsontext.dumps(value)
    return texts, problems


def inexact(value: Json, *, floats: bool = False) -> str:
    """Return why a value may not be what was sent; empty where it is.

    Args:
        value: Of an input.
        floats: Whether floats are expected in it: one without a fraction is no rounded whole number then.
    """
    stack: list[Any] = [value]
    while stack:
        here = stack.pop()
        if isinstance(here, str) and _REPLACED in here:
            return "text that is not Unicode"
        rounded = isinstance(here, int) or (isinstance(here, float) and not floats and here == here // 1)
        if rounded and not -EXACT < here < EXACT:
            return "a whole number of more than 53 bits, which JSON from others rounds"
        if isinstance(here, dict):
            stack += [*here, *here.values()]
        elif isinstance(here, list):
            stack += here
    return ""


def _at(payload: Json, path: str) -> list[Json]:
    """What lies at a path, in a list; nothing where there is nothing."""
    try:
        return [jsontext.select(payload, steps(path))]
    except InvalidValue:
        return []
