"""One Python object as JSON text and back, for cells and labels that Arrow has no faithful type for.

Called by `columns` and `axes`. What JSON holds stands as it is; everything else is `{"$kind": ...}`. Types are compared
exactly: an instance of a subclass would come back as its base. Imports pandas, so nothing may import this module before
a frame exists.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import json
import uuid
import zoneinfo
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from alula.types.mismatches import Flaw, Mismatch, kind, name

MAX_DEPTH = 64
_JSON = frozenset({str, int, float, bool, type(None)})
_HINTS = {
    "OrderedDict": "write dict(...)",
    "defaultdict": "write dict(...)",
    "Counter": "write dict(...)",
    "deque": "write list(...)",
    "DataFrame": "give it to a task as an output of its own",
    "Series": "write series.tolist()",
}


def dump(value: Any) -> str:
    """The text of one object, ASCII only.

    Raises:
        Mismatch: It, or something in it, has no faithful form.
    """
    if type(value) is str:
        return json.dumps(value)
    form = _form(value, 0)
    try:
        return _encode(form)
    except ValueError:  # Python's limit on the digits of an int
        raise Mismatch("an int of more than 4,300 digits has no text") from None


def load(text: str) -> Any:
    """The object of a text."""
    return json.loads(text, object_hook=_object)


def load_each(texts: Iterable[str]) -> list[Any]:
    """The objects of many texts, none of which shares anything with another."""
    found: list[Any] = load(f"[{','.join(texts)}]")
    return found


def zone_form(zone: datetime.tzinfo | None) -> Any:
    """A time zone as JSON; zones are known by the name of their rules, or by their offset.

    Raises:
        Mismatch: It is of another library than the standard one or pytz.
    """
    if zone is None:
        return None
    if type(zone) is datetime.timezone:
        offset, *label = zone.__getinitargs__()  # type: ignore[attr-defined]
        return [offset // datetime.timedelta(microseconds=1), *label]
    if type(zone) is zoneinfo.ZoneInfo and zone.key is not None:
        return zone.key
    rules = getattr(zone, "zone", None)
    if type(zone).__module__.partition(".")[0] == "pytz" and isinstance(rules, str):
        return {"pytz": rules}
    raise Mismatch(f"the time zone {zone!r} has no name", 'write zoneinfo.ZoneInfo("Europe/Berlin")')


def zone_of(form: Any) -> datetime.tzinfo | None:
    """The time zone that `zone_form` wrote."""
    if form is None or isinstance(form, str):
        return None if form is None else zoneinfo.ZoneInfo(form)
    if isinstance(form, dict):
        import pytz

        found: datetime.tzinfo = pytz.timezone(form["pytz"])
        return found
    return datetime.timezone(datetime.timedelta(microseconds=form[0]), *form[1:])


_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False).encode


def _form(value: Any, depth: int) -> Any:
    """What `json` writes for a value."""
    cls = type(value)
    if cls in _JSON:
        return value
    if depth > MAX_DEPTH:
        raise Mismatch(f"nested more than {MAX_DEPTH} deep")
    if cls is list:
        return _items(value, depth)
    if cls is dict:
        if all(type(key) is str and not key.startswith("$") for key in value):
            return {key: _at(f"[{key!r}]", item, depth) for key, item in value.items()}
        return {"$dict": [[_form(key, depth + 1), _at(f"[{key!r}]", item, depth)] for key, item in value.items()]}
    found = _KINDS.get(cls)
    if found is not None:
        return {found.tag: found.form(value, depth)}
    if isinstance(value, (np.generic, np.ndarray)):
        return {"$numpy": _array_form(value, depth)}
    raise Mismatch(f"{kind(value)} has no form in parquet", _hint(cls))


def _hint(cls: type) -> str:
    for base in cls.__mro__:
        if base.__name__ in _HINTS:
            return _HINTS[base.__name__]
        if base.__name__ == "Enum":
            return "write its .name"
        if base in _JSON or base in _KINDS or base in {list, dict}:
            return f"write {name(base)}(...)"
    return "make columns of plain values of it" if not hasattr(cls, "__dataclass_fields__") else "write asdict(...)"


def _at(segment: str, value: Any, depth: int) -> Any:
    try:
        return _form(value, depth + 1)
    except Mismatch as mismatch:
        raise Mismatch(flaws=mismatch.inside(segment)) from None


def _items(values: Iterable[Any], depth: int) -> list[Any]:
    values = list(values)
    if _JSON.issuperset(map(type, values)):
        return values
    return [_at(f"[{index}]", value, depth) for index, value in enumerate(values)]


def _sorted(values: Iterable[Any], depth: int) -> list[Any]:
    return sorted((_form(value, depth + 1) for value in values), key=_encode)


def _array_form(value: Any, depth: int) -> list[Any]:
    """dtype, shape (None for a scalar) and bytes, or for objects the items."""
    dtype = value.dtype
    if type(value) is not np.ndarray and isinstance(value, np.ndarray):
        raise Mismatch(f"{name(type(value))} has no form in parquet", "write numpy.asarray(...)")
    if dtype.kind not in "biufcmMSUO" or dtype.char in "gG":
        raise Mismatch(f"numpy's {dtype} has no form in parquet", "convert it with .astype(...)")
    shape = list(value.shape) if isinstance(value, np.ndarray) else None
    if dtype.kind == "O":
        return ["O", shape, _items(value.ravel().tolist(), depth)]
    return [dtype.str, shape, base64.b64encode(value.tobytes()).decode()]


def _array(form: list[Any]) -> Any:
    dtype, shape, data = form
    if dtype == "O":
        return np.fromiter(data, dtype=object, count=len(data)).reshape(shape)
    found = np.ndarray(shape or (), dtype, base64.b64decode(data))
    return found[()] if shape is None else found.copy()


def _stamp(value: pd.Timestamp, depth: int) -> list[Any]:
    naive = value.tz_convert(None) if value.tz is not None else value
    return [int(naive.asm8.view("i8")), value.unit, zone_form(value.tz)]


def _stamp_of(form: list[Any]) -> Any:
    found = pd.Timestamp(np.datetime64(form[0], form[1]))
    return found if form[2] is None else found.tz_localize("UTC").tz_convert(zone_of(form[2]))


def _clock(value: datetime.datetime | datetime.time, depth: int) -> list[Any]:
    if type(value.tzinfo).__module__.partition(".")[0] == "pytz" and str(value.tzinfo) != "UTC":
        raise Mismatch(f"{kind(value)} is in a zone of pytz", 'write zoneinfo.ZoneInfo("Europe/Berlin")')
    return [value.replace(tzinfo=None).isoformat(), zone_form(value.tzinfo), value.fold]


class _Kind(NamedTuple):
    """How the values of one type are written: `form(value, depth)`, and `back` of that."""

    tag: str
    form: Callable[[Any, int], Any]
    back: Callable[[Any], Any]


_KINDS: dict[type, _Kind] = {
    tuple: _Kind("$tuple", _items, tuple),
    set: _Kind("$set", _sorted, set),
    frozenset: _Kind("$frozenset", _sorted, frozenset),
    bytes: _Kind("$bytes", lambda value, _: base64.b64encode(value).decode(), base64.b64decode),
    bytearray: _Kind(
        "$bytearray", lambda value, _: base64.b64encode(value).decode(), lambda form: bytearray(base64.b64decode(form))
    ),
    complex: _Kind("$complex", lambda value, _: [value.real, value.imag], lambda form: complex(*form)),
    range: _Kind("$range", lambda value, _: [value.start, value.stop, value.step], lambda form: range(*form)),
    decimal.Decimal: _Kind("$decimal", lambda value, _: str(value), decimal.Decimal),
    uuid.UUID: _Kind("$uuid", lambda value, _: value.hex, uuid.UUID),
    datetime.date: _Kind("$date", lambda value, _: value.isoformat(), datetime.date.fromisoformat),
    datetime.datetime: _Kind(
        "$datetime",
        _clock,
        lambda form: datetime.datetime.fromisoformat(form[0]).replace(tzinfo=zone_of(form[1]), fold=form[2]),
    ),
    datetime.time: _Kind(
        "$time",
        _clock,
        lambda form: datetime.time.fromisoformat(form[0]).replace(tzinfo=zone_of(form[1]), fold=form[2]),
    ),
    datetime.timedelta: _Kind(
        "$timedelta",
        lambda value, _: [value.days, value.seconds, value.microseconds],
        lambda form: datetime.timedelta(*form),
    ),
    type(pd.NA): _Kind("$NA", lambda value, _: 0, lambda form: pd.NA),
    type(pd.NaT): _Kind("$NaT", lambda value, _: 0, lambda form: pd.NaT),
    pd.Timestamp: _Kind("$Timestamp", _stamp, _stamp_of),
    pd.Timedelta: _Kind(
        "$Timedelta",
        lambda value, _: [int(value.asm8.view("i8")), value.unit],
        lambda form: pd.Timedelta(np.timedelta64(form[0], form[1])),
    ),
    pd.Period: _Kind(
        "$Period",
        lambda value, _: [value.ordinal, value.freqstr],
        lambda form: pd.Period(ordinal=form[0], freq=form[1]),
    ),
    pd.Interval: _Kind(
        "$Interval",
        lambda value, depth: [*_items([value.left, value.right], depth), value.closed],
        lambda form: pd.Interval(*form),
    ),
}
_BACK: dict[str, Callable[[Any], Any]] = {
    "$dict": dict,
    "$numpy": _array,
    **{each.tag: each.back for each in _KINDS.values()},
}


def _object(found: dict[str, Any]) -> Any:
    if len(found) == 1:
        ((tag, form),) = found.items()
        if tag in _BACK:
            return _BACK[tag](form)
    return found


def refused(place: str, mismatch: Mismatch) -> list[Flaw]:
    """The flaws of a cell, with the place of the cell in the frame."""
    return [
        Flaw((), f"{place}{f' at {flaw.where()}' if flaw.path else ''}: {flaw.message}", flaw.hint)
        for flaw in mismatch.flaws
    ]
