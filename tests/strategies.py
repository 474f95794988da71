"""Hypothesis strategies that every area shares: JSON, hostile texts, and types with values that fit them.

`typed()` draws a `Typed` (a schema, the strategy of its values, one example) from `POOL`, a few hundred types of all
families nested in each other; `typed_values()` draws a schema and one value of it. The pool is made once, because
building strategies is what costs time. Values are as a user may give them: maps and records in any order, defaults
left out, ints under `number`, members of enums by value. The functions that make the pool serve for types of your own.
"""

from __future__ import annotations

import base64
import datetime
import functools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from alula_api.contract import durations, jsontext, schemas, values

HOSTILE = (
    "", " ", "{{", "}}", "{{=", "{{=1+1}}", "{{workflow.uid}}", "{{inputs.parameters.x}}", "{{= bad((", "lone {{",
    "{", "}", "{ {", "{{{{", "%{{", "{%", "$(id)", "`id`", "${HOME}", "a\\", "\\", "\\\\", '"', '\\"', "'", "''",
    "a'b\"c", "\\u007b", "\\u007b\\u007b", "\n", "\r\n", "\t", "a\nb", "\x00", "\x01", "\x07", "\x08", "\x1b[31m",
    "\x7f", "\x80", "\x85", "\xa0", "\u2028", "\u2029", "\ufeff", "\ufffe", "\uffff", "\ufffd", "\U0001f600",
    "\U0010ffff", "\U000e0001", "e\u0301", "\u202eabc", "null", "true", "1", "1.0", "-0", "1e400", "NaN", "~", "- a",
    "a: b", "a #b", "#", "!!str x", "&a", "*a", "[1]", '{"a":1}', "@", "|", ">", "%", "?", "key:", "0x1F", "0o17",
    "1_000", "2026-01-31", "yes", "No", "=", "<<", "--flag", "-x", "--", "-", "\\n", "%s", "%(x)s", "{0}", "{x!r}",
    "</script>", "$$", "$", "$(", "$(HOME)", "$$(HOME)", "a$$$b", "<!--", "]]>", "a/../b", "..",
    "../../etc", "{{tasks.admit.outputs.parameters.x}}", "{{=toJson(1)}}",
    "{{-", "{{/*", "äöü", "中文", "😀{{😀", "a" * 300,
)  # fmt: skip
"""Texts that once broke something somewhere: templates, shells, YAML, terminals, paths, encodings."""

Schema = dict[str, Any]


Schema = dict[str, Any]
Values = st.SearchStrategy[Any]


@dataclass(frozen=True)
class Typed:
    """A type, the values that fit it, and one of them."""

    schema: Schema
    values: Values
    example: Any


@functools.cache
def texts(max_size: int = 20) -> st.SearchStrategy[str]:
    """Any text that can be encoded, often a hostile one."""
    return st.one_of(st.text(max_size=max_size), st.sampled_from(HOSTILE))


@functools.cache
def integers() -> st.SearchStrategy[int]:
    """Ints of any size, often near the limits of some machine."""
    edges = [2**k + d for k in (7, 31, 32, 53, 63, 64, 128) for d in (-1, 0, 1)]
    return st.one_of(st.integers(-100, 100), st.integers(), st.sampled_from(edges + [-e for e in edges]))


@functools.cache
def floats() -> st.SearchStrategy[float]:
    """Finite floats, -0.0 and subnormals too."""
    return st.floats(allow_nan=False, allow_infinity=False)


@functools.cache
def json_values(max_leaves: int = 20) -> Values:
    """Any JSON value."""
    leaves = st.none() | st.booleans() | integers() | floats() | texts()
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts(), inner, max_size=5),
        max_leaves=max_leaves,
    )


@functools.cache
def typed(with_references: bool = True) -> st.SearchStrategy[Typed]:
    """Any type of the contract, with values that fit it."""
    return st.sampled_from([item for item in POOL if with_references or not schemas.has_references(item.schema)])


