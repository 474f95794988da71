"""int, float, bool, str, None and bytes: the types whose values are JSON, or one text, by themselves."""

from __future__ import annotations

import enum
import math
import typing
from typing import TYPE_CHECKING, Any, NoReturn

from alula.types.mismatches import Mismatch, kind
from alula.types.pytypes import Json, PyType

if TYPE_CHECKING:
    from alula.types.carriers import Carrier


def lowered(value: Any) -> Any:
    """A numpy scalar as the Python value that it equals; any other value as it is. numpy is not imported.

    Raises:
        Mismatch: Python has no equal value (a datetime64 with nanoseconds, a longdouble beyond a float).
    """
    cls = type(value)
    if not any(base.__module__ == "numpy" and base.__name__ == "generic" for base in cls.__mro__):
        return value
    plain = value.item()
    if type(plain) is int and cls.__name__ in {"datetime64", "timedelta64"}:  # nanoseconds and finer
        rounded = value.astype(f"{cls.__name__}[us]")
        if rounded != value:
            raise Mismatch(f"{kind(value)} is finer than Python's microseconds", "round it to microseconds first")
        return rounded.item()
    if type(plain) is cls:  # longdouble has no Python twin
        plain = float(value)
        if plain != value:
            raise Mismatch(f"{kind(value)} does not fit a float without loss", "round it with float(...) first")
    return plain


def _refuse(expected: str, value: Any) -> Mismatch:
    base = {"int": int, "float": float, "str": str, "bytes": bytes}.get(expected)
    hint = ""
    if isinstance(value, enum.Enum):
        hint = f"pass its value, or annotate {type(value).__name__}"
    elif isinstance(value, bool):
        hint = f"write {expected}(...) if the number is meant" if expected in {"int", "float"} else ""
    elif expected == "bool" and isinstance(value, int):
        hint = "write True or False"
    elif base is not None and isinstance(value, base):
        hint = f"subclasses do not survive the way to another process: write {expected}(...)"
    elif isinstance(value, (bytearray, memoryview)) and expected == "bytes":
        hint = "write bytes(...)"
    elif expected == "int" and isinstance(value, float) and value.is_integer():
        hint = "write int(...)"
    elif expected == "float" and hasattr(type(value), "as_integer_ratio"):  # Decimal, Fraction
        hint = "write float(...)"
    elif hasattr(type(value), "shape") and value.size == 1:
        hint = "write .item() to take the one number out"
    return Mismatch(f"expected {expected}, got {kind(value)}", hint)


def _exactly(cls: type, label: str) -> tuple[Any, Any, Any]:
    def encode(value: object, carrier: Carrier | None = None) -> Json:
        if type(value) is cls:
            return value
        value = lowered(value)
        if type(value) is cls:
            return value
        raise _refuse(label, value)

    def decode(value: Json, carrier: Carrier | None = None) -> object:
        if type(value) is cls:
            return value
        raise _refuse(label, value)

    return encode, decode, encode


_int = _exactly(int, "int")
_bool = _exactly(bool, "bool")
_str = _exactly(str, "str")
_none = _exactly(type(None), "None")


def _number(value: object, carrier: Carrier | None = None) -> float:
    if type(value) is float:
        return value
    value = lowered(value)
    if type(value) is int:
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if number == value:
            return number
        raise Mismatch(f"{kind(value)} does not fit a float without loss", "write float(...), or annotate int")
    if type(value) is float:
        return value
    raise _refuse("float", value)


def _float_to_json(value: object, carrier: Carrier | None = None) -> Json:
    number = _number(value)
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def _float_from_json(value: Json, carrier: Carrier | None = None) -> float:
    if type(value) is float:
        return value
    if type(value) is str and value in _SPECIAL:
        return _SPECIAL[value]
    return _number(value)


def _bytes_to_json(value: object, carrier: Carrier | None = None) -> Json:
    import binascii

    value = lowered(value)
    if type(value) is not bytes:
        raise _refuse("bytes", value)
    return binascii.b2a_base64(value, newline=False).decode("ascii")


def _bytes_from_json(value: Json, carrier: Carrier | None = None) -> bytes:
    import binascii

    if type(value) is not str:
        raise Mismatch(f"expected base64 text, got {kind(value)}")
    try:
        return binascii.a2b_base64(value, strict_mode=True)
    except (binascii.Error, ValueError) as problem:
        raise Mismatch(f"expected base64 text: {problem}") from None


def _check_bytes(value: object) -> bytes:
    value = lowered(value)
    if type(value) is bytes:
        return value
    raise _refuse("bytes", value)


def _refuse_all(value: object, carrier: Carrier | None = None) -> NoReturn:
    raise Mismatch(f"expected no value at all, got {kind(value)}", "raise an exception: the result is Never")


INT = PyType(int, "int", {"type": "integer"}, *_int[:2], check=_int[2], exact=(int,), same=int)
FLOAT = PyType(float, "float", {"type": "number"}, _float_to_json, _float_from_json, check=_number, exact=(float,))
BOOL = PyType(bool, "bool", {"type": "boolean"}, *_bool[:2], check=_bool[2], exact=(bool,), same=bool)
STR = PyType(str, "str", {"type": "string"}, *_str[:2], check=_str[2], exact=(str,), same=str)
NONE = PyType(None, "None", {"type": "null"}, *_none[:2], check=_none[2], exact=(type(None),), same=type(None))
BYTES = PyType(
    bytes,
    "bytes",
    {"type": "string", "contentEncoding": "base64"},
    _bytes_to_json,
    _bytes_from_json,
    check=_check_bytes,
    exact=(bytes,),
)
NEVER = PyType(typing.Never, "Never", {"enum": []}, _refuse_all, _refuse_all)

TYPES: dict[Any, PyType] = {int: INT, float: FLOAT, bool: BOOL, str: STR, bytes: BYTES, None: NONE, type(None): NONE}


def simple(annotation: Any) -> PyType | None:
    """The compiled form of an annotation that is one of these types: what most tasks take, and all that a pod loads."""
    return TYPES.get(annotation) if annotation is None or type(annotation) is type else None
