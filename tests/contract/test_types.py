"""Types: what may be passed where, what lies behind a path, what is malformed, what an interface ignores."""
# ruff: noqa: E501 one line a case

from __future__ import annotations

import functools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract import keys, schemas, values
from alula_api.contract.problems import Problem
from tests import strategies
from tests.contract.make_vectors import (
    BOOL,
    BYTES,
    COLOR,
    DATE,
    DATETIME,
    DIRECTORY,
    FILE,
    FLOAT,
    FRAME,
    HTML,
    INT,
    NAIVE,
    NULL,
    POINT,
    STR,
    TREE,
    array,
    dictionary,
    mapping,
    positions,
    union,
)  # fmt: skip

OBJECT = {"type": "object"}
INT_OR_STR = union(INT, STR)
TAGGED = union(INT, FLOAT, tags=["int", "float"])
SMALLER_COLOR = {"type": "string", "enum": ["GREEN"], "x-alula-type": "enum", "title": "Green"}
CSV = {"x-alula-type": "file", "format": "csv"}


def record(title: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "title": title,
        "properties": properties,
        "required": required,
        "additionalProperties": False,
        "x-alula-fields": list(properties),
    }


def named(title: str, **more: Any) -> dict[str, Any]:
    """A type that contains itself, under a name of its own."""
    inner = {"n": INT, "next": union({"$ref": f"#/$defs/{title}"}, NULL), **more}
    return {"$ref": f"#/$defs/{title}", "$defs": {title: record(title, inner, list(inner))}}


FITS: list[tuple[str, Any, Any]] = [
    ("an int is a float", INT, FLOAT),
    ("a value is an optional one", STR, union(STR, NULL)),
    ("an int is an optional float", INT, union(FLOAT, NULL)),
    ("None is an optional value", NULL, union(STR, NULL)),
    ("fewer variants are more", INT_OR_STR, union(STR, INT, NULL)),
    ("every variant fits", union(INT, NULL), union(FLOAT, NULL)),
    ("a literal is of its kind", {"enum": ["a", "b"], "type": "string"}, STR),
    ("a literal int is a float", {"enum": [1]}, FLOAT),
    ("a literal is a larger literal", {"enum": ["a"]}, {"enum": ["b", "a"]}),
    ("a mixed literal is a union", {"enum": [1, "a", None]}, union(INT, STR, NULL)),
    ("an optional tagged union", TAGGED, union(TAGGED, NULL)),
    ("a literal is an optional literal", {"enum": [1]}, union({"enum": [1, 2]}, NULL)),
    ("a member of a smaller enum", SMALLER_COLOR, COLOR),
    ("a list of ints is one of floats", array(INT), array(FLOAT)),
    ("a fixed tuple is one of any length", positions(INT, INT), array(FLOAT, "tuple")),
    ("a named tuple is a tuple", positions(INT, STR, fields=["a", "b"]), positions(INT, STR)),
    ("a dict of ints is one of floats", dictionary(INT), dictionary(FLOAT)),
    ("a map's values", mapping(INT, INT), mapping(INT, FLOAT)),
    ("records by structure", record("A", {"x": INT}, ["x"]), record("B", {"x": FLOAT}, ["x"])),
    ("a property with a default may lack", record("A", {"y": FLOAT}, ["y"]), POINT),
    ("a type that contains itself", TREE, TREE),
    ("types that contain themselves by structure", named("A"), named("B")),
    ("a file of a format is a file", HTML, FILE),
    ("a file is an optional file", HTML, union(FILE, NULL)),
    ("tags that are known", union(INT, tags=["int"]), TAGGED),
    ("a list is JSON", array(dictionary(INT)), {}),
    ("a record is an object", POINT, OBJECT),
    ("a dict is an object", dictionary(FLOAT), OBJECT),
    ("an object is JSON", OBJECT, {}),
    ("a type that contains itself is JSON", TREE, {}),
]

