"""References and envelopes: shape, place and identity."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from alula_api.contract import keys, references, values
from alula_api.contract.codes import Code
from tests import strategies
from tests.contract.make_vectors import FILE, HTML, INT, A, B

GOOD = {"type": "file", "digest": A, "size": 3, "name": "a.html", "format": "html"}


@given(strategies.stored("file").values)
def test_a_reference_is_its_json(json: Any) -> None:
    normal = values.codec(FILE).normal(json)
    assert references.Reference.from_json(normal).to_json() == normal
    assert list(normal)[:5] == ["type", "digest", "size", "name", "format"]


def test_what_is_stored_lies_under_its_digest_and_keeps_its_name() -> None:
    assert references.Reference("file", A, 3, "a.html").path() == f"cas/01/{A}/a.html"
    assert references.Reference("file", A, 3).path() == f"cas/01/{A}/data"
    assert references.Reference("frame", A, 3, format="parquet").path() == f"cas/01/{A}/data.parquet"
    assert references.Reference("directory", A, 3, "photos").path() == f"tree/01/{A}"
    assert references.Stored(A, 9, B).path() == f"cas/01/{A}/value.json"


def test_what_lies_elsewhere_has_no_path_and_no_identity_before_it_was_looked_at() -> None:
    elsewhere = references.Reference("file", "", 0, uri="s3://bucket/key")
    with pytest.raises(ValueError, match="not stored"):
        elsewhere.path()
    with pytest.raises(values.InvalidValue, match="no identity before"):
        elsewhere.identity()
    with pytest.raises(values.InvalidValue, match="no identity before"):
        values.codec(FILE).identity(elsewhere.to_json())
    assert references.Reference("file", "", 0, uri="s3://b/k", hash="e-1").identity() == {
        "type": "file",
        "hash": "e-1",
        "name": "",
        "format": "",
    }


def test_a_place_is_no_part_of_an_identity_but_a_name_is() -> None:
    identity = values.codec(FILE).identity
    assert identity(GOOD) == identity({**GOOD, "uri": "s3://bucket/a.html"})
    assert identity(GOOD) != identity({**GOOD, "name": "b.html"})
    assert identity(GOOD) != identity({**GOOD, "digest": B})
    assert identity({**GOOD, "hash": "x"}) == identity({**GOOD, "hash": "x", "digest": B})
    assert identity({**GOOD, "executable": True}) != identity(GOOD), "code that starts the file sees it"
    assert identity({**GOOD, "executable": False}) == identity(GOOD)
    assert identity({**GOOD, "hash": A}) != identity(GOOD), "what a hash claims is not what a digest proves"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "frame"}, '$.type must be file, not "frame"'),
        ({"type": None}, "$.type must be a str, not null"),
        ({"digest": A.upper()}, "$.digest must be 64 hexadecimal digits in lower case"),
        ({"digest": ""}, "$.digest must be 64 hexadecimal digits in lower case"),
        ({"digest": A + "\n"}, "$.digest must be 64 hexadecimal digits in lower case"),
        ({"size": -1}, "$.size must be a number of bytes, not -1"),
        ({"size": True}, "$.size must be a number of bytes, not true"),
        ({"size": 2**63}, "$.size must be a number of bytes"),
        ({"name": ".."}, "$.name must be a file name"),
        ({"name": "a/b"}, "$.name must be a file name"),
        ({"name": "a\x00"}, "$.name must be a file name"),
        ({"name": "a\u2028b"}, "$.name must be a file name"),
        ({"name": "\ud800"}, "$.name must be a file name"),
        ({"name": "ä" * 128}, "$.name must be at most 255 bytes"),
        ({"format": "csv"}, '$.format must be html, not "csv"'),
        ({"format": "a b"}, "$.format must be letters, digits"),
        ({"uri": "/etc/passwd"}, "$.uri must be a URI such as s3://bucket/key"),
        ({"uri": "s3://a b"}, "$.uri must be a URI such as s3://bucket/key"),
        ({"executable": "yes"}, "$.executable must be true or false, and true for files only"),
        ({"hash": "x" * 257}, "$.hash must be at most 256 printable characters"),
        ({"bucket": "x"}, "$.bucket does not exist in a reference"),
    ],
)
def test_a_malformed_reference_is_refused_with_its_property(change: dict, message: str) -> None:
    with pytest.raises(values.InvalidValue) as caught:
        values.codec(HTML).normal({**GOOD, **change})
    (problem,) = caught.value.problems
    assert str(problem).startswith(message) and problem.code == Code.BAD_REFERENCE


def test_the_declared_format_is_filled_in() -> None:
    assert values.codec(HTML).normal({**GOOD, "format": ""}) == GOOD


def test_an_envelope_is_told_from_a_value_and_checked() -> None:
    envelope = references.Stored(A, 9, B).to_json()
    assert references.is_envelope(envelope) and references.stored(envelope) == references.Stored(A, 9, B)
    assert keys.identity(envelope, INT) == B
    assert keys.identity(7, INT) == values.codec(INT).identity(7)
    for value in (7, {}, {"a": 1}, {"$stored": 1, "b": 2}, [envelope]):
        assert references.stored(value) is None and not references.is_envelope(value)
    for inner in (
        1,
        {},
        {"digest": A, "size": 1},
        {"digest": A, "size": -1, "hash": B},
        {"digest": "x", "size": 1, "hash": B},
    ):
        assert references.is_envelope({"$stored": inner})
        with pytest.raises(values.InvalidValue):
            references.stored({"$stored": inner})


def test_all_references_of_a_value_are_found_in_its_order() -> None:
    item = {"anyOf": [HTML, {"type": "null"}]}
    record = {
        "type": "object",
        "properties": {"f": item, "more": {"$ref": "#/$defs/More"}},
        "required": ["f", "more"],
        "additionalProperties": False,
    }
    schema = {"type": "array", "items": record, "$defs": {"More": {"type": "array", "items": FILE}}}
    value = [
        {"f": {**GOOD, "name": "1"}, "more": [{**GOOD, "name": "2"}, {**GOOD, "name": "3"}]},
        {"f": None, "more": [{**GOOD, "name": "4"}]},
    ]
    normal = values.codec(schema).normal(value)
    assert [item.name for item in references.walk(normal, schema)] == ["1", "2", "3", "4"]
