"""A list that no pod collected, as it travels: its items one by one, each as it travels itself.

A map's results are such a list, and so is a list that a map goes over: the engine can pick one of these items, and put
them together, without looking into any. It travels as `{"$stored": {"items": [...]}}`, each item a JSON text that
holds a JSON text: `=` and the item's own, or `@` and the digests of an item that lies in the store. An item is short
enough for `MAX_ITEMS` of them to fit into one argument of a process; but of a list that a workflow puts together of a
few single values, each stands behind its `=` as it travels by itself, also where that is an envelope, such as one of
another list. So it is with the list that a mapped workflow returns of a map inside it: such items have any length, and
a list of them that is too long for an argument travels as the number of its characters in place of the items.

A map in batches goes over such a list of lists, and makes one: `{"$stored": {"batches": [...], "size": 20, "start": 0,
"count": 57}}`, of which each text stands for the 20 items of a batch, and `null` for a batch of which no item has a
value. Some of its items, which is what a pod gets of it, travel in the same form, with `start` as the index of the
first one: their batches begin with the one in which that lies. Some items of a list that is in no batches have `items`
in place of `batches`, and a size of 1.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from alula_api.contract import jsontext, references
from alula_api.contract.codes import Code
from alula_api.contract.jsontext import Json
from alula_api.contract.problems import InvalidValue, Problem, member, shown
from alula_api.contract.references import STORED, Stored

ITEMS: Final = "items"
BATCHES: Final = "batches"
MAX_ITEMS: Final = 1_000
"""Of one map, or of one in batches the number of these: each has a pod of its own."""
MAX_BATCHED: Final = 10_000
"""Items of one map in batches."""
MAX_BATCH: Final = 1_000
"""Items of one batch."""
AUTO: Final = 0
"""Stands for the batch that the length of the list decides."""
SIZES: Final = (1, 2, 5, 10, 20, 50, 100)
"""Of batches whose size is not given: few, so that a list which grows by an item seldom has other batches."""
MAX_AUTO: Final = 100
"""How many batches those make."""
MAX_BATCHES_TEXT: Final = 96 << 10
"""Characters of a list in batches as it travels: Linux takes 128 KiB as one argument."""
MAX_PARTS_TEXT: Final = 96 << 10
"""Characters of a list of parts of a list's items as it travels, likewise."""
MAX_LISTS_TEXT: Final = 130_000
"""Characters of a list of maps' lists as it travels: more than any list of `MAX_ITEMS` other items has, and less than
Linux takes as one argument."""
RETURN_PIECE: Final = "map in batches inside the mapped workflow, or let a task of it return the list in one piece"
"""What to do about one of more."""
READ_ITEM: Final = "let a task of the mapped workflow take the item and return what is needed"
"""What to do about one of more."""
MAX_ITEM: Final = 125
"""Characters of an item as Argo writes it into a list; Linux takes 128 KiB as one argument."""
UNEQUAL: Final = "must be as long as the other lists: "
FIRST: Final = ("0",)
"""Where an item of a map finds its own in the list of it alone that it gets."""
TOO_FEW: Final = "only {} of {} items succeeded, and {} must"
_INLINE, _STORED = "=", "@"
_WIDER: Final = {'"': 2, "\\": 2, "<": 6, ">": 6, "&": 6}
"""What Go's encoder of JSON makes longer, in a text that is ASCII without control characters."""


class Listed(NamedTuple):
    """The texts of the items."""

    texts: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """Return the form in which the list travels."""
        return {STORED: {ITEMS: list(self.texts)}}

    def values(self) -> list[Value]:
        """Return the items as they travel.

        Raises:
            InvalidValue: An item is malformed.
        """
        return [_value(text, index) for index, text in enumerate(self.texts)]

    def joined(self, items: Sequence[Json]) -> list[Json]:
        """Return the items, given the value of each; as of batches."""
        return list(items)


