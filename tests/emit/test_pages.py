"""The pages on the API, projects and the cache: their code runs, their commands end well, nothing is left out."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import alula
import alula.testing
from alula.declare.options import TaskOptions

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def test_the_examples_of_the_api_page_run(tmp_path: Path) -> None:
    script = tmp_path / "api_examples.py"
    script.write_text((DOCS / "api_examples.py").read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_api_page_has_every_public_name_and_every_example() -> None:
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    titles = set(re.findall(r"(?m)^### (\w+)$", text))
    assert set(alula.__all__) <= titles
    assert set(alula.testing.__all__) <= titles
    examples = re.findall(r"(?m)^# ((?:testing\.)?\w+)$", (DOCS / "api_examples.py").read_text(encoding="utf-8"))
    assert {each.rpartition(".")[2] for each in examples} <= titles
    for option in TaskOptions._fields:
        assert f"- `{option}`: " in text


@pytest.mark.parametrize("page", ["projects.md", "caching.md", "branches.md", "maps.md", "repeat.md"])
def test_the_commands_of_a_page_end_well_in_the_project_that_it_shows(page: str, tmp_path: Path) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text('[tool.alula]\nproject = "page"\n')
    for name, code in re.findall(r"```\w+\n# (\S+)\n(.*?)```", text, re.S):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(code, encoding="utf-8")
    commands = re.findall(r"(?m)^\$ alula (.*)$", text)
    assert len(commands) >= 2
    for command in commands:
        words = [sys.executable, "-m", "alula", *shlex.split(command, comments=True)]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        _, fails, message = command.partition("# fails: ")
        assert done.returncode == (1 if fails else 0), f"{command}\n{done.stderr}"
        assert message in done.stderr


def test_what_the_page_says_of_a_change_is_so(tmp_path: Path) -> None:
    text = (DOCS / "caching.md").read_text(encoding="utf-8")
    ((name, code),) = re.findall(r"```python\n# (\S+)\n(.*?)```", text, re.S)
    (tmp_path / "pyproject.toml").write_text('[tool.alula]\nproject = "page"\n')
    (tmp_path / "flows").mkdir()

    def ran() -> list[str]:
        words = [sys.executable, "-m", "alula", "run", "--plain", f"{name}:tag"]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
        return sorted(set(re.findall(r"\] (\w+) +started", done.stderr)))

    for changed, expected in (
        (code, ["label", "price"]),
        (code, []),
        (code.replace("0.19", "0.07"), ["label", "price"]),
        (code.replace("0.19", "0.07").replace("EUR", "€"), ["label"]),
    ):
        (tmp_path / name).write_text(changed, encoding="utf-8")
        assert ran() == expected


def test_every_page_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for page in ("api.md", "from-flyte.md", "projects.md", "caching.md"):
        assert f"(docs/{page})" in readme
