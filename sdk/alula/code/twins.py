"""Whether two functions are one definition that was made twice, as by two imports, or two that only look alike.

A function that makes functions, and a wrapper that takes over the name of what it wraps, give many functions one name
and one place in the source: what they hold tells them apart.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from alula.code import places


def alike(one: Callable[..., Any], other: Callable[..., Any]) -> bool:
    """Whether two functions have the same code and hold the same; in doubt they do not."""
    return _same(one, other, set())


def _same(one: Any, other: Any, seen: set[tuple[int, int]]) -> bool:
    one, other = (each.function if isinstance(each, places.Decorated) else each for each in (one, other))
    pair = (id(one), id(other))
    if one is other or pair in seen:
        return True
    if not isinstance(one, types.FunctionType) or not isinstance(other, types.FunctionType):
        try:
            return type(one) is type(other) and bool(one == other)
        except Exception:  # whatever the user's class raises, or an array, which has no one answer
            return False
    seen.add(pair)
    if one.__code__ != other.__code__:
        return False
    mine, theirs = _held(one), _held(other)
    return len(mine) == len(theirs) and all(_same(each, its, seen) for each, its in zip(mine, theirs, strict=True))


def _held(function: types.FunctionType) -> list[Any]:
    cells = [_content(cell) for cell in function.__closure__ or ()]
    named = function.__kwdefaults__ or {}
    return [*cells, *(function.__defaults__ or ()), *named, *named.values()]


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not set yet
        return None
