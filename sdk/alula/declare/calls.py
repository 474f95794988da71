"""A plain call of a task, outside any workflow: types checked and converted as the wire would, nothing stored.

Made once a task by `alula.declare.tasks`. What the function raises passes untouched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from alula import errors
from alula.code import places
from alula.types.mismatches import Mismatch, kind
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic, closest

if TYPE_CHECKING:
    from alula.declare.tasks import Task
    from alula.interfaces.interface import Input, Interface
    from alula_api.contract.problems import InvalidValue

__tracebackhide__ = True  # pytest shows the user's frames only

CO_COROUTINE = 0x80

Plan = Callable[[tuple[Any, ...], dict[str, Any]], Any]


def plan(task: Task[..., Any]) -> Plan:
    """A closure that checks the inputs, calls the function and checks the result."""
    interface = task.interface
    checks = tuple(item.type.check for item in interface.inputs)
    by_name = {item.name: item.type.check for item in interface.inputs}
    count, positional = len(checks), interface.positional
    required = tuple(item.name for item in interface.inputs if item.required)
    function = runnable(task.function)
    finish = _finisher(task)

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


def _finisher(task: Task[..., Any]) -> Callable[[Any], Any]:
    interface = task.interface
    checks = [output.type.check for output in interface.outputs]
    if interface.style == "single":
        check = checks[0]

        def single(result: Any) -> Any:
            try:
                return check(result)
            except Mismatch as mismatch:
                raise wrong_output(task, interface.outputs[0].name, mismatch) from None

        return single

    def finish(result: Any) -> Any:
        try:
            parts = interface.pack(result)
        except Mismatch as mismatch:
            raise wrong_output(task, "", mismatch) from None
        checked = []
        for output, check, part in zip(interface.outputs, checks, parts, strict=True):
            try:
                checked.append(check(part))
            except Mismatch as mismatch:
                raise wrong_output(task, output.name, mismatch) from None
        return interface.unpack(checked)

    return finish


def runnable(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as a plain one: a coroutine function runs in an event loop of its own, to its end."""
    code = getattr(function, "__code__", None)
    if code is None or not code.co_flags & CO_COROUTINE:
        return function

    def run(*args: Any, **kwargs: Any) -> Any:
        import asyncio

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(function(*args, **kwargs))
        # Inside a running loop (Jupyter, an async test) a second one needs a thread of its own.
        import threading

        outcome: list[Any] = []

        def target() -> None:
            try:
                outcome.append((True, asyncio.run(function(*args, **kwargs))))
            except BaseException as problem:  # handed to the caller below
                outcome.append((False, problem))

        thread = threading.Thread(target=target, name="alula-async-task")
        thread.start()
        thread.join()
        succeeded, value = outcome[0]
        if succeeded:
            return value
        raise value

    return run


def arguments(target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call by name.

    Raises:
        ValueMismatch: There are too many, or one is unknown, or given twice.
    """
    interface: Interface = target.interface
    problems = unbound(target.subject, interface, args, kwargs, lambda: str(places.caller()))
    if problems:
        raise errors.ValueMismatch(problems)
    return {**dict(zip((item.name for item in interface.inputs), args, strict=False)), **kwargs}


def unbound(
    subject: str, interface: Interface, args: tuple[Any, ...], kwargs: dict[str, Any], place: Callable[[], str] = str
) -> list[Diagnostic]:
    """What is wrong with the shape of a call: too many arguments, unknown names, names given twice."""
    problems: list[Diagnostic] = []
    inputs = interface.inputs
    if len(args) > interface.positional:
        known = ", ".join(item.name for item in inputs) or "none"
        many = "1 argument is" if len(args) == 1 else f"{len(args)} arguments are"
        message = f"{many} given by position, but it takes {interface.positional or 'none'} so"
        problems.append(Diagnostic(Code.UNKNOWN_INPUT, message, place(), subject, hint=f"its inputs are: {known}"))
    taken = {item.name for item in inputs[: len(args)]}
    for name in kwargs:
        if name not in interface.by_name:
            problems.append(unknown_input(name, subject, interface.by_name, place()))
        elif name in taken:
            message = f"the input {name!r} is given twice, by position and by name"
            problems.append(Diagnostic(Code.UNKNOWN_INPUT, message, place(), subject, hint="drop one of them"))
    return problems


def unknown_input(name: str, subject: str, known: dict[str, Input], source: str = "") -> Diagnostic:
    """A name that is no input, with the one that was likely meant."""
    near = closest(name, known)
    hint = f"did you mean {near!r}?" if near else f"its inputs are: {', '.join(known) or 'none'}"
    return Diagnostic(Code.UNKNOWN_INPUT, f"there is no input {name!r}", source, subject, hint=hint)


def missing_input(item: Input, subject: str, source: str = "") -> Diagnostic:
    """A required input that is not given."""
    message = f"the input {item.name!r} is not given"
    hint = f"pass {item.name}=..., or give the parameter a default"
    return Diagnostic(Code.MISSING_INPUT, message, source, subject, f"a value of type {item.type.label}", hint)


def wrong_inputs(target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> errors.ValueMismatch:
    """Everything that is wrong with the arguments of a call."""
    interface: Interface = target.interface
    given = {**dict(zip((item.name for item in interface.inputs), args, strict=False)), **kwargs}
    problems: list[Diagnostic] = []
    source = str(places.caller())
    for item in interface.inputs:
        if item.name not in given:
            if item.required:
                problems.append(missing_input(item, target.subject, source))
            continue
        try:
            item.type.check(given[item.name])
        except Mismatch as mismatch:
            subject = f"{target.subject}, input {item.name}"
            problems += unfit(mismatch, Code.BAD_VALUE, subject, item.type.label, source)
    if not problems:
        message = f"the value of an input changed while it was checked: {kind(given)}"
        problems.append(Diagnostic(Code.BAD_VALUE, message, source, target.subject))
    return errors.ValueMismatch(problems)


def wrong_output(target: Any, output: str, mismatch: Mismatch) -> errors.ValueMismatch:
    """A result that does not fit what the task declares."""
    declared = {item.name: item.type.label for item in target.interface.outputs}
    subject = f"{target.subject}, output {output}" if output and len(declared) > 1 else f"{target.subject}, its result"
    return errors.ValueMismatch(
        unfit(mismatch, Code.OUTPUT_TYPE, subject, declared.get(output, ""), str(target.source))
    )


def unfit(mismatch: Mismatch, code: Code, subject: str, label: str, source: str = "") -> list[Diagnostic]:
    """A mismatch as diagnostics, one a flaw."""
    return [
        Diagnostic(
            code,
            f"at {flaw.where()}: {flaw.message}" if flaw.path else flaw.message,
            source,
            subject,
            label if flaw.path else "",
            flaw.hint,
        )
        for flaw in mismatch.flaws
    ]


def invalid(
    problem: InvalidValue, subject: str, label: str, code: Code = Code.BAD_VALUE, source: str = ""
) -> list[Diagnostic]:
    """What a codec refuses, as diagnostics."""
    return [
        Diagnostic(
            code, f"at {item.path}: {item.message}" if item.path != "$" else item.message, source, subject, label
        )
        for item in problem.problems
    ]
