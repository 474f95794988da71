"""What is wrong with a value, with the place inside it; raised by the codecs of this package and by nothing else.

Codecs raise `Mismatch`; what knows the task and input (`alula.declare`, `alula.graph`, `alula.attempt`) turns it
into an exception of `alula.errors`. It must never reach the user as it stands.
"""

from __future__ import annotations

import enum
import reprlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST = 20
"""So many problems of one value are told; a list of a million wrong items needs no more."""

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 60
_short.maxlist = _short.maxdict = _short.maxset = _short.maxtuple = 3


class Flaw(NamedTuple):
    """One thing that is wrong: where inside the value, what, and the nearest fix."""

    path: tuple[str, ...]
    message: str
    hint: str = ""

    def where(self) -> str:
        """The place as a person writes it: `[3].name`, or nothing for the value itself."""
        if len(self.path) > 8:
            return "".join((*self.path[:4], " ... ", *self.path[-3:]))
        return "".join(self.path)


class Mismatch(Exception):
    """A value does not fit its type."""

    def __init__(self, message: str = "", hint: str = "", *, flaws: Iterable[Flaw] = ()) -> None:
        self.flaws: tuple[Flaw, ...] = tuple(flaws) or (Flaw((), message, hint),)
        super().__init__(self.flaws)

    def __str__(self) -> str:
        return "; ".join(f"{flaw.where()}: {flaw.message}" if flaw.path else flaw.message for flaw in self.flaws)

    def inside(self, segment: str) -> tuple[Flaw, ...]:
        """The flaws as seen from the container that holds the value at `segment`."""
        return tuple(flaw._replace(path=(segment, *flaw.path)) for flaw in self.flaws)


def kind(value: object) -> str:
    """A value in few words for a message: `the str 'abc'`, `None`, `a promise`."""
    if value is None:
        return "None"
    cls = type(value)
    if cls.__module__ == "alula.graph.promises":
        return "a promise"
    if cls.__module__ == "alula.graph.comparisons":
        return "a condition"
    if isinstance(value, type):
        return f"the class {name(value)}"
    if isinstance(value, enum.Enum):
        return f"{cls.__name__}.{value.name}"
    if isinstance(value, int) and abs(value) >= 10**60:
        return f"an {cls.__name__} of {value.bit_length()} bits"
    text = _short.repr(value)
    if text.startswith((f"{cls.__name__}(", f"{cls.__module__}.{cls.__name__}(", f"np.{cls.__name__}(")):
        return text
    if len(text) > 80 or "\n" in text or text.startswith("<"):
        return f"a value of type {name(cls)}"
    return f"the {name(cls)} {text}"


def name(cls: type) -> str:
    """A class as the user knows it: `int`, `numpy.ndarray`, `Point`."""
    module = cls.__module__.partition(".")[0]
    return f"{module}.{cls.__qualname__}" if module in {"numpy", "pandas", "pyarrow", "torch"} else cls.__qualname__
