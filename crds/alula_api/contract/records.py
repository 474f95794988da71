"""Codec of records (dataclasses): properties in declared order, defaults filled in, unknown names refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alula_api.contract import codec_parts, jsontext
from alula_api.contract.codec_parts import Convert, Form
from alula_api.contract.problems import MOST_PROBLEMS, Misfit, Problem, member, shown

_DICT = {dict}


def record(title: str, properties: Mapping[str, Form], required: frozenset[str], defaults: Mapping[str, str]) -> Form:
    """Return the codec of a record; `defaults` are JSON texts that fit their property."""
    count = len(properties)
    fields = [(name, form.normal) for name, form in properties.items()]
    columns = [(name, codec_parts.of_list(form), form.is_exact) for name, form in properties.items()]
    complete = {tuple(properties)}
    what = title or "an object"

    def normal(value: Any) -> Any:
        if type(value) is not dict:
            raise Misfit
        if len(value) == count:
            try:
                return {name: convert(value[name]) for name, convert in fields}
            except KeyError:
                raise Misfit from None  # as many as there are, but not these: at least one is unknown
        return fill(value)

    def many(values: list[Any]) -> list[Any]:
        """Check column by column where all records are complete and in declared order, as records that we wrote are."""
        if not set(map(type, values)) <= _DICT:
            raise Misfit
        if set(map(tuple, values)) != complete:
            return [normal(value) for value in values]
        found = [value.copy() for value in values]
        for name, convert, is_exact in columns:
            column = convert([value[name] for value in values])
            if not is_exact:
                for value, part in zip(found, column, strict=True):
                    value[name] = part
        return found

    def fill(value: dict[str, Any]) -> Any:
        found = {}
        used = 0
        for name, convert in fields:
            if name in value:
                found[name] = convert(value[name])
                used += 1
            elif name in defaults:
                found[name] = convert(jsontext.reread(defaults[name]))
            elif name in required:
                raise Misfit
        if used != len(value):
            raise Misfit
        return found

    def explain(value: Any, path: str, problems: list[Problem]) -> None:
        if type(value) is not dict:
            problems.append(Problem(path, f"must be {what} as an object, not {shown(value)}"))
            return
        for name in value:
            if name not in properties and len(problems) < MOST_PROBLEMS:
                problems.append(Problem(member(path, name), f"does not exist in {what}{_hint(name, properties)}"))
        for name, form in properties.items():
            if name in value:
                codec_parts.explain(form, value[name], member(path, name), problems)
            elif name in required and name not in defaults and len(problems) < MOST_PROBLEMS:
                problems.append(Problem(member(path, name), f"is missing: {what} needs {form.what}"))

    return Form(
        what,
        normal,
        frozenset({dict}),
        many,
        explain,
        equal=_each({name: form.equal for name, form in properties.items()}),
        identify=_each({name: form.identify for name, form in properties.items()}),
    )


def _each(parts: Mapping[str, Convert | None]) -> Convert | None:
    converts = [(name, convert) for name, convert in parts.items() if convert is not None]
    if not converts:
        return None

    def convert_all(value: dict[str, Any]) -> Any:
        found = value.copy()
        for name, convert in converts:
            if name in found:
                found[name] = convert(found[name])
        return found

    return convert_all


def _hint(name: object, properties: Mapping[str, Form]) -> str:
    from alula_api.contract import diagnostics

    found = diagnostics.closest(name, properties) if isinstance(name, str) else None
    return f"; did you mean {found}?" if found else ""
