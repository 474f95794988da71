"""Codecs of the types that travel as text of one form: bytes, datetimes, dates and durations."""

from __future__ import annotations

import binascii
import datetime
import re
from typing import Any

from alula_api.contract import durations
from alula_api.contract.codec_parts import Form
from alula_api.contract.problems import Misfit

_TEXT = frozenset({str})
_DATETIME = re.compile(
    # The hour is bounded here, because Python 3.14 began to read 24:00.
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]((?:[01][0-9]|2[0-3]):[0-9]{2})(:[0-9]{2})?(?:\.([0-9]{1,6})0*)?"
    r"([Zz]|[+-][0-9]{2}(?::?[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?)?"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _bytes(value: Any) -> Any:
    if type(value) is not str:
        raise Misfit
    try:
        raw = binascii.a2b_base64(value.encode("ascii"), strict_mode=True)
    except ValueError:
        raise Misfit("must be bytes as base64 with padding and without white space") from None
    return binascii.b2a_base64(raw, newline=False).decode("ascii")


def _moment(value: Any) -> tuple[datetime.datetime, bool]:
    """Return the datetime that a text stands for, and whether it has an offset."""
    match = _DATETIME.fullmatch(value) if type(value) is str else None
    if match is None:
        raise Misfit
    date, minutes, seconds, fraction, offset = match.groups()
    if fraction and not seconds:
        raise Misfit
    text = f"{date}T{minutes}{seconds or ':00'}"
    if fraction:
        text += f".{fraction:0<6}"
    if offset:
        text += "+00:00" if offset in "Zz" else offset
    try:
        return datetime.datetime.fromisoformat(text), bool(offset)
    except ValueError as error:
        raise Misfit(f"must be a datetime: {error}") from None


def _aware(value: Any) -> Any:
    moment, has_offset = _moment(value)
    if not has_offset:
        raise Misfit("must be a datetime with an offset such as Z or +02:00")
    if not 1 < moment.year < 9999:
        _utc(moment)
    text = moment.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def _utc(moment: datetime.datetime) -> datetime.datetime:
    try:
        return moment.astimezone(datetime.UTC)
    except OverflowError:
        raise Misfit("must be a datetime whose instant in UTC lies in the years 1 to 9999") from None


def _instant(text: str) -> str:
    if text[-1] == "Z":
        return text
    return _utc(datetime.datetime.fromisoformat(text)).isoformat()[:-6] + "Z"


def _naive(value: Any) -> Any:
    moment, has_offset = _moment(value)
    if has_offset:
        raise Misfit("must be a datetime without an offset")
    return moment.isoformat()


def _date(value: Any) -> Any:
    if type(value) is not str or not _DATE.fullmatch(value):
        raise Misfit
    try:
        return datetime.date.fromisoformat(value).isoformat()
    except ValueError as error:
        raise Misfit(f"must be a date: {error}") from None


def _duration(value: Any) -> Any:
    if type(value) is not str:
        raise Misfit
    try:
        return durations.iso(durations.parse_iso(value))
    except ValueError as error:
        raise Misfit(str(error)) from None


BYTES = Form("bytes as base64", _bytes, _TEXT)
DATETIME = Form("a datetime with an offset, as 2026-01-31T08:00:00Z", _aware, _TEXT, equal=_instant)
NAIVE = Form("a datetime without an offset, as 2026-01-31T08:00:00", _naive, _TEXT)
DATE = Form("a date, as 2026-01-31", _date, _TEXT)
DURATION = Form("a duration, as PT1H30M", _duration, _TEXT)
