"""A plain call of a task, outside any workflow: types checked and converted as the wire would, nothing stored.

Made once a task by `alula.declare.tasks`. What the function raises passes untouched. A call of an async task in an
`async def` is awaited there, as that of its function would be; anywhere else it gives the value.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CoroutineType, FrameType
from typing import TYPE_CHECKING, Any

from alula import errors
from alula.code import places
from alula.interfaces import mistakes
from alula.types.mismatches import Mismatch, kind
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from alula.interfaces.callee import Callee

__tracebackhide__ = True  # pytest shows the user's frames only

_ASYNC = 0x80 | 0x200
"""CO_COROUTINE and CO_ASYNC_GENERATOR, as in `inspect`, which a pod does not load."""
_COMPREHENSIONS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})
"""Frames that belong to the function around them."""
_PROMISE = ", got a promise"
_OUTSIDE = "a promise has a value in a run only: call this in its workflow's body, within `with wf:`, or by wf.add(...)"
"""What to do about a promise in a call outside of any workflow."""

PlainCall = Callable[[tuple[Any, ...], dict[str, Any]], Any]


def plain(task: Callee) -> PlainCall:
    """A closure that checks the inputs, calls the function and checks the result."""
    interface = task.interface
    checks = tuple(item.type.check for item in interface.inputs)
    by_name = {item.name: item.type.check for item in interface.inputs}
    count, positional = len(checks), interface.positional
    required = tuple(item.name for item in interface.inputs if item.required)
    function = task.function
    verify = _finisher(task)

    async def awaited(coroutine: Coroutine[Any, Any, Any]) -> Any:
        return verify(await coroutine)

    def finish(result: Any) -> Any:
        if type(result) is not CoroutineType:
            return verify(result)
        return awaited(result) if _called_by_coroutine() else verify(settled(result))

    def call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not kwargs and len(args) == count == positional:
            try:
                checked = [check(value) for check, value in zip(checks, args, strict=True)]
            except Mismatch:
                raise wrong_inputs(task, args, kwargs) from None
            return finish(function(*checked))
        given = arguments(task, args, kwargs)
        try:
            named = {name: by_name[name](value) for name, value in given.items()}
        except Mismatch:
            raise wrong_inputs(task, args, kwargs) from None
        for name in required:
            if name not in named:
                raise wrong_inputs(task, args, kwargs)
        return finish(function(**named))

    return call


def _finisher(task: Callee) -> Callable[[Any], Any]:
    interface = task.interface
    checks = [output.type.check for output in interface.outputs]
    if interface.style == "single":
        check = checks[0]

        def single(result: object) -> Any:
            try:
                return check(result)
            except Mismatch as mismatch:
                raise mistakes.wrong_output(task, interface.outputs[0].name, mismatch) from None

        return single

    def finish(result: object) -> Any:
        try:
            parts = interface.pack(result)
        except Mismatch as mismatch:
            raise mistakes.wrong_output(task, "", mismatch) from None
        checked = []
        for output, check, part in zip(interface.outputs, checks, parts, strict=True):
            try:
                checked.append(check(part))
            except Mismatch as mismatch:
                raise mistakes.wrong_output(task, output.name, mismatch) from None
        return interface.unpack(checked)

    return finish


def settled(result: Any) -> Any:
    """What a function returned; of a coroutine function, what its coroutine comes to in an event loop of its own."""
    if type(result) is not CoroutineType:
        return result
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        running = False
    else:
        running = True
    if not running:
        return _value(asyncio.run(_outcome(result)))
    # Inside a running loop (Jupyter, a plain function below an async one) a second one needs a thread of its own.
    import threading

    outcome: list[Any] = []

    def target() -> None:
        try:
            outcome.append(asyncio.run(_outcome(result)))
        except BaseException as problem:  # handed to the caller below
            outcome.append((None, problem))

    thread = threading.Thread(target=target, name="alula-async-task")
    thread.start()
    thread.join()
    return _value(outcome[0])


async def _outcome(coroutine: Coroutine[Any, Any, Any]) -> tuple[Any, BaseException | None]:
    """The value or the exception, caught here so that its traceback holds no frames of the event loop."""
    try:
        return await coroutine, None
    except Exception as problem:
        return None, problem


def _value(outcome: tuple[Any, BaseException | None]) -> Any:
    value, problem = outcome
    if problem is not None:
        raise problem
    return value


def _called_by_coroutine() -> bool:
    """Whether the user's code that makes the call is an `async def`, which awaits what it calls."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and (places.ours(frame.f_code.co_filename) or frame.f_code.co_name in _COMPREHENSIONS):
        frame = frame.f_back
    return frame is not None and bool(frame.f_code.co_flags & _ASYNC)


def arguments(target: Callee, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call by name.

    Raises:
        ValueMismatch: There are too many, or one is unknown, or given twice.
    """
    interface = target.interface
    problems = mistakes.unbound(target.subject, interface, args, kwargs, lambda: str(places.caller()))
    if problems:
        raise errors.ValueMismatch(problems)
    return {**dict(zip((item.name for item in interface.inputs), args, strict=False)), **kwargs}


def wrong_inputs(target: Callee, args: tuple[Any, ...], kwargs: dict[str, Any]) -> errors.ValueMismatch:
    """Everything that is wrong with the arguments of a call."""
    interface = target.interface
    given = {**dict(zip((item.name for item in interface.inputs), args, strict=False)), **kwargs}
    problems: list[Diagnostic] = []
    source = str(places.caller())
    for item in interface.inputs:
        if item.name not in given:
            if item.required:
                problems.append(mistakes.missing_input(item, target.subject, source))
            continue
        try:
            item.type.check(given[item.name])
        except Mismatch as mismatch:
            flaws = [
                each._replace(hint=_OUTSIDE) if each.message.endswith(_PROMISE) else each for each in mismatch.flaws
            ]
            problems += mistakes.wrong_input(item, Mismatch(flaws=flaws), target.subject, source)
    if not problems:
        message = f"the value of an input changed while it was checked: {kind(given)}"
        problems.append(Diagnostic(Code.BAD_VALUE, message, source, target.subject))
    return errors.ValueMismatch(problems)