@functools.cache
def typed_values(with_references: bool = True) -> st.SearchStrategy[tuple[Schema, Any]]:
    """A type and one value that fits it."""
    return typed(with_references).flatmap(lambda item: st.tuples(st.just(item.schema), item.values))


def _type(schema: Schema, allowed: Values, example: Any) -> Typed:
    """Put the parts of a type together: definitions belong to the root."""
    definitions: Schema = {}

    def lift(part: Any) -> Any:
        if isinstance(part, dict):
            definitions.update(part.get("$defs", {}))
            return {key: lift(value) for key, value in part.items() if key != "$defs"}
        return [lift(item) for item in part] if isinstance(part, list) else part

    lifted = lift(schema)
    return Typed({**lifted, "$defs": definitions} if definitions else lifted, allowed, example)


# Types without parts.

_ZONES = st.integers(-14 * 60, 14 * 60).map(lambda m: datetime.timezone(datetime.timedelta(minutes=m)))
_MOMENTS = st.datetimes(datetime.datetime(2, 1, 1), datetime.datetime(9998, 12, 31))
_AWARE = st.builds(lambda at, zone: at.replace(tzinfo=zone).isoformat(), _MOMENTS, _ZONES | st.just(datetime.UTC))
_NUMBERS = floats() | st.integers(-(2**60), 2**60) | st.sampled_from(["NaN", "Infinity", "-Infinity"])
_BYTES = st.binary(max_size=20).map(lambda raw: base64.b64encode(raw).decode())

INTEGER = Typed({"type": "integer"}, integers(), 7)
NUMBER = Typed({"type": "number"}, _NUMBERS, 1.5)
BOOLEAN = Typed({"type": "boolean"}, st.booleans(), True)
STRING = Typed({"type": "string"}, texts(), "{{a")
NULL = Typed({"type": "null"}, st.none(), None)
BYTES = Typed({"type": "string", "contentEncoding": "base64"}, _BYTES, "AQI=")
DATETIME = Typed({"type": "string", "format": "date-time"}, _AWARE, "2026-01-31T08:00:00+02:00")
NAIVE = Typed(
    {"type": "string", "x-alula-type": "naive-datetime"},
    st.datetimes().map(datetime.datetime.isoformat),
    "2026-01-31T08:00:00",
)
DATE = Typed({"type": "string", "format": "date"}, st.dates().map(datetime.date.isoformat), "2026-01-31")
DURATION = Typed({"type": "string", "format": "duration"}, st.timedeltas().map(durations.iso), "PT1H")
ANY = Typed({}, json_values(), {"b": 1, "a": [1.0, None]})
OBJECT = Typed({"type": "object"}, st.dictionaries(texts(), json_values(5), max_size=4), {"b": 1, "a": 2})


def enum(names: Sequence[str], members: Sequence[Any] = ()) -> Typed:
    """An enum; with members, they are given by value too."""
    schema: Schema = {"type": "string", "enum": list(names), "x-alula-type": "enum", "title": "Color"}
    if members:
        schema["x-alula-values"] = [jsontext.dumps_sorted(member) for member in members]
    return Typed(schema, st.sampled_from([*names, *members]), names[-1])


def literal(*allowed: Any) -> Typed:
    """One of some values."""
    kinds = {type(value) for value in allowed}
    named = {str: "string", int: "integer", bool: "boolean"}
    schema: Schema = {"enum": list(allowed)}
    if len(kinds) == 1 and kinds <= set(named):
        schema["type"] = named[kinds.pop()]
    return Typed(schema, st.sampled_from(allowed), allowed[0])


def _name_ok(text: str) -> bool:
    return text not in {".", ".."} and "/" not in text and text.isprintable() and len(text.encode()) <= 255


_DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
_FILE_NAMES = st.sampled_from([name for name in HOSTILE if _name_ok(name)]) | st.text(max_size=9).filter(_name_ok)


