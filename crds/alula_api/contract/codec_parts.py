"""What the codec of a type is made of: a few functions, composed from those of its parts.

A `Form` is built by `codecs.compile` out of the modules `scalars`, `texts`, `containers`, `records`, `unions` and
`anyjson`; nothing outside this package sees one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from alula_api.contract.problems import MOST_PROBLEMS, REFUSALS, Misfit, Problem, shown

Convert: TypeAlias = Callable[[Any], Any]
Explain: TypeAlias = Callable[[Any, str, list[Problem]], None]


class Form:
    """How values of one type are checked and written.

    Attributes:
        what: The type in words, for "must be ...".
        normal: From a JSON value to the wire value; raises `Misfit` (or what Python raises) when it does not fit.
        kinds: The JSON types of its wire values.
        many: `normal` for a whole list at once, where that is faster than one by one.
        explain: Append what is wrong with a value that does not fit, part by part; None: the message of the whole.
        equal: From the wire value to one that is the same for values that Python takes for equal; None: they are the
            same. It finds items of a set and keys of a map that are there twice.
        identify: From the wire value to the one that is hashed; None: they are the same.
        is_exact: Whether `normal` returns the very value that it was given.
        edge_kinds: More JSON types that are accepted and become one of `kinds`: the value of an enum's member.
    """

    __slots__ = ("edge_kinds", "equal", "explain", "identify", "is_exact", "kinds", "many", "normal", "what")

    def __init__(
        self,
        what: str,
        normal: Convert,
        kinds: frozenset[type],
        many: Convert | None = None,
        explain: Explain | None = None,
        *,
        equal: Convert | None = None,
        identify: Convert | None = None,
        is_exact: bool = False,
        edge_kinds: frozenset[type] = frozenset(),
    ) -> None:
        self.what = what
        self.normal = normal
        self.kinds = kinds
        self.many = many
        self.explain = explain
        self.equal = equal
        self.identify = identify
        self.is_exact = is_exact
        self.edge_kinds = edge_kinds


def of_list(form: Form) -> Convert:
    """Return `form.normal` for a list of values."""
    if form.many is not None:
        return form.many
    normal = form.normal
    return lambda values: [normal(value) for value in values]


def mapped(convert: Convert | None) -> Convert | None:
    """Return a conversion of each item of a list, or None where there is nothing to convert."""
    if convert is None:
        return None
    return lambda values: [convert(value) for value in values]


def explain(form: Form, value: Any, path: str, problems: list[Problem]) -> None:
    """Append what is wrong with a value: of its parts where the type has parts, else of the whole."""
    if len(problems) >= MOST_PROBLEMS:
        return
    if form.explain is not None:
        form.explain(value, path, problems)
        return
    reason = refusal(form, value)
    if reason is not None:
        problems.append(Problem(path, reason or f"must be {form.what}, not {shown(value)}"))


def refusal(form: Form, value: Any) -> str | None:
    """Return why a value does not fit: None when it does, "" when there is no more to say than the type."""
    try:
        form.normal(value)
    except Misfit as misfit:
        return str(misfit)
    except REFUSALS:
        return ""
    return None
