"""The text of a flag to a value of its type."""

# ruff: noqa: UP007, UP045  (both spellings of unions are types that users write)

from __future__ import annotations

import datetime
import enum
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Optional, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula import Directory, File, NaiveDatetime
from alula.cli import input_values
from alula.cli.input_values import LocalFile, Unfit
from alula.types import compiling
from alula_api.contract import values as contract


class Colour(enum.Enum):
    RED = "r"
    BLUE = 3


@dataclass
class Point:
    x: int
    file: File | None = None


def schema(annotation: Any) -> dict[str, Any]:
    return compiling.compile(annotation).schema


GOOD = [
    (int, "7", 7),
    (int, "-7", -7),
    (int, "1_000", 1000),
    (int, "+7", 7),
    (int | float, "7", {"$type": "int", "value": 7}),
    (float | int, "7", {"$type": "int", "value": 7}),
    (int | float, "7.0", {"$type": "float", "value": 7.0}),
    (int | float, '{"$type": "float", "value": 7}', {"$type": "float", "value": 7.0}),
    (Optional[int | float], "2", {"$type": "int", "value": 2}),
    (dict[int, str], '{"1": "a", "-2": "b"}', [[1, "a"], [-2, "b"]]),
    (dict[int, str], '[[1, "a"]]', [[1, "a"]]),
    (dict[datetime.date, int], '{"2026-01-02": 1}', [["2026-01-02", 1]]),
    (list[dict[int, str]], '[{"1": "a"}]', [[[1, "a"]]]),
    (int, str(10**30), 10**30),
    (float, "7", 7.0),
    (float, "1e3", 1000.0),
    (float, "nan", "NaN"),
    (float, "-inf", "-Infinity"),
    (bool, "True", True),
    (bool, "false", False),
    (str, "", ""),
    (str, '"quoted"', '"quoted"'),
    (str, "@file", "@file"),
    (str, "null", "null"),
    (bytes, "aGk=", "aGk="),
    (datetime.datetime, "2026-01-02T03:04:05Z", None),
    (NaiveDatetime, "2026-01-02T03:04:05", None),
    (datetime.date, "2026-01-02", "2026-01-02"),
    (datetime.timedelta, "90s", "PT1M30S"),
    (datetime.timedelta, "1h30m", "PT1H30M"),
    (datetime.timedelta, "PT5M", "PT5M"),
    (Colour, "RED", "RED"),
    (Colour, "r", "RED"),
    (Colour, "3", "BLUE"),
    (Literal["a", 3, True], "a", "a"),
    (Literal["a", 3, True], "3", 3),
    (Literal["a", 3, True], "true", True),
    (Optional[int], "7", 7),
    (Optional[int], "null", None),
    (Optional[str], "null", "null"),
    (Optional[str], "7", "7"),
    (Union[int, str], "7", 7),
    (Union[int, str], "x", "x"),
    (list[int], "[1, 2]", [1, 2]),
    (list[int], "5", [5]),
    (list[str], "a b", ["a b"]),
    (set[int], "5", [5]),
    (Optional[list[int]], "5", [5]),
    (dict[str, int], '{"a": 1}', {"a": 1}),
    (Point, '{"x": 1}', {"x": 1, "file": None}),
    (Any, "[1]", [1]),
    (tuple[int, str], '[1, "a"]', [1, "a"]),
]


@pytest.mark.parametrize(("annotation", "text", "expected"), GOOD, ids=lambda part: str(part)[:40])
def test_a_text_becomes_a_value_that_fits(annotation: Any, text: str, expected: Any) -> None:
    found = input_values.parse(text, schema(annotation))
    assert contract.codec(schema(annotation)).normal(found) == found
    if expected is not None or text == "null":
        assert found == expected
        assert type(found) is type(expected)


BAD = [
    (int, "7.5", 'must be an int, not "7.5"'),
    (int, "", 'must be an int, not ""'),
    (int, "--5", 'must be an int, not "--5"'),
    (int, "+-5", 'must be an int, not "+-5"'),
    (int, "-", 'must be an int, not "-"'),
    (float, "--5", 'must be a float, not "--5"'),
    (float, "1e400", 'must be a float: "1e400" is beyond what one holds'),
    (float, "-1e400", 'must be a float: "-1e400" is beyond what one holds'),
    (list[int], "--5", 'must be an int, not "--5"'),
    (int | float, "x", 'must be int | float, not "x"'),
    (dict[int, str], '{"a": "b"}', 'must be an int, not "a"'),
    (Any, "x", 'must be JSON; "x" is not JSON'),
    (int, "seven", 'must be an int, not "seven"'),
    (float, "much", 'must be a float, not "much"'),
    (bool, "yes", 'must be true or false, not "yes"'),
    (datetime.timedelta, "soon", 'must be a duration such as 90s, 1h30m or PT90S, not "soon"'),
    (datetime.date, "tomorrow", "date"),
    (Colour, "GREEN", "must be one of RED, BLUE of Colour"),
    (Literal["a", 3], "b", 'must be one of a, 3, not "b"'),
    (Optional[int], "x", 'must be an int, not "x"'),
    (list[int], "a", 'must be an int, not "a"'),
    (list[int], "[1, true]", "[1] must be an int, not true"),
    (dict[str, int], "{a: 1}", 'must be dict[str, int] as JSON; "{a: 1}" is not JSON'),
    (Point, '{"y": 1}', "x"),
    (Point, "5", "Point"),
    (File, "nowhere.txt", "there is no file nowhere.txt"),
    (File, ".", ". is a folder, expected a file"),
    (File, "s3://bucket/key", "must be a path on this machine"),
    (Directory, "nowhere", "there is no folder nowhere"),
    (dict[str, int], "@nowhere.json", "the file nowhere.json cannot be read: No such file or directory"),
]