DOES_NOT_FIT: list[tuple[str, Any, Any, str]] = [
    ("a bool is no int", BOOL, INT, "bool is not int"),
    ("a float is no int", FLOAT, INT, "float is not int"),
    ("a bool is no float", BOOL, FLOAT, "bool is not float"),
    ("an int is no bool", INT, BOOL, "int is not bool"),
    ("text is no int", STR, INT, "str is not int"),
    ("bytes are no text", BYTES, STR, "bytes is not str"),
    ("naive is not aware", NAIVE, DATETIME, "NaiveDatetime is not datetime"),
    ("a date is no datetime", DATE, DATETIME, "date is not datetime"),
    ("None may come", union(INT, NULL), INT, "int | None may be None, and int may not"),
    ("a variant does not fit", INT_OR_STR, union(INT, NULL), "str is not int | None"),
    ("text is no enum", STR, COLOR, "str is not Color"),
    ("a member too many", COLOR, SMALLER_COLOR, "RED of Color is not a member of Green"),
    ("a literal too many", {"enum": ["a", "c"]}, {"enum": ["a", "b"]}, "'c' is not one of Literal[\"a\", \"b\"]"),
    ("true is not the literal 1", {"enum": [True]}, {"enum": [1]}, "True is not one of Literal[1]"),
    ("a text is no literal", STR, {"enum": ["a"]}, 'str is not Literal["a"]'),
    ("a mixed literal", {"enum": [1, "a"]}, INT, 'Literal[1, "a"] is not int'),
    ("the items", array(array(FLOAT)), array(array(INT)), "its items: its items: float is not int"),
    ("a list is no tuple", array(INT), array(INT, "tuple"), "list[int] is not tuple[int, ...]"),
    ("a list is no set", array(INT), array(INT, "set"), "list[int] is not set[int]"),
    ("a tuple is no named tuple", positions(INT), positions(INT, fields=["a"]), "tuple[int] is not Pair"),
    ("a tuple of another length", positions(INT), positions(INT, INT), "tuple[int] is not tuple[int, int]: 1 items are not 2"),
    ("an item of a tuple", positions(INT, STR), positions(INT, INT), "item 1: str is not int"),
    ("a map is no dict", mapping(INT, INT), dictionary(INT), "dict[int, int] is not dict[str, int]"),
    ("a property too many", POINT, record("B", {"y": FLOAT}, ["y"]), "Point has x, which B has not"),
    ("a property that lacks", record("A", {}, []), POINT, "A has no y, which Point needs"),
    ("a property of another type", record("A", {"y": STR}, ["y"]), POINT, "y: str is not float"),
    ("a record is no dict", POINT, dictionary(FLOAT), "Point is not dict[str, float]"),
    ("types that contain themselves and differ", named("A", x=INT), named("B", x=STR), "next: x: int is not str"),
    ("a file of another format", CSV, HTML, 'File["csv"] is not File["html"]'),
    ("a file of any format", FILE, HTML, 'File is not File["html"]'),
    ("a directory is no file", DIRECTORY, FILE, "Directory is not File"),
    ("a frame is no file", FRAME, FILE, "DataFrame is not File"),
    ("an unknown tag", TAGGED, union(INT, tags=["int"]), "float is not one of int"),
    ("what is JSON of any kind may be anything", {}, INT, "Any is not int"),
    ("an object of any kind", OBJECT, dictionary(INT), "dict is not dict[str, int]"),
    ("a list is no object", array(INT), OBJECT, "list[int] is not dict"),
    ("a datetime is no plain JSON", DATETIME, {}, "datetime is not plain JSON, so its parameter must be declared as datetime"),
    ("a file is no plain JSON", FILE, {}, "File is not plain JSON, so its parameter must be declared as File"),
    ("a list of files", array(FILE), {}, "list[File] holds references to stored data, which Any cannot"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "target"), [case[1:] for case in FITS], ids=[case[0] for case in FITS])
def test_it_fits(source: Any, target: Any) -> None:
    assert schemas.check(source) == schemas.check(target) == []
    assert schemas.assignable(source, target) is None


