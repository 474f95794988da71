"""What an attempt publishes beside its outputs: what conditions compare, lists as their items, items of maps' lists.

Called by `runtime.running` at the end of an attempt that succeeded, or that found its result in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from alula_api.contract import lists, references, schemas, values
from alula_api.contract.graphs import bindings, comparables, interfaces
from alula_api.contract.problems import InvalidValue, Problem

if TYPE_CHECKING:
    from alula_api.contract.families import Schema
    from alula_api.contract.pods import Each
    from alula_api.contract.values import Json
    from alula_data.content import Content

AT_ONCE = 16
"""Items of a list that are stored at one time."""


def publish(
    asked: Iterable[tuple[str, str, tuple[str, ...], str]],
    value: Callable[[str], Json],
    travelling: Mapping[str, Json],
    types: Mapping[str, Schema],
    content: Callable[[], Content],
) -> dict[str, Json]:
    """Return what is published, by the name of its parameter.

    Args:
        asked: As in the pod's arguments.
        value: The value of an output; asked for only where one is needed.
        travelling: What travels for each output.
        types: Of the outputs.
        content: Opens the store, when an item has to go there.

    Raises:
        InvalidValue: A value has no such part, cannot be compared, or is too long for a map.
    """
    found: dict[str, Json] = {}
    for name, output, path, form in asked:
        if form == "item" and not path:
            found[name] = _item(bindings.value_of(travelling[output]), partial(value, output), types[output], content)
            continue
        schema = schemas.at(types[output], path)
        if isinstance(schema, Problem):
            raise InvalidValue([schema])
        inner = values.select(value(output), path)
        if form == "scalar":
            found[name] = comparables.published(inner, schema)
        elif form == "item":
            found[name] = _item(inner, partial(_given, inner), schema, content)
        else:
            found[name] = _items(inner, schema, content)
    return found


def each(
    value: Callable[[str], Json],
    asked: Iterable[Each],
    types: Mapping[str, Schema],
    content: Callable[[], Content],
) -> dict[str, Json]:
    """Return the lists of a part of each item, by the names of their parameters; see `publish`."""
    found: dict[str, Json] = {}
    for part in asked:
        schema = schemas.at(types[part.output], part.paths[0])
        if isinstance(schema, Problem):
            raise InvalidValue([schema])
        found[part.name] = _each(values.select(value(part.output), part.paths[0]), schema, part, 1, content)
    return found


def _each(value: Json, schema: Schema, part: Each, depth: int, content: Callable[[], Content]) -> Json:
    """What is published of a value that lies so many lists deep."""
    if depth < len(part.paths):

        def inner(item: Json, type_: Schema) -> Json:
            return _each(item, type_, part, depth + 1, content)

        return comparables.listed_parts(value, schema, part.paths[depth], inner)
    match part.form:
        case "scalar":
            return comparables.published(value, schema)
        case "batches":
            return _batches(value, schema, part.size, content)
        case _:
            return _items(value, schema, content)


def item(value: Json, schema: Schema, content: Callable[[], Content]) -> tuple[str, Json]:
    """Return a value as an item of a list, and as it travels by itself: in the store where that is too long."""
    published = _item(value, partial(_given, value), schema, content)
    (found,) = lists.Listed((lists.text(published),)).values()
    return published, bindings.wire_of(found)


def batches(
    value: Callable[[str], Json],
    asked: Iterable[tuple[str, str, tuple[str, ...], int]],
    types: Mapping[str, Schema],
    content: Callable[[], Content],
) -> dict[str, Json]:
    """Return the lists that maps in batches go over, by the names of their parameters; see `publish`."""
    found: dict[str, Json] = {}
    for name, output, path, size in asked:
        schema = schemas.at(types[output], path)
        if isinstance(schema, Problem):
            raise InvalidValue([schema])
        found[name] = _batches(values.select(value(output), path), schema, size, content)
    return found


def _batches(value: Json, schema: Schema, chosen: int, content: Callable[[], Content]) -> Json:
    if not isinstance(value, list):
        raise InvalidValue([Problem("$", "must be a list")])
    if (problem := lists.too_many(len(value), chosen)) is not None:
        raise problem
    size = lists.batch_size(chosen, len(value))
    whole = [value[at : at + size] for at in range(0, len(value), size)]
    types = schemas.items(schema, len(value)) or [schema]
    texts = _all(lambda index: item(whole[index], interfaces.list_of(types[0]), content)[0], whole, content)
    return lists.Batches(texts, size, 0, len(value)).to_json()


def _all(made: Callable[[int], str], values: list[Any], content: Callable[[], Content]) -> tuple[str, ...]:
    """The texts of items, of which those that are too long are stored side by side."""
    short = [not references.is_envelope(each) and lists.fits(lists.item(each)) for each in values]
    if all(short):
        return tuple(lists.text(made(index)) for index in range(len(values)))
    from concurrent.futures import ThreadPoolExecutor

    content()  # opened once, before there are threads
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return tuple(map(lists.text, pool.map(made, range(len(values)))))


def _given(value: Json) -> Json:
    return value


def _item(travels: bindings.Value, value: Callable[[], Json], schema: Schema, content: Callable[[], Content]) -> str:
    """A value as an item of a list: as it travels, or from the store where that is too long."""
    assert not isinstance(travels, (lists.Listed, lists.Batches)), "what a task makes is in one piece"
    if isinstance(travels, references.Stored) or not references.is_envelope(travels):
        found = lists.item(travels)
        if lists.fits(found):
            return found
    made = value()
    stored = references.stored(content().save_value(values.dumps(made), values.codec(schema).digest(made), 0))
    assert stored is not None, "what may not travel inline lies in the store"
    return lists.item(stored)


def _items(value: Json, schema: Schema, content: Callable[[], Content]) -> Json:
    if not isinstance(value, list):
        raise InvalidValue([Problem("$", "must be a list")])
    if (problem := lists.too_many(len(value))) is not None:
        raise problem
    types = schemas.items(schema, len(value))
    assert types is not None, "a list has items"

    def made(index: int) -> str:
        return _item(value[index], partial(_given, value[index]), types[index], content)

    return lists.Listed(_all(made, value, content)).to_json()
