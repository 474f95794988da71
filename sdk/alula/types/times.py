"""datetime (aware and naive are two types), date and timedelta: ISO 8601 text."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

from alula.types.mismatches import Mismatch, kind
from alula.types.pytypes import Json, PyType
from alula.types.scalars import lowered


class Naive:
    """The mark in `Annotated[datetime, Naive]` that `alula.NaiveDatetime` is made of."""


NaiveDatetime = Annotated[datetime.datetime, Naive]
"""A datetime without a time zone: a type of its own, so that nothing guesses a zone."""


def _moment(value: object) -> datetime.datetime:
    """Exactly a `datetime`; a pandas Timestamp is one when it has no nanoseconds and is no NaT."""
    value = lowered(value)
    if type(value) is datetime.datetime:
        return value
    if isinstance(value, datetime.datetime) and hasattr(value, "to_pydatetime"):
        if type(value).__name__ == "NaTType":
            raise Mismatch("expected datetime, got pandas' NaT", "annotate `datetime | None` and pass None")
        if getattr(value, "nanosecond", 0):
            raise Mismatch(f"{kind(value)} is finer than Python's microseconds", 'write value.floor("us")')
        return value.to_pydatetime(warn=False)  # type: ignore[no-any-return]
    hint = ""
    if isinstance(value, datetime.datetime):
        hint = "subclasses do not survive the way to another process: pass a plain datetime"
    elif isinstance(value, datetime.date):
        hint = "a date has no time: annotate date, or combine it with a time"
    elif isinstance(value, str):
        hint = "write datetime.fromisoformat(...)"
    raise Mismatch(f"expected datetime, got {kind(value)}", hint)


def _check_aware(value: object) -> datetime.datetime:
    moment = _moment(value)
    if moment.utcoffset() is None:
        raise Mismatch(
            f"expected a datetime with a time zone, got the naive {moment.isoformat()}",
            "give it a zone (value.replace(tzinfo=timezone.utc)), or annotate alula.NaiveDatetime",
        )
    return moment


def _aware_to_json(value: object, carrier: object = None) -> Json:
    moment = _check_aware(value)
    offset = moment.utcoffset()
    if offset is not None and offset % datetime.timedelta(minutes=1):  # ISO 8601 has no seconds in an offset
        moment = moment.astimezone(datetime.UTC)
    return moment.isoformat()


def _check_naive(value: object) -> datetime.datetime:
    moment = _moment(value)
    if moment.tzinfo is not None:
        raise Mismatch(
            f"expected a naive datetime, got {moment.isoformat()} with a time zone",
            "drop the zone (value.replace(tzinfo=None)), or annotate datetime",
        )
    return moment


def _naive_to_json(value: object, carrier: object = None) -> Json:
    return _check_naive(value).isoformat()


def _parsed(value: Json, parse: Any, label: str) -> Any:
    if type(value) is not str:
        raise Mismatch(f"expected {label} as ISO 8601 text, got {kind(value)}")
    try:
        return parse(value)
    except ValueError:
        raise Mismatch(f"expected {label} as ISO 8601 text, got {kind(value)}") from None


def _aware_from_json(value: Json, carrier: object = None) -> datetime.datetime:
    return _check_aware(_parsed(value, datetime.datetime.fromisoformat, "a datetime"))


def _naive_from_json(value: Json, carrier: object = None) -> datetime.datetime:
    return _check_naive(_parsed(value, datetime.datetime.fromisoformat, "a datetime"))


def _check_date(value: object) -> datetime.date:
    value = lowered(value)
    if type(value) is datetime.date:
        return value
    hint = "write value.date()" if isinstance(value, datetime.datetime) else ""
    raise Mismatch(
        f"expected date, got {kind(value)}", hint or ("write date.fromisoformat(...)" * isinstance(value, str))
    )


def _date_to_json(value: object, carrier: object = None) -> Json:
    return _check_date(value).isoformat()


def _date_from_json(value: Json, carrier: object = None) -> datetime.date:
    parsed: datetime.date = _parsed(value, datetime.date.fromisoformat, "a date")
    return parsed


def _check_span(value: object) -> datetime.timedelta:
    value = lowered(value)
    if type(value) is datetime.timedelta:
        return value
    if isinstance(value, datetime.timedelta) and hasattr(value, "to_pytimedelta"):
        if getattr(value, "nanoseconds", 0):
            raise Mismatch(f"{kind(value)} is finer than Python's microseconds", 'write value.floor("us")')
        return value.to_pytimedelta()  # type: ignore[no-any-return]
    hint = "write timedelta(seconds=...)" if isinstance(value, (int, float)) else ""
    raise Mismatch(f"expected timedelta, got {kind(value)}", hint)


def _span_to_json(value: object, carrier: object = None) -> Json:
    from alula_api.contract import durations

    return durations.iso(_check_span(value))


def _span_from_json(value: Json, carrier: object = None) -> datetime.timedelta:
    from alula_api.contract import durations

    parsed: datetime.timedelta = _parsed(value, durations.parse_iso, "a duration")
    return parsed


AWARE = PyType(
    datetime.datetime,
    "datetime",
    {"type": "string", "format": "date-time"},
    _aware_to_json,
    _aware_from_json,
    check=_check_aware,
)
NAIVE = PyType(
    datetime.datetime,
    "NaiveDatetime",
    {"type": "string", "x-alula-type": "naive-datetime"},
    _naive_to_json,
    _naive_from_json,
    check=_check_naive,
)
DATE = PyType(
    datetime.date,
    "date",
    {"type": "string", "format": "date"},
    _date_to_json,
    _date_from_json,
    check=_check_date,
    exact=(datetime.date,),
)
TIMEDELTA = PyType(
    datetime.timedelta,
    "timedelta",
    {"type": "string", "format": "duration"},
    _span_to_json,
    _span_from_json,
    check=_check_span,
    exact=(datetime.timedelta,),
)

TYPES: dict[Any, PyType] = {datetime.datetime: AWARE, datetime.date: DATE, datetime.timedelta: TIMEDELTA}
