"""What people are told of the runs of a launch plan: on which events, in which place, and the template of a webhook.

The compiler writes a plan's choice beside its template, the controller reads it; a place itself stands in the Domain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alula_api.contract import json_bounds, jsontext
from alula_api.contract.diagnostics import closest
from alula_api.contract.graphs import json_fields
from alula_api.contract.jsontext import Json
from alula_api.contract.problems import InvalidValue

MAX_PLACES: Final = 16
"""Of a domain, and so of a launch plan."""
MAX_TEXT: Final = 16_000
"""Characters of a plan's choice as text."""
MAX_TEMPLATE: Final = 4_096
MAX_DEPTH: Final = 20
"""Levels of arrays and objects in a template."""
PENDING: Final = "pending"
"""The label of a run of whose end a notice is due."""
DONE: Final = "done"


class When(StrEnum):
    """What a notice is given of, as a resource says it."""

    SUCCEEDED = "Succeeded"
    """A run succeeded; also one that is `Recovered`, where a place does not ask for that."""
    FAILED = "Failed"
    """A run did not succeed. One that its launch plan's policy skipped or replaced is not told of."""
    RECOVERED = "Recovered"
    """A run succeeded, and the one that ended before it had failed."""
    LATE = "Late"
    """The run of a scheduled time has not ended `lateAfter` that time, or there is none."""
    QUEUED = "Queued"
    """A run has waited in the domain's queue for `queuedFor`."""


USUAL: Final = (When.FAILED, When.RECOVERED)
"""What a plan is told of that names a place and nothing else."""
PLACEHOLDERS: Final[dict[str, str]] = {
    "event": "Succeeded, Failed, Recovered, Late or Queued",
    "title": "a short sentence: `nightly failed in penguins/dev`",
    "message": "the whole sentence, with the error",
    "error": "what failed, and why; empty where nothing did",
    "run": "the name of the run; empty for a scheduled time without one",
    "plan": "the launch plan",
    "workflow": "the Workflow",
    "project": "the project",
    "domain": "the domain",
    "namespace": "the namespace",
    "at": "when it happened: `2026-11-29T02:00:00Z`",
    "link": "the run in Argo's UI; empty where the installation has named none",
    "key": "the same for each attempt at this notice",
}
"""What a template may name."""
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_]*)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Notice:
    """A place that is told of a plan's runs.

    Attributes:
        place: One of the Domain's, by name.
        when: Of what it is told: `When`s.
        late_after: Seconds after its scheduled time at which a run that has not ended is late; None for never.
        queued_for: Seconds after which a run has waited for too long; None for never.
    """

    place: str
    when: tuple[str, ...] = USUAL
    late_after: int | None = None
    queued_for: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """All places that are told of a plan's runs."""

    notices: tuple[Notice, ...] = ()

    def to_text(self) -> str:
        """As it stands in an annotation; empty if there are no notices."""
        return jsontext.dumps_sorted(json_fields.to_json(self)) if self.notices else ""

    @classmethod
    def from_text(cls, text: str) -> Choice:
        """Read what `to_text` wrote; what cannot be read says nothing."""
        if not 0 < len(text) <= MAX_TEXT:
            return cls()
        try:
            found = json_fields.from_json(cls, jsontext.parse(text))
        except InvalidValue:
            return cls()
        known = all(when in tuple(When) for each in found.notices for when in each.when)
        return found if known and len(found.notices) <= MAX_PLACES else cls()

    @property
    def every(self) -> frozenset[str]:
        """All places that are told of anything."""
        return frozenset(each.place for each in self.notices)

    def places(self, event: str) -> tuple[str, ...]:
        """The places that are told of an event. A run that recovered has succeeded, for who asks for that alone."""
        asked = {event, When.SUCCEEDED} if event == When.RECOVERED else {event}
        return tuple(each.place for each in self.notices if asked.intersection(each.when))


def template_problem(text: str) -> str:
    """What is wrong with a template; empty for nothing."""
    if len(text) > MAX_TEMPLATE:
        return f"must have at most {MAX_TEMPLATE} characters"
    if json_bounds.nests_deeper(text.encode("utf-8", "replace"), MAX_DEPTH):
        return f"must not nest deeper than {MAX_DEPTH} levels"
    try:
        found = jsontext.parse(text)
    except InvalidValue:
        return "must be a JSON object, with its placeholders inside texts"
    if not isinstance(found, dict):
        return "must be a JSON object, with its placeholders inside texts"
    for each in _texts(found):
        for name in _PLACEHOLDER.findall(each):
            if name not in PLACEHOLDERS:
                near = closest(name, list(PLACEHOLDERS))
                return f"names `{name}`; " + (
                    f"did you mean `{near}`?" if near else f"it knows {', '.join(PLACEHOLDERS)}"
                )
    return ""


def filled(text: str, values: Mapping[str, str]) -> Json:
    """A template with values in place of its placeholders, as JSON data: no value can become anything but text.

    Raises:
        ValueError: The template is none; says what is wrong.
    """
    if problem := template_problem(text):
        raise ValueError(problem)
    return _filled(jsontext.parse(text), values)


def _filled(found: Json, values: Mapping[str, str]) -> Json:
    if isinstance(found, str):
        return _PLACEHOLDER.sub(lambda match: values.get(match[1], ""), found)
    if isinstance(found, list):
        return [_filled(each, values) for each in found]
    if isinstance(found, dict):
        return {name: _filled(each, values) for name, each in found.items()}
    return found


def _texts(found: Json) -> Iterable[str]:
    """Every text in it but the names of members, which nothing is put into."""
    left: list[Json] = [found]
    while left:
        each = left.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, list):
            left += each
        elif isinstance(each, dict):
            left += each.values()
