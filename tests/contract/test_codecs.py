"""The codecs on types and values of every kind: laws that hold for all of them."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alula_api.contract import references, schemas, values
from alula_api.contract.jsontext import is_deep
from tests import strategies

PLENTY = settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def shuffled(value: Any, random: random.Random) -> Any:
    """Return an equal value with the properties of every object in another order."""
    if isinstance(value, dict):
        keys = list(value)
        random.shuffle(keys)
        return {key: shuffled(value[key], random) for key in keys}
    return [shuffled(item, random) for item in value] if isinstance(value, list) else value


@PLENTY
@given(strategies.typed_values())
def test_every_value_of_every_type_has_one_normal_form(pair: tuple[dict, Any]) -> None:
    schema, value = pair
    assert schemas.check(schema) == []
    codec = values.codec(schema)
    normal, wire = codec.normal(value), codec.wire(value)
    assert values.dumps(normal) == wire
    assert values.dumps(codec.normal(normal)) == wire, "normal is not a fixed point"
    assert values.dumps(codec.normal(values.parse(wire))) == wire
    assert codec.wire(values.parse(wire)) == wire
    wire.encode()


@PLENTY
@given(strategies.typed_values())
def test_the_argo_safe_text_is_the_same_json_in_harmless_ascii(pair: tuple[dict, Any]) -> None:
    schema, value = pair
    wire = values.codec(schema).wire(value)
    safe = values.argo_safe(wire)
    assert json.loads(safe) == json.loads(wire)
    assert values.dumps(values.parse(safe)) == wire
    assert safe.isascii() and safe.isprintable() and "{{" not in safe and "$" not in safe


@PLENTY
@given(strategies.typed_values(), st.randoms(use_true_random=False))
def test_values_in_another_order_have_one_identity_where_they_have_one_text(
    pair: tuple[dict, Any], random: random.Random
) -> None:
    schema, value = pair
    codec = values.codec(schema)
    other = shuffled(value, random)
    try:
        identity = codec.identity(value)
    except values.InvalidValue:
        assert schemas.has_references(schema)
        return
    if codec.wire(other) == codec.wire(value) or not schemas.has_references(schema):
        assert (codec.identity(other) == identity) == (codec.wire(other) == codec.wire(value))


@PLENTY
@given(strategies.typed_values(), strategies.json_values())
def test_any_other_value_is_accepted_or_refused_with_reasons(pair: tuple[dict, Any], value: Any) -> None:
    codec = values.codec(pair[0])
    try:
        normal = codec.normal(value)
    except values.InvalidValue as error:
        assert 1 <= len(error.problems) <= 20
        for problem in error.problems:
            assert problem.path.startswith("$") and problem.message
            assert "nested deeper" not in problem.message, "refused without a reason of its own"
            str(problem).encode()
    else:
        assert values.dumps(codec.normal(normal)) == values.dumps(normal)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, part in inner for found in paths(part, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], part: Any) -> Any:
    if not path:
        return part
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], part)
    return copy


@PLENTY
@given(strategies.typed_values(), st.data())
def test_what_is_not_json_is_found_wherever_it_is(pair: tuple[dict, Any], data: st.DataObject) -> None:
    schema, value = pair
    path = data.draw(st.sampled_from(paths(value)))
    foreign = data.draw(
        st.sampled_from([object(), b"x", (1,), {1: 2}, {1}, float("nan"), "\ud800", 10**4000, {"\udfff": 1}])
    )
    broken = replaced(value, path, foreign)
    codec = values.codec(schema)
    try:
        normal = codec.normal(broken)
    except values.InvalidValue as error:
        assert all("nested deeper" not in problem.message for problem in error.problems)
        str(error).encode()
    else:  # NaN is a float, where a float is expected
        assert foreign != foreign and "NaN" in values.dumps(normal)


@PLENTY
@given(strategies.typed_values())
def test_walk_yields_every_reference_once_for_each_place(pair: tuple[dict, Any]) -> None:
    schema, value = pair
    normal = values.codec(schema).normal(value)
    found = list(references.walk(normal, schema))
    assert bool(found) <= schemas.has_references(schema)
    digests = [item.digest for item in found]
    assert all(values.dumps(normal).count(digest) >= digests.count(digest) for digest in digests)
    for item in found:
        assert references.Reference.from_json(item.to_json()) == item
        assert values.dumps(item.to_json()) in values.dumps(normal)


@given(strategies.typed_values())
def test_a_type_describes_itself_and_accepts_itself(pair: tuple[dict, Any]) -> None:
    schema, _ = pair
    assert schemas.describe(schema) and "malformed" not in schemas.describe(schema)
    assert schemas.assignable(schema, schema) is None
    assert schemas.check(schemas.strip(schema)) == []
    assert schemas.strip(schemas.strip(schema)) == schemas.strip(schema)


@PLENTY
@given(strategies.typed_values(), strategies.typed())
def test_what_is_assignable_is_accepted(pair: tuple[dict, Any], target: strategies.Typed) -> None:
    schema, value = pair
    targets = [target.schema, {"anyOf": [schema, {"type": "null"}]}, {"type": "number"}, {}, {"type": "object"}]
    for other in targets:
        if schemas.check(other) or schemas.assignable(schema, other) is not None:
            continue
        values.codec(other).normal(values.codec(schema).normal(value))


def widened(schema: dict) -> dict:
    """Return a type to which values of `schema` may be passed: floats for ints, any format, one property more."""
    match schemas.family(schema):
        case "integer":
            return {"type": "number"}
        case "file" | "frame":
            return {"x-alula-type": schema["x-alula-type"]}
        case "list" | "tuples":
            return {**schema, "items": widened(schema["items"])}
        case "tuple" | "namedtuple":
            return {**schema, "prefixItems": [widened(item) for item in schema["prefixItems"]]}
        case "dict":
            return {**schema, "additionalProperties": widened(schema["additionalProperties"])}
        case "record":
            properties = {name: widened(item) for name, item in reversed(schema["properties"].items())}
            extra = {"added": {"type": "string", "x-alula-default": '"x"'}}
            properties |= extra
            return {**schema, "title": "Wider", "properties": properties, "x-alula-fields": list(properties)}
        case "tagged":
            variants = [*map(widened, schema["anyOf"]), {"type": "null"}]
            return {**schema, "anyOf": variants, "x-alula-tags": [*schema["x-alula-tags"], "None"]}
    return schema


@PLENTY
@given(strategies.typed_values())
def test_a_value_may_be_passed_on_to_a_wider_type(pair: tuple[dict, Any]) -> None:
    schema, value = pair
    wider = widened(schema)
    assert schemas.check(wider) == []
    assert schemas.assignable(schema, wider) is None
    values.codec(wider).normal(values.parse(values.codec(schema).wire(value)))


@given(strategies.typed_values(with_references=False))
def test_without_references_identity_is_the_digest_of_the_canonical_text(pair: tuple[dict, Any]) -> None:
    import hashlib

    codec = values.codec(pair[0])
    assert codec.identity(pair[1]) == hashlib.sha256(codec.wire(pair[1]).encode()).hexdigest()


@given(strategies.json_values())
def test_schemas_that_are_any_json_are_checked_without_a_crash(schema: Any) -> None:
    problems = schemas.check(schema)
    assert all(problem.path.startswith("$") and problem.message for problem in problems)
    if not problems:
        values.codec(schema)


@PLENTY
@given(strategies.typed_values(), st.data())
def test_damaged_schemas_are_checked_without_a_crash(pair: tuple[dict, Any], data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(paths(pair[0])))
    part = data.draw(
        st.one_of(
            strategies.json_values(4), st.sampled_from(["", [], {}, {"$ref": "#/$defs/x"}, {"$ref": 3}, {"$ref": None}])
        )
    )
    damaged = replaced(pair[0], path, part)
    problems = schemas.check(damaged)
    if not problems:
        values.codec(damaged)
        schemas.describe(damaged)
        schemas.strip(damaged)
        schemas.assignable(damaged, damaged)
        schemas.has_references(damaged)


@pytest.mark.parametrize("schema", [{}, {"type": "object"}, strategies.tree().schema])
def test_values_of_100_levels_are_accepted_and_deeper_ones_refused(schema: dict) -> None:
    def nested(levels: int) -> Any:
        value: Any = {"n": 0, "kids": []}
        for _ in range(levels // 2 - 1):
            value = {"n": 0, "kids": [value]}
        return value if levels % 2 == 0 else {"n": 0, "kids": [value, [[]]]}

    codec = values.codec(schema)
    assert not is_deep(nested(100))
    assert codec.normal(nested(100)) == nested(100)
    assert values.dumps(values.parse(codec.wire(nested(100)))) == codec.wire(nested(100))
    for levels in (102, 1000, 100_000):
        with pytest.raises(values.InvalidValue, match="deeper than 100 levels"):
            codec.normal(nested(levels))


def test_defaults_that_are_filled_in_count_as_levels_too() -> None:
    value: Any = {"n": 0}
    for _ in range(49):
        value = {"n": 0, "kids": [value]}
    assert values.codec(strategies.tree().schema).wire(value).count("[") == 50
    with pytest.raises(values.InvalidValue, match="deeper than 100 levels"):
        values.codec(strategies.tree().schema).normal({"n": 0, "kids": [value]})


@pytest.mark.parametrize("schema", [{}, strategies.tree().schema, {"type": "array", "items": {}}])
def test_a_value_that_contains_itself_is_refused(schema: dict) -> None:
    loop: Any = []
    loop += [loop, loop, {"kids": loop, "n": loop}]
    tree: Any = {"n": 1}
    tree["kids"] = [tree, tree]
    for value in (loop, tree):
        with pytest.raises(values.InvalidValue):
            values.codec(schema).normal(value)
