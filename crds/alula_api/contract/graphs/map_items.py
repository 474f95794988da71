"""What a map's lists give: its items one by one, or in batches, and what is wrong with lists that give neither.

Part of `walks`. In a compiled plan a map in batches goes over the batches: each of them is a pod, and an item to the
walk. Everywhere else it goes over the items.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from alula_api.contract import jsontext, lists, names
from alula_api.contract.graphs import bindings
from alula_api.contract.graphs.bindings import UNKNOWN, MaybeValue
from alula_api.contract.graphs.calls import MapCall
from alula_api.contract.lists import Batches, Listed
from alula_api.contract.problems import InvalidValue, Problem
from alula_api.contract.references import Stored

Inputs: TypeAlias = Mapping[str, MaybeValue]


@dataclass(frozen=True, slots=True)
class Found:
    """What the lists of a map give.

    Attributes:
        items: Of each input that is a list what each item gets; None where the lists cannot be gone over here.
        problems: Why not, by input; none where they cannot be known yet.
        size: Items of a batch; 0 where each item stands alone.
        count: How many items there are.
    """

    items: Mapping[str, list[Any]] | None
    problems: Mapping[str, InvalidValue]
    size: int = 0
    count: int = 0

    def at(self, index: int) -> dict[str, Any]:
        """What one item gets."""
        assert self.items is not None
        return {name: given[index] for name, given in self.items.items()}

    @property
    def spots(self) -> int:
        """How many spots the map has: items, or batches of them."""
        return -(-self.count // (self.size or 1))


def found(inputs: Inputs, call: MapCall, *, compiled: bool) -> Found:
    """Return what the lists of a map give."""
    given = {name: inputs[name] for name in call.over}
    first = call.over[0]
    try:
        # In a compiled plan a written list is a constant in the form in which lists travel.
        read = {name: bindings.value_of(value) if isinstance(value, dict) else value for name, value in given.items()}
        if compiled and call.batch is not None:
            return _batches(read, call.batch)
        known = {name: _items(value) for name, value in read.items()}
    except InvalidValue as error:
        return Found(None, {first: error})
    listed = {name: value for name, value in known.items() if isinstance(value, list)}
    return _checked(read, listed, {name: len(value) for name, value in listed.items()}, call.batch)


def _items(value: MaybeValue) -> MaybeValue | list[MaybeValue]:
    return bindings.items_of(value) if isinstance(value, (Listed, Batches)) else value


def _batches(read: Inputs, batch: int) -> Found:
    # A list is one of single values, each with its own source.
    travelling = {name: lists.listed(value) if isinstance(value, list) else value for name, value in read.items()}
    many = {name: value for name, value in travelling.items() if isinstance(value, (Listed, Batches))}
    lengths = {name: lists.length(value) for name, value in many.items()}
    checked = _checked(read, {name: [] for name in many}, lengths, batch)
    if checked.items is None:
        return checked
    count = checked.count
    size = lists.batch_size(batch, count)
    starts = range(0, count, size)
    items = {
        name: [lists.taken(value, start, min(size, count - start)) for start in starts] for name, value in many.items()
    }
    return Found(items, {}, size, count)


def _checked(given: Inputs, listed: Mapping[str, list[Any]], lengths: Mapping[str, int], batch: int | None) -> Found:
    if len(lengths) == len(given) and len(set(lengths.values())) == 1:
        count = next(iter(lengths.values()))
        problem = lists.too_many(count, batch)
        return Found(listed, {}, 0, count) if problem is None else Found(None, {next(iter(given)): problem})
    if UNKNOWN in given.values() or any(isinstance(value, Stored) for value in given.values()):
        return Found(None, {})
    other = next((name for name in given if name not in lengths), None)
    problem = lists.unequal(lengths) if other is None else InvalidValue([Problem("$", "must be a list")])
    return Found(None, {other or next(iter(given)): problem})


def along(inputs: Inputs, call: MapCall, count: int) -> dict[str, list[MaybeValue]]:
    """Return of each input that is a list of published parts what each of so many items gets."""
    found: dict[str, list[MaybeValue]] = {}
    for name in call.along:
        given = inputs.get(name, UNKNOWN)
        value = bindings.value_of(given) if isinstance(given, dict) else given
        if isinstance(value, Listed) and len(value.texts) == count:
            found[name] = _values(value.texts)
        else:  # of several sources that are put together here
            found[name] = value if isinstance(value, list) and len(value) == count else [UNKNOWN] * count
    return found


def _values(texts: tuple[str, ...]) -> list[MaybeValue]:
    """What is published as these texts; all of it is unknown where one of them, of a cache entry, is no value."""
    try:
        return [bindings.value_of(jsontext.parse(text)) for text in texts]
    except InvalidValue:
        return [UNKNOWN] * len(texts)


def parts(outputs: Iterable[Inputs], call: MapCall) -> dict[str, MaybeValue]:
    """Return the lists of what the items of a map published of their outputs."""
    published = list(outputs)
    found: dict[str, MaybeValue] = {}
    for name, of in call.parts:
        values = [each.get(of) for each in published]
        known = [value for value in values if value is not UNKNOWN]
        texts = tuple(lists.text(bindings.wire_of(value)) for value in known)
        found[name] = Listed(texts) if len(known) == len(values) else UNKNOWN
    return found


def published(found: Mapping[str, MaybeValue], call: MapCall) -> dict[str, MaybeValue]:
    """Return the lists of a map with what it publishes of them for the list of a map around it.

    Args:
        found: The lists.
        call: The map.

    Raises:
        InvalidValue: A list of lists is too long to travel.
    """
    made = dict(found)
    for name in call.of_lists:
        value = made[name]
        characters = len(jsontext.dumps(bindings.wire_of(value))) if isinstance(value, Listed) else 0
        if characters > lists.MAX_LISTS_TEXT:
            raise lists.too_long(characters)
    for name in call.as_items:
        value = made[name]
        made[names.item_parameter(name)] = value if value is UNKNOWN else lists.item(value)
    return made


def joined(outputs: Iterable[Inputs], call: MapCall, size: int, count: int) -> dict[str, MaybeValue]:
    """Return the lists that the batches of a map make, given what each of them published."""
    published = list(outputs)
    found: dict[str, MaybeValue] = {}
    for name in call.outputs:
        texts = [each.get(names.item_parameter(name)) for each in published]
        found[name] = Batches(tuple(lists.text(str(text)) for text in texts), size, 0, count)
    return found
