"""`.fail(...)` of a branch, and the task behind it: the run ends, and is told of, as after the failure of any task.

Called by `conditionals`. The task is one of this package, which every image of a project has.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn

from alula import errors
from alula.code import places
from alula.declare import tasks
from alula.graph.promises import UNKNOWN, Promise
from alula.graph.tracer import active
from alula.types.mismatches import kind
from alula_api.contract import schemas
from alula_api.contract.codes import Code

if TYPE_CHECKING:
    import types

    from alula.graph.branches import Conditional
    from alula.graph.trace import Trace
    from alula_api.contract.schemas import Schema

_PLACE = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}|\{([^{}]*)\}|[{}]")
"""In a message: a doubled brace, the place of a value, what is meant as one, or a brace that is neither."""
_SHOWN: Final = ("integer", "number", "boolean", "null", "string", "literal")


def fail(message: str, values: list[Any]) -> NoReturn:
    """Fail with a message.

    Args:
        message: In which `{0}` is the place of the first value; `{{` and `}}` are braces.
        values: What stands there: a text as it is, anything else as Python writes it.
    """
    raise errors.Given(message.format(*values))


class _Fail(tasks.Task[[str, list[Any]], NoReturn]):
    """Found by its place in this package, wherever that is installed."""

    @property
    def held(self) -> places.Entrypoint:
        """Where every pod finds it."""
        return places.Entrypoint(__name__, "TASK")

    @property
    def node_name(self) -> str:
        """As it is written."""
        return "fail"


TASK = _Fail(fail, "alula.fail", {})
TASK.source = places.NOWHERE


def end(branch: Conditional, message: object, values: Mapping[str, Any], frame: types.FrameType) -> None:
    """End the branch that is being written with a node that fails."""
    tracer = active.get()
    assert tracer is not None, "a conditional is begun in a workflow"
    text, shown = _message(tracer.trace, message, values)
    branch.close(tracer.call(TASK, (text, shown), {}, frame))


def _message(trace: Trace, message: object, values: Mapping[str, Any]) -> tuple[str, list[Promise | None]]:
    """The message with its constants in it and numbers for its results, and those."""
    shown: list[Promise | None] = []
    used: set[str] = set()

    def replaced(match: re.Match[str]) -> str:
        name = match[1]
        if match[0] in ("{{", "}}"):
            return match[0]
        if match[2] is not None:
            used.update(part for part in values if match[2].startswith(part))
            hint = "write {name}, and give the value as name=...; a task makes a text of another form"
            told = f"{match[0]} stands in the message, and the place of a value holds its name alone"
            trace.problem(Code.BAD_VALUE, told, trace.here(), subject=".fail(...)", hint=hint)
            return ""
        if name not in values:
            told = f"nothing is given for {match[0]}" if name else f"a single {match[0]} stands in the message"
            hint = f"write .fail(..., {name}=...)" if name else f"write {match[0] * 2} for a brace"
            trace.problem(Code.BAD_VALUE, told, trace.here(), subject=".fail(...)", hint=hint)
            return ""
        used.add(name)
        value = values[name]
        if type(value) is not Promise:
            return _constant(trace, name, value).replace("{", "{{").replace("}", "}}")
        shown.append(_showable(trace, name, value))
        return f"{{{len(shown) - 1}}}"

    if not isinstance(message, str):
        what = message._alula_edge.label if type(message) is Promise else kind(message)
        hint = 'write .fail("{text}", text=...) for a text that a task makes'
        trace.problem(Code.BAD_VALUE, f"the message must be a text, not {what}", trace.here(), hint=hint)
        return "", []
    if not message.strip():
        hint = 'say why the run fails: .fail("{n} rows are too few", n=rows)'
        trace.problem(Code.BAD_VALUE, "the message is empty", trace.here(), subject=".fail(...)", hint=hint)
    text = _PLACE.sub(replaced, message)
    for name in values:
        if name not in used:
            told = f"the message has no place for {name}"
            hint = f"write {{{name}}} where it belongs"
            trace.problem(Code.BAD_VALUE, told, trace.here(), subject=".fail(...)", hint=hint)
    return text, shown


def _constant(trace: Trace, name: str, value: object) -> str:
    if isinstance(value, enum.Enum):
        return value.name
    if value is None or isinstance(value, (str, bool, int, float)):
        return str(value)
    hint = "give a text, a number, a bool or None"
    told = f"{name} is {kind(value)}, which does not stand in a message"
    trace.problem(Code.BAD_VALUE, told, trace.here(), subject=".fail(...)", hint=hint)
    return ""


def _showable(trace: Trace, name: str, value: Promise) -> Promise | None:
    """A result, which a message can hold: what else there is has no text that people would expect."""
    schema = value._alula_edge.schema
    if schema is not UNKNOWN and value._alula_edge.binding is not None and not _is_shown(schema):
        told = f"{name} is {schemas.describe(schema)}, which does not stand in a message"
        hint = "give a part of it that is a text, a number or a bool, or a text that a task makes of it"
        trace.problem(Code.EDGE_TYPE, told, trace.here(), subject=".fail(...)", hint=hint)
        return None
    return value


def _is_shown(schema: Schema) -> bool:
    found = schemas.family(schema)
    if found == "union":
        return all(map(_is_shown, schema["anyOf"]))
    return found in _SHOWN
