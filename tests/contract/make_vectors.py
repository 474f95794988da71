"""Writes `vectors.json`, the examples of the contract that the tests of every package load.

`python -m tests.contract.make_vectors`, or `make golden`. A changed line in the file is a changed contract: keys that
are in people's caches would no longer be found.
"""
# ruff: noqa: E501 one line a case

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from alula_api.contract import (
    durations,
    failures,
    keys,
    names,
    pods,
    references,
    schemas,
    type_spelling,
    type_text,
    values,
)
from alula_api.contract.graphs import calls, conditions, json_fields, plans
from alula_api.contract.graphs.bindings import Constant, FirstOf, FromInput, FromNode, Items
from alula_api.contract.graphs.comparables import Part
from tests import strategies

PATH = Path(__file__).parent / "vectors.json"

INT = {"type": "integer"}
FLOAT = {"type": "number"}
BOOL = {"type": "boolean"}
STR = {"type": "string"}
NULL = {"type": "null"}
BYTES = {"type": "string", "contentEncoding": "base64"}
DATETIME = {"type": "string", "format": "date-time"}
NAIVE = {"type": "string", "x-alula-type": "naive-datetime"}
DATE = {"type": "string", "format": "date"}
DURATION = {"type": "string", "format": "duration"}
COLOR = {
    "type": "string", "enum": ["RED", "GREEN"], "x-alula-type": "enum", "title": "Color", "x-alula-values": ["1", '{"a":1,"b":2}'],
}  # fmt: skip
LITERAL = {"enum": [1, "1", True, None]}
POINT = {
    "type": "object",
    "title": "Point",
    "properties": {"y": FLOAT, "x": {**INT, "x-alula-default": "3"}, "tags": {**STR, "x-alula-default": '"a"'}},
    "required": ["y"],
    "additionalProperties": False,
    "x-alula-fields": ["y", "x", "tags"],
}
TREE = strategies.tree().schema
FILE = {"x-alula-type": "file"}
HTML = {"x-alula-type": "file", "format": "html"}
FRAME = {"x-alula-type": "frame", "format": "parquet"}
DIRECTORY = {"x-alula-type": "directory"}
A, B = "0123456789abcdef" * 4, "f" * 64


FOREST, CONFIG, OTHER = (
    {
        "type": "object", "title": title, "x-alula-module": module, "properties": {"n": of}, "required": ["n"],
        "additionalProperties": False, "x-alula-fields": ["n"],
    }
    for title, module, of in (("Box[int]", "flows.a", INT), ("Config", "flows.a", INT), ("Config", "flows.b", STR))
)  # fmt: skip


def array(item: Any, marker: str = "") -> Any:
    found = {"type": "array", "items": item}
    if marker in {"set", "frozenset"}:
        found["uniqueItems"] = True
    return found | ({"x-alula-type": marker} if marker else {})


def positions(*items: Any, fields: Any = None) -> Any:
    found = {"type": "array", "prefixItems": list(items), "items": False}
    if fields:
        return found | {"x-alula-type": "namedtuple", "title": "Pair", "x-alula-fields": fields}
    return found | {"x-alula-type": "tuple"}


def mapping(key: Any, item: Any) -> Any:
    return {
        "type": "array",
        "x-alula-type": "map",
        "items": {"type": "array", "prefixItems": [key, item], "items": False},
    }


def dictionary(item: Any) -> Any:
    return {"type": "object", "additionalProperties": item}


def union(*variants: Any, tags: Any = None) -> Any:
    return {"anyOf": list(variants)} | ({"x-alula-type": "union", "x-alula-tags": tags} if tags else {})


