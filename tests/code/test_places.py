"""Project roots, module names that are the same everywhere, and imports that fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from alula import errors
from alula.code import importing, places
from alula.interfaces import callee
from tests.code.projects import Project

FLOW = """
from alula import task, workflow


@task
def inc(n: int) -> int:
    return n + 1


@workflow
def up(n: int) -> int:
    return inc(n)
"""
REPORT = """

if __name__ == "__main__":
    import json, sys
    import flows.up
    print(json.dumps([inc.entrypoint, up.name, inc.source.file, flows.up.inc is inc]))
"""


@pytest.mark.parametrize(
    ("file", "module"),
    [
        ("flows/up.py", "flows.up"),
        ("src/acme/flows/up.py", "acme.flows.up"),
        ("src/up.py", "up"),
        ("up.py", "up"),
        ("acme/__init__.py", "acme"),
        ("acme/__main__.py", "acme.__main__"),
        ("my-flows/deep/up.py", "my-flows.deep.up"),
    ],
)
def test_a_module_is_named_from_the_project_root(project: Project, file: str, module: str) -> None:
    path = project.write(file, "")
    assert places.module_name(str(path)) == module
    assert places.relative(str(path)) == file
    assert places.root(str(path))[0] == str(project.root)


def test_the_nearest_pyproject_counts(project: Project) -> None:
    project.write("parts/one/pyproject.toml", "")
    assert places.module_name(str(project.write("parts/one/flows/up.py", ""))) == "flows.up"


def test_without_a_pyproject_the_outermost_package_counts(tmp_path: Path) -> None:
    loose = Project(tmp_path / "loose", pyproject=None)
    loose.write("acme/__init__.py", "")
    loose.write("acme/flows/__init__.py", "")
    assert places.module_name(str(loose.write("acme/flows/up.py", ""))) == "acme.flows.up"
    assert places.module_name(str(loose.write("script.py", ""))) == "script"


def names_by(project: Project, argv: list[str], cwd: Path) -> Any:
    done = subprocess.run(
        [sys.executable, *argv], cwd=cwd, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(project.root)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_names_are_the_same_for_script_module_import_and_load(project: Project) -> None:
    project.write("flows/up.py", FLOW + REPORT)
    expected = ["flows.up:inc", "up-up", "flows/up.py", True]
    assert names_by(project, ["flows/up.py"], project.root) == expected
    assert names_by(project, ["up.py"], project.root / "flows") == expected
    assert names_by(project, ["-m", "flows.up"], project.root) == expected
    loaded = project.load("flows/up.py")
    assert loaded.__name__ == "flows.up"
    assert [loaded.inc.entrypoint, loaded.up.name, loaded.inc.source.file] == expected[:3]


def test_load_takes_a_module_name_as_seen_from_the_root(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("src/acme/up.py", FLOW)
    monkeypatch.chdir(project.root)
    assert importing.load("acme.up").up.entrypoint == "acme.up:up"
    assert importing.load("src/acme/up.py") is sys.modules["acme.up"]


def test_an_entrypoint_leads_back_to_its_task(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("flows/up.py", FLOW + "\n\ndef _plain(n: int) -> int:\n    return n\n\n\nrenamed = task(_plain)\n")
    module = project.load("flows/up.py")
    monkeypatch.chdir(project.root)
    assert callee.find("flows.up:inc") is module.inc
    assert callee.find("flows.up:up") is module.up
    assert callee.find("flows.up:_plain") is module.renamed
    with pytest.raises(errors.LoadError, match="did you mean inc"):
        callee.find("flows.up:incc")


def told(project: Project, name: str) -> str:
    with pytest.raises(errors.UserError) as caught:
        project.load(name)
    return str(caught.value).replace(str(project.root), "<root>")


def test_a_file_that_is_not_there(project: Project) -> None:
    project.write("flows/up.py", FLOW)
    text = told(project, "flows/upp.py")
    assert "there is no file <root>/flows/upp.py" in text
    assert "did you mean <root>/flows/up.py?" in text


def test_a_file_that_is_no_python(project: Project) -> None:
    project.write("flows/up.txt", FLOW)
    assert "up.txt is not a Python file" in told(project, "flows/up.txt")


def test_a_syntax_error_shows_its_line(project: Project) -> None:
    project.write("flows/up.py", "x = 1\ndef it(:\n    pass\n")
    assert told(project, "flows/up.py") == "flows/up.py:2: error BAD_SOURCE: invalid syntax\n  def it(:"


def test_an_exception_shows_the_users_frames_only(project: Project) -> None:
    project.write("flows/helper.py", "def boom():\n    return {}['x']\n")
    project.write("flows/up.py", "from flows.helper import boom\n\nboom()\n")
    text = told(project, "flows/up.py")
    assert text.splitlines()[0] == "flows/helper.py:2: error BAD_SOURCE: importing flows.up raised KeyError: 'x'"
    assert 'File "<root>/flows/up.py", line 3' in text
    assert "alula" not in text
    assert "importlib" not in text


def test_a_definition_error_comes_as_it_is(project: Project) -> None:
    project.write("flows/up.py", "from alula import task\n\n@task(retries=-1)\ndef it(n: int) -> int:\n    return n\n")
    assert "flows/up.py:3: error BAD_OPTION: the option retries cannot be -1" in told(project, "flows/up.py")


def test_a_sibling_import_is_explained(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for left in ("helper", "flows"):  # as another test may leave them
        monkeypatch.setitem(sys.modules, left, types.ModuleType(left))
    project.write("flows/helper.py", "x = 1\n")
    project.write("flows/up.py", "import helper\n")
    text = told(project, "flows/up.py")
    assert "No module named 'helper'" in text
    assert "write `from flows import helper`" in text


def test_a_missing_library_is_explained(project: Project) -> None:
    project.write("flows/up.py", "import no_such_library\n")
    assert "install what provides no_such_library" in told(project, "flows/up.py")


def test_a_module_that_ends_the_process_is_explained(project: Project) -> None:
    project.write("flows/up.py", "import sys\n\nsys.exit(3)\n")
    assert 'if __name__ == "__main__"' in told(project, "flows/up.py")


def test_a_module_that_is_shadowed_is_explained(project: Project) -> None:
    project.write("json/up.py", FLOW)
    assert "error BAD_SOURCE" in told(project, "json/up.py")
    project.write("json.py", FLOW)
    assert "json is another module here" in told(project, "json.py")


def test_a_module_that_does_not_exist_is_explained(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    with pytest.raises(errors.LoadError, match=r"there is no module flows\.nothing"):
        importing.load("flows.nothing")


def test_a_failed_import_can_be_tried_again(project: Project) -> None:
    project.write("flows/up.py", "raise ValueError('no')\n")
    assert "ValueError: no" in told(project, "flows/up.py")
    project.write("flows/up.py", FLOW)
    assert project.load("flows/up.py").inc(1) == 2


def test_a_library_keeps_its_own_name() -> None:
    import textwrap

    assert str(places.entrypoint(textwrap.dedent)) == "textwrap:dedent"
    assert places.is_library(textwrap.__file__)
    assert not places.is_library(__file__)


def test_lines_are_found_in_one_pass() -> None:
    code = compile("\n" * 40_000 + "x = 1\n" * 300, "<text>", "exec")
    lines = places.Lines()
    found = [lines.source(places.Call(code, start)).line for start, _, line in code.co_lines() if line]
    assert found[-1] == 40_300
    assert found == sorted(found)
