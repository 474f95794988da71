"""The text of a flag to the JSON value of its type. Called by `inputs`; knows types, no flags.

Text inputs take the text as it stands. Structures are JSON, or `@file` with JSON inside. Files are paths; they stay
`LocalFile` marks until code with a store puts references in their place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alula.types import files
from alula_api.contract import problems, schemas, unions, values

Schema = dict[str, Any]
Given = Any
"""JSON in which a `LocalFile` may stand where the type is a file, directory or frame."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A path that the user gave for an input of type file, directory or frame."""

    path: Path
    type: str
    format: str = ""

    def placeholder(self) -> dict[str, Any]:
        """A reference to check the value's shape with, before anything is stored."""
        return {"type": self.type, "digest": "0" * 64, "size": 0, "name": self.path.name, "format": self.format}


class Unfit(ValueError):
    """A text is no value of the type; the message says what was expected and got.

    Attributes:
        parts: What is wrong, each with the place inside the value: `.depth`, `[0]`, or "" for the whole.
    """

    def __init__(self, message: str, hint: str = "", parts: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.hint = hint
        self.parts = parts or (("", message),)


def parse(text: str, schema: Schema, root: Schema | None = None) -> Given:
    """The value that `text` stands for, as `fit` returns it.

    Raises:
        Unfit: It stands for none.
    """
    root = schema if root is None else root
    schema = schemas.resolve(schema, root)
    return fit(_read(text, schema, root), schema, root)


def fit(given: Given, schema: Schema, root: Schema) -> Given:
    """Return a value in its wire form; one with local files as it is, because their references are not known yet.

    Raises:
        Unfit: It does not fit; with everything that is wrong with it.
    """
    whole = schema if schema is root or "$defs" not in root else {**schema, "$defs": root["$defs"]}
    try:
        if holds_files(given):
            values.codec(whole).normal(substitute(given, LocalFile.placeholder))
            return given
        return values.codec(whole).normal(given)
    except values.InvalidValue as error:
        parts = tuple((problem.path.removeprefix("$"), problem.message) for problem in error.problems)
        raise Unfit("; ".join(f"{where} {what}".lstrip() for where, what in parts), parts=parts) from None


def substitute(given: Given, replace: Callable[[LocalFile], Any]) -> Any:
    """`given` with every local file replaced; shares what needs no change."""
    if isinstance(given, LocalFile):
        return replace(given)
    if isinstance(given, list):
        return [substitute(item, replace) for item in given]
    if isinstance(given, dict):
        return {key: substitute(item, replace) for key, item in given.items()}
    return given


def holds_files(given: Given) -> bool:
    """Whether a local file is among the values."""
    if isinstance(given, LocalFile):
        return True
    parts = given.values() if isinstance(given, dict) else given if isinstance(given, list) else ()
    return any(holds_files(part) for part in parts)


def label(schema: Schema, root: Schema | None = None) -> str:
    """The type in the help: `INT`, `TEXT`, `red|green`, `Point`."""
    root = schema if root is None else root
    schema = schemas.resolve(schema, root)
    family = schemas.family(schema)
    if family in _LABELS:
        return _LABELS[family]
    if family in {"enum", "literal"}:
        return "|".join(item if isinstance(item, str) else values.dumps(item) for item in schema["enum"])
    if family == "file":
        return f"FILE.{schema['format']}" if schema.get("format") else "FILE"
    if (inner := optional(schema, root)) is not None:
        return label(inner, root)
    if family in _LISTS:
        inner = schemas.resolve(schema["items"], root)
        return f"{schemas.describe(inner) if schemas.family(inner) in _LISTS else label(inner, root)}..."
    return schemas.describe(schema)


def optional(schema: Schema, root: Schema) -> Schema | None:
    """The type besides null of an optional one; None for all others."""
    if schemas.family(schema) != "union":
        return None
    others = [item for item in schema["anyOf"] if schemas.family(schemas.resolve(item, root)) != "null"]
    return schemas.resolve(others[0], root) if len(others) == 1 and len(schema["anyOf"]) == 2 else None


def nullable(schema: Schema, root: Schema) -> bool:
    """Whether None is a value of the type, beside others."""
    if schemas.family(schema) != "union":
        return False
    return any(schemas.family(schemas.resolve(item, root)) == "null" for item in schema["anyOf"])


def is_list(schema: Schema, root: Schema) -> bool:
    """Whether a flag of the type may be repeated, one item each time."""
    inner = optional(schema, root)
    return schemas.family(schema if inner is None else inner) in _LISTS


_LABELS = {
    "integer": "INT",
    "number": "FLOAT",
    "boolean": "BOOL",
    "string": "TEXT",
    "null": "null",
    "bytes": "BASE64",
    "datetime": "DATETIME",
    "naive-datetime": "DATETIME",
    "date": "DATE",
    "duration": "DURATION",
    "directory": "FOLDER",
    "frame": "TABLE",
    "any": "JSON",
    "object": "JSON",
}
TABLES = frozenset({".parquet", ".csv", ".tsv"})
"""Endings of files that can be given for a data frame."""
_LISTS = frozenset({"list", "tuples", "set", "frozenset"})
SCALARS = frozenset({*_LABELS, "enum", "literal"}) - {"object", "any", "frame"}
"""Families whose values are told in one phrase."""
_TEXTS = frozenset({"string", "datetime", "naive-datetime", "date"})
_FILES = frozenset({"file", "directory", "frame"})


def _read(text: str, schema: Schema, root: Schema) -> Given:
    family = schemas.family(schema)
    if family in _TEXTS:
        return text
    if family in _FILES:
        return _file(text, schema)
    reader = _READERS.get(family)
    if reader is not None:
        return reader(text, schema)
    if family == "union":
        return _union(text, schema, root)
    if family == "tagged":
        return _tagged(text, schema, root)
    if family == "enum":
        return _enum(text, schema)
    if family == "literal":
        return _literal(text, schema)
    if family in _LISTS and not text.lstrip().startswith(("[", "@")):
        return [_read(text, schemas.resolve(schema["items"], root), root)]
    return located(_json(text, schemas.describe(schema)), schema, root)


def _integer(text: str, schema: Schema) -> int:
    bare = text.strip().replace("_", "")
    if re.fullmatch(r"[+-]?\d+", bare) and len(bare) <= 4300:
        return int(bare)
    raise Unfit(f"must be an int, not {problems.shown(text)}")


def _number(text: str, schema: Schema) -> float | str:
    try:
        number = float(text)
    except ValueError:
        raise Unfit(f"must be a float, not {problems.shown(text)}") from None
    if math.isfinite(number):
        return number
    if any(letter.isdecimal() for letter in text):
        raise Unfit(f"must be a float: {problems.shown(text)} is beyond what one holds", "write inf for no limit")
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _boolean(text: str, schema: Schema) -> bool:
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    raise Unfit(f"must be true or false, not {problems.shown(text)}")


def _null(text: str, schema: Schema) -> None:
    if text not in {"null", "None", ""}:
        raise Unfit(f"must be null, not {problems.shown(text)}")


def _bytes(text: str, schema: Schema) -> str:
    if not text.startswith("@"):
        return text
    import base64

    return base64.b64encode(_content(text[1:])).decode()


def _duration(text: str, schema: Schema) -> str:
    """ISO 8601 (`PT90S`), or as options write it (`90s`, `1h30m`)."""
    if text.lstrip("-+").startswith("P"):
        return text
    import datetime

    from alula_api.contract import durations

    try:
        return durations.iso(datetime.timedelta(seconds=durations.seconds(text)))
    except (ValueError, OverflowError):
        raise Unfit(f"must be a duration such as 90s, 1h30m or PT90S, not {problems.shown(text)}") from None


def _any(text: str, schema: Schema) -> Any:
    return _json(text, "JSON")


_READERS: dict[str, Callable[[str, Schema], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "null": _null,
    "bytes": _bytes,
    "duration": _duration,
    "any": _any,
    "object": _any,
}


def _enum(text: str, schema: Schema) -> Any:
    """A member's name, or its value: as text, or as JSON."""
    if text in schema["enum"]:
        return text
    texts = schema.get("x-alula-values", [])
    if values.dumps(text) in texts:
        return text
    try:
        return values.parse(text)
    except values.InvalidValue:
        return text


def _literal(text: str, schema: Schema) -> Any:
    if text in schema["enum"]:
        return text
    for item in schema["enum"]:
        if not isinstance(item, str) and values.dumps(item) == text.lower():
            return item
    allowed = ", ".join(item if isinstance(item, str) else values.dumps(item) for item in schema["enum"])
    raise Unfit(f"must be one of {allowed}, not {problems.shown(text)}")


def _union(text: str, schema: Schema, root: Schema) -> Given:
    """The first variant that the text fits; text itself is the last resort, so `7` for `int | str` is an int."""
    variants = [schemas.resolve(item, root) for item in schema["anyOf"]]
    last = [item for item in variants if schemas.family(item) == "string"]
    inner = optional(schema, root)
    if inner is not None and last:
        return text  # `str | None`: --no-NAME is the way to say None
    wrong: list[Unfit] = []
    for variant in [*(item for item in variants if item not in last), *last]:
        try:
            return parse(text, variant, root)
        except Unfit as error:
            if schemas.family(variant) != "null":
                wrong.append(error)
    if len(wrong) == 1:
        raise wrong[0]
    raise Unfit(f"must be {schemas.describe(schema)}, not {problems.shown(text)}")


def _tagged(text: str, schema: Schema, root: Schema) -> Given:
    """The first variant that the text fits, with its tag; an int before a float, so `7` for `float | int` is an int."""
    if text.lstrip().startswith("{") and f'"{unions.TAG}"' in text:
        return located(_json(text, schemas.describe(schema)), schema, root)
    variants = [*zip(schema["x-alula-tags"], schema["anyOf"], strict=True)]
    variants.sort(key=lambda variant: schemas.family(schemas.resolve(variant[1], root)) != "integer")
    for tag, variant in variants:
        try:
            return {unions.TAG: tag, unions.VALUE: parse(text, variant, root)}
        except Unfit:
            continue
    raise Unfit(f"must be {schemas.describe(schema)}, not {problems.shown(text)}")


def _json(text: str, what: str) -> Any:
    content = _text_of(text[1:]) if text.startswith("@") else text
    try:
        return values.parse(content)
    except values.InvalidValue as error:
        place = f"the file {text[1:]}" if text.startswith("@") else problems.shown(text)
        reason = error.problems[0].message.removeprefix("is not JSON: ")
        wanted = what if what == "JSON" else f"{what} as JSON"
        raise Unfit(f"must be {wanted}; {place} is not JSON: {reason}", "quote it for the shell: '...'") from None


def _text_of(path: str) -> str:
    try:
        return _content(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        raise Unfit(f"the file {path} is not UTF-8: byte 0x{byte:02x} in line {line}", "save it as UTF-8") from None


def _content(path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise Unfit(f"the file {path} cannot be read: {error.strerror or error}") from None


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"


def _file(text: str, schema: Schema) -> LocalFile:
    kind = schema["x-alula-type"]
    if files.address(text):
        raise Unfit(f"must be a path on this machine, not the address {_short(text)!r}", "download it first")
    path = Path(text).expanduser()
    folder = kind == "directory"
    if not path.exists():
        raise Unfit(f"there is no {'folder' if folder else 'file'} {text}")
    if path.is_dir() != folder:
        raise Unfit(f"{text} is a {'file' if folder else 'folder'}, expected a {'folder' if folder else 'file'}")
    if kind == "frame" and path.suffix not in TABLES:
        raise Unfit(f"{text} is no table that can be read: expected {', '.join(sorted(TABLES))}")
    return LocalFile(path, kind, schema.get("format", ""))


def _key(text: str, schema: Schema, root: Schema) -> Given:
    """The key of a pair that is written as a property; one that is no such key is reported with the whole value."""
    try:
        return parse(text, schema, root)
    except Unfit:
        return text


def located(given: Any, schema: Schema, root: Schema, depth: int = 0) -> Given:
    """JSON in which paths stand for files and objects for pairs, with the files marked and the pairs as such."""
    schema = schemas.resolve(schema, root)
    family = schemas.family(schema)
    if family in _FILES:
        return _file(given, schema) if isinstance(given, str) else given
    if depth > 100:
        return given
    if isinstance(given, list):
        if family == "map":
            pair = {"x-alula-type": "tuple", "prefixItems": schema["items"]["prefixItems"]}
            return [located(item, pair, root, depth + 1) for item in given]
        if family in _LISTS:
            return [located(item, schema["items"], root, depth + 1) for item in given]
        if family in ("tuple", "namedtuple"):
            parts = schema["prefixItems"]
            return [located(item, part, root, depth + 1) for item, part in zip(given, parts, strict=False)] + given[
                len(parts) :
            ]
    if isinstance(given, dict):
        if family == "record":
            known = schema["properties"]
            return {k: located(v, known[k], root, depth + 1) if k in known else v for k, v in given.items()}
        if family == "dict":
            return {k: located(v, schema["additionalProperties"], root, depth + 1) for k, v in given.items()}
        if family == "map":
            key, item = schema["items"]["prefixItems"]
            return [[_key(k, key, root), located(v, item, root, depth + 1)] for k, v in given.items()]
    inner = optional(schema, root)
    return located(given, inner, root, depth + 1) if inner is not None and given is not None else given