def stored(kind: str, format: str = "") -> Typed:
    """A reference to stored data."""
    allowed = st.fixed_dictionaries(
        {"type": st.just(kind), "digest": _DIGESTS, "size": st.integers(0, 2**40)},
        optional={
            "name": _FILE_NAMES,
            "format": st.just(format) if format else st.sampled_from(["", "html", "csv", "tar.gz"]),
            "uri": st.sampled_from(["s3://bucket/key", "https://example.org/a?b=c"]),
            "hash": st.text("0123456789abcdef-", max_size=40),
        },
    )
    schema = {"x-alula-type": kind} | ({"format": format} if format else {})
    return Typed(schema, allowed, {"type": kind, "digest": "ab" * 32, "size": 3, "name": "a.html", "format": format})


# Types with parts.


def list_of(item: Typed, marker: str = "") -> Typed:
    """`list[T]`, or `tuple[T, ...]` with the marker `tuple`."""
    schema = {"type": "array", "items": item.schema} | ({"x-alula-type": marker} if marker else {})
    return _type(schema, st.lists(item.values, max_size=4), [item.example])


def tuple_of(*items: Typed, fields: Sequence[str] = ()) -> Typed:
    """`tuple[A, B]`, or a named tuple where there are fields."""
    schema: Schema = {"type": "array", "prefixItems": [item.schema for item in items], "items": False}
    if fields:
        schema |= {"x-alula-type": "namedtuple", "title": "Pair", "x-alula-fields": list(fields)}
    else:
        schema["x-alula-type"] = "tuple"
    return _type(schema, st.tuples(*(item.values for item in items)).map(list), [item.example for item in items])


def equal_text(item: Typed) -> Callable[[Any], str]:
    """A text that is the same for values that Python takes for equal: instants, whatever their offset."""
    codec = values.codec(item.schema)
    equal = codec._form.equal
    return lambda value: values.dumps(equal(codec.normal(value)) if equal else codec.normal(value))


def set_of(item: Typed, marker: str = "set") -> Typed:
    """`set[T]` or `frozenset[T]`, its items in any order."""
    schema = {"type": "array", "items": item.schema, "uniqueItems": True, "x-alula-type": marker}
    allowed = st.lists(item.values, max_size=4, unique_by=equal_text(item))
    return _type(schema, allowed, [item.example])


def map_of(key: Typed, item: Typed) -> Typed:
    """`dict[K, T]` as pairs."""
    pair = {"type": "array", "prefixItems": [key.schema, item.schema], "items": False}
    equal = equal_text(key)
    pairs = st.tuples(key.values, item.values).map(list)
    allowed = st.lists(pairs, max_size=4, unique_by=lambda pair: equal(pair[0]))
    return _type({"type": "array", "x-alula-type": "map", "items": pair}, allowed, [[key.example, item.example]])


def dict_of(item: Typed) -> Typed:
    """`dict[str, T]`."""
    schema = {"type": "object", "additionalProperties": item.schema}
    return _type(schema, st.dictionaries(texts(), item.values, max_size=4), {"b": item.example, "a": item.example})


def record(required: Mapping[str, Typed], optional: Mapping[str, Typed]) -> Typed:
    """A dataclass; what is optional has its example as default, and is left out at times."""
    properties = {name: item.schema for name, item in required.items()}
    for name, item in optional.items():
        properties[name] = {**item.schema, "x-alula-default": jsontext.dumps(item.example)}
    schema: Schema = {
        "type": "object",
        "title": "Point",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        "x-alula-fields": list(properties),
    }
    allowed = st.fixed_dictionaries(
        {name: item.values for name, item in required.items()},
        optional={name: item.values for name, item in optional.items()},
    )
    return _type(schema, allowed, {name: item.example for name, item in required.items()})


