"""The schema of log lines, and the page that explains it."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from alula.runtime import logs
from alula_api.contract import log_lines
from alula_api.contract.pods import Env

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/logs.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, str]:
    table = PAGE.partition(heading)[2].partition("\n\n")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE))


def test_the_page_says_what_the_code_says() -> None:
    assert rows("| field | meaning |") == log_lines.FIELDS
    assert rows("| field | in ECS |").keys() == log_lines.FIELDS.keys()


def test_the_line_of_the_page_is_one() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    found = json.loads(block)
    assert list(found)[:4] == list(log_lines.FIELDS)[:4]
    assert found.keys() <= log_lines.FIELDS.keys()


def test_the_fields_that_the_controller_gives_most_are_on_the_page() -> None:
    given: set[str] = set()
    for file in (ROOT / "controller").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "logs.about":
                given |= {each.arg for each in node.keywords if each.arg}
    assert {"namespace", "name", "key"} <= given & log_lines.FIELDS.keys()


def test_a_line_is_one_line_whatever_it_holds() -> None:
    text = log_lines.line(1795917603.12, "info", "x", "a\nb\u2028é", {"key": object, "n": 1}, traceback="t\nu")
    assert "\n" not in text
    assert json.loads(text)["time"] == "2026-11-29T02:00:03.120Z"


def test_a_pod_writes_text_or_lines_of_the_schema(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.line("two\nlines")
    logs.traceback("Traceback\nValueError: x\n")
    assert capsys.readouterr().err == "alula: two\nalula: lines\nTraceback\nValueError: x\n"
    for name, value in ((Env.LOG_FORMAT, "json"), (Env.RUN, "r"), (Env.NODE, "r.fit"), (Env.ATTEMPT, "2")):
        monkeypatch.setenv(name, value)
    logs.line("two\nlines")
    logs.traceback("Traceback\nValueError: x\n")
    logs.traceback("")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first.keys() | second.keys() <= log_lines.FIELDS.keys()
    assert (first["message"], first["level"], first["attempt"], first["node"]) == ("two\nlines", "info", 2, "r.fit")
    assert (second["message"], second["level"]) == ("ValueError: x", "error")
    assert second["traceback"] == "Traceback\nValueError: x\n"
