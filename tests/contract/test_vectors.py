"""The golden vectors: current to the byte, right by hand where it matters, and laws between them."""

from __future__ import annotations

import hashlib
import json

import pytest

from alula_api.contract import keys, pods, schemas, values
from tests import goldens
from tests.contract import make_vectors

VECTORS = json.loads(make_vectors.PATH.read_text(encoding="ascii"))
BY_NAME = {case["name"]: case for case in VECTORS["values"]}


def test_the_vectors_are_current() -> None:
    goldens.check(make_vectors.PATH, make_vectors.text())


def test_every_vector_has_a_name_of_its_own() -> None:
    for section in ("values", "refused"):
        names = [case["name"] for case in VECTORS[section]]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("case", VECTORS["values"], ids=lambda case: case["name"])
def test_a_vector_holds_from_its_wire_and_argo_safe_text(case: dict) -> None:
    codec = values.codec(case["schema"])
    for text in (case["given"], case["wire"], case["argo_safe"]):
        assert codec.wire(values.parse(text)) == case["wire"]
        assert codec.identity(values.parse(text)) == case["identity"]
    assert values.argo_safe(case["wire"]) == case["argo_safe"]


# What follows is written by hand, so that the vectors are not only true to themselves.

EXPECTED = {  # wire, canonical ("" for the same), Argo-safe ("" for the same as wire)
    "an int beyond int64": ("1180591620717411303424", ""),
    "an int under number becomes a float": ("7.0", ""),
    "a big int under number becomes the nearest float": ("9007199254740992.0", ""),
    "an exponent as Python writes it": ("1e+22", ""),
    "minus zero stays": ("-0.0", ""),
    "minus infinity": ('"-Infinity"', ""),
    "text with a template": ('"{{=1+1}}"', r'"\u007b\u007b=1+1\u007d\u007d"'),
    "text with an escaped template": ('"{{ x }}"', r'"\u007b\u007b x \u007d\u007d"'),
    "text with a brace behind an escaped quote": (r'"\"{\\{"', r'"\"\u007b\\\u007b"'),
    "text with control characters": (
        '"\\u0000\\u0001\\b\\t\\n\\f\\r\\u001f\x7f\x80"',
        '"\\u0000\\u0001\\b\\t\\n\\f\\r\\u001f\\u007f\\u0080"',
    ),
    "text beyond the first plane": (
        '"\U0001f600 \xe9 e\u0301 \u2028"',
        '"\\ud83d\\ude00 \\u00e9 e\\u0301 \\u2028"',
    ),
    "bytes whose last bits are not zero": ('"AAEC/w=="', ""),
    "a datetime in UTC, written otherwise": ('"2026-01-31T08:00:00Z"', ""),
    "a datetime with an offset": ('"2026-01-31T08:00:00+02:00"', ""),
    "a datetime without seconds": ('"2026-01-31T08:00:00-03:30"', ""),
    "a datetime with microseconds": ('"2026-01-31T08:00:00.500000Z"', ""),
    "a naive datetime without seconds": ('"2026-01-31T08:00:00"', ""),
    "a duration": ('"PT1H30M"', ""),
    "a duration of weeks and fractions": ('"P7DT0.25S"', ""),
    "a negative duration": ('"-P1DT12H"', ""),
    "no duration": ('"PT0S"', ""),
    "an enum by a value of any order": ('"GREEN"', ""),
    "a tagged union": ('{"$type":"float","value":1.0}', r'{"\u0024type":"float","value":1.0}'),
    "a tagged union of datetimes": (
        '{"$type":"datetime","value":"2026-01-31T08:00:00+01:00"}',
        r'{"\u0024type":"datetime","value":"2026-01-31T08:00:00+01:00"}',
    ),
    "a list of floats": ('[1.0,2.5,"NaN",-0.0]', ""),
    "a named tuple": ('["2026-01-31T01:00:00+01:00",1]', ""),
    "a set of ints, sorted as text": ("[-1,10,2,3]", ""),
    "a set of texts, sorted with their quotes": (
        '["\\n","a b","a!","a","b","\xe9","\uffff","\U0001f600"]',
        '["\\n","a b","a!","a","b","\\u00e9","\\uffff","\\ud83d\\ude00"]',
    ),
    "a set of floats": ('["NaN",-0.0,0.0,2.0]', ""),
    "a set of datetimes, sorted by their instants": (
        '["2026-01-31T03:00:00+02:00","2026-01-31T02:00:00Z"]',
        "",
    ),
    "a dict keeps its order": (
        '{"b":1,"a":2,"\U0001f600":3,"\uffff":4,"":5,"B":6}',
        '{"b":1,"a":2,"\\ud83d\\ude00":3,"\\uffff":4,"":5,"B":6}',
    ),
    "a dict of dicts": (
        '{"{{":{"b":1.0,"a":2.0}}',
        '{"\\u007b\\u007b":{"b":1.0,"a":2.0}}',
    ),
    "a map with int keys": ('[[10,"a"],[9,"b"]]', ""),
    "a map with datetime keys": (
        '[["2026-01-31T02:00:00Z",1],["2026-01-31T03:00:00+02:00",2]]',
        "",
    ),
    "a record in declared order, defaults filled in": ('{"y":1.0,"x":3,"tags":"a"}', ""),
    "a record given in another order": ('{"y":-0.0,"x":1,"tags":"b"}', ""),
    "a type that contains itself": (
        '{"n":1,"kids":[{"n":2,"kids":[]},{"n":4,"kids":[{"n":3,"kids":[]}]}]}',
        "",
    ),
    "any JSON": (
        '{"b":[1,1.0,{"z":null,"y":true}],"a":{"d":"NaN","c":100.0}}',
        "",
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_texts_are_those_written_by_hand(name: str) -> None:
    wire, safe = EXPECTED[name]
    case = BY_NAME[name]
    assert case["wire"] == wire
    assert case["argo_safe"] == (safe or wire)
    assert case["identity"] == hashlib.sha256(wire.encode()).hexdigest()


def test_the_identity_of_a_file_is_that_of_its_digest_name_and_format() -> None:
    digest = "0123456789abcdef" * 4
    by_hand = f'{{"type":"file","digest":"{digest}","name":"report.html","format":"html"}}'
    assert BY_NAME["a file"]["identity"] == hashlib.sha256(by_hand.encode()).hexdigest()
    by_hand = f'{{"type":"file","hash":"{"f" * 64}","name":"r.html","format":"html"}}'
    assert BY_NAME["a file with a hash"]["identity"] == hashlib.sha256(by_hand.encode()).hexdigest()


def test_a_cache_key_is_the_formula_of_the_contract() -> None:
    case = VECTORS["keys"][1]
    seed, rate = hashlib.sha256(b"7").hexdigest(), hashlib.sha256(b"1.0").hexdigest()
    interface = hashlib.sha256(
        b'{"inputs":{"rate":{"type":"number"},"seed":{"type":"integer"}},'
        b'"outputs":{"o0":{"format":"html","x-alula-type":"file"},"o1":{"type":"number"}}}'
    ).hexdigest()
    key = hashlib.sha256(
        f'{{"environment":"","inputs":{{"rate":"{rate}","seed":"{seed}"}},"interface":"{interface}",'
        f'"task":"flows.penguins:train","v":2,"version":"1"}}'.encode()
    ).hexdigest()
    assert (case["interface"], case["key"]) == (interface, key)
    assert case["path"] == f"cache/{key[:2]}/{key}.json"
    assert VECTORS["keys"][2]["key"] == key, "neither order nor 1 for 1.0 may change a key"


@pytest.mark.parametrize("case", VECTORS["keys"], ids=lambda case: case["task"])
def test_a_key_vector_holds(case: dict) -> None:
    interface = keys.interface_digest([(name, schema) for name, schema, _ in case["inputs"]], case["outputs"])
    identities = {name: values.codec(schema).identity(values.parse(text)) for name, schema, text in case["inputs"]}
    assert interface == case["interface"] and identities == case["identities"]
    assert keys.cache_key(case["task"], case["version"], interface, identities) == case["key"]


@pytest.mark.parametrize("words", VECTORS["argv"])
def test_an_argv_vector_reads_back(words: list[str]) -> None:
    assert pods.argv(pods.parse_argv(words)) == words


def test_refusals_say_what_is_wrong_in_these_words() -> None:
    found = {case["name"]: case["problems"] for case in VECTORS["refused"]}
    assert found["a bool is not an int"] == ["$ must be an int, not true"]
    assert found["two wrong items"] == ['$[1] must be an int, not "2"', "$[3] must be an int, not null"]
    assert found["three wrong things in a record"] == [
        "$.why does not exist in Point",
        "$.y is missing: Point needs a float",
        '$.x must be an int, not "1"',
        "$.tags must be a str, not 1",
    ]
    assert found["a misspelt member"] == ['$ must be one of RED, GREEN of Color, not "GREN"; did you mean GREEN?']
    assert found["a key twice in a map"] == ["$[1] is 1.0, the same as $[0]"]
    assert found["a wrong property deep down"] == ["$.kids[0].kids[0].n must be an int, not 1.5"]
    assert found["an odd property name"] == ['$["a b"] must be an int, not "x"']


def test_types_are_described_as_their_user_writes_them() -> None:
    described = [case["describe"] for case in VECTORS["types"]]
    assert described == [
        "Color",
        "Point",
        "Tree",
        'Literal[1, "1", True, None]',
        "dict[date, File]",
        'File["html"] | None',
        "tuple[int, datetime]",
    ]
    for case in VECTORS["types"]:
        assert schemas.strip(case["schema"]) == case["strip"]
