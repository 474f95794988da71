"""Reading and writing JSON text: hostile input, and the Argo-safe form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alula_api.contract import values
from alula_api.contract.codes import Code
from tests import strategies


@given(strategies.json_values())
def test_what_is_written_is_read_back_the_same(value: Any) -> None:
    text = values.dumps(value)
    assert values.parse(text) == value == values.parse(text.encode())
    assert values.dumps(values.parse(text)) == text
    assert values.dumps(values.parse(values.dumps_sorted(value))) == values.dumps_sorted(value)


@given(strategies.json_values(), st.sampled_from([None, 0, 2]), st.booleans())
def test_argo_safe_text_is_the_same_json_however_it_was_written(value: Any, indent: int | None, ascii: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii)
    safe = values.argo_safe(text)
    assert values.dumps(values.parse(safe)) == values.dumps(value)
    assert safe.isascii() and safe.isprintable() and "{{" not in safe and "$" not in safe
    assert values.argo_safe(safe) == safe


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ('{"a":{"b":{}}}', '{"a":{"b":{}}}'),
        ('{"{{":{"}}":"{"}}', r'{"\u007b\u007b":{"\u007d\u007d":"\u007b"}}'),
        (r'"\\{\"{\\"', r'"\\\u007b\"\u007b\\"'),
        (r'["\\","{"]', r'["\\","\u007b"]'),
        ('"\u00e9\u2028\U0001f600\x7f\x80"', r'"\u00e9\u2028\ud83d\ude00\u007f\u0080"'),
        ('"$(HOME) $$ \\\\$"', r'"\u0024(HOME) \u0024\u0024 \\\u0024"'),
        ('{\n  "a": [1,\t2]\r\n}', '{  "a": [1,2]}'),
    ],
)
def test_only_what_is_inside_strings_is_escaped(text: str, safe: str) -> None:
    assert values.argo_safe(text) == safe
    assert json.loads(safe) == json.loads(text)


@pytest.mark.parametrize("text", ["{{x}}", "{{", '"a"{{', '"\ud800"', r'"\ud800"', r'"\udc00\ud800"'], ids=ascii)
def test_text_that_cannot_be_made_safe_is_refused(text: str) -> None:
    with pytest.raises(values.InvalidValue):
        values.argo_safe(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty where JSON is expected"),
        (" \n", "is empty where JSON is expected"),
        ("prod_table", "is not JSON: expecting value at line 1, column 1"),
        ("[1,\n 2", "is not JSON: expecting ',' delimiter at line 2, column 3"),
        ("[1] x", "is not JSON: extra data at line 1, column 5"),
        ("\ufeff[1]", "begins with a byte order mark"),
        (b"\xff", "is not UTF-8 at byte 0"),
        ('{"a": 1, "b": {"c": 1, "c": 1}}', "has the key c twice in one object"),
        ("[NaN]", "holds NaN, which is not JSON"),
        ("-Infinity", "holds -Infinity, which is not JSON"),
        ("1e400", "holds a number that is larger than any float"),
        ("-1E+999", "holds a number that is larger than any float"),
        ("1" * 400 + ".5", "holds a number that is larger than any float"),
        ("1" * 4001, "holds an integer of more than 4000 digits"),
        ("[-" + "1" * 100_000 + "]", "holds an integer of more than 4000 digits"),
        ('"\\ud800"', "holds a lone surrogate, which no text file can"),
        ('{"\\udfff\\ud800": 1}', "holds a lone surrogate, which no text file can"),
        ('"\ud800"', "holds a lone surrogate, which no text file can"),
        ("[" * 101 + "]" * 101, "is nested deeper than 100 levels"),
        ('{"a":' * 101 + "1" + "}" * 101, "is nested deeper than 100 levels"),
        ("[" * 1_000_000, "is nested deeper than 100 levels"),
        ('{"a":[' * 500_000, "is nested deeper than 100 levels"),
        ('"\t"', "is not JSON: invalid control character at at line 1, column 2"),
        ("'a'", "is not JSON: expecting value at line 1, column 1"),
        ("01", "is not JSON: extra data at line 1, column 2"),
        ("[1,]", None),
        ("{a:1}", None),
        ("\x00", None),
        ("+1", None),
        ("1_000", None),
        ("٣", None),
    ],
    ids=lambda value: ascii(value[:30]) if value else "",
)
def test_hostile_text_is_refused_in_words(text: str, message: str | None) -> None:
    with pytest.raises(values.InvalidValue) as caught:
        values.parse(text)
    (problem,) = caught.value.problems
    assert problem.code == Code.BAD_JSON and problem.path == "$"
    if message is not None:
        assert problem.message == message


@pytest.mark.parametrize(
    "text",
    [
        "1" * 4000,
        "-" + "9" * 4000,
        "[" * 100 + "]" * 100,
        '"' + "1" * 5000 + '"',
        '"' + "[" * 5000 + '"',
        "[" + ",".join(["[]"] * 5000) + "]",
        '"\\ud83d\\ude00"',
        '"\\\\ud800"',
        "1e-400",
        "1" * 308 + ".0",
    ],
    ids=lambda text: text[:20],
)
def test_large_but_harmless_text_is_read(text: str) -> None:
    assert values.dumps(values.parse(text)).encode()


@given(st.text() | st.text('{}[]",:0123456789.eE-+ \\ud8', max_size=40) | strategies.texts())
@settings(max_examples=300)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        value = values.parse(text)
    except values.InvalidValue as error:
        assert len(error.problems) == 1
        return
    assert values.dumps(values.parse(values.argo_safe(text))) == values.dumps(value)


@given(st.binary())
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        values.parse(raw)
    except values.InvalidValue as error:
        assert len(error.problems) == 1


FOREIGN = [float("nan"), float("-inf"), "\ud800", {"\udfff": 1}, {1}, 10**5000, object(), b"x"]


@pytest.mark.parametrize("value", FOREIGN, ids=range(len(FOREIGN)))
def test_what_is_not_json_is_not_written(value: Any) -> None:
    with pytest.raises(values.InvalidValue):
        values.dumps(value)


def test_a_value_that_contains_itself_is_not_written() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(values.InvalidValue, match="nested deeper"):
        values.dumps(loop)


@pytest.mark.parametrize(
    ("path", "expected"), [([], {"a": [1, {"0": 2}]}), (["a"], [1, {"0": 2}]), (["a", "0"], 1), (["a", "1", "0"], 2)]
)
def test_a_path_selects_properties_and_items(path: list[str], expected: Any) -> None:
    assert values.select({"a": [1, {"0": 2}]}, path) == expected


@pytest.mark.parametrize("path", [["b"], ["a", "2"], ["a", "-1"], ["a", "x"], ["a", "0", "x"], ["a", "١"]])
def test_a_path_that_leads_nowhere_names_the_step(path: list[str]) -> None:
    with pytest.raises(values.InvalidValue) as caught:
        values.select({"a": [1, {"0": 2}]}, path)
    assert caught.value.problems[0].message == "does not exist"
    assert caught.value.problems[0].path.startswith("$.a" if path[0] == "a" else "$.b")
