"""Types as text: one spelling, both ways, for any types; and what of anybody's text is refused."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract import keys, named_types, schemas, type_spelling, type_text
from alula_api.contract.graphs import json_fields
from alula_api.contract.named_types import Field, Member, NamedType, Types
from alula_api.contract.problems import InvalidValue
from tests import strategies, vectors
from tests.typed_resources import without_modules

TEXTS: list[dict[str, Any]] = vectors.VECTORS["type_texts"]
REFUSED: list[dict[str, str]] = vectors.VECTORS["refused_type_texts"]


def read(case: dict[str, Any]) -> Types:
    return Types([json_fields.from_json(NamedType, each) for each in case["types"]])


def there_and_back(*types: schemas.Schema) -> list[schemas.Schema]:
    named, text = type_spelling.spelled(types)
    back = Types(named)
    assert back.problems() == []
    return [back.schema(text(each)) for each in types]


def is_spellable(schema: schemas.Schema) -> bool:
    """The SDK makes no union of one type, and no pairs with keys that are text."""
    try:
        type_spelling.spelled([schema])[1](schema)
    except InvalidValue as error:
        assert "no type that a resource can hold" in str(error)
        return False
    return True


SPELLABLE = [each.schema for each in strategies.POOL if is_spellable(each.schema)]


@pytest.mark.parametrize("case", TEXTS, ids=lambda case: case["texts"][0])
def test_a_vector_is_spelled_and_read(case: dict[str, Any]) -> None:
    named, text = type_spelling.spelled(case["schemas"])
    assert [text(schema) for schema in case["schemas"]] == case["texts"]
    assert [json_fields.to_json(each) for each in named] == case["types"]
    types = read(case)
    assert types.problems() == []
    found = [types.schema(text) for text in case["texts"]]
    assert without_modules(found) == without_modules(case["schemas"])


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["text"][:40] or "nothing")
def test_a_text_that_is_no_type_is_refused_with_its_place_and_the_nearest_type(case: dict[str, str]) -> None:
    with pytest.raises(InvalidValue) as caught:
        type_text.parse(case["text"], ["Forest", "flows.a.Config"])
    assert caught.value.problems[0].message == case["problem"]


def test_the_types_of_all_families_come_back() -> None:
    assert len(SPELLABLE) > 0.9 * len(strategies.POOL)
    for schema in SPELLABLE:
        (back,) = there_and_back(schema)
        assert without_modules(back) == schema
        assert schemas.check(back) == []


@given(st.lists(st.sampled_from(SPELLABLE), min_size=2, max_size=6))
def test_any_types_of_one_workflow_come_back_and_have_the_same_interface(types: list[schemas.Schema]) -> None:
    back = there_and_back(*types)
    assert without_modules(back) == types
    ports = [(f"p{place}", schema) for place, schema in enumerate(types)]
    again = [(name, schema) for (name, _), schema in zip(ports, back, strict=True)]
    assert keys.interface_digest(ports, []) == keys.interface_digest(again, [])


@given(st.lists(st.sampled_from(SPELLABLE), min_size=1, max_size=5), st.randoms())
def test_names_do_not_depend_on_the_order_of_use(types: list[schemas.Schema], random: Any) -> None:
    named, text = type_spelling.spelled(types)
    shuffled = random.sample(types, k=len(types))
    other, other_text = type_spelling.spelled(shuffled)
    assert other == named
    assert all(other_text(each) == text(each) for each in types)


@given(st.sampled_from(SPELLABLE))
def test_there_is_one_spelling(schema: schemas.Schema) -> None:
    named, text = type_spelling.spelled([schema])
    term = type_text.parse(text(schema), {each.name for each in named})
    assert type_text.text(term) == text(schema)


ODD = st.text(string.ascii_letters + '[](),.|"-_ 0\\é', max_size=60)
WORDS = st.sampled_from([*sorted(type_text.RESERVED), "[", "]", "(", ")", ",", "|", "...", '"a"', "1", "Forest", " "])


@given(ODD | st.lists(WORDS, max_size=40).map("".join) | strategies.texts(200))
def test_any_text_is_a_type_or_refused_with_a_place(text: str) -> None:
    try:
        term = type_text.parse(text, ["Forest"])
    except InvalidValue as error:
        assert "at character" in error.problems[0].message or "characters" in error.problems[0].message
    else:
        assert type_text.parse(type_text.text(term), ["Forest"]) == term


@pytest.mark.parametrize("part", ["[", "(", "list[", "tuple[(", "Forest[", "a.", "int|", '"', "\\", "Literal[1,"])
def test_no_text_is_too_long_or_too_deep_to_be_refused(part: str) -> None:
    for count in (33, 1_000, 100_000):
        with pytest.raises(InvalidValue):
            type_text.parse(part * count, ["Forest"])


def test_spaces_mean_nothing() -> None:
    types = Types([NamedType("Box[int, str]")])
    assert types.schema(" Box[ int ,str ]|None ") == types.schema("Box[int, str] | None")


def test_two_classes_of_one_name_are_told_apart_by_their_modules() -> None:
    here = {**strategies.record({"x": strategies.INTEGER}, {}).schema, named_types.MODULE: "flows.a"}
    there = {**strategies.record({"x": strategies.STRING}, {}).schema, named_types.MODULE: "flows.b"}
    named, text = type_spelling.spelled([here, there])
    assert [each.name for each in named] == ["flows.a.Point", "flows.b.Point"]
    assert text(there) == "flows.b.Point"
    assert Types(named).schema("flows.b.Point") == there


def test_one_class_has_one_name_wherever_a_type_that_contains_itself_begins() -> None:
    def node(title: str, inner: Any) -> dict[str, Any]:
        record = strategies.record({}, {}).schema
        return {**record, "title": title, "properties": {"to": inner}, "required": ["to"], "x-alula-fields": ["to"]}

    def beginning(title: str, other: str) -> dict[str, Any]:
        reference = {"$ref": f"#/$defs/{title}"}
        return {**reference, "$defs": {title: node(title, node(other, reference))}}

    named, _ = type_spelling.spelled([beginning("Left", "Right"), beginning("Right", "Left")])
    assert named == (
        NamedType("Left", fields=(Field("to", "Right"),)),
        NamedType("Right", fields=(Field("to", "Left"),)),
    )
    assert there_and_back(beginning("Left", "Right"))[0] == beginning("Left", "Right")


@pytest.mark.parametrize(
    "title", ["", "int", "File", "a b", "größe", "x" * 300, "Box[", "Box[Literal['a']]", "1a", "é.ü"]
)
def test_a_title_may_be_anything(title: str) -> None:
    schema = {**strategies.record({"x": strategies.INTEGER}, {}).schema, "title": title}
    assert there_and_back(schema) == [schema]


def test_a_type_that_is_too_long_or_too_deep_as_text_is_refused_with_a_way_out() -> None:
    for schema in (
        {"type": "string", "enum": [f"value {number}" for number in range(100)]},
        _nested(type_text.MAX_LEVELS + 1),
        _nested(500),
    ):
        with pytest.raises(InvalidValue, match=r"at most 1,024|nested deeper than 32 levels"):
            type_spelling.spelled([schema])[1](schema)
    assert there_and_back(_nested(type_text.MAX_LEVELS)) == [_nested(type_text.MAX_LEVELS)]


def _nested(levels: int) -> schemas.Schema:
    schema: schemas.Schema = {"type": "integer"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


def test_named_types_that_multiply_are_refused_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(named_types, "MAX_PARTS", 1_000)
    laughs = [NamedType("T0", fields=(Field("a", "int"),))]
    laughs += [NamedType(f"T{n}", fields=(Field("a", f"T{n - 1}"), Field("b", f"T{n - 1}"))) for n in range(1, 40)]
    problems = Types(laughs).problems()
    assert len(problems) == 1
    assert "stands for more than 1,000 types" in problems[0][1].message


def test_a_long_chain_of_named_types_is_refused_by_its_depth() -> None:
    chain = [NamedType("T0"), *(NamedType(f"T{n}", fields=(Field("a", f"T{n - 1}"),)) for n in range(1, 1_000))]
    assert [problem.message for _, problem in Types(chain).problems()] == ["is nested deeper than 100 levels"]


WRONG: dict[str, tuple[list[NamedType], tuple[int | str, ...], str]] = {
    "a name that is a word of the grammar": (
        [NamedType("int")],
        (0, "name"),
        "must be the name of a class, such as Forest, flows.a.Forest or Box[int]",
    ),
    "an enum without members": (
        [NamedType("Color", "Enum")],
        (0,),
        "must have `values` where its kind is Enum, and `fields` otherwise",
    ),
    "a record with members": (
        [NamedType("Color", values=(Member("RED"),))],
        (0,),
        "must have `values` where its kind is Enum, and `fields` otherwise",
    ),
    "a field of no type": (
        [NamedType("A"), NamedType("B", fields=(Field("x", "int"), Field("a", "list[C]")))],
        (1, "fields", 1, "type"),
        "has C at character 6, which is no type here; named types stand in spec.types",
    ),
    "a default of another type, told once and not for what uses it": (
        [NamedType("A", fields=(Field("b", "B"),)), NamedType("B", fields=(Field("x", "int", '"1"'),))],
        (1, "fields", 0, "default"),
        'must be an int, not "1"',
    ),
    "a default that is no JSON": (
        [NamedType("B", fields=(Field("x", "int", "{"),))],
        (0, "fields", 0, "default"),
        "",
    ),
    "a default in a NamedTuple": (
        [NamedType("B", "NamedTuple", fields=(Field("x", "int", "1"),))],
        (0, "fields", 0),
        "must have no default: a NamedTuple travels as a whole",
    ),
    "a member whose value is no JSON": (
        [NamedType("Color", "Enum", values=(Member("RED", "{"),))],
        (0,),
        "",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_named_types_has_its_place(what: str) -> None:
    named, path, message = WRONG[what]
    ((found, problem),) = Types(named).problems()
    assert found == path
    assert message in problem.message


def test_types_that_use_each_other_are_told_once() -> None:
    named = [
        NamedType("A", fields=(Field("b", "B"), Field("x", "int", '"1"'))),
        NamedType("B", fields=(Field("a", "A | None"),)),
    ]
    ((path, _),) = Types(named).problems()
    assert path[0] in (0, 1)
