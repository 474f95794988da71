# ruff: noqa: UP006, UP007, UP045
"""Annotations in all their spellings, and what is said about those that cannot be carried."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import typing
from typing import Annotated, Any, Generic, Literal, NewType, Optional, TypeVar, Union

import pytest

from alula import File, NaiveDatetime
from alula.types import compiling
from alula.types.unsupported import Unsupported
from tests.typed_resources import without_modules
from tests.types.samples import Box, Color, Frozen, Left, Mode, Point, Size, Tree

T = TypeVar("T")
UserId = NewType("UserId", int)
SCHEMAS: list[tuple[Any, Any]] = [
    (int, {"type": "integer"}),
    (NaiveDatetime, {"type": "string", "x-alula-type": "naive-datetime"}),
    (list[int], {"type": "array", "items": {"type": "integer"}}),
    (tuple[int, ...], {"type": "array", "items": {"type": "integer"}, "x-alula-type": "tuple"}),
    (
        tuple[int, str],
        {
            "type": "array",
            "prefixItems": [{"type": "integer"}, {"type": "string"}],
            "items": False,
            "x-alula-type": "tuple",
        },
    ),
    (
        Size,
        {
            "type": "array",
            "prefixItems": [{"type": "integer"}, {"type": "number"}],
            "items": False,
            "x-alula-type": "namedtuple",
            "title": "Size",
            "x-alula-fields": ["width", "height"],
        },
    ),
    (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
    (
        dict[int, str],
        {
            "type": "array",
            "x-alula-type": "map",
            "items": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
        },
    ),
    (set[int], {"type": "array", "items": {"type": "integer"}, "uniqueItems": True, "x-alula-type": "set"}),
    (dict, {"type": "object"}),
    (Any, {}),
    (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    (int | str | None, {"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]}),
    (
        str | bytes | None,
        {
            "anyOf": [
                {
                    "anyOf": [{"type": "string"}, {"type": "string", "contentEncoding": "base64"}],
                    "x-alula-type": "union",
                    "x-alula-tags": ["str", "bytes"],
                },
                {"type": "null"},
            ]
        },
    ),
    (
        Color,
        {
            "type": "string",
            "enum": ["RED", "GREEN"],
            "x-alula-type": "enum",
            "title": "Color",
            "x-alula-values": ['"r"', "2"],
        },
    ),
    (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
    (Literal["a", 1], {"enum": ["a", 1]}),
    (
        Point,
        {
            "type": "object",
            "title": "Point",
            "properties": {
                "x": {"type": "number"},
                "y": {"type": "number", "x-alula-default": "0.0"},
                "tags": {"type": "array", "items": {"type": "string"}, "x-alula-default": "[]"},
            },
            "required": ["x"],
            "additionalProperties": False,
            "x-alula-fields": ["x", "y", "tags"],
        },
    ),
    (
        list[Left],
        {
            "type": "array",
            "items": {"$ref": "#/$defs/Left"},
            "$defs": {
                "Left": {
                    "type": "object",
                    "title": "Left",
                    "properties": {
                        "right": {
                            "anyOf": [
                                {
                                    "type": "object",
                                    "title": "Right",
                                    "properties": {
                                        "left": {
                                            "anyOf": [{"$ref": "#/$defs/Left"}, {"type": "null"}],
                                            "x-alula-default": "null",
                                        },
                                        "n": {"type": "integer", "x-alula-default": "1"},
                                    },
                                    "required": [],
                                    "additionalProperties": False,
                                    "x-alula-fields": ["left", "n"],
                                },
                                {"type": "null"},
                            ],
                            "x-alula-default": "null",
                        }
                    },
                    "required": [],
                    "additionalProperties": False,
                    "x-alula-fields": ["right"],
                }
            },
        },
    ),
]


@pytest.mark.parametrize(("annotation", "schema"), SCHEMAS, ids=lambda value: repr(value)[:40])
def test_a_type_has_the_schema_of_the_contract(annotation: Any, schema: dict[str, Any]) -> None:
    assert without_modules(compiling.compile(annotation).schema) == schema


def test_a_class_says_where_it_stands() -> None:
    assert compiling.compile(Point).schema["x-alula-module"] == "tests.types.samples"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (typing.List[int], list[int]),
        (typing.Dict[str, int], dict[str, int]),
        (typing.Tuple[int, str], tuple[int, str]),
        (Optional[int], int | None),
        (Union[int, str], int | str),
        (Annotated[int, "metadata"], int),
        (Annotated[list[Annotated[int, 1]], ["unhashable"]], list[int]),
        (UserId, int),
        (list, list[Any]),
        (tuple, tuple[Any, ...]),
    ],
)  # fmt: skip
def test_spellings_of_one_type_are_one_type(one: Any, other: Any) -> None:
    assert compiling.compile(one).schema == compiling.compile(other).schema


def test_an_annotation_is_compiled_once() -> None:
    assert compiling.compile(dict[str, list[Point]]) is compiling.compile(dict[str, list[Point]])


def test_literals_of_equal_values_stay_apart() -> None:
    assert compiling.compile(Literal[1]).check(1) == 1
    assert compiling.compile(Literal[True]).check(True) is True
    assert compiling.compile(Literal[True]).schema == {"type": "boolean", "enum": [True]}
    assert compiling.compile(Literal[1]).schema == {"type": "integer", "enum": [1]}


def test_two_classes_of_one_name_are_told_apart() -> None:
    def make(annotation: Any) -> Any:
        return dataclasses.make_dataclass("Same", [("x", annotation)])

    one, other = make(int), make(str)
    pair = compiling.compile(tuple[one, other])
    assert pair.check((one(1), other("a"))) == (one(1), other("a"))


def test_a_type_alias_statement_is_followed() -> None:
    alias = getattr(typing, "TypeAliasType", None)
    if alias is None:  # Python 3.11

        class TypeAliasType:
            __value__ = list[int]

        made: Any = TypeAliasType()
    else:
        made = alias("Numbers", list[int])
    assert compiling.compile(made).schema == compiling.compile(list[int]).schema


class Plain:
    pass


class Flags(enum.Flag):
    A = 1


class Empty(enum.Enum):
    pass


@dataclasses.dataclass
class Computed:
    x: int
    y: int = dataclasses.field(init=False, default=1)


@dataclasses.dataclass
class WithInitVar:
    x: int
    y: dataclasses.InitVar[int]


@dataclasses.dataclass
class Holder:
    plain: Plain


@dataclasses.dataclass
class WrongDefault:
    x: int = "1"  # type: ignore[assignment]


@dataclasses.dataclass
class Generic2(Generic[T]):
    x: T


@dataclasses.dataclass
class Unresolved:
    x: Missing  # noqa: F821


class Typed(typing.TypedDict):
    x: int


Bare = collections.namedtuple("Bare", "a b")


@pytest.mark.parametrize(
    ("annotation", "reason", "nearest"),
    [
        (Plain, "Plain is not a type that alula can carry", "dataclass"),
        (object, "object is not a type", "Any"),
        (complex, "complex", "tuple[float, float]"),
        (collections.abc.Sequence[int], "Sequence[int]", "list[T]"),
        (collections.abc.Mapping[str, int], "Mapping[str, int]", "dict[str, T]"),
        (collections.abc.Callable[[int], int], "Callable", ""),
        (collections.OrderedDict, "OrderedDict", "dict[str, T]"),
        (T, "type variable T", "concrete"),
        ("Missing", "could not be resolved", "a type"),
        (Flags, "Flag", "list[...] of an Enum"),
        (Empty, "no members", "Enum"),
        (Literal[1.5], "1.5 is not an int, str, bool or None", "Enum"),
        (Literal[2**60], "beyond 2**53", "int"),
        (Computed, "Computed.y has init=False", "property"),
        (WithInitVar, "WithInitVar.y is an InitVar", "field"),
        (Holder, "Plain is not a type", "dataclass"),
        (list[Plain], "Plain is not a type", "dataclass"),
        (WrongDefault, "the default of WrongDefault.x does not fit: expected int, got the str '1'", ""),
        (Generic2, "Generic2 is generic and has no arguments", "Generic2[int]"),
        (Unresolved, "an annotation of Unresolved names 'Missing'", ""),
        (Typed, "TypedDict", "dataclass"),
        (Bare, "the fields of Bare have no types", "typing.NamedTuple"),
        (dict[list[int], int], "list[int] cannot be the key", "dict[str, T]"),
        (dict[Point, int], "Point cannot be the key", "dict[str, T]"),
        (dict[File, int], "File cannot be the key", "dict[str, T]"),
        (set[File], "File cannot be an item of a set", "list[File]"),
        (frozenset[list[int]], "list[int] cannot be an item of a frozenset", "list[list[int]]"),
        (typing.Type[int], "Type[int]", ""),
        ((float, list[int]), "(float, list[int]) is not a type", "tuple[float, list[int]]"),
        ([int], "[int] is not a type", "list[int]"),
        ({str: int}, "is not a type", "dict[str, int]"),
        (0.5, "0.5 is not a type", "float"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_cannot_be_carried_is_refused_with_the_nearest_type(annotation: Any, reason: str, nearest: str) -> None:
    with pytest.raises(Unsupported) as caught:
        compiling.compile(annotation)
    assert reason in caught.value.reason
    assert nearest in caught.value.nearest


def test_a_format_must_be_a_name() -> None:
    with pytest.raises(Unsupported, match="is not a file format"):
        File["a/b"]


def test_what_a_linter_makes_of_a_format_is_explained() -> None:
    import csv

    with pytest.raises(Unsupported) as caught:
        File[csv]  # type: ignore[valid-type]
    assert caught.value.nearest == 'File[Literal["csv"]]'


def test_enum_members_travel_by_name_and_values_are_taken_at_the_edge() -> None:
    from alula_api.contract import values

    codec = values.codec(compiling.compile(Mode).schema)
    assert codec.normal("fast") == "FAST"
    assert compiling.compile(Color).from_json("SCARLET", None) is Color.RED


def test_a_default_factory_that_never_repeats_makes_a_required_field() -> None:
    counter = iter(range(100))
    made = dataclasses.make_dataclass("Fresh", [("x", int, dataclasses.field(default_factory=lambda: next(counter)))])
    assert compiling.compile(made).schema["required"] == ["x"]


def test_the_parts_of_an_array_have_types() -> None:
    pair = compiling.compile(tuple[int, str] | None)
    assert [part.label for part in pair.items(2) or []] == ["int", "str"]
    assert pair.items(3) is None
    assert compiling.compile(Box[int]).items(1) is None
    assert compiling.compile(set[int]).items(1) is None


@pytest.mark.parametrize("annotation", [Tree, Frozen, Point])
def test_decoding_text_of_another_shape_is_a_mismatch_not_a_crash(annotation: Any) -> None:
    from alula.types.mismatches import Mismatch

    for wrong in (1, "x", [], {"nothing": 1}, None):
        with pytest.raises(Mismatch):
            compiling.compile(annotation).from_json(wrong, None)


def test_variants_of_one_label_get_tags_of_their_own() -> None:
    one = dataclasses.make_dataclass("Same", [("x", int)])
    other = dataclasses.make_dataclass("Same", [("y", str)])
    both = compiling.compile(one | other)  # type: ignore[operator]
    assert both.schema["x-alula-tags"] == ["Same", "Same-2"]
    assert both.check(other("a")) == other("a")


def test_a_literal_and_a_bool_beside_others_are_chosen_by_their_json_type() -> None:
    untagged = compiling.compile(Literal["a", "b"] | bool | int)
    assert "x-alula-tags" not in untagged.schema
    assert [untagged.check(value) for value in ("a", True, 3)] == ["a", True, 3]
    assert type(untagged.check(True)) is bool
    assert compiling.compile(Optional[Literal["a", None]]).schema == {"enum": ["a", None]}
    assert compiling.compile(Optional[None]).schema == {"type": "null"}


@pytest.mark.parametrize("wrong", [None, 3, {"$type": "Other", "value": {}}, {"$type": "Point"}, {"x": 1.0}])
def test_a_wrong_tag_is_a_mismatch(wrong: Any) -> None:
    from alula.types.mismatches import Mismatch

    with pytest.raises(Mismatch, match="Point, Frozen"):
        compiling.compile(Point | Frozen).from_json(wrong, None)


def test_json_of_no_variant_is_a_mismatch() -> None:
    from alula.types.mismatches import Mismatch

    for wrong in ([], None, True):
        with pytest.raises(Mismatch):
            compiling.compile(int | str).from_json(wrong, None)