TYPE_TEXTS: list[tuple[Any, ...]] = [
    (INT,), (FLOAT,), (BOOL,), (STR,), (NULL,), (BYTES,), (DATETIME,), (NAIVE,), (DATE,), (DURATION,), ({},),
    ({"type": "object"},), (COLOR,), (POINT,), (TREE,), (FILE,), (HTML,), (FRAME,), (DIRECTORY,),
    ({"x-alula-type": "frame"},), ({"x-alula-type": "frame", "format": "arrow"},), (LITERAL,), ({"enum": []},),
    ({"type": "string", "enum": ["a", "b"]},), ({"type": "string", "enum": ['"', "\\", "]", " | ", "\n", "\x7f", "\u2028", "\xf6"]},),
    (array(INT),), (array(INT, "tuple"),), (array(INT, "set"),), (array(STR, "frozenset"),), (positions(INT, STR),),
    (positions(),), (positions(INT, DATETIME, fields=["n", "at"]),), (dictionary(FLOAT),), (mapping(INT, STR),),
    (union(INT, NULL),), (union(NULL, INT),), (union(array(POINT), NULL),),
    (union(INT, FLOAT, tags=["int", "float"]),), (union(INT, FLOAT, tags=["a", "b"]),),
    (union(union(INT, FLOAT, tags=["int", "float"]), NULL),), (union(union(INT, NULL), STR),),
    (union(INT, STR, tags=["int", "str"]),), (union(INT, NULL, tags=["int", "None"]),),
    (union(FILE, DIRECTORY, tags=["Path", "Directory"]),), (union(FRAME, HTML, tags=["pandas.DataFrame", "File[html]"]),),
    (FOREST, array(FOREST)), (CONFIG, OTHER, dictionary(OTHER)), (union(CONFIG, OTHER, tags=["Config", "Config-2"]),),
    (COLOR, {**COLOR, "enum": ["RED", "BLUE"]}),
]  # fmt: skip
REFUSED_TYPE_TEXTS = [
    "", " ", "strng", "forest", "integer", "Optional[int]", "list[int", "list[int]]", "list[]", "list[int, str]", "dict[str]",
    "list[1]", 'list["int"]', "Literal['a']", 'Literal["a]', "Literal[]", "Literal[1.5]", 'Literal["\\q"]', 'Literal["\\ud800"]',
    "File[csv]", "File[]", "int |", "| int", "int str", "tuple[int, ..., str]", "tuple[...]", "Config", "Annotated[int, 3]",
    '{"type": "integer"}', "\u00e9!", "list[" * 33, "(" * 40, "int | " * 171, "Forest[int]",
]  # fmt: skip


def ref(type_: str, **more: Any) -> str:
    return json.dumps({"type": type_, "digest": A, "size": 3, **more})


