"""The one canonical YAML writer: the SDK's release folders, the generated CRDs and `alula compile` all go through it.

Two rules govern it. The same object gives the same bytes on every machine and Python version, and every YAML loader
on the way to the cluster (PyYAML, kubectl, kustomize) reads back exactly what went in. So a string stays plain only
where YAML 1.1 and 1.2 agree that it is one. It writes JSON data only, never reads, and needs no YAML library.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

WIDTH = 110
MAX_DEPTH = 100
# A YAML reader looks no further than 1,024 characters for the colon of a plain `key: value`.
_LONGEST_SIMPLE_KEY = 500
_CACHED_STRING = 256
_CONTAINERS = (dict, list, tuple)

# Fixed ranges instead of `str.isprintable`, which changes with the Unicode version of the Python that runs: controls,
# DEL, C1 with NEL, line separators, BOM, non-characters, and the invisible and bidirectional marks that hide text
# from a reviewer.
_ESCAPED = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff\U000e0000-\U000e0fff]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHORT_ESCAPES = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\x08": "\\b", "\x0c": "\\f"}

# All but the spaces; what is escaped is refused apart.
_NON_ASCII = "\xa1-\u167f\u1681-\u1fff\u200b-\u202e\u2030-\u205e\u2060-\u2fff\u3001-\ud7ff\ue000-\U0010ffff"
# Without `, [ ] { } ?`, so that one answer holds in block and in flow style; `#` and `:` are looked at apart.
_PLAIN = re.compile(rf"[A-Za-z0-9_./({_NON_ASCII}][-A-Za-z0-9_./+@%=~()*$;<>|&!'\"\\^#: {_NON_ASCII}]*")
_NOT_PLAIN = re.compile(r": | #|:$| $")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"})
_LONGEST_WORD = max(map(len, _WORDS))
# Wider than any YAML number, on purpose: hexadecimal, octal, binary, exponents, underscores, sexagesimals, dates.
_NUMBER = re.compile(r"[-+]?(0[xXoObB].*|[0-9_.:]*([eE][-+]?[0-9_.]*)?|\.(inf|nan)|[0-9]{4}-[0-9].*)", re.IGNORECASE)
_NUMBER_START = frozenset("0123456789.+-_")


def dump(obj: dict[str, Any]) -> str:
    """One document: block style, small objects on one line, keys in the order given.

    Raises:
        ValueError: a lone surrogate, a float that JSON cannot write, or nesting deeper than `MAX_DEPTH`.
        TypeError: something that is not JSON data.
    """
    if not obj:
        return "{}\n"
    lines: list[str] = []
    _mapping(obj, "", "", lines, 0)
    lines.append("")
    return "\n".join(lines)


def dump_all(objs: Iterable[dict[str, Any]]) -> str:
    """Several documents, separated by `---`."""
    return "---\n".join(dump(obj) for obj in objs)


def _mapping(obj: dict[str, Any], first: str, indent: str, lines: list[str], depth: int) -> None:
    """Append the lines of a mapping that is not empty; `first` stands before its first key."""
    _check_depth(depth)
    prefix = first
    for key, value in obj.items():
        name = _key(key)
        if len(name) > _LONGEST_SIMPLE_KEY:
            lines.append(f"{prefix}? {name}")
            prefix = indent
            name = ""
        if not value or not isinstance(value, _CONTAINERS):
            lines.append(f"{prefix}{name}: {_leaf(value)}")
        else:
            _container(value, f"{prefix}{name}:", indent, lines, depth)
        prefix = indent


def _container(value: Any, head: str, indent: str, lines: list[str], depth: int) -> None:
    """Append a mapping or list, not empty, that is the value of a key: on the key's line if it is small, else below."""
    if depth and _may_flow(value):
        text = _flow(value, WIDTH - len(head) - 1, depth + 1)
        if text is not None:
            lines.append(f"{head} {text}")
            return
    lines.append(head)
    if isinstance(value, dict):
        _mapping(value, indent + "  ", indent + "  ", lines, depth + 1)
    else:
        _sequence(value, indent, indent, lines, depth + 1)


