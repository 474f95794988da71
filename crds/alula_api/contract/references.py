"""References to stored data, and the envelope of a JSON value that is stored because it is large.

Identity is the digest; location is derived by the reader from its own prefix, so that no text can point anybody
anywhere. Nothing here opens anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from alula_api.contract import families
from alula_api.contract.codec_parts import Form
from alula_api.contract.codes import Code
from alula_api.contract.families import Schema
from alula_api.contract.jsontext import Json
from alula_api.contract.problems import InvalidValue, Misfit, Problem, member, shown

STORED: Final = "$stored"
"""A value over the inline limit travels as `{"$stored": {"digest", "size", "hash"}}`."""

MOST_SIZE: Final = 2**63 - 1
FORMAT: Final = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}"
_URI = r"[A-Za-z][A-Za-z0-9+.-]*://[^\x00-\x20\x7f]{1,4000}"
_REQUIRED = ("type", "digest", "size", "name", "format")
_OPTIONAL = ("uri", "hash", "executable")
_NO_TEXT = ("size", "executable")
_MOST_NAME = 255
_MOST_HASH = 256


class Reference(NamedTuple):
    """Stored data: what it is, not where. `uri` is for data that we do not store, `executable` for programs."""

    type: str
    digest: str
    size: int
    name: str = ""
    format: str = ""
    uri: str = ""
    hash: str = ""
    executable: bool = False

    def to_json(self) -> dict[str, Json]:
        """Return the wire value; `uri`, `hash` and `executable` only where there is one."""
        found: dict[str, Json] = {
            "type": self.type,
            "digest": self.digest,
            "size": self.size,
            "name": self.name,
            "format": self.format,
        }
        if self.uri:
            found["uri"] = self.uri
        if self.hash:
            found["hash"] = self.hash
        if self.executable:
            found["executable"] = True
        return found

    @classmethod
    def from_json(cls, json: Json) -> Reference:
        """Return the reference of a wire value.

        Raises:
            InvalidValue: Says everything that is wrong with it.
        """
        problems: list[Problem] = []
        _explain(json, "$", problems, "", "")
        if problems or type(json) is not dict:
            raise InvalidValue(problems)
        return cls(**{**_DEFAULTS, **json})

    def identity(self) -> Json:
        """Return what stands for the data in a cache key: `hash` or else `digest`, and what user code can see.

        Raises:
            InvalidValue: For data at a URI whose hash was not read yet: a place is no identity.
        """
        return _identity(self.to_json())

    def path(self) -> str:
        """Return where the data lies below the prefix of a domain."""
        if not self.digest:
            raise ValueError(f"the {self.type} at {self.uri} is not stored by alula")
        if self.type == "directory":
            return f"tree/{self.digest[:2]}/{self.digest}"
        return f"cas/{self.digest[:2]}/{self.digest}/{self.file_name}"

    @property
    def file_name(self) -> str:
        """The last part of the path: the name, or one made of the format where there is none."""
        return self.name or (f"data.{self.format}" if self.format else "data")


class Stored(NamedTuple):
    """A JSON value that lies in the store: the digest of its wire bytes, their number, and the value's identity."""

    digest: str
    size: int
    hash: str

    def to_json(self) -> dict[str, Json]:
        """Return the envelope that travels instead of the value."""
        return {STORED: {"digest": self.digest, "size": self.size, "hash": self.hash}}

    def path(self) -> str:
        """Return where the bytes lie below the prefix of a domain."""
        return f"cas/{self.digest[:2]}/{self.digest}/value.json"


def is_digest(text: str) -> bool:
    """Tell whether a text is a sha256 as we write it; each cache hit asks, so no pattern is looked up for it."""
    return len(text) == 64 and not text.strip("0123456789abcdef")


def is_reference(json: Json) -> bool:
    """Tell whether a value has the shape of a reference, for messages that show it in short; its parts may be wrong."""
    return isinstance(json, dict) and {"type", "digest", "size"} <= json.keys()


def is_envelope(json: Json) -> bool:
    """Tell whether a value has the shape of an envelope; a user's own value that has must be stored, never inlined."""
    return type(json) is dict and len(json) == 1 and STORED in json


def stored(json: Json) -> Stored | None:
    """Return what an envelope points at, or None where the value is one itself.

    Raises:
        InvalidValue: For an envelope that is malformed.
    """
    if type(json) is not dict or len(json) != 1 or STORED not in json:
        return None
    inner = json[STORED]
    path = f'$["{STORED}"]'
    if type(inner) is not dict or set(inner) != {"digest", "size", "hash"}:
        raise InvalidValue([Problem(path, "must have digest, size and hash", Code.BAD_REFERENCE)])
    problems: list[Problem] = []
    _check_digest(inner["digest"], f"{path}.digest", problems)
    _check_digest(inner["hash"], f"{path}.hash", problems)
    _check_size(inner["size"], f"{path}.size", problems)
    if problems:
        raise InvalidValue(problems)
    return Stored(inner["digest"], inner["size"], inner["hash"])


def walk(value: Json, schema: Schema) -> Iterator[Reference]:
    """Yield every reference inside a value that its codec has accepted, in the order of the value."""
    stack: list[tuple[Any, Schema]] = [(value, schema)]
    while stack:
        part, kind = stack.pop()
        kind = families.resolve(kind, schema)
        name = families.family(kind)
        if name in families.REFERENCES:
            yield Reference.from_json(part)
        else:
            stack.extend(reversed(list(_parts(part, kind, name, schema))))


