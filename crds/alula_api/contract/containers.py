"""Codecs of lists, tuples, sets and maps. Composed by `codecs`; whole lists go through `many` of their parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alula_api.contract import codec_parts, jsontext
from alula_api.contract.codec_parts import Convert, Form
from alula_api.contract.problems import MOST_PROBLEMS, Misfit, Problem, member, shown
from alula_api.contract.scalars import check_text

_ARRAY = frozenset({list})
_OBJECT = frozenset({dict})
_STRINGS = {str}


def sequence(item: Form) -> Form:
    """`list[T]` and `tuple[T, ...]`."""
    many = codec_parts.of_list(item)

    def normal(value: Any) -> Any:
        if type(value) is not list:
            raise Misfit
        return many(value)

    def explain(value: Any, path: str, problems: list[Problem]) -> None:
        if type(value) is not list:
            problems.append(Problem(path, f"must be an array, not {shown(value)}"))
        else:
            _explain_items(item, value, path, problems)

    return Form(
        "an array",
        normal,
        _ARRAY,
        explain=explain,
        equal=codec_parts.mapped(item.equal),
        identify=codec_parts.mapped(item.identify),
    )


def _explain_items(item: Form, values: list[Any], path: str, problems: list[Problem]) -> None:
    for index, value in enumerate(values):
        if len(problems) >= MOST_PROBLEMS:
            return
        codec_parts.explain(item, value, f"{path}[{index}]", problems)


def fixed(items: Sequence[Form], names: Sequence[str] = ()) -> Form:
    """`tuple[A, B]` and named tuples."""
    count = len(items)
    converts = [item.normal for item in items]
    fields = f" ({', '.join(names)})" if names else ""

    def normal(value: Any) -> Any:
        if type(value) is not list or len(value) != count:
            raise Misfit
        return [convert(part) for convert, part in zip(converts, value, strict=True)]

    def explain(value: Any, path: str, problems: list[Problem]) -> None:
        if type(value) is not list or len(value) != count:
            problems.append(Problem(path, f"must be an array of {count} items{fields}, not {shown(value)}"))
            return
        for index, (item, part) in enumerate(zip(items, value, strict=True)):
            codec_parts.explain(item, part, f"{path}[{index}]", problems)

    def each(parts: list[Convert | None]) -> Convert | None:
        if not any(parts):
            return None
        return lambda value: [part(item) if part else item for part, item in zip(parts, value, strict=True)]

    return Form(
        "an array",
        normal,
        _ARRAY,
        explain=explain,
        equal=each([item.equal for item in items]),
        identify=each([item.identify for item in items]),
    )


def unordered(item: Form) -> Form:
    """`set` and `frozenset`: sorted by the text of what makes the items equal; no item twice."""
    many = codec_parts.of_list(item)
    texts = _equal_texts(item)
    identify_items = codec_parts.mapped(item.identify)

    def normal(value: Any) -> Any:
        if type(value) is not list:
            raise Misfit
        values = many(value)
        keys = texts(values)
        found = dict(zip(keys, values, strict=True))
        if len(found) != len(values):
            raise Misfit
        return [found[key] for key in sorted(keys)]

    def identify(value: Any) -> Any:
        assert identify_items is not None
        return sorted(identify_items(value), key=jsontext.encode)

    def explain(value: Any, path: str, problems: list[Problem]) -> None:
        if type(value) is not list:
            problems.append(Problem(path, f"must be an array of different items, not {shown(value)}"))
            return
        before = len(problems)
        _explain_items(item, value, path, problems)
        if len(problems) == before:
            _explain_twice(texts(many(value)), value, path, problems)

    return Form(
        "an array of different items",
        normal,
        _ARRAY,
        explain=explain,
        equal=codec_parts.mapped(item.equal),
        identify=identify if identify_items is not None else None,
    )


def _explain_twice(keys: list[str], values: list[Any], path: str, problems: list[Problem]) -> None:
    first: dict[str, int] = {}
    for index, key in enumerate(keys):
        other = first.setdefault(key, index)
        if other != index and len(problems) < MOST_PROBLEMS:
            problems.append(Problem(f"{path}[{index}]", f"is {shown(values[index])}, the same as {path}[{other}]"))


def _equal_texts(form: Form) -> Convert:
    """Return a text of each wire value of a list that is the same for equal ones."""
    equal = codec_parts.mapped(form.equal)
    encode = jsontext.encode

    def texts(values: list[Any]) -> list[str]:
        if set(map(type, values)) == {int}:
            return list(map(int.__repr__, values))
        return [encode(value) for value in (equal(values) if equal else values)]

    return texts


def dictionary(item: Form) -> Form:
    """`dict[str, T]`, in the order that it has."""
    many, identified = codec_parts.of_list(item), codec_parts.mapped(item.identify)

    def normal(value: Any) -> Any:
        if type(value) is not dict or not set(map(type, value)) <= _STRINGS:
            raise Misfit
        check_text("".join(value))
        return dict(zip(value, many(list(value.values())), strict=True))

    def identify(value: Any) -> Any:
        assert identified is not None
        return dict(zip(value, identified(list(value.values())), strict=True))

    def explain(value: Any, path: str, problems: list[Problem]) -> None:
        if type(value) is not dict:
            problems.append(Problem(path, f"must be an object, not {shown(value)}"))
            return
        for key, part in value.items():
            if len(problems) >= MOST_PROBLEMS:
                return
            if type(key) is not str:
                problems.append(Problem(path, f"must have keys that are str, not {shown(key)}"))
                continue
            try:
                check_text(key)
            except Misfit:
                problems.append(Problem(path, "must have keys without lone surrogates"))
                continue
            codec_parts.explain(item, part, member(path, key), problems)

    return Form(
        "an object",
        normal,
        _OBJECT,
        explain=explain,
        identify=identify if identified is not None else None,
    )


def pairs(key: Form, item: Form) -> Form:
    """`dict[K, T]` with other keys than text: a list of pairs; no key twice."""
    keys_of, items_of = codec_parts.of_list(key), codec_parts.of_list(item)
    texts = _equal_texts(key)

    def split(value: Any) -> tuple[list[Any], list[Any]]:
        if type(value) is not list:
            raise Misfit
        for pair in value:
            if type(pair) is not list or len(pair) != 2:
                raise Misfit
        return keys_of([pair[0] for pair in value]), items_of([pair[1] for pair in value])

    def normal(value: Any) -> Any:
        keys, items = split(value)
        if len(set(texts(keys))) != len(keys):
            raise Misfit
        return [[k, v] for k, v in zip(keys, items, strict=True)]

    def identify(value: Any) -> Any:
        return [[pair[0], item.identify(pair[1]) if item.identify else pair[1]] for pair in value]

    def explain(value: Any, path: str, problems: list[Problem]) -> None:
        if type(value) is not list:
            problems.append(Problem(path, f"must be an array of pairs, not {shown(value)}"))
            return
        before = len(problems)
        for index, pair in enumerate(value):
            if len(problems) >= MOST_PROBLEMS:
                return
            if type(pair) is not list or len(pair) != 2:
                problems.append(Problem(f"{path}[{index}]", f"must be a pair of key and value, not {shown(pair)}"))
                continue
            codec_parts.explain(key, pair[0], f"{path}[{index}][0]", problems)
            codec_parts.explain(item, pair[1], f"{path}[{index}][1]", problems)
        if len(problems) == before:
            _explain_twice(texts(split(value)[0]), [pair[0] for pair in value], path, problems)

    return Form(
        "an array of pairs",
        normal,
        _ARRAY,
        explain=explain,
        identify=identify if item.identify is not None else None,
    )