VALUES: list[tuple[str, Any, str]] = [
    ("an int", INT, "7"),
    ("zero", INT, "0"),
    ("an int beyond int64", INT, str(2**70)),
    ("a negative int beyond 2**53", INT, str(-(2**53) - 1)),
    ("a float", FLOAT, "0.1"),
    ("an int under number becomes a float", FLOAT, "7"),
    ("a big int under number becomes the nearest float", FLOAT, "9007199254740993"),
    ("the shortest text of a float", FLOAT, "0.1000000000000000055511151231257827"),
    ("an exponent as Python writes it", FLOAT, "1E22"),
    ("a small float", FLOAT, "0.00001"),
    ("the smallest float", FLOAT, "5e-324"),
    ("minus zero stays", FLOAT, "-0.0"),
    ("not a number", FLOAT, '"NaN"'),
    ("infinity", FLOAT, '"Infinity"'),
    ("minus infinity", FLOAT, '"-Infinity"'),
    ("true", BOOL, "true"),
    ("false", BOOL, " false "),
    ("null", NULL, "null"),
    ("text", STR, '"abc"'),
    ("empty text", STR, '""'),
    ("text with a template", STR, '"{{=1+1}}"'),
    ("text with an escaped template", STR, r'"\u007b\u007b x }}"'),
    ("text with quotes and backslashes", STR, r'"a\"b\\c\/d"'),
    ("text with a brace behind an escaped quote", STR, r'"\"{\\{"'),
    ("text with control characters", STR, r'"\u0000\u0001\b\t\n\f\r\u001f\u007f\u0080"'),
    ("text beyond the first plane", STR, r'"\ud83d\ude00 \u00e9 e\u0301 \u2028"'),
    ("NaN as text is text", STR, '"NaN"'),
    ("bytes", BYTES, '"AAEC/w=="'),
    ("bytes whose last bits are not zero", BYTES, '"AAEC/x=="'),
    ("no bytes", BYTES, '""'),
    ("a datetime in UTC", DATETIME, '"2026-01-31T08:00:00Z"'),
    ("a datetime in UTC, written otherwise", DATETIME, '"2026-01-31t08:00:00.000+00:00"'),
    ("a datetime with an offset", DATETIME, '"2026-01-31T08:00:00+02:00"'),
    ("a datetime without seconds", DATETIME, '"2026-01-31 08:00-0330"'),
    ("a datetime with microseconds", DATETIME, '"2026-01-31T08:00:00.5Z"'),
    ("a datetime whose offset has seconds", DATETIME, '"1890-01-01T00:00:00+00:53:28"'),
    ("a naive datetime", NAIVE, '"2026-01-31T08:00:00.000001"'),
    ("a naive datetime without seconds", NAIVE, '"2026-01-31 08:00"'),
    ("a date", DATE, '"2026-01-31"'),
    ("a duration", DURATION, '"PT90M"'),
    ("a duration of weeks and fractions", DURATION, '"P1WT0.250S"'),
    ("a negative duration", DURATION, '"-PT36H"'),
    ("no duration", DURATION, '"-P0D"'),
    ("an enum by name", COLOR, '"GREEN"'),
    ("an enum by value", COLOR, "1"),
    ("an enum by a value of any order", COLOR, '{"b":2,"a":1}'),
    ("a literal int", LITERAL, "1"),
    ("a literal text", LITERAL, '"1"'),
    ("a literal true", LITERAL, "true"),
    ("a literal null", LITERAL, "null"),
    ("an optional int", union(INT, NULL), "7"),
    ("an optional int that is null", union(INT, NULL), "null"),
    ("an optional float that is NaN", union(FLOAT, NULL), '"NaN"'),
    ("an optional float given as an int", union(FLOAT, NULL), "1"),
    ("a union by JSON type", union(INT, STR, array(FLOAT)), "[1]"),
    ("an optional enum by value", union(COLOR, NULL), "1"),
    ("a tagged union", union(INT, FLOAT, tags=["int", "float"]), '{"value":1,"$type":"float"}'),
    ("a tagged union of datetimes", union(STR, DATETIME, tags=["str", "datetime"]), '{"$type":"datetime","value":"2026-01-31T08:00+01:00"}'),
    ("a list", array(INT), "[3, 1, 2, 1]"),
    ("an empty list", array(INT), "[]"),
    ("a list of floats", array(FLOAT), '[1, 2.5, "NaN", -0.0]'),
    ("a list of lists", array(array(STR)), '[["{{"], []]'),
    ("a tuple of any length", array(INT, "tuple"), "[1, 2]"),
    ("a tuple", positions(INT, FLOAT, STR), '[1, 1, "1"]'),
    ("an empty tuple", positions(), "[]"),
    ("a named tuple", positions(DATETIME, INT, fields=["at", "n"]), '["2026-01-31T01:00:00+01:00", 1]'),
    ("a set of ints, sorted as text", array(INT, "set"), "[3, 10, 2, -1]"),
    ("a set of texts, sorted with their quotes", array(STR, "frozenset"), r'["b", "a", "a b", "a!", "\u00e9", "\ud83d\ude00", "\uffff", "\n"]'),
    ("a set of floats", array(FLOAT, "set"), '[2, "NaN", -0.0, 0.0]'),
    ("a set of datetimes, sorted by their instants", array(DATETIME, "set"), '["2026-01-31T02:00:00Z", "2026-01-31T03:00:00+02:00"]'),
    ("a set of tuples", array(positions(INT, STR), "set"), '[[2, "a"], [1, "b"]]'),
    ("a dict keeps its order", dictionary(INT), r'{"b": 1, "a": 2, "\ud83d\ude00": 3, "\uffff": 4, "": 5, "B": 6}'),
    ("an empty dict", dictionary(INT), "{}"),
    ("a dict of dicts", dictionary(dictionary(FLOAT)), '{"{{": {"b": 1, "a": 2}}'),
    ("a dict of records", dictionary(POINT), '{"q": {"x": 1, "y": 2}, "p": {"y": 1}}'),
    ("a map with int keys", mapping(INT, STR), '[[10, "a"], [9, "b"]]'),
    ("a map with date keys", mapping(DATE, dictionary(INT)), '[["2026-02-01", {"b": 1, "a": 2}], ["2026-01-31", {}]]'),
    ("a map with datetime keys", mapping(DATETIME, INT), '[["2026-01-31T02:00:00Z", 1], ["2026-01-31T03:00:00+02:00", 2]]'),
    ("a map with float keys", mapping(FLOAT, NULL), '[["NaN", null], [1, null]]'),
    ("a record in declared order, defaults filled in", POINT, '{"y": 1}'),
    ("a record given in another order", POINT, '{"tags": "b", "x": 1, "y": -0.0}'),
    ("a record without properties", {"type": "object", "title": "E", "properties": {}, "additionalProperties": False}, "{}"),
    ("a list of records", array(POINT), '[{"y": 1}, {"x": 2, "y": 2}]'),
    ("a type that contains itself", TREE, '{"kids": [{"n": 2}, {"kids": [{"n": 3}], "n": 4}], "n": 1}'),
    ("any JSON", {}, '{"b": [1, 1.0, {"z": null, "y": true}], "a": {"d": "NaN", "c": 1e2}}'),
    ("any JSON that is a scalar", {}, "1.0"),
    ("any JSON that looks like an envelope", {}, '{"$stored": 1}'),
    ("any object", {"type": "object"}, '{"b": 1, "a": {"d": {}, "c": [[]]}}'),
    ("a list of any JSON", array({}), '[{"b": 1, "a": 2}, [], 1]'),
    ("a file", FILE, ref("file", name="report.html", format="html")),
    ("a file, its properties in another order", FILE, json.dumps({"size": 3, "digest": A, "type": "file"})),
    ("a file whose format is declared", HTML, ref("file", name="a{{b}} ä.html")),
    ("a file with a hash", HTML, ref("file", name="r.html", format="html", hash=B)),
    ("a file with a place, which does not count", FILE, ref("file", name="r.html", uri="s3://bucket/r.html")),
    ("a file elsewhere, looked at", FILE, json.dumps({"type": "file", "uri": "https://example.org/a", "hash": '"etag"-5'})),
    ("a frame", FRAME, ref("frame", name="data.parquet", format="parquet")),
    ("a directory", DIRECTORY, ref("directory", name="photos")),
    ("a list of files", array(FILE), f"[{ref('file', name='b')}, {ref('file', name='a')}]"),
    ("files in a record", {
        "type": "object", "title": "R", "properties": {"f": union(HTML, NULL), "n": INT}, "required": ["f", "n"],
        "additionalProperties": False,
    }, f'{{"n": 1, "f": {ref("file", uri="s3://b/c")}}}'),
    ("a dict of files", dictionary(FILE), f'{{"b": {ref("file", name="b", hash="h")}, "a": {ref("file", name="a")}}}'),
    ("a union of references", union(FILE, DIRECTORY, tags=["File", "Directory"]), f'{{"$type": "Directory", "value": {ref("directory")}}}'),
]  # fmt: skip
"""A sentence, a type, and a value as it is given."""