def _parts(value: Any, kind: Schema, name: str, root: Schema) -> Iterator[tuple[Any, Schema]]:
    match name:
        case "map":
            for pair in value:
                yield from zip(pair, kind["items"]["prefixItems"], strict=True)
        case "list" | "tuples" | "set" | "frozenset":
            item = kind["items"]
            if families.has_references(item, root):
                yield from ((part, item) for part in value)
        case "tuple" | "namedtuple":
            yield from zip(value, kind["prefixItems"], strict=True)
        case "dict":
            item = kind["additionalProperties"]
            if families.has_references(item, root):
                yield from ((part, item) for part in value.values())
        case "record":
            yield from ((part, kind["properties"][key]) for key, part in value.items())
        case "union":
            yield from ((value, item) for item in kind["anyOf"] if type(value) in families.kinds(item, root))
        case "tagged":
            yield value["value"], kind["anyOf"][kind["x-alula-tags"].index(value["$type"])]


def reference(type_: str, format_: str) -> Form:
    """Return the codec of references of one type; a missing format becomes the declared one."""

    def normal(value: Any) -> Any:
        problems: list[Problem] = []
        _explain(value, "$", problems, type_, format_)
        if problems:
            raise Misfit
        found = {key: value[key] if key in value else _DEFAULTS[key] for key in _REQUIRED}
        found["format"] = found["format"] or format_
        for key in _OPTIONAL:
            if value.get(key):
                found[key] = value[key]
        return found

    def explain(value: Any, path: str, problems: list[Problem]) -> None:
        _explain(value, path, problems, type_, format_)

    return Form(f"a reference to a {type_}", normal, frozenset({dict}), explain=explain, identify=_identity)


_DEFAULTS: Final[dict[str, Json]] = {"digest": "", "size": 0, "name": "", "format": ""}


def _identity(value: dict[str, Any]) -> dict[str, Any]:
    if value.get("hash"):
        found = {"type": value["type"], "hash": value["hash"]}
    elif value["digest"]:
        found = {"type": value["type"], "digest": value["digest"]}
    else:
        raise InvalidValue([Problem("$", f"has no identity before the data at {shown(value['uri'])} is looked at")])
    seen = {"name": value["name"], "format": value["format"]}
    return {**found, **seen, "executable": True} if value.get("executable") else {**found, **seen}


def _explain(value: Any, path: str, problems: list[Problem], type_: str, format_: str) -> None:
    """Append what is wrong with a reference; `type_` and `format_` are "" where any will do."""
    if type(value) is not dict:
        what = f"a reference to a {type_}" if type_ else "a reference"
        problems.append(_bad(path, f"must be {what}, not {shown(value)}"))
        return
    problems.extend(
        _bad(member(path, key), "does not exist in a reference")
        for key in value
        if key not in _REQUIRED and key not in _OPTIONAL
    )
    texts = {key: value.get(key, "") for key in (*_REQUIRED, *_OPTIONAL) if key not in _NO_TEXT}
    for key, text in texts.items():
        if type(text) is not str:
            problems.append(_bad(f"{path}.{key}", f"must be a str, not {shown(text)}"))
            return
    expected = (type_,) if type_ else families.REFERENCES
    if texts["type"] not in expected:
        problems.append(_bad(f"{path}.type", f"must be {' or '.join(expected)}, not {shown(texts['type'])}"))
    if texts["digest"] or not texts["uri"]:
        _check_digest(texts["digest"], f"{path}.digest", problems)
    _check_size(value.get("size", None if texts["digest"] else 0), f"{path}.size", problems)
    _check_name(texts["name"], f"{path}.name", problems)
    if texts["format"] and not re.fullmatch(FORMAT, texts["format"]):
        problems.append(_bad(f"{path}.format", "must be letters, digits and . _ + -, at most 64"))
    elif texts["format"] and format_ and texts["format"] != format_:
        problems.append(_bad(f"{path}.format", f"must be {format_}, not {shown(texts['format'])}"))
    if texts["uri"] and (not re.fullmatch(_URI, texts["uri"]) or _unprintable(texts["uri"])):
        problems.append(_bad(f"{path}.uri", "must be a URI such as s3://bucket/key"))
    if type(value.get("executable", False)) is not bool or (value.get("executable") and texts["type"] != "file"):
        problems.append(_bad(f"{path}.executable", "must be true or false, and true for files only"))
    if len(texts["hash"]) > _MOST_HASH or _unprintable(texts["hash"]):
        problems.append(_bad(f"{path}.hash", f"must be at most {_MOST_HASH} printable characters"))


def _check_digest(value: Any, path: str, problems: list[Problem]) -> None:
    if type(value) is not str or not is_digest(value):
        problems.append(_bad(path, f"must be 64 hexadecimal digits in lower case, not {shown(value)}"))


def _check_size(value: Any, path: str, problems: list[Problem]) -> None:
    if type(value) is not int or not 0 <= value <= MOST_SIZE:
        problems.append(_bad(path, f"must be a number of bytes, not {shown(value)}"))


def _check_name(value: str, path: str, problems: list[Problem]) -> None:
    if value in {".", ".."} or "/" in value or _unprintable(value):
        problems.append(_bad(path, "must be a file name without / and control characters, and not . or .."))
    elif len(value.encode()) > _MOST_NAME:
        problems.append(_bad(path, f"must be at most {_MOST_NAME} bytes"))


def _unprintable(text: str) -> bool:
    """Tell whether a text holds control characters, line separators or lone surrogates."""
    return any(c < " " or "\x7f" <= c <= "\x9f" or c in "\u2028\u2029" or "\ud800" <= c <= "\udfff" for c in text)


def _bad(path: str, message: str) -> Problem:
    return Problem(path, message, Code.BAD_REFERENCE)