class Batches(NamedTuple):
    """A list in batches, or some of its items.

    Attributes:
        texts: Of the batches in which the items lie.
        size: Items of a batch; the last one of the list has what is left.
        start: The index of the first item in the list.
        total: How many items there are.
        single: Whether a text is that of an item, rather than of a list of items.
    """

    texts: tuple[str, ...]
    size: int
    start: int
    total: int
    single: bool = False

    def to_json(self) -> dict[str, Json]:
        """Return the form in which they travel."""
        kind = ITEMS if self.single else BATCHES
        return {STORED: {kind: list(self.texts), "size": self.size, "start": self.start, "count": self.total}}

    def values(self) -> list[Value]:
        """Return the batches as they travel.

        Raises:
            InvalidValue: A batch is malformed.
        """
        return [_value(text, index, ITEMS if self.single else BATCHES) for index, text in enumerate(self.texts)]

    def joined(self, batches: Sequence[Json]) -> list[Json]:
        """Return the items, given the value of each batch.

        Raises:
            InvalidValue: A batch is no list of as many items as it should have.
        """
        if self.single:
            return list(batches)
        found: list[Json] = []
        for index, (batch, (first, end)) in enumerate(zip(batches, self.ranges(), strict=True)):
            items = [None] * end if batch is None else batch
            if type(items) is not list or len(items) < end:
                path = member(member(f'$["{STORED}"]', BATCHES), str(index))
                raise InvalidValue([_problem(path, f"must be a list of {end} items or more, not {shown(batch)}")])
            found += items[first:end]
        return found

    def ranges(self) -> list[tuple[int, int]]:
        """Return from where to where in each batch the items lie."""
        found, end = [], self.start + self.total
        for index in range(len(self.texts)):
            begins = (self.start // self.size + index) * self.size
            found.append((max(self.start, begins) - begins, min(end, begins + self.size) - begins))
        return found


Many: TypeAlias = Listed | Batches
"""A list that no pod collected."""
Value: TypeAlias = Json | Stored | Many
"""A value as it travels: JSON, the envelope of one that lies in the store, or a list that no pod collected."""


def taken(value: Many, start: int, count: int) -> Batches:
    """Return some of the items of a list: the batches in which they lie."""
    if isinstance(value, Listed):
        return Batches(value.texts[start : start + count], 1, start, count, single=True)
    size = value.size
    return Batches(value.texts[start // size : -(-(start + count) // size)], size, start, count, value.single)


def length(value: Many) -> int:
    """Return how many items a list has."""
    return value.total if isinstance(value, Batches) else len(value.texts)


def stored(*values: Value) -> Iterator[Stored]:
    """Yield what of values lies in the store: themselves, or items of lists, and of lists in these."""
    waiting = [*reversed(values)]
    while waiting:
        found = waiting.pop()
        if isinstance(found, (Listed, Batches)):
            waiting += reversed(found.values())
        elif isinstance(found, Stored):
            yield found


def plain(value: Value) -> Json:
    """Return the JSON of a value of which nothing lies in the store.

    Raises:
        InvalidValue: Some of it does, or an item is malformed.
    """
    if isinstance(value, Stored):
        raise InvalidValue([_problem("$", "lies in the store")])
    if not isinstance(value, (Listed, Batches)):
        return value
    return value.joined([plain(each) for each in value.values()])


def batch_size(chosen: int | None, count: int) -> int:
    """Return how many of so many items a batch has: one where a map is not in batches."""
    if chosen is None:
        return 1
    return chosen if chosen != AUTO else next((size for size in SIZES if size * MAX_AUTO >= count), SIZES[-1])


def read(json: Json) -> Many | None:
    """Return the list that travels in this form, or None where that is not one.

    Raises:
        InvalidValue: It is malformed.
    """
    if type(json) is not dict or len(json) != 1 or STORED not in json:
        return None
    inner = json[STORED]
    if type(inner) is dict and (BATCHES in inner or (ITEMS in inner and "count" in inner)):
        return _batches(inner, ITEMS if ITEMS in inner else BATCHES)
    if type(inner) is not dict or set(inner) != {ITEMS}:
        return None
    texts = inner[ITEMS]
    if type(texts) is int:
        raise too_long(texts)
    if type(texts) is not list or not all(type(text) is str for text in texts):
        raise InvalidValue([_problem(f'$["{STORED}"].{ITEMS}', f"must be a list of texts, not {shown(texts)}")])
    return Listed(tuple(str(text) for text in texts))


def listed(values: Sequence[Value]) -> Listed:
    """Return the list of these values, whatever their length."""
    return Listed(tuple(text(item(value)) for value in values))


def item(value: Value) -> str:
    """Return what is published of a value, so that it can be an item: one JSON text of it is an item's text."""
    if isinstance(value, Stored):
        return f"{_STORED}{_short(value.digest)}.{value.size}.{_short(value.hash)}"
    value = value.to_json() if isinstance(value, (Listed, Batches)) else value
    return _INLINE + jsontext.argo_safe(jsontext.dumps(value))


def text(published: Json) -> str:
    """Return what stands in a list for what is published of a value."""
    return jsontext.argo_safe(jsontext.dumps(published))


def fits(published: str) -> bool:
    """Tell whether what is published of a value is short enough for a list of `MAX_ITEMS`."""
    if len(published) > MAX_ITEM:
        return False
    return sum(_WIDER.get(character, 1) for character in text(published)) <= MAX_ITEM


def too_many(count: int, batch: int | None = None) -> InvalidValue | None:
    """Return the error of a list that is too long for a map; None where it is not.

    Args:
        count: Its length.
        batch: Of the map: None for a pod for each item, `AUTO` for the batch that the length decides.
    """
    size = batch_size(batch, count)
    if count <= min(MAX_BATCHED if batch is not None else MAX_ITEMS, size * MAX_ITEMS):
        return None
    if count > MAX_BATCHED:
        hint = f"a map in batches takes at most {MAX_BATCHED:,}: let each item be a list of several"
    else:
        would = next(size for size in SIZES if size * MAX_ITEMS >= count)
        how = f"in batches of {size}" if batch is not None else "without batches"
        hint = f"a map {how} takes at most {size * MAX_ITEMS:,}: batch={would} would do"
    return InvalidValue([Problem("$", f"has {count:,} items, and {hint}", Code.TOO_LARGE)])


def too_long(characters: int) -> InvalidValue:
    """Return the error of a list of maps' lists that is too long to travel."""
    message = f"has {characters:,} characters as a list of lists that maps made, of which {MAX_LISTS_TEXT:,} can travel"
    return InvalidValue([Problem("$", f"{message}: {RETURN_PIECE}", Code.TOO_LARGE)])


def unequal(lengths: Mapping[str, int]) -> InvalidValue:
    """Return the error of lists that are to be gone over in step and are not of one length."""
    told = " and ".join(f"{name} has {count}" for name, count in lengths.items())
    return InvalidValue([Problem("$", f"{UNEQUAL}{told}")])


def too_few(successes: int, count: int, needed: int) -> InvalidValue:
    """Return the error of a map of which too few items succeeded."""
    return InvalidValue([Problem("$", TOO_FEW.format(successes, count, needed), Code.TASK_FAILED)])


def _batches(inner: Mapping[str, Json], kind: str) -> Batches:
    path, texts = f'$["{STORED}"]', inner[kind]
    if type(texts) is not list or not all(type(text) is str for text in texts):
        raise InvalidValue([_problem(f"{path}.{kind}", f"must be a list of texts, not {shown(texts)}")])
    if set(inner) != {kind, "size", "start", "count"}:
        raise InvalidValue([_problem(path, f"must have {kind}, size, start and count")])
    numbers = [_number(inner[name], f"{path}.{name}") for name in ("size", "start", "count")]
    size, start, count = numbers
    covered = -(-(start + count) // size) - start // size if size else -1
    if covered != len(texts) or count > MAX_BATCHED:
        raise InvalidValue([_problem(path, f"must have a text for each batch of {size}, not {len(texts)} for {count}")])
    return Batches(tuple(str(text) for text in texts), size, start, count, kind == ITEMS)


def _number(found: Json, path: str) -> int:
    """A count, which the engine may have written as `20.0`."""
    if isinstance(found, bool) or not isinstance(found, (int, float)) or found != int(found) or found < 0:
        raise InvalidValue([_problem(path, f"must be a whole number from 0, not {shown(found)}")])
    return int(found)


def _value(text: str, index: int, kind: str = ITEMS) -> Value:
    path = member(member(f'$["{STORED}"]', kind), str(index))
    published = jsontext.parse(text)
    if published is None:  # what is not taken publishes nothing
        return None
    if type(published) is not str:
        raise InvalidValue([_problem(path, "must be a JSON text of a text")])
    if published.startswith(_INLINE):
        value = jsontext.parse(published[1:])
        if not references.is_envelope(value):
            return value
        inner = read(value)
        return references.stored(value) if inner is None else inner
    parts = published[1:].split(".")
    if not published.startswith(_STORED) or len(parts) != 3 or not (parts[1].isascii() and parts[1].isdecimal()):
        raise InvalidValue([_problem(path, f"must begin with {_INLINE} or {_STORED}, and name what is stored")])
    return Stored(_long(parts[0], path), int(parts[1]), _long(parts[2], path))


def _short(digest: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")


def _long(text: str, path: str) -> str:
    try:
        digest = base64.urlsafe_b64decode(f"{text}=").hex()
    except (binascii.Error, ValueError):
        digest = ""
    if len(digest) != 64:
        raise InvalidValue([_problem(path, f"must hold a digest, not {shown(text)}")])
    return digest


def _problem(path: str, message: str) -> Problem:
    return Problem(path, message, Code.BAD_REFERENCE)
