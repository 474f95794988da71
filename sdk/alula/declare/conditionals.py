"""`conditional`: a part of a workflow that runs only if a condition holds, once the values that it compares are known.

    deployed = (
        conditional("deploy")
        .if_(score.accuracy > 0.9).then(deploy(model))
        .elif_(score.accuracy > 0.7).then(ask(model))
        .else_().then(skip())
    )

Calls inside `.then(...)` belong to the branch: Python evaluates them after `.if_(...)` has begun it. Calls made before
always run. To a type checker the whole is what its branches give, as a conditional expression of Python's is.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Generic, Never, NoReturn, TypeVar

from alula import errors
from alula.code import places
from alula.declare import failing
from alula.graph import comparisons, promises
from alula.graph.tracer import active
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from alula.graph import branches

__tracebackhide__ = True  # pytest shows the user's frames only

R = TypeVar("R")
T = TypeVar("T")


def conditional(name: str) -> Conditional:
    """Begin a conditional: `conditional("deploy").if_(score > 0.9).then(deploy(model)).else_().then(skip())`.

    Args:
        name: Of its node, in lower case letters, digits and `-`; no other node of the workflow has it.

    Raises:
        DefinitionError: It stands outside a workflow.
    """
    tracer = active.get()
    if tracer is None:
        message = "conditional() stands in a workflow: it decides which nodes of its graph run"
        hint = "write a Python `if` in a task"
        raise errors.DefinitionError([Diagnostic(Code.NOT_A_TASK, message, str(places.caller()), hint=hint)])
    from alula.graph import branches

    frame = sys._getframe(1)
    return Conditional(branches.Conditional(tracer, name, places.Call(frame.f_code, frame.f_lasti)))


def is_none(value: object) -> bool:
    """Whether the result of a task, or a part of it, is None: a condition for `conditional`.

    Outside a workflow, whether a value is None.
    """
    if type(value) is not promises.Promise:
        return value is None
    return comparisons.is_none(value)  # type: ignore[return-value]


class _Begun:
    """A conditional that is being written: it has no result before it is ended."""

    __slots__ = ("_found",)

    _next = "end the branch that is begun with .then(...) or .fail(...)"
    """What may follow."""

    def __init__(self, found: branches.Conditional) -> None:
        self._found = found

    @property
    def _alula_unfinished(self) -> tuple[str, str]:
        """A branch is begun, or none."""
        return f"{self._found.subject} without .then(...)", "end its branch with .then(...)"

    if not TYPE_CHECKING:  # a type checker says itself what may follow

        def __getattr__(self, name: str) -> NoReturn:
            if name.startswith("_"):
                raise AttributeError(name)
            self._found.misplaced(name, self._next)

        def __bool__(self) -> NoReturn:
            raise self._found.refusal(self)

        def __str__(self) -> NoReturn:
            raise self._found.refusal(self)

        def __format__(self, spec: str) -> NoReturn:
            raise self._found.refusal(self)


class Conditional(_Begun):
    """A conditional without branches."""

    __slots__ = ()
    _next = "begin its first branch with .if_(condition)"

    def if_(self, condition: int) -> First:
        """Begin the first branch, which is taken if the condition holds.

        Args:
            condition: A comparison of results, as `score > 0.9`, or a result that is a bool; conditions are joined by
                `&`, `|` and `~`.
        """
        self._found.open(condition, first=True)
        return First(self._found)


class First(_Begun):
    """The first branch, begun."""

    __slots__ = ()

    def then(self, value: T) -> Taken[T]:
        """End the branch, which gives this: the result of a call made here, of one made before, or a constant."""
        self._found.close(value)
        return Taken(self._found)

    def fail(self, message: str, **values: Any) -> Taken[Never]:
        """End the branch, which fails the run: `.fail("{score} is too low", score=score.accuracy)`.

        Args:
            message: Why; `{name}` is the place of a value, `{{` and `}}` are braces.
            values: Results or constants: texts, numbers, booleans or None.
        """
        failing.end(self._found, message, values, sys._getframe(1))
        return Taken(self._found)


class Taken(_Begun, Generic[R]):
    """Branches to which others may be added; as it is, nothing happens when none of the conditions holds."""

    __slots__ = ()
    _next = "go on with .elif_(condition), .else_() or .or_none()"

    def elif_(self, condition: int) -> Another[R]:
        """Begin another branch, which is taken if its condition is the first that holds."""
        self._found.open(condition)
        return Another(self._found)

    def else_(self) -> Last[R]:
        """Begin the last branch, which is taken if no condition holds."""
        self._found.open(last=True)
        return Last(self._found)

    def or_none(self) -> R | None:
        """End the conditional: what its branches give, and None if no condition holds."""
        self._found.none()
        return self._found.result()  # type: ignore[no-any-return]

    @property
    def _alula_unfinished(self) -> tuple[str, str]:
        """No branch is the last one."""
        hint = "end it with .else_().then(...), or with .or_none() where None will do"
        return f"{self._found.subject} without .else_()", hint

    if not TYPE_CHECKING:  # a type checker says itself that there are no parts

        def __iter__(self) -> NoReturn:
            raise self._found.refusal(self)

        def __getitem__(self, key: object) -> NoReturn:
            raise self._found.refusal(self)

    @property
    def _alula_ordered(self) -> promises.Promise:
        """What `>>` orders, and what a branch or workflow gives that gives nothing."""
        return self._found.promise

    @property
    def _alula_is_void(self) -> bool:
        """Whether its branches give nothing."""
        return self._found.is_void

    def __rshift__(self, other: Any) -> Any:
        """`conditional >> b`: b runs after it, if a branch is taken."""
        return self._found.promise >> other

    def __rrshift__(self, other: Any) -> Taken[R]:
        """`a >> conditional`."""
        _ = other >> self._found.promise
        return self


class Another(_Begun, Generic[R]):
    """A further branch, begun."""

    __slots__ = ()

    def then(self, value: T) -> Taken[R | T]:
        """End the branch, which gives this."""
        self._found.close(value)
        return Taken(self._found)

    def fail(self, message: str, **values: Any) -> Taken[R]:
        """End the branch, which fails the run, as `if_(...).fail` does."""
        failing.end(self._found, message, values, sys._getframe(1))
        return Taken(self._found)


class Last(_Begun, Generic[R]):
    """The last branch, begun."""

    __slots__ = ()

    def then(self, value: T) -> R | T:
        """End the branch, which gives this, and with it the conditional: what the branch that is taken gives."""
        self._found.close(value)
        return self._found.result()  # type: ignore[no-any-return]

    def fail(self, message: str, **values: Any) -> R:
        """End the branch, which fails the run, and with it the conditional: what the other branches give."""
        failing.end(self._found, message, values, sys._getframe(1))
        return self._found.result()  # type: ignore[no-any-return]