def _sequence(items: Sequence[Any], first: str, indent: str, lines: list[str], depth: int) -> None:
    """Append one `- ` entry an item; `first` stands before the first dash."""
    _check_depth(depth)
    prefix = first
    inner = indent + "  "
    for item in items:
        if not item or not isinstance(item, _CONTAINERS):
            lines.append(f"{prefix}- {_leaf(item)}")
        else:
            text = _flow(item, WIDTH - len(prefix) - 2, depth + 1) if _may_flow(item) else None
            if text is not None:
                lines.append(f"{prefix}- {text}")
            elif isinstance(item, dict):
                _mapping(item, f"{prefix}- ", inner, lines, depth + 1)
            else:
                _sequence(item, f"{prefix}- ", inner, lines, depth + 1)
        prefix = indent


def _may_flow(value: Any) -> bool:
    """Whether one line can show it well: a list of objects, or an object that holds one, reads better in blocks."""
    if isinstance(value, dict):
        return not any(isinstance(inner, (list, tuple)) and _holds_objects(inner) for inner in value.values())
    return not _holds_objects(value)


def _holds_objects(items: Sequence[Any]) -> bool:
    return any(isinstance(item, _CONTAINERS) for item in items)


def _flow(value: Any, room: int, depth: int) -> str | None:
    """The value on one line of at most `room` characters, or None; it stops as soon as the room is used up."""
    if isinstance(value, str):
        if len(value) > room:
            return None
        text = _string(value)
    elif not value or not isinstance(value, _CONTAINERS):
        text = _leaf(value)
    else:
        _check_depth(depth)
        found = _flow_parts(value, room - 2, depth)
        if found is None:
            return None
        text = found
    return text if len(text) <= room else None


def _flow_parts(value: Any, room: int, depth: int) -> str | None:
    named = isinstance(value, dict)
    parts: list[str] = []
    for item in value.items() if named else value:
        name, inner = (f"{_key(item[0])}: ", item[1]) if named else ("", item)
        if len(name) > min(room, _LONGEST_SIMPLE_KEY):
            return None
        text = _flow(inner, room - len(name), depth + 1)
        if text is None:
            return None
        parts.append(name + text)
        room -= len(name) + len(text) + 2
        if room < -2:
            return None
    return f"{{{', '.join(parts)}}}" if named else f"[{', '.join(parts)}]"


def _leaf(value: Any) -> str:
    """A scalar or an empty container."""
    if isinstance(value, str):
        return _string(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, (list, tuple)):
        return "[]"
    raise TypeError(f"YAML text is written from JSON data only, not from {type(value).__name__}")


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a JSON number")
    text = repr(float(value))
    # YAML 1.1 takes `1e+20` for a string: its floats have a dot.
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key must be a string, not {type(key).__name__} {key!r}")
    return _string(key)


def _string(text: str) -> str:
    return _short_string(str(text)) if len(text) <= _CACHED_STRING else _written(str(text))


@functools.lru_cache(maxsize=8192)
def _short_string(text: str) -> str:
    return _written(text)


def _written(text: str) -> str:
    return text if _is_plain(text) else _quoted(text)


def _is_plain(text: str) -> bool:
    if not _PLAIN.fullmatch(text) or _NOT_PLAIN.search(text) or (not text.isascii() and _ESCAPED.search(text)):
        return False
    if len(text) <= _LONGEST_WORD and text.lower() in _WORDS:
        return False
    return text[0] not in _NUMBER_START or not _NUMBER.fullmatch(text)


def _quoted(text: str) -> str:
    if _SURROGATE.search(text):
        raise ValueError("a lone surrogate is not text that YAML or JSON can carry")
    if not _ESCAPED.search(text):
        return "'" + text.replace("'", "''") + "'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + _ESCAPED.sub(_escape, escaped) + '"'


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    # JSON's pair of surrogates is two wrong characters in YAML, so the long form stands for what is above U+FFFF.
    return _SHORT_ESCAPES.get(character) or (f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"nesting deeper than {MAX_DEPTH} levels cannot be written")