@pytest.mark.parametrize(
    ("source", "target", "reason"), [case[1:] for case in DOES_NOT_FIT], ids=[case[0] for case in DOES_NOT_FIT]
)
def test_it_does_not_fit_for_a_reason(source: Any, target: Any, reason: str) -> None:
    assert schemas.check(source) == schemas.check(target) == []
    assert schemas.assignable(source, target) == reason


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (mapping(STR, INT), "dict[str, int]"),
        (TAGGED, "int | float"),
        (union(TAGGED, NULL), "int | float | None"),
        (union(INT), "int"),
        (positions(), "tuple[()]"),
        ({"$ref": "#/$defs/Far"}, "Far"),
        (array({"type": "int"}), "list[a malformed type]"),
        (functools.reduce(lambda inner, _: array(inner), range(20), INT), "list[" * 12 + "..." + "]" * 12),
    ],
)
def test_a_type_is_described_without_tags_whatever_its_form(schema: Any, text: str) -> None:
    assert schemas.describe(schema) == text


def test_a_variant_that_was_tried_in_vain_is_not_taken_for_granted_later() -> None:
    definitions = {
        "A": record("A", {"next": union({"$ref": "#/$defs/A"}, NULL)}, ["next"]),
        "L": array(union({"$ref": "#/$defs/L"}, NULL)),
    }
    a, several = {"$ref": "#/$defs/A"}, {"$ref": "#/$defs/L"}
    source = record("S", {"u": a, "v": a}, ["u", "v"]) | {"$defs": definitions}
    target = record("T", {"u": union(several, a), "v": union(several, NULL)}, ["u", "v"]) | {"$defs": definitions}
    assert schemas.check(source) == schemas.check(target) == []
    assert schemas.assignable(source, target) == "v: A is not L | None"


def test_a_plain_value_for_a_tagged_union_is_refused_with_advice() -> None:
    reason = schemas.assignable(INT, TAGGED)
    assert reason is not None and "both sides must be declared as int | float" in reason


@pytest.mark.parametrize(
    ("schema", "path", "expected"),
    [
        (POINT, [], "Point"),
        (POINT, ["x"], "int"),
        (array(POINT), ["0", "y"], "float"),
        (dictionary(array(HTML)), ["{{", "3"], 'File["html"]'),
        (positions(INT, STR), ["1"], "str"),
        (positions(INT, STR, fields=["a", "b"]), ["0"], "int"),
        (TREE, ["kids", "0", "kids"], "list[Tree]"),
        ({}, ["a", "0"], "Any"),
        (OBJECT, ["a"], "Any"),
    ],
)
def test_a_path_leads_to_a_type(schema: Any, path: list[str], expected: str) -> None:
    found = schemas.at(schema, path)
    assert not isinstance(found, Problem)
    assert schemas.describe(found) == expected
    assert schemas.check(found) == []


@pytest.mark.parametrize(
    ("schema", "path", "message"),
    [
        (POINT, ["xx"], "$.xx does not exist in Point; did you mean x?"),
        (INT, ["real"], "$.real does not exist in int"),
        (array(INT), ["first"], "$.first does not exist in list[int]"),
        (positions(INT), ["1"], '$["1"] does not exist in tuple[int]'),
        (positions(INT, STR, fields=["a", "b"]), ["b"], "$.b must be reached by its index 1"),
        (union(POINT, NULL), ["x"], "$.x may not exist, because Point | None may be None"),
        (FILE, ["digest"], "$.digest does not exist in File"),
        (TREE, ["kids", "0", "m"], '$.kids["0"].m does not exist in Tree'),
    ],
)
def test_a_path_that_leads_nowhere_says_where_it_ends(schema: Any, path: list[str], message: str) -> None:
    assert str(schemas.at(schema, path)) == message


@given(strategies.typed(), st.integers(0, 4))
def test_the_types_of_items_are_those_at_their_indexes(typed: strategies.Typed, count: int) -> None:
    found = schemas.items(typed.schema, count)
    if schemas.family(typed.schema) == "union":  # no path leads into one
        return
    assert found is None or found == [schemas.at(typed.schema, [str(index)]) for index in range(count)]


