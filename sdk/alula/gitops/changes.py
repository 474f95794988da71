"""One change of what a domain does, in words; and several that are the same as one. Pure values.

Made by the modules that compare (`interface_changes`, `workflow_changes`, `plan_changes`), shown by `difference_text`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_SHOWN = 60


@dataclass(frozen=True)
class Change:
    """One line of a review.

    Attributes:
        subject: Whose change it is: `workflow penguins-train`.
        part: The part of it: `task fit`; empty for all of it.
        text: What happened: `timeout 10m → 20m`.
        breaking: Whether what relied on the state before fails now.
        users: What still relies on it, as far as the domain's own files say.
    """

    subject: str
    part: str
    text: str
    breaking: bool = False
    users: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """A change that several subjects have in common."""

    subjects: tuple[str, ...]
    change: Change


def grouped(changes: Iterable[Change]) -> list[Line]:
    """The changes, each once with all that have it; those that break something come first."""
    found: dict[tuple[str, str, str, bool, tuple[str, ...]], list[Change]] = {}
    for each in changes:
        kind = each.subject.rpartition(" ")[0]
        found.setdefault((kind, each.part, each.text, each.breaking, each.users), []).append(each)
    lines = [Line(tuple(dict.fromkeys(each.subject for each in same)), same[0]) for same in found.values()]
    return sorted(lines, key=lambda line: not line.change.breaking)


def arrow(old: object, new: object) -> str:
    """`10m → 20m`; what was not there and what is no more in words."""
    if old is None:
        return f"{shown(new)} (was unset)"
    return f"{shown(old)} → {shown(new)}" if new is not None else f"no longer set (was {shown(old)})"


def shown(value: object) -> str:
    """A value on a line, shortened."""
    text = value if isinstance(value, str) else _plain(value)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_plain, value))
    return str(value)


def leaves(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, object, object]]:
    """Where two JSON values differ: the path, and what each has; lists are taken whole."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from leaves(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
    elif before != after:
        if isinstance(before, Mapping) or isinstance(after, Mapping):  # all of it came or went
            yield from leaves(before or {}, after or {}, path)
        else:
            yield path, before, after