REFUSED: list[tuple[str, Any, str]] = [
    ("a bool is not an int", INT, "true"),
    ("a float is not an int", INT, "1.0"),
    ("a text is not an int", INT, '"1"'),
    ("a bool is not a float", FLOAT, "false"),
    ("an int past all floats", FLOAT, str(2**1024)),
    ("other texts for NaN", FLOAT, '"nan"'),
    ("an int is not a bool", BOOL, "1"),
    ("null is not a text", STR, "null"),
    ("base64 without padding", BYTES, '"AAEC/w"'),
    ("base64 for URLs", BYTES, '"AAEC_w=="'),
    ("a datetime without an offset", DATETIME, '"2026-01-31T08:00:00"'),
    ("a datetime with nanoseconds", DATETIME, '"2026-01-31T08:00:00.123456789Z"'),
    ("a datetime that does not exist", DATETIME, '"2026-02-30T08:00:00Z"'),
    ("a fraction without seconds", DATETIME, '"2026-01-31T08:00.5Z"'),
    ("a property too many, where others may lack", POINT, '{"y": 1, "z": 2}'),
    ("a datetime at 24 hours", DATETIME, '"2026-01-31T24:00:00Z"'),
    ("a datetime at a leap second", DATETIME, '"2026-06-30T23:59:60Z"'),
    ("an instant before year 1", DATETIME, '"0001-01-01T00:00:00+01:00"'),
    ("a naive datetime with an offset", NAIVE, '"2026-01-31T08:00:00Z"'),
    ("a date in another form", DATE, '"20260131"'),
    ("a duration in years", DURATION, '"P1Y"'),
    ("a duration as Go writes it", DURATION, '"1h30m"'),
    ("a misspelt member", COLOR, '"GREN"'),
    ("a literal of another kind", LITERAL, "1.0"),
    ("no variant has this JSON type", union(INT, NULL), '"7"'),
    ("a tagged union without a tag", union(INT, FLOAT, tags=["int", "float"]), "1"),
    ("an unknown tag", union(INT, FLOAT, tags=["int", "float"]), '{"$type": "str", "value": 1}'),
    ("two wrong items", array(INT), '[1, "2", 3, null]'),
    ("a tuple of another length", positions(INT, INT), "[1]"),
    ("an item twice in a set", array(DATETIME, "set"), '["2026-01-31T02:00:00Z", "2026-01-31T04:00:00+02:00"]'),
    ("a key twice in a map", mapping(FLOAT, INT), "[[1, 1], [1.0, 2]]"),
    ("three wrong things in a record", POINT, '{"why": 1, "x": "1", "tags": 1}'),
    ("a wrong property deep down", TREE, '{"n": 1, "kids": [{"n": 1, "kids": [{"n": 1.5}]}]}'),
    ("an odd property name", dictionary(INT), '{"a b": "x"}'),
    ("a reference of another type", FILE, ref("directory")),
    ("a reference of another format", HTML, ref("file", format="csv")),
    ("a reference with a path for a name", FILE, ref("file", name="../../etc/passwd")),
    ("a reference without a digest", FILE, '{"type": "file", "size": 1}'),
    ("a reference with an unknown property", FILE, ref("file", bucket="x")),
]  # fmt: skip