@pytest.mark.parametrize(
    ("schema", "count", "expected"),
    [
        (array(INT), 2, ["int", "int"]),
        (positions(INT, STR), 2, ["int", "str"]),
        (positions(INT, STR), 3, None),
        (positions(), 0, []),
        (positions(), 1, None),
        (union(array(INT), NULL), 1, ["int"]),
        ({}, 2, ["Any", "Any"]),
        (INT, 1, None),
        ({**array(INT), "uniqueItems": True, "x-alula-type": "set"}, 1, None),
    ],
)
def test_arrays_have_types_of_items(schema: Any, count: int, expected: list[str] | None) -> None:
    found = schemas.items(schema, count)
    assert (found if found is None else [schemas.describe(item) for item in found]) == expected


def test_an_item_of_a_recursive_type_is_a_type_of_its_own() -> None:
    (item,) = schemas.items({"type": "array", "items": {"$ref": "#/$defs/Tree"}, "$defs": TREE["$defs"]}, 1) or []
    assert schemas.check(item) == []
    assert schemas.assignable(TREE, item) is None


@given(strategies.typed_values(), st.lists(st.sampled_from(["x", "y", "0", "1", "kids", "n", "a"]), max_size=3))
def test_what_is_selected_fits_the_type_at_its_path(pair: tuple[dict, Any], path: list[str]) -> None:
    schema, value = pair
    found = schemas.at(schema, path)
    if isinstance(found, Problem):
        return
    try:
        selected = values.select(values.codec(schema).normal(value), path)
    except values.InvalidValue:
        assert any(
            word in schemas.describe(schema) for word in ("list", "dict", "tuple", "Any", "Tree", "Point", "Pair")
        )
        return
    assert values.codec(found).normal(selected) == selected


MALFORMED: list[tuple[Any, str]] = [
    (3, "$ must be a type, not 3"),
    ({"type": "int"}, '$ is not a type that alula knows: {type: "int"}'),
    ({"type": ["string", "null"]}, "$ is not a type that alula knows: {type: an array of 2 items}"),
    ({"type": "string", "format": "uri"}, '$ is not a type that alula knows: {format: "uri", type: "string"}'),
    ({"properties": {}}, "$ is not a type that alula knows: {properties: an object of 0 properties}"),
    ({"x-alula-type": "pickle"}, '$ is not a type that alula knows: {x-alula-type: "pickle"}'),
    ({"type": "string", "maxLength": 3}, '$ has "maxLength", which string types do not have'),
    ({"type": "array"}, "$ must have the type of its items under items"),
    (array({"type": "array"}), "$.items must have the type of its items under items"),
    (dictionary({"type": "x"}), '$.additionalProperties is not a type that alula knows: {type: "x"}'),
    (record("A", {"x": 3}, []), "$.properties.x must be a type, not 3"),
    (record("A", {}, ["x"]), "$ must have names of properties under required, each once"),
    ({"type": "object", "properties": {}}, "$ must have additionalProperties: false"),
    ({"$ref": "#/$defs/X"}, "$ must refer to a type under $defs"),
    ({"$ref": "#/$defs/X", "$defs": {"X": {"$ref": "#/$defs/Y"}}}, "$.$defs.X must refer to a type under $defs"),
    ({"$ref": "#/$defs/X", "$defs": {"X": union(NULL, {"$ref": "#/$defs/X"})}}, "$.$defs.X must not be one of its own variants"),
    ({"enum": "a"}, "$ must have at least one value under enum"),
    ({"enum": [1.5]}, "$ must have null, bool, int or str under enum, not 1.5"),
    ({"enum": [2**53 + 1]}, "$ must have integers of at most 2**53 under enum, not 9007199254740993"),
    ({"enum": [1, 1]}, "$ must have each value under enum once"),
    ({**COLOR, "x-alula-values": ["1"]}, "$ must have one text under x-alula-values for each member"),
    (union(INT, FLOAT), "$ must name its variants by x-alula-tags, because their JSON types overlap"),
    (union(FLOAT, STR), "$ must name its variants by x-alula-tags, because their JSON types overlap"),
    (union({}, NULL), "$ must name its variants by x-alula-tags, because their JSON types overlap"),
    (union(INT, FLOAT, tags=["a", "a"]), "$ must have variants under anyOf and one name for each, all different, under x-alula-tags"),
    (record("A", {"x": {**INT, "x-alula-default": '"1"'}}, []), '$.x must have a default of its own type, not "1"'),
    (record("A", {"x": {**INT, "x-alula-default": 1}}, []), "$.properties.x.x-alula-default must be JSON text"),
    ({"type": "array", "x-alula-type": "map", "items": INT}, "$ must have pairs of key and value as its items"),
    (mapping(positions(INT, FILE), INT), "$ must have keys that hold no references to stored data"),
    ({"x-alula-type": "file", "format": "a/b"}, "$ must have letters, digits and . _ + - under format, at most 64"),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "message"), MALFORMED, ids=[case[1][:60] for case in MALFORMED])
