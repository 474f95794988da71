"""JSON text: strict reading, compact writing, and the Argo-safe form. No types here: `values` knows those.

Used by the codecs and by what reads JSON that other people wrote. Input may be hostile: nothing here recurses in
Python over the value, and every refusal is an `InvalidValue`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

from alula_api.contract.codes import Code
from alula_api.contract.problems import InvalidValue, Problem, member

Json: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None

MOST_DEPTH: Final = 100
"""Arrays and objects inside each other; an empty array counts as one."""
MOST_DIGITS: Final = 4_000
"""Digits of an integer. Below Python's own limit of 4,300, which differs with the process's settings."""
INTEGER_LIMIT: Final = 10**MOST_DIGITS
"""Integers lie strictly between minus this and this."""
_FLOAT_DIGITS = 309
_DIGITS = "0123456789"


def _refuse_object(value: object) -> Json:
    raise TypeError(f"a Python {type(value).__name__} is not JSON")


def _encoder(*, sort_keys: bool) -> Callable[[Any], str]:
    """Return a function from a JSON value to compact text with non-ASCII kept, without building an encoder a call."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # not CPython
        slow = json.JSONEncoder(
            ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=sort_keys, default=_refuse_object
        )
        return slow.encode
    encode: Callable[[Any, int], Iterable[str]] = make(
        None, _refuse_object, json.encoder.encode_basestring, None, ":", ",", sort_keys, False, False
    )
    return lambda value: "".join(encode(value, 0))


encode: Final = _encoder(sort_keys=False)
"""Compact text of a value that is already known to be good: no check of surrogates. `dumps` is for all others."""
encode_sorted: Final = _encoder(sort_keys=True)


_UNCLEAN = re.compile("[\x7f-\x9f\ufffe\uffff]")


def resource_safe(text: str) -> str:
    """Return JSON text as it may stand in a resource: the same JSON, with what would not arrive written as escapes.

    kustomize and server-side apply refuse or change these characters: they take U+0085 for a space (seen).
    """
    return _UNCLEAN.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def dumps(value: Json) -> str:
    """Return compact JSON text, non-ASCII kept, objects in the order they have.

    Raises:
        InvalidValue: For NaN and infinities, lone surrogates, integers past 4,000 digits, and what is not JSON.
    """
    return _dumps(encode, value)


def dumps_sorted(value: Json) -> str:
    """Return compact JSON text with the keys of every object in code-point order: canonical text of any JSON."""
    return _dumps(encode_sorted, value)


def _dumps(encoder: Callable[[Any], str], value: Json) -> str:
    try:
        text = encoder(value)
        if not text.isascii():
            text.encode()
    except UnicodeEncodeError:
        raise _invalid("holds a lone surrogate, which no text file can") from None
    except ValueError as error:
        what = "holds a number that is not finite" if "JSON compliant" in str(error) else "holds too large an integer"
        raise _invalid(what) from None
    except TypeError as error:
        raise _invalid(f"is not JSON: {error}") from None
    except RecursionError:
        raise _invalid(f"is nested deeper than {MOST_DEPTH} levels") from None
    return text