KEYS: list[tuple[str, str, list[tuple[str, Any, str]], list[tuple[str, Any]]]] = [
    ("flows.penguins:load", "1", [], [("o0", FRAME)]),
    ("flows.penguins:train", "1", [("seed", INT, "7"), ("rate", FLOAT, "1")], [("o0", HTML), ("o1", FLOAT)]),
    ("flows.penguins:train", "1", [("rate", FLOAT, "1.0"), ("seed", INT, "7")], [("o1", FLOAT), ("o0", HTML)]),
    ("flows.penguins:report", "größe-2", [("df", FRAME, ref("frame", name="d", format="parquet"))], [("o0", HTML)]),
    ("{{task}}", "", [("tree", TREE, '{"n": 1}'), ("at", DATETIME, '"2026-01-31T08:00+02:00"')], [("o0", TREE)]),
]
"""Task, version, inputs as name, type and value, outputs as name and type."""

CALLS = [
    pods.Call("flows.penguins:load", "flows.penguins:load", A, outputs=("o0",)),
    pods.Call(
        "flows.penguins:train",
        "train",
        B,
        cache="1",
        retries=3,
        inputs=(("seed", "7"), ("--input", "--output"), ("text", '"\\u007b\\u007b"')),
        items=(("parts", '["1","2"]'),),
        paths={"text": ("a", "{{b"), "parts.1": ("0",)},
        outputs=("report", "score"),
    ),
    pods.Call("flows.penguins:pay", "pay", A, retries=1, system_retries=0),
]

