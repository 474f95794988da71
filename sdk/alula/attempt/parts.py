"""What an attempt publishes beside its outputs: what conditions compare, lists as their items, items of maps' lists.

Called by `runtime.running` at the end of an attempt that succeeded, or that found its result in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from alula_api.contract import lists, references, schemas, values
from alula_api.contract.graphs import bindings, comparables
from alula_api.contract.problems import InvalidValue, Problem

if TYPE_CHECKING:
    from alula_api.contract.families import Schema
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


def _given(value: Json) -> Json:
    return value


def _item(travels: bindings.Value, value: Callable[[], Json], schema: Schema, content: Callable[[], Content]) -> str:
    """A value as an item of a list: as it travels, or from the store where that is too long."""
    assert not isinstance(travels, lists.Listed), "what a task makes is in one piece"
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
    if len(value) > lists.MAX_ITEMS:
        raise lists.too_many(len(value))
    types = schemas.items(schema, len(value))
    assert types is not None, "a list has items"

    def made(index: int) -> str:
        return _item(value[index], partial(_given, value[index]), types[index], content)

    short = [not references.is_envelope(each) and lists.fits(lists.item(each)) for each in value]
    if all(short):
        return lists.Listed(tuple(map(lists.text, map(made, range(len(value)))))).to_json()
    from concurrent.futures import ThreadPoolExecutor

    content()  # opened once, before there are threads
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return lists.Listed(tuple(map(lists.text, pool.map(made, range(len(value)))))).to_json()