def test_a_malformed_type_is_refused_with_its_path(schema: Any, message: str) -> None:
    assert str(schemas.check(schema)[0]) == message
    with pytest.raises(values.InvalidValue):
        values.codec(schema)


def test_a_problem_has_the_path_of_the_part_that_is_wrong() -> None:
    assert schemas.check(array({"type": "x"}))[0].path == "$.items"


def test_types_too_deep_are_refused_without_recursion() -> None:
    deep: Any = INT
    for _ in range(100_000):
        deep = array(deep)
    assert "nested deeper than 100 levels" in schemas.check(deep)[0].message


def test_a_default_that_never_ends_is_refused() -> None:
    endless = record("A", {"a": {"$ref": "#/$defs/A", "x-alula-default": "{}"}}, [])
    assert "default of its own type" in schemas.check({"$ref": "#/$defs/A", "$defs": {"A": endless}})[0].message


def test_interfaces_ignore_titles_descriptions_defaults_and_the_order_of_names() -> None:
    bare = record("", {"y": FLOAT, "x": INT}, ["y", "x"])
    del bare["title"]
    dressed = record("Point", {"y": FLOAT | {"description": "!"}, "x": INT | {"x-alula-default": "3"}}, ["y"])
    dressed["default"] = None
    digest = keys.interface_digest([("a", bare), ("b", INT)], [("o0", TREE)])
    renamed = named("Other")
    assert keys.interface_digest([("b", INT | {"title": "B"}), ("a", dressed)], [("o0", TREE)]) == digest
    assert keys.interface_digest([("a", bare), ("b", FLOAT)], [("o0", TREE)]) != digest
    assert keys.interface_digest([("o0", TREE)], [("a", bare), ("b", INT)]) != digest
    assert schemas.strip(named("A")) == schemas.strip(renamed)


def test_a_property_may_be_called_like_what_is_stripped() -> None:
    schema = record("A", {"title": INT, "description": STR, "default": BOOL}, ["title"])
    assert set(schemas.strip(schema)["properties"]) == {"title", "description", "default"}


def test_equal_types_share_a_codec() -> None:
    assert values.codec({"type": "integer"}) is values.codec(dict(INT))


def test_the_order_of_a_record_survives_a_server_that_sorts_keys() -> None:
    declared = record("P", {"trees": INT, "depth": INT}, ["trees", "depth"])
    returned = json.loads(json.dumps(declared, sort_keys=True))
    value = {"depth": 4, "trees": 60}
    assert values.codec(returned).wire(value) == values.codec(declared).wire(value) == '{"trees":60,"depth":4}'
    assert values.codec(returned).wire(value) == values.codec(declared).wire(value)


@given(strategies.typed())
def test_identities_and_interfaces_do_not_depend_on_the_order_of_keys_in_a_type(typed: strategies.Typed) -> None:
    returned = json.loads(json.dumps(typed.schema, sort_keys=True))
    assert values.codec(returned).wire(typed.example) == values.codec(typed.schema).wire(typed.example)
    assert keys.interface_digest([("x", returned)], []) == keys.interface_digest([("x", typed.schema)], [])