def untagged(*variants: Typed) -> Typed:
    """A union by JSON type: of the variants given those that have no JSON type in common with one before."""
    apart: list[Typed] = []
    taken = frozenset[type]()
    for item in variants:
        kinds = schemas.kinds(item.schema)
        if not kinds & taken:
            apart.append(item)
            taken |= kinds
    allowed = st.one_of([_of_kinds(item) for item in apart])
    return _type({"anyOf": [item.schema for item in apart]}, allowed, apart[0].example)


def _of_kinds(item: Typed) -> Values:
    """Leave out the values of members, which may be of a kind that another variant claims."""
    kinds = schemas.kinds(item.schema)
    return item.values.filter(lambda value: type(value) in kinds) if "enum" in item.schema else item.values


def tagged(*variants: Typed) -> Typed:
    """A union by tag."""
    tags = [f"V{index}" for index in range(len(variants))]
    schema: Schema = {"anyOf": [item.schema for item in variants], "x-alula-type": "union", "x-alula-tags": tags}
    each = [
        item.values.map(lambda value, tag=tag: {"$type": tag, "value": value})
        for tag, item in zip(tags, variants, strict=True)
    ]
    return _type(schema, st.one_of(each), {"$type": "V0", "value": variants[0].example})


def _tree(children: Values) -> Values:
    return st.fixed_dictionaries({"n": st.integers()}, optional={"kids": st.lists(children, max_size=3)})


def tree() -> Typed:
    """A type that contains itself."""
    schema: Schema = {
        "type": "object",
        "title": "Tree",
        "properties": {
            "n": {"type": "integer"},
            "kids": {"type": "array", "items": {"$ref": "#/$defs/Tree"}, "x-alula-default": "[]"},
        },
        "required": ["n"],
        "additionalProperties": False,
        "x-alula-fields": ["n", "kids"],
    }
    leaf = st.fixed_dictionaries({"n": st.integers()}, optional={"kids": st.just([])})
    return _type({"$ref": "#/$defs/Tree", "$defs": {"Tree": schema}}, st.recursive(leaf, _tree, max_leaves=5), {"n": 1})


SCALARS = (
    INTEGER, NUMBER, BOOLEAN, STRING, NULL, BYTES, DATETIME, NAIVE, DATE, DURATION,
    enum(["RED", "GREEN", "größe", "a b"]), enum(["RED", "GREEN"], [1, 2]), enum(["A", "B"], ["B", {"b": 1, "a": 2}]),
    literal("a", "{{b"), literal(1, 2, 3), literal(0, "0", False, None),
)  # fmt: skip
STORED = (stored("file"), stored("file", "html"), stored("frame", "parquet"), stored("directory"))
_NAMES = ("x", "y", "name", "größe", "odd name", "type", "default", "title", "$type", "properties", "{{")


def _pool() -> tuple[Typed, ...]:
    """Return every leaf, each in every container, and some hundred deeper ones, the same in every process."""
    choose = random.Random(3)
    leaves = (*SCALARS, *STORED, ANY, OBJECT, tree())
    hashable = [*SCALARS, tuple_of(INTEGER, DATETIME), record({"x": NUMBER}, {"y": STRING})]
    found = list(leaves)
    level: list[Typed] = list(leaves)
    for _ in range(3):
        made = []
        for item in level:
            others = choose.choices(found, k=3)
            names = choose.sample(_NAMES, k=4)
            made += [
                list_of(item, choose.choice(["", "tuple"])),
                tuple_of(*others[: choose.randrange(4)]),
                tuple_of(item, others[0], fields=names[:2]),
                dict_of(item),
                map_of(choose.choice(hashable), item),
                set_of(choose.choice(hashable), choose.choice(["set", "frozenset"])),
                record({names[0]: item, names[1]: others[0]}, {names[2]: others[1], names[3]: others[2]}),
                record({}, {names[0]: item} if choose.random() < 0.9 else {}),
                untagged(item, *others, NULL),
                tagged(item, *others[: choose.randrange(3)]),
            ]
        found += made
        level = choose.sample(made, k=12)
    return tuple(found)


POOL = _pool()
"""Types of all families, the simple ones first."""