FAILURES = [
    failures.FailureRecord(
        kind="user", code="TASK_FAILED", exception="TypeError", message="unsupported operand {{x}}", attempt=2,
        source="flows/p.py:12", traceback='  File "flows/p.py", line 12, in train\n    return 1 + ""',
        node="train", run="penguins-x7", task="flows.p:train", inputs={"seed": "7"},
    ),
    failures.FailureRecord(kind="system", code="INPUT_LOST", message="the data of df is gone\x07", retryable=False),
]  # fmt: skip

NAMES = [
    "train", "load_data", "Train", "_private_", "flows.penguins.train", "größe", "a b", "", "---", "<lambda>", "9lives", "x" * 63,
    "x" * 64, "\U0001f600", "a--b", "{{", "Kelvin \u212a",
]  # fmt: skip
OBJECTS = [("flows.penguins", "train"), ("penguins", "train"), ("a.b_c", "D.e_f"), ("m" * 30, "f" * 30), ("größe", "f")]
NODES = ["r", "r.admit", "r.train", "penguins-train-x7k2p.main.train-2", "r.map(3:3)", "r.größe"]
DURATIONS = [0, 0.25, 1, 90, 600, 5400, 86400, 90061.5]

_SEED = plans.Input("seed", INT, default="7")
_LOAD = plans.Task("flows.p:load", "1", A, {"seed": INT}, {"o0": INT})
_COUNT = plans.Task("count", None, B, {"n": INT, "parts": array(INT)}, {"total": INT, "big": BOOL})
PLANS = {
    "one task, not cached": plans.Plan(
        {"main": plans.Graph((), (plans.Step("t", calls.TaskCall("t"), template="t"),))},
        tasks={"t": plans.Task("flows:t", None, A, {}, {})},
        template="w",
    ),
    "every kind of call": plans.Plan(
        {
            "main": plans.Graph(
                ("seed",),
                (
                    plans.Step("load", calls.TaskCall("load"), (("seed", FromInput("seed")),), (), "load"),
                    plans.Step("sub", calls.GraphCall("sub"), (("n", FromNode("load", "o0", ("a", "0"))),), ("load",), "sub"),
                    plans.Step(
                        "each",
                        calls.MapCall(calls.TaskCall("load"), ("seed",), ("o0",)),
                        (("seed", Items((Constant("1"), FromInput("seed"), FromNode("sub", "total")))),),
                        ("sub",),
                    ),
                    plans.Step(
                        "if",
                        calls.BranchCall(
                            (calls.Case("then", conditions.parse("c and n > 3"), "yes"),),
                            calls.GraphCall("no"),
                            (("c", {"type": "boolean"}), ("n", {"type": "integer"})),
                        ),
                        (("c", FromNode("sub", "big")), ("n", Constant("2"))),
                        ("sub", "load"),
                    ),
                    plans.Step("last", calls.TaskCall("load"), (("seed", FirstOf((FromNode("if", "o"), Constant("0")))),), ("if",)),
                ),
                (("total", FromNode("sub", "total")),),
            ),
            "sub": plans.Graph(
                ("n",),
                (
                    plans.Step(
                        "count",
                        calls.TaskCall("count"),
                        (("n", FromInput("n")), ("parts", Items((FromInput("n"), Constant("3"))))),
                        (),
                        "count",
                    ),
                ),
                (("total", FromNode("count", "total")), ("big", FromNode("count", "big"))),
            ),
            "yes": plans.Graph(("n",), (), (("o", FromInput("n")),)),
            "no": plans.Graph(("n",), (), (("o", Constant('"{{=1+1}}"')),)),
        },
        "main",
        {"load": _LOAD, "count": _COUNT},
        (_SEED, plans.Input("fixed", STR, fixed='"eu"'), plans.Input("given", BOOL)),
        (("total", INT),),
        "lp-nightly",
    ),
    "defaults that steps leave out, and a repeat": plans.Plan(
        {
            "main": plans.Graph(
                (),
                (
                    plans.Step("once", calls.TaskCall("step"), (("x", Constant("1")), ("by", Constant("2"))), (), "step"),
                    plans.Step(
                        "again",
                        calls.RepeatCall(
                            calls.TaskCall("step"),
                            conditions.parse("o0 > 3"),
                            5,
                            (("x", "o0"),),
                            ("o0", "o0--part"),
                            (calls.Watched("o0", INT, "o0--part"),),
                        ),
                        (("x", FromNode("once", "o0")), ("by", Constant("3"))),
                        ("once",),
                        "again",
                        "step",
                    ),
                ),
            ),
        },
        tasks={
            "step": plans.Task(
                "step", "1", A, {"x": INT, "by": INT}, {"o0": INT}, B, "flows:step", {"by": "2"}, (Part("o0--part", "o0"),)
            ),
        },
    ),
    "a map in batches, of which some may fail": plans.Plan(
        {
            "main": plans.Graph(
                ("xs", "xs--batches-20"),
                (
                    plans.Step(
                        "each",
                        calls.MapCall(calls.TaskCall("t"), ("x",), ("o0",), 3, 1, "0.5", 20, 4),
                        (("x", FromInput("xs--batches-20")),),
                    ),
                ),
            ),
        },
        tasks={"t": plans.Task("t", "1", A, {"x": INT}, {"o0": INT})},
        inputs=(plans.Input("xs", array(INT)),),
        parts=(Part("xs--batches-20", "xs", (), "batches", 20),),
    ),
    "a mapped graph that decides by a part of its item": plans.Plan(
        {
            "main": plans.Graph(
                ("rows", "rows--items", "rows--each-part-n"),
                (
                    plans.Step(
                        "each",
                        calls.MapCall(
                            calls.GraphCall("one"), ("x",), (), along=("x--part-n",), parts=(("o0--each-part", "o0--part"),)
                        ),
                        (("x", FromInput("rows--items")), ("x--part-n", FromInput("rows--each-part-n"))),
                    ),
                ),
            ),
            "one": plans.Graph(
                ("x", "x--part-n"), (plans.Step("t", calls.TaskCall("t"), (("x", FromInput("x", ("0",))),), (), "t"),),
                (("o0--part", FromNode("t", "o0--part")),),
            ),
        },
        tasks={"t": plans.Task("t", "1", A, {"x": {}}, {"o0": INT}, parts=(Part("o0--part", "o0"),))},
        inputs=(plans.Input("rows", array({})),),
        parts=(Part("rows--items", "rows", (), "items"), Part("rows--each-part-n", "rows", (), "scalar", 0, (("n",),))),
    ),
    "a mapped graph that gives the list of a map": plans.Plan(
        {
            "main": plans.Graph(
                ("xs", "xs--items"),
                (
                    plans.Step(
                        "rows",
                        calls.MapCall(calls.GraphCall("row"), ("x",), ("o0",), of_lists=("o0",)),
                        (("x", FromInput("xs--items")),),
                    ),
                ),
            ),
            "row": plans.Graph(
                ("x",),
                (
                    plans.Step("list", calls.TaskCall("list"), (("x", FromInput("x", ("0",))),), (), "list"),
                    plans.Step(
                        "each",
                        calls.MapCall(calls.TaskCall("t"), ("x",), ("o0",), as_items=("o0",)),
                        (("x", FromNode("list", "o0--items")),),
                        ("list",),
                    ),
                ),
                (("o0", FromNode("each", "o0")), ("o0--item", FromNode("each", "o0--item"))),
            ),
        },
        tasks={
            "list": plans.Task("list", "1", A, {"x": INT}, {"o0": array(INT)}, parts=(Part("o0--items", "o0", (), "items"),)),
            "t": plans.Task("t", "1", B, {"x": INT}, {"o0": INT}, parts=(Part("o0--item", "o0", (), "item"),)),
        },
        inputs=(plans.Input("xs", array(INT)),),
        parts=(Part("xs--items", "xs", (), "items"),),
    ),
}  # fmt: skip


