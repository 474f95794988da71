"""Codec of records (dataclasses): properties in declared order, defaults filled in, unknown names refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alula_api.contract import forms
from alula_api.contract.forms import Convert, Form
from alula_api.contract.jsontext import Json
from alula_api.contract.problems import MOST_PROBLEMS, Misfit, Problem, member, shown


def record(title: str, properties: Mapping[str, Form], required: frozenset[str], defaults: Mapping[str, Json]) -> Form:
    """Return the codec of a record; `defaults` are JSON values that fit their property."""
    count = len(properties)
    fields = [(name, form.normal) for name, form in properties.items()]
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

    def fill(value: dict[str, Any]) -> Any:
        found = {}
        used = 0
        for name, convert in fields:
            if name in value:
                found[name] = convert(value[name])
                used += 1
            elif name in defaults:
                found[name] = convert(defaults[name])
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
                forms.explain(form, value[name], member(path, name), problems)
            elif name in required and name not in defaults and len(problems) < MOST_PROBLEMS:
                problems.append(Problem(member(path, name), f"is missing: {what} needs {form.what}"))

    return Form(
        what,
        normal,
        frozenset({dict}),
        explain=explain,
        canonical=_each({name: form.canonical for name, form in properties.items()}),
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
