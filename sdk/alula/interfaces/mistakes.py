"""How mistakes in calls and values are worded, the same in a trace, a plain call, a local run and a pod.

Nothing is checked here but the names of arguments; `encode` checks values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from alula import errors
from alula.code import places
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic, did_you_mean

if TYPE_CHECKING:
    from alula.interfaces.interface import HasInterface, Input, Interface
    from alula.types.mismatches import Mismatch


__tracebackhide__ = True  # pytest shows the user's frames only


def unbound(
    subject: str, interface: Interface, args: tuple[Any, ...], kwargs: Mapping[str, Any], place: Callable[[], str] = str
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


def unknown_input(name: str, subject: str, known: Mapping[str, Input], source: str = "") -> Diagnostic:
    """A name that is no input, with the one that was likely meant."""
    hint = did_you_mean(name, known, f"its inputs are: {', '.join(known) or 'none'}")
    return Diagnostic(Code.UNKNOWN_INPUT, f"there is no input {name!r}", source, subject, hint=hint)


def missing_input(item: Input, subject: str, source: str = "") -> Diagnostic:
    """A required input that is not given."""
    message = f"the input {item.name!r} is not given"
    hint = f"pass {item.name}=..., or give the parameter a default"
    return Diagnostic(Code.MISSING_INPUT, message, source, subject, f"a value of type {item.type.label}", hint)


def wrong_input(item: Input, mismatch: Mismatch, subject: str, source: str = "") -> list[Diagnostic]:
    """A value that does not fit the type of its input."""
    return unfit(mismatch, Code.BAD_VALUE, f"{subject}, input {item.name}", item.type.label, source)


def unfit(mismatch: Mismatch, code: Code, subject: str, label: str, source: str = "") -> list[Diagnostic]:
    """A mismatch as diagnostics, one a flaw; the whole type is named where the message does not name it."""
    return [
        Diagnostic(
            code,
            f"at {flaw.where()}: {flaw.message}" if flaw.path else flaw.message,
            source,
            subject,
            "" if flaw.message.startswith("expected") and not flaw.path else label,
            flaw.hint,
        )
        for flaw in mismatch.flaws
    ]


def misfits(owner: str, make: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Diagnostic]:
    """What of a call does not fit the parameters; empty where it fits, so that something else was wrong."""
    import inspect

    from alula.interfaces import flyte_names

    signature = inspect.signature(make)
    source = str(places.caller())
    named = [each.name for each in [*signature.parameters.values()][1:] if each.kind is not each.VAR_POSITIONAL]
    problems = []
    for name in [name for name in kwargs if name not in named]:
        hint = did_you_mean(name, named, f"its options are {', '.join(named)}", "{}=".format)
        hint = flyte_names.option(owner, name) or hint
        problems.append(Diagnostic(Code.BAD_OPTION, f"{owner} has no option {name!r}", source, hint=hint))
    try:
        signature.bind(None, *args, **{name: value for name, value in kwargs.items() if name in named})
    except TypeError as error:
        if not problems:
            hint = f"write {owner}({', '.join(named)})"
            if owner in flyte_names.METHODS and not args:
                hint = next(iter(flyte_names.METHODS[owner].values()))
            problems.append(Diagnostic(Code.BAD_OPTION, f"{owner}: {error}", source, hint=hint))
    return problems


def methods(owner: str) -> Mapping[str, str]:
    """The methods that Flyte has on a class of that name, with what to write instead."""
    from alula.interfaces import flyte_names

    return flyte_names.METHODS.get(owner, {})


def no_method(owner: str, name: str) -> errors.DefinitionError | None:
    """A method that Flyte has on a class of that name, with what to write instead; None for any other."""
    instead = methods(owner).get(name)
    if instead is None:
        return None
    message = f"{owner} has no method {name}"
    return errors.DefinitionError([Diagnostic(Code.BAD_OPTION, message, str(places.caller()), hint=instead)])


def wrong_output(target: HasInterface, output: str, mismatch: Mismatch) -> errors.ValueMismatch:
    """A result that does not fit what the task declares."""
    declared = {item.name: item.type.label for item in target.interface.outputs}
    subject = f"{target.subject}, output {output}" if output and len(declared) > 1 else f"{target.subject}, its result"
    return errors.ValueMismatch(
        unfit(mismatch, Code.OUTPUT_TYPE, subject, declared.get(output, ""), str(target.source))
    )