@pytest.mark.parametrize(("annotation", "text", "message"), BAD, ids=lambda part: str(part)[:40])
def test_a_text_that_does_not_fit_is_refused_in_words(annotation: Any, text: str, message: str) -> None:
    with pytest.raises(Unfit) as caught:
        input_values.parse(text, schema(annotation))
    assert message in str(caught.value)


def test_structures_and_bytes_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "point.json").write_text('{"x": 5}')
    assert input_values.parse(f"@{tmp_path}/point.json", schema(Point)) == {"x": 5, "file": None}
    (tmp_path / "marked").write_bytes(b'\xef\xbb\xbf{"x": 6}')
    assert input_values.parse(f"@{tmp_path}/marked", schema(Point)) == {"x": 6, "file": None}
    (tmp_path / "raw").write_bytes(b"hi")
    assert input_values.parse(f"@{tmp_path}/raw", schema(bytes)) == "aGk="


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "cp1252"])
def test_a_file_in_another_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "names.json").write_bytes('{\n"name": "André"}'.encode(encoding))
    with pytest.raises(Unfit, match=r"names.json is not UTF-8: byte 0x[0-9a-f]{2} in line [12]") as caught:
        input_values.parse(f"@{tmp_path}/names.json", schema(dict[str, str]))
    assert caught.value.hint == "save it as UTF-8"


def test_paths_become_marks_wherever_the_type_has_files(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("hi")
    mark = LocalFile(file, "file")
    assert input_values.parse(str(file), schema(File)) == mark
    assert input_values.parse(str(file), schema(list[File])) == [mark]
    assert input_values.parse(json.dumps({"x": 1, "file": str(file)}), schema(Point)) == {"x": 1, "file": mark}
    assert input_values.parse(json.dumps({"a": [str(file)]}), schema(dict[str, list[File]])) == {"a": [mark]}
    with pytest.raises(Unfit, match="there is no file"):
        input_values.parse(json.dumps({"x": 1, "file": "gone"}), schema(Point))


LABELS = {
    int: "INT", float: "FLOAT", str: "TEXT", bool: "BOOL", Colour: "RED|BLUE", Literal["a", 3]: "a|3",
    Optional[int]: "INT", list[int]: "INT...", Point: "Point", dict[str, int]: "dict[str, int]", Any: "JSON",
    File: "FILE", Directory: "FOLDER", datetime.timedelta: "DURATION", Union[int, str]: "int | str",
}  # fmt: skip


@pytest.mark.parametrize("annotation", LABELS, ids=str)
def test_a_type_has_a_short_name_in_the_help(annotation: Any) -> None:
    assert input_values.label(schema(annotation)) == LABELS[annotation]


@given(st.text())
def test_text_is_taken_as_it_stands(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert input_values.parse(text, {"type": "string"}) == text


@given(st.integers())
def test_every_int_is_read(number: int) -> None:
    assert input_values.parse(str(number), {"type": "integer"}) == number


@given(st.floats())
def test_every_float_is_read(number: float) -> None:
    found = input_values.parse(repr(number), {"type": "number"})
    assert found == contract.codec({"type": "number"}).normal(number)


@given(st.text(max_size=20), st.sampled_from([annotation for annotation, _, _ in GOOD]))
def test_any_text_is_a_value_or_refused_in_words(text: str, annotation: Any) -> None:
    try:
        found = input_values.parse(text, schema(annotation))
    except Unfit as error:
        assert str(error)
    else:
        contract.codec(schema(annotation)).normal(found)


def test_a_file_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "latin.json").write_bytes('{"x": 5,\n"y": "Andr\u00e9"}'.encode("latin-1"))
    with pytest.raises(Unfit) as caught:
        input_values.parse(f"@{tmp_path}/latin.json", schema(dict[str, Any]))
    assert str(caught.value).endswith("latin.json is not UTF-8: byte 0xe9 in line 2")
    (tmp_path / "marked.json").write_bytes(b"\xef\xbb\xbf" + '{"x": "é"}'.encode())
    assert input_values.parse(f"@{tmp_path}/marked.json", schema(dict[str, str])) == {"x": "é"}