def parse(text: str | bytes) -> Json:
    """Return the value of a JSON text, refusing all that JSON leaves open.

    Raises:
        InvalidValue: For what is not JSON, and for duplicate keys, NaN literals, numbers without a finite value,
            integers past 4,000 digits, lone surrogates, a byte order mark, text after the value, and more than 100
            levels.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _invalid(f"is not UTF-8 at byte {error.start}") from None
    decoder = _CAREFUL if len(text) >= _FLOAT_DIGITS and _has_long_number(text) else _PLAIN
    try:
        value: Json = decoder.decode(text)
        if not text.isascii():
            text.encode()
        if "\\u" in text and _SURROGATE.search(text):
            encode(value).encode()
    except json.JSONDecodeError as error:
        raise _invalid(_reason(text, error)) from None
    except UnicodeEncodeError:
        raise _invalid("holds a lone surrogate, which no text file can") from None
    except RecursionError:
        raise _invalid(f"is nested deeper than {MOST_DEPTH} levels") from None
    if text.count("[") + text.count("{") > MOST_DEPTH and is_deep(value):
        raise _invalid(f"is nested deeper than {MOST_DEPTH} levels")
    return value


def is_deep(value: Any) -> bool:
    """Tell whether arrays and objects lie more than 100 deep, level by level; cycles are deep."""
    level = [value] if type(value) in (list, dict) else []
    for _ in range(MOST_DEPTH):
        if not level:
            return False
        # By identity, so that a list which holds itself twice does not double with every level.
        level = list(
            {
                id(item): item
                for container in level
                for item in (container.values() if type(container) is dict else container)
                if type(item) is dict or type(item) is list
            }.values()
        )
    return bool(level)


def argo_safe(text: str) -> str:
    r"""Return the same JSON in ASCII, with `{`, `}`, `$` and DEL in strings as `\u007b`, `\u007d`, `\u0024`, `\u007f`.

    Argo's templates are found by `{{`. In JSON an opening brace is followed by a quotation mark, a closing brace or a
    space, so that `{{` can only stand inside a string, and there no brace is left. Structural braces stay as they
    are: `}}` at the end of nested objects means nothing to Argo without a `{{` before it. The dollar is the kubelet's,
    which expands `$(NAME)` and turns `$$` into `$` in the arguments of a container; it only stands inside strings too.

    Args:
        text: JSON text, as `dumps` or a codec makes it.
    """
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _invalid("holds a lone surrogate, which no text file can") from None
    if not text.isascii() or "\x7f" in text:
        text = _OUTSIDE_ASCII.sub(_escape_run, text)
    if not text.isprintable():  # white space between tokens: inside strings JSON has control characters escaped
        text = _CONTROL.sub("", text)
    if ("{" in text or "}" in text) and _may_hold_braces(text):
        text = _STRING.sub(_escape_braces, text)
    if "$" in text:
        text = text.replace("$", "\\u0024")
    if "{{" in text:
        raise _invalid("is not JSON text")
    if "\\u" in text and _SURROGATE.search(text):
        parse(text)
    return text


def select(value: Json, path: Iterable[str]) -> Json:
    """Return what lies behind an attribute path: a property by its name, an item of an array by its index.

    Raises:
        InvalidValue: When a step leads nowhere; names the step.
    """
    place = "$"
    for step in path:
        if type(value) is dict and step in value:
            value = value[step]
        elif type(value) is list and step.isdecimal() and step.isascii() and int(step) < len(value):
            value = value[int(step)]
        else:
            raise InvalidValue([Problem(member(place, step), "does not exist")])
        place = member(place, step)
    return value


def _may_hold_braces(text: str) -> bool:
    """Tell whether a string in the text may hold a brace: quickly where no quotation mark is escaped."""
    if "\\" in text:
        return True
    inside = "".join(text.split('"')[1::2])
    return "{" in inside or "}" in inside


def _escape_run(match: re.Match[str]) -> str:
    return json.encoder.encode_basestring_ascii(match[0])[1:-1].replace("\x7f", "\\u007f")


def _escape_braces(match: re.Match[str]) -> str:
    return match[0].replace("{", "\\u007b").replace("}", "\\u007d")


def _invalid(message: str) -> InvalidValue:
    return InvalidValue([Problem("$", message, Code.BAD_JSON)])


class _Refused(json.JSONDecodeError):
    """What the JSON grammar allows, or Python's reader tolerates, and we do not."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "", 0)


def _reason(text: str, error: json.JSONDecodeError) -> str:
    if isinstance(error, _Refused):
        return error.msg
    if text.startswith("\ufeff"):
        return "begins with a byte order mark"
    if not text.strip():
        return "is empty where JSON is expected"
    what = error.msg[:1].lower() + error.msg[1:]
    return f"is not JSON: {what} at line {error.lineno}, column {error.colno}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _Refused(f"has the key {member('', twice).lstrip('.')} twice in one object")
    return found


def _float(text: str) -> float:
    value = float(text)
    if value - value != 0:
        raise _Refused("holds a number that is larger than any float")
    return value


def _integer(text: str) -> int:
    if len(text) > MOST_DIGITS and len(text.lstrip("-")) > MOST_DIGITS:
        raise _Refused(f"holds an integer of more than {MOST_DIGITS} digits")
    return int(text)


def _constant(text: str) -> float:
    raise _Refused(f"holds {text}, which is not JSON")


def _has_long_number(text: str) -> bool:
    """Tell whether 309 digits stand in a row: looks at every 309th character only, since such a run covers one."""
    for index in range(_FLOAT_DIGITS - 1, len(text), _FLOAT_DIGITS):
        if text[index] in _DIGITS:
            before = text[index - _FLOAT_DIGITS + 1 : index]
            after = text[index : index + _FLOAT_DIGITS]
            run = len(before) - len(before.rstrip(_DIGITS)) + len(after) - len(after.lstrip(_DIGITS))
            if run >= _FLOAT_DIGITS:
                return True
    return False


reread: Final[Callable[[str], Any]] = json.JSONDecoder().decode
"""The value of a text that `encode` has just made; `parse` is for all others."""
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_OUTSIDE_ASCII = re.compile(r"[^\x00-\x7e]+")
_CONTROL = re.compile(r"[\x00-\x1f]")
_SURROGATE = re.compile(r"\\u[dD][89abAB-F]")
_PLAIN = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_constant=_constant)
_CAREFUL = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_int=_integer, parse_constant=_constant)
