"""What is wrong with a value or a type, as values; collected by the codecs and raised together.

Raised by `alula_api.contract` only; caught by what knows the file, node and input to name in a `Diagnostic`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from alula_api.contract.codes import Code

MOST_PROBLEMS: Final = 20
"""As many are collected; more would not be read."""

_SHOWN = 60
_PLAIN = r"[A-Za-z_][A-Za-z0-9_]*"


class Problem(NamedTuple):
    """One thing that is wrong, at a path such as `$.rows[3].name`."""

    path: str
    message: str
    code: Code = Code.BAD_VALUE

    def __str__(self) -> str:
        return f"{self.path} {self.message}"


class InvalidValue(ValueError):
    """A value does not fit its type, or a text is not JSON; `problems` says everything that is wrong with it."""

    problems: tuple[Problem, ...]

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems[:MOST_PROBLEMS])
        super().__init__("; ".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[InvalidValue], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class Misfit(Exception):
    """A value does not fit: the fast path gives up, and the value is walked again to say why. Stays in this package."""


REFUSALS: Final = (Misfit, TypeError, ValueError, KeyError, OverflowError, RecursionError)
"""What the fast path raises for a value that does not fit."""


def member(path: str, name: object) -> str:
    """Return the path of a property: `$.rows`, or `$["odd name"]` where the name is not an identifier."""
    text = name if isinstance(name, str) else repr(name)
    return f"{path}.{text}" if re.fullmatch(_PLAIN, text) else f"{path}[{_quoted(text)}]"


def shown(value: Any) -> str:
    """Return a short form of a value for a message, on one line and printable whatever the value is."""
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        return f"an object of {len(value)} properties"
    if isinstance(value, (list, tuple)):
        return f"an array of {len(value)} items"
    if isinstance(value, int) and abs(value) >= 10**_SHOWN:
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, (int, float)):
        return str(value)
    return f"a Python {type(value).__name__}"


def _quoted(text: str) -> str:
    cut = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    printable = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
    return f'"{printable}"'
