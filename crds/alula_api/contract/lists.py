"""A list that no pod collected, as it travels: its items one by one, each as it travels itself.

A map's results are such a list, and so is a list that a map goes over: the engine can pick one of these items, and put
them together, without looking into any. It travels as `{"$stored": {"items": [...]}}`, each item a JSON text that
holds a JSON text: `=` and the item's own, or `@` and the digests of an item that lies in the store. An item is short
enough for `MAX_ITEMS` of them to fit into one argument of a process.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from alula_api.contract import jsontext, references
from alula_api.contract.codes import Code
from alula_api.contract.jsontext import Json
from alula_api.contract.problems import InvalidValue, Problem, member, shown
from alula_api.contract.references import STORED, Stored

ITEMS: Final = "items"
MAX_ITEMS: Final = 1_000
"""Of one map."""
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

    def values(self) -> list[Json | Stored]:
        """Return the items as they travel.

        Raises:
            InvalidValue: An item is malformed.
        """
        return [_value(text, index) for index, text in enumerate(self.texts)]


def read(json: Json) -> Listed | None:
    """Return the list that travels in this form, or None where that is not one.

    Raises:
        InvalidValue: It is malformed.
    """
    if type(json) is not dict or len(json) != 1 or STORED not in json:
        return None
    inner = json[STORED]
    if type(inner) is not dict or set(inner) != {ITEMS}:
        return None
    texts = inner[ITEMS]
    if type(texts) is not list or not all(type(text) is str for text in texts):
        raise InvalidValue([_problem(f'$["{STORED}"].{ITEMS}', f"must be a list of texts, not {shown(texts)}")])
    return Listed(tuple(str(text) for text in texts))


def listed(values: Sequence[Json | Stored]) -> Listed:
    """Return the list of these values, whatever their length."""
    return Listed(tuple(text(item(value)) for value in values))


def item(value: Json | Stored) -> str:
    """Return what is published of a value, so that it can be an item: one JSON text of it is an item's text."""
    if isinstance(value, Stored):
        return f"{_STORED}{_short(value.digest)}.{value.size}.{_short(value.hash)}"
    return _INLINE + jsontext.argo_safe(jsontext.dumps(value))


def text(published: str) -> str:
    """Return what stands in a list for what is published of a value."""
    return jsontext.argo_safe(jsontext.dumps(published))


def fits(published: str) -> bool:
    """Tell whether what is published of a value is short enough for a list of `MAX_ITEMS`."""
    if len(published) > MAX_ITEM:
        return False
    return sum(_WIDER.get(character, 1) for character in text(published)) <= MAX_ITEM


def too_many(count: int) -> InvalidValue:
    """Return the error of a list that is too long for a map."""
    message = f"has {count:,} items, and a map takes at most {MAX_ITEMS:,}: let each item be a batch of them"
    return InvalidValue([Problem("$", message, Code.TOO_LARGE)])


def unequal(lengths: Mapping[str, int]) -> InvalidValue:
    """Return the error of lists that are to be gone over in step and are not of one length."""
    told = " and ".join(f"{name} has {count}" for name, count in lengths.items())
    return InvalidValue([Problem("$", f"{UNEQUAL}{told}")])


def too_few(successes: int, count: int, needed: int) -> InvalidValue:
    """Return the error of a map of which too few items succeeded."""
    return InvalidValue([Problem("$", TOO_FEW.format(successes, count, needed), Code.TASK_FAILED)])


def _value(text: str, index: int) -> Json | Stored:
    path = member(member(f'$["{STORED}"]', ITEMS), str(index))
    published = jsontext.parse(text)
    if published is None:  # what is not taken publishes nothing
        return None
    if type(published) is not str:
        raise InvalidValue([_problem(path, "must be a JSON text of a text")])
    if published.startswith(_INLINE):
        value = jsontext.parse(published[1:])
        if references.is_envelope(value):
            raise InvalidValue([_problem(path, "must not be an envelope")])
        return value
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
