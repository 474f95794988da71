"""One error or warning as a value, and the nearest name for a misspelt one.

Made by the SDK, the compiler and the controller; printed by `alula.display` and put into conditions. Prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import NamedTuple

from alula_api.contract.codes import Code

MOST_CANDIDATES = 2_000
"""More names are not compared: a hint is not worth a second of anybody's time."""
SMALLER = "do more in each task, as by giving one task a list of items, or split it into several workflows"
"""The hint for a workflow that has more nodes than its place holds."""


class Diagnostic(NamedTuple):
    """What is wrong, where, what was expected, and what to do about it."""

    code: Code
    message: str
    source: str = ""
    """The place in the user's code, as `flows/penguins.py:41`."""
    subject: str = ""
    """What it is about, as `workflow penguins-train, node train, input df`."""
    expected: str = ""
    hint: str = ""

    def render(self) -> str:
        """Return the text for people: the place, code and message, then indented lines."""
        place = f"{self.source}: " if self.source else ""
        lines = [f"{place}error {self.code}: {self.message}"]
        if self.subject:
            lines.append(f"  in {self.subject}")
        if self.expected:
            lines.append(f"  expected {self.expected}")
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that the author of `name` most likely meant, or None."""
    import difflib

    names = list(islice(candidates, MOST_CANDIDATES))
    plain = name.casefold().replace("-", "_")
    for candidate in names:
        if candidate.casefold().replace("-", "_") == plain and candidate != name:
            return candidate
    found = difflib.get_close_matches(name[:200], names, n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(
    name: object, candidates: Iterable[str], otherwise: str = "", shown: Callable[[str], str] = repr
) -> str:
    """Return a hint at what the author of `name` likely meant, such as `did you mean 'seed'?`; else `otherwise`."""
    near = closest(name, candidates) if isinstance(name, str) else None
    return otherwise if near is None else f"did you mean {shown(near)}?"
