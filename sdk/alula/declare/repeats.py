"""`repeat`: a task or workflow that runs again and again with what it made, until a condition holds.

    model = repeat(improve, until=lambda model: model.loss < 0.1, max=20)(start, rate=0.5)

The first call gets the arguments as they are written. Each further one gets what the call before it returned in place
of the first argument, and of a NamedTuple each field in place of the argument of its name; all others stay. To a type
checker the whole is a call of the step.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Generic, ParamSpec, TypeVar

from alula import errors
from alula.code import places
from alula.graph import promises, unfinished
from alula.graph.tracer import active
from alula.interfaces.callee import Callee
from alula.interfaces.explained import FlyteMethods
from alula_api.contract import problems
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.graphs.calls import MAX_ROUNDS

__tracebackhide__ = True  # pytest shows the user's frames only

P = ParamSpec("P")
R = TypeVar("R")


def repeat(step: Callable[P, R], /, *, until: Callable[[R], int], max: int) -> Repeat[P, R]:
    """Make a task or workflow run again and again: `repeat(improve, until=lambda m: m.loss < 0.1, max=20)(start)`.

    What the last call returns is the result. If the condition has not held after `max` calls, that is so too: a
    workflow that must know asks again, with `conditional`. Each call has the retries, timeout, resources and cache
    entry of the task. Outside a workflow the calls are made one after the other.

    Args:
        step: Takes the state as its first argument and returns the next one; or a NamedTuple of which fields are
            called as arguments; or a tuple, of which each part takes the place of one of the first arguments.
        until: A function of what the step returns that gives a condition, as `conditional` has them. It may read other
            results of the workflow too.
        max: The most calls, from 1 to 50: each is a node of the run.

    Raises:
        DefinitionError: It is neither task nor workflow, or an option has a value that it cannot take.
    """
    found: object = step
    wrong = _wrong(found, until, max, str(places.caller()))
    if wrong or not isinstance(found, Callee):
        raise errors.DefinitionError(wrong)
    return Repeat(found, until, max)


def _wrong(step: object, until: object, most: object, source: str) -> list[Diagnostic]:
    """What is wrong with the arguments, whatever they are."""
    found = []
    if not isinstance(step, Callee):
        what, hint = getattr(step, "__name__", type(step).__name__), "decorate the function with @task"
        if begun := unfinished.begun(step):
            what, hint = begun[0].removesuffix(" itself"), "repeat a workflow that has it inside"
        message = f"repeat() takes a task or a workflow, and {what} is neither"
        found.append(Diagnostic(Code.NOT_A_TASK, message, source, hint=hint))
    if not callable(until):
        message = f"until of repeat() must be a function of what the step returns, not {problems.shown(until)}"
        hint = "write until=lambda state: state.loss < 0.1"
        found.append(Diagnostic(Code.BAD_OPTION, message, source, hint=hint))
    elif not _takes_one(until):
        message = "until of repeat() takes one argument: what the step returns, as a whole"
        hint = "write until=lambda made: ..., and read one of several outputs as made[1] or by its name, made.loss"
        found.append(Diagnostic(Code.BAD_OPTION, message, source, hint=hint))
    if type(most) is not int or not 1 <= most <= MAX_ROUNDS:
        message = f"max of repeat() must be a whole number from 1 to {MAX_ROUNDS}, not {promises.shown(most)}"
        hint = "let each call of the step do more" if type(most) is int and most > MAX_ROUNDS else ""
        found.append(Diagnostic(Code.BAD_OPTION, message, source, hint=hint))
    return found


def _takes_one(until: Callable[..., Any]) -> bool:
    """Whether it can be called with one argument; so too where nothing says what it takes."""
    import inspect

    try:
        inspect.signature(until).bind(None)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


class Repeat(FlyteMethods, Generic[P, R]):
    """A task or workflow, to be called with its first state."""

    __slots__ = ("_most", "_name", "_step", "_until")

    def __init__(self, step: Callee, until: Callable[[Any], Any], most: int, name: str | None = None) -> None:
        self._step, self._until, self._most, self._name = step, until, most, name

    @property
    def _alula_unfinished(self) -> tuple[str, str]:
        """It is given no first state yet."""
        hint = f"call it with what the first round takes: repeat({self._step.function.__name__}, ...)(...)"
        return f"the repeat of {self._step.subject} itself", hint

    def named(self, name: str) -> Repeat[P, R]:
        """The same, to be called as the node `name` of the workflow that is traced."""
        return Repeat(self._step, self._until, self._most, name)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run it until the condition holds; while a workflow is traced, make one node of it.

        Raises:
            DefinitionError: What the step returns is no argument of it.
        """
        tracer = active.get()
        if tracer is not None:
            node = self._name or self._step.call_name
            return tracer.repeat(  # type: ignore[no-any-return]
                self._step, args, kwargs, sys._getframe(1), node, until=self._until, most=self._most
            )
        return self._called(args, kwargs)  # type: ignore[no-any-return]

    def _called(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """The calls one after the other, outside a workflow."""
        from alula.graph import repeats

        step, interface = self._step, self._step.interface
        state, message = repeats.state(interface)
        if message:
            subject = f"the repeat of {step.subject}"
            raise errors.DefinitionError([Diagnostic(Code.EDGE_TYPE, message, str(places.caller()), subject)])
        given = {**dict(zip((each.name for each in interface.inputs), args, strict=False)), **kwargs}
        found = step(*args, **kwargs)
        for _ in range(self._most - 1):
            if self._until(found):
                break
            made = (found,) if interface.style == "single" else found
            values = dict(zip((each.name for each in interface.outputs), made, strict=True))
            given |= {name: values[output] for name, output in state}
            found = step(**given)
        return found

    def __repr__(self) -> str:
        return f"<repeat of {self._step.subject}>"
