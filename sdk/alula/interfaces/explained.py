"""What makes the public classes explain a call that does not fit, and a method that only Flyte's have.

The words come from `mistakes`, which loads when something is wrong.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

from alula import errors

_C = TypeVar("_C")


def explain_options(cls: type[_C]) -> type[_C]:
    """Make calls of a class that do not fit its parameters a DefinitionError with a hint, not a bare TypeError."""
    method = "__new__" if issubclass(cls, tuple) else "__init__"
    make = getattr(cls, method)

    @functools.wraps(make)
    def made(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return make(self, *args, **kwargs)
        except TypeError:
            from alula.interfaces import mistakes

            problems = mistakes.misfits(cls.__name__, make, args, kwargs)
            if not problems:
                raise
        raise errors.DefinitionError(problems)

    setattr(cls, method, made)
    return cls


class FlyteMethods:
    """What Flyte has methods for that are not here: a method of Flyte's says what to write instead."""

    __slots__ = ()

    if not TYPE_CHECKING:  # to type checkers they are not there

        def __getattr__(self, name: str) -> Any:
            from alula.interfaces import mistakes

            owner = next((cls.__name__ for cls in type(self).__mro__ if name in mistakes.methods(cls.__name__)), "")
            refused = mistakes.no_method(owner, name)
            raise refused or AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


class ExplainedMethods(type):
    """The type of classes that Flyte has too: a method of Flyte's on the class says what to write instead."""

    def __getattr__(cls, name: str) -> Any:
        from alula.interfaces import mistakes

        refused = mistakes.no_method(cls.__name__, name)
        raise refused or AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