def _value(name: str, schema: Any, given: str) -> dict[str, Any]:
    codec, value = values.codec(schema), values.parse(given)
    return {
        "name": name,
        "schema": schema,
        "given": given,
        "wire": codec.wire(value),
        "argo_safe": values.argo_safe(codec.wire(value)),
        "identity": codec.identity(value),
    }


def _refused(name: str, schema: Any, given: str) -> dict[str, Any]:
    try:
        values.codec(schema).normal(values.parse(given))
    except values.InvalidValue as error:
        return {"name": name, "schema": schema, "given": given, "problems": [str(item) for item in error.problems]}
    raise AssertionError(f"accepted: {name}")


def _key(task: str, version: str, inputs: list[tuple[str, Any, str]], outputs: list[tuple[str, Any]]) -> dict[str, Any]:
    identities = {name: keys.identity(values.parse(given), schema) for name, schema, given in inputs}
    interface = keys.interface_digest([(name, schema) for name, schema, _ in inputs], outputs)
    key = keys.cache_key(task, version, interface, identities)
    return {
        "task": task,
        "version": version,
        "inputs": inputs,
        "outputs": outputs,
        "interface": interface,
        "identities": identities,
        "key": key,
        "path": keys.cache_path(key),
    }


def _reference(name: str, schema: Any, given: str) -> dict[str, Any]:
    found = references.Reference.from_json(values.codec(schema).normal(values.parse(given)))
    return {"name": name, "given": given, "path": found.path() if found.digest else None, "identity": found.identity()}


