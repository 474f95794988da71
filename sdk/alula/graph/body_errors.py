"""An exception out of a workflow's function, as a diagnostic: which line, and what a workflow should do instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from alula.code import places, returns
from alula.graph import promises
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    import types

    from alula.graph.trace import Trace

__tracebackhide__ = True  # pytest shows the user's frames only


_WRITTEN: Final = {
    "conditional": 'write conditional("name").if_(...).then(...).else_().then(...)',
    "repeat": "write repeat(step, until=lambda made: ..., max=10)(...)",
    "map_task": "write map_task(task)(items)",
    "if_": "write .if_(condition)",
    "elif_": "write .elif_(condition)",
    "else_": "it begins the last branch: write .else_().then(...)",
    "then": "give it what the branch gives: the result of a call, a constant, or None",
    "or_none": "write .or_none()",
    "fail": 'write .fail("{n} is too low", n=n)',
    "named": 'write .named("name")',
    "with_overrides": "write fit.with_overrides(retries=0)(...), each option by its name",
}
"""What to write in place of a call of these, which lacks an argument or has one too many."""
_CALLED: Final = re.compile(r"(?:\w+\.)?(\w+)\(\) (?:missing|takes|got)\b")
_VALUE = "a workflow only puts tasks together: do this in a task and pass it the value"


def failed(trace: Trace, error: Exception) -> Diagnostic:
    """What the user needs to know about an exception that their workflow raised while it was traced."""
    frames = _user_frames(error)
    place = frames[0] if frames else None
    source = "" if place is None else _source(*place)
    text = f"{type(error).__name__}: {error}".replace("\n", " ")[:300]
    for frame, _ in frames[1:]:
        held = _promise_argument(frame)
        if held is not None:
            name = frame.f_code.co_name
            if places.is_library(frame.f_code.co_filename):
                message = f"the workflow passes {held._alula_edge.label} to {name}() of a library ({text})"
                return Diagnostic(Code.PROMISE_AS_VALUE, message, source, trace.subject, "", _VALUE)
            message = f"the workflow calls {name}() with {held._alula_edge.label}, but {name} is not a task ({text})"
            defined = _source(frame, frame.f_code.co_firstlineno)
            hint = f"decorate {name}() at {defined} with @task: it then runs when the value is there"
            return Diagnostic(Code.NOT_A_TASK, message, source, trace.subject, "", hint)
    called = _CALLED.match(str(error)) if isinstance(error, TypeError) else None
    if called is not None and called[1] in _WRITTEN and _is_ours(called[1], frames):
        message = f"{called[1]}() is given other arguments than it takes"
        return Diagnostic(Code.BAD_OPTION, message, source, trace.subject, "", _WRITTEN[called[1]])
    if "Promise" in text:
        message = f"the workflow computes with a promise ({text})"
        return Diagnostic(Code.PROMISE_AS_VALUE, message, source, trace.subject, "", _VALUE)
    inner = _source(*frames[-1]) if len(frames) > 1 else ""
    message = f"the workflow's own code raised {text}" + (f" at {inner}" if inner else "")
    hint = "a workflow's function runs when it is traced, before any task: let it do nothing but call tasks"
    return Diagnostic(Code.BAD_SOURCE, message, source, trace.subject, "", hint)


def returned(function: Callable[..., Any]) -> str:
    """file:line of the only `return` of a function; of its definition when there is another number of them."""
    code = places.code(function)
    if code is None:
        return ""
    lines = returns.lines(code)
    line = lines.pop() if len(lines) == 1 else code.co_firstlineno
    return str(places.Source(places.relative(code.co_filename), line))


def _user_frames(error: BaseException) -> list[tuple[types.FrameType, int]]:
    """The frames below the tracer that are not ours, outermost first."""
    frames = []
    step = error.__traceback__
    while step is not None:
        if not places.ours(step.tb_frame.f_code.co_filename):
            frames.append((step.tb_frame, step.tb_lineno))
        step = step.tb_next
    return frames


def _is_ours(name: str, frames: list[tuple[types.FrameType, int]]) -> bool:
    """Whether the author's code means a function or method of ours by the name, and none of its own."""
    meant = frames[-1][0].f_globals.get(name) if frames else None
    code = getattr(meant, "__code__", None)
    return code is None or places.ours(code.co_filename)


def _source(frame: types.FrameType, line: int) -> str:
    return str(places.Source(places.relative(frame.f_code.co_filename), line))


def _promise_argument(frame: types.FrameType) -> promises.Promise | None:
    code = frame.f_code
    count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
    arguments = [frame.f_locals.get(name) for name in code.co_varnames[:count]]
    return promises.inside(arguments)
