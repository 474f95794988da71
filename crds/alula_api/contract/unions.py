"""Codecs of unions: untagged by JSON type, tagged by `$type`. The schema decides which, never the value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alula_api.contract import codec_parts
from alula_api.contract.codec_parts import Convert, Form
from alula_api.contract.problems import Misfit, Problem, shown

TAG = "$type"
VALUE = "value"


def untagged(variants: Sequence[Form]) -> Form:
    """A union whose variants have no JSON type in common."""
    table: dict[type, Form] = {}
    for form in variants:
        for kind in form.kinds:
            table[kind] = form
    for form in variants:  # the value of an enum's member, where no other variant claims its type
        for kind in form.edge_kinds:
            table.setdefault(kind, form)
    normals = {kind: form.normal for kind, form in table.items()}
    what = " or ".join(form.what for form in variants)

    def normal(value: Any) -> Any:
        convert = normals.get(type(value))
        if convert is None:
            raise Misfit
        return convert(value)

    def explain(value: Any, path: str, problems: list[Problem]) -> None:
        form = table.get(type(value))
        if form is None:
            problems.append(Problem(path, f"must be {what}, not {shown(value)}"))
        else:
            codec_parts.explain(form, value, path, problems)

    def by_kind(parts: Mapping[type, Convert | None]) -> Convert | None:
        converts = {kind: convert for kind, convert in parts.items() if convert is not None}
        if not converts:
            return None

        def convert(value: Any) -> Any:
            found = converts.get(type(value))
            return value if found is None else found(value)

        return convert

    kinds = frozenset[type]().union(*(form.kinds for form in variants))
    return Form(
        what,
        normal,
        kinds,
        explain=explain,
        equal=by_kind({kind: form.equal for kind, form in table.items()}),
        identify=by_kind({kind: form.identify for kind, form in table.items()}),
        edge_kinds=frozenset(table) - kinds,
    )


def tagged(variants: Mapping[str, Form]) -> Form:
    """A union that names its variant: `{"$type": "A", "value": ...}`."""
    names = ", ".join(variants)

    def normal(value: Any) -> Any:
        if type(value) is not dict or len(value) != 2:
            raise Misfit
        return {TAG: value[TAG], VALUE: variants[value[TAG]].normal(value[VALUE])}

    def explain(value: Any, path: str, problems: list[Problem]) -> None:
        if type(value) is not dict or set(value) != {TAG, VALUE}:
            problems.append(
                Problem(
                    path,
                    f'must be {{"{TAG}": one of {names}, "{VALUE}": ...}}, not {shown(value)}',
                )
            )
        elif not isinstance(value[TAG], str) or value[TAG] not in variants:
            problems.append(Problem(f'{path}["{TAG}"]', f"must be one of {names}, not {shown(value[TAG])}"))
        else:
            codec_parts.explain(variants[value[TAG]], value[VALUE], f"{path}.{VALUE}", problems)

    def by_tag(parts: Mapping[str, Convert | None]) -> Convert | None:
        converts = {tag: convert for tag, convert in parts.items() if convert is not None}
        if not converts:
            return None

        def convert(value: Any) -> Any:
            found = converts.get(value[TAG])
            return value if found is None else {TAG: value[TAG], VALUE: found(value[VALUE])}

        return convert

    return Form(
        f"one of {names}",
        normal,
        frozenset({dict}),
        explain=explain,
        equal=by_tag({tag: form.equal for tag, form in variants.items()}),
        identify=by_tag({tag: form.identify for tag, form in variants.items()}),
    )