def _type_text(*types: Any) -> dict[str, Any]:
    named, text = type_spelling.spelled(types)
    entries = [json_fields.to_json(each) for each in named]
    return {"schemas": types, "texts": [text(each) for each in types], "types": entries}


def _refused_type_text(text: str) -> dict[str, str]:
    try:
        type_text.parse(text, ["Forest", "flows.a.Config"])
    except values.InvalidValue as error:
        return {"text": text, "problem": error.problems[0].message}
    raise AssertionError(f"accepted: {text}")


def sections() -> dict[str, list[Any]]:
    """Return the vectors, a list of one kind each."""
    return {
        "values": [_value(*case) for case in VALUES],
        "refused": [_refused(*case) for case in REFUSED],
        "types": [
            {"schema": schema, "describe": schemas.describe(schema), "strip": schemas.strip(schema)}
            for schema in (
                COLOR,
                POINT,
                TREE,
                LITERAL,
                mapping(DATE, FILE),
                union(HTML, NULL),
                positions(INT, DATETIME),
            )
        ],
        "type_texts": [_type_text(*case) for case in TYPE_TEXTS],
        "refused_type_texts": [_refused_type_text(text) for text in REFUSED_TYPE_TEXTS],
        "texts": [
            {"text": text, "json": values.dumps(text), "argo_safe": values.argo_safe(values.dumps(text))}
            for text in strategies.HOSTILE
        ],
        "references": [_reference(*case) for case in VALUES if case[1] in (FILE, HTML, FRAME, DIRECTORY)],
        "keys": [_key(*case) for case in KEYS],
        "argv": [pods.argv(call) for call in CALLS],
        "failures": [
            {"record": record.to_json(), "message": failures.termination_message(record)} for record in FAILURES
        ],
        "plans": [{"name": name, "text": plans.to_text(plan)} for name, plan in PLANS.items()],
        "labels": [{"text": text, "label": names.dns_label(text)} for text in NAMES],
        "objects": [{"module": m, "function": f, "name": names.object_name(m, f)} for m, f in OBJECTS],
        "nodes": [{"run": "r", "node": node, "id": names.argo_node_id("r", node)} for node in NODES],
        "durations": [{"seconds": seconds, "text": durations.text(seconds)} for seconds in DURATIONS],
        "inline": [{"nodes": nodes, "limit": pods.inline_limit(nodes)} for nodes in (0, 1, 64, 65, 1000, 2048, 5000)],
    }


def text() -> str:
    """Return the whole file: one line a vector, ASCII, so that a diff shows what changed."""
    lines = ['{"note": "GENERATED by tests/contract/make_vectors.py; a changed line is a changed contract"']
    for name, items in sections().items():
        rows = ",\n".join(json.dumps(item, allow_nan=False) for item in items)
        lines.append(f"{json.dumps(name)}: [\n{rows}\n]")
    return ",\n".join(lines) + "}\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="ascii", newline="")
