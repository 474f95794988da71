"""The page on failures does what it says: its tasks run by the commands that it shows, its codes are real."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from alula_api.contract import codes, retries

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "failures.md").read_text(encoding="utf-8")


def test_the_commands_of_the_page_on_failures_do_what_is_said_of_them(tmp_path: Path) -> None:
    (python,) = re.findall(r"```python\n# flows/shop.py\n(.*?)```", PAGE, re.DOTALL)
    console = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)[0]
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "shop.py").write_text(python)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ALULA_")}
    done = {}
    for line in console.splitlines():
        alula, *words = shlex.split(line.removeprefix("$ "), comments=True)
        assert alula == "alula"
        command = [sys.executable, "-m", "alula", *words]
        done[words[-3]] = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    fetched, checked, charged = done.values()
    assert (fetched.returncode, fetched.stdout) == (0, "result  2\n"), fetched.stderr
    assert (checked.returncode, charged.returncode) == (1, 1)
    assert "not tried again: it said that this cannot help" in checked.stderr
    assert (tmp_path / "charged").read_text() == "5\n"


def test_what_becomes_of_a_run_is_as_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "flows").mkdir()
    for name, python in re.findall(r"```python\n# flows/(\w+.py)\n(.*?)```", PAGE, re.DOTALL):
        (tmp_path / "flows" / name).write_text(python)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ALULA_")}
    ended = {}
    for target in re.findall(r"\$ alula run flows/nightly.py:(\w+) ", PAGE):
        command = [sys.executable, "-m", "alula", "run", f"flows/nightly.py:{target}", "--rows", "3"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 1, done.stderr
        assert "3 rows are too few" in done.stderr
        ended[target] = {task: f"] {task} done" in done.stderr for task in ("load", "report")}
    assert ended == {
        "nightly": {"load": True, "report": False},
        "hasty": {"load": False, "report": False},
        "thorough": {"load": True, "report": True},
    }


def test_what_runs_when_a_run_is_over_is_as_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "flows").mkdir()
    (python,) = re.findall(r"```python\n# flows/guarded.py\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "flows" / "guarded.py").write_text(python)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ALULA_")}
    said = []
    for rounds in ("3", "9"):
        command = [sys.executable, "-m", "alula", "run", "flows/guarded.py:guarded", "--rounds", rounds]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        said.append((done.returncode, [task for task in ("page", "tidy") if f"] {task} done" in done.stderr]))
    assert said == [(0, ["tidy"]), (1, ["page", "tidy"])]


def test_the_page_names_codes_and_budgets_that_exist() -> None:
    table = PAGE.partition("## Whose failure it is")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([A-Z]+_[A-Z_]+|[A-Z]{6,})`", table)) <= {code.value for code in codes.Code}
    assert f"`system_retries` ({retries.SYSTEM_RETRIES} unless set)" in PAGE
    assert [retries.DEFAULT_BACKOFF.rest(failures) for failures in (1, 2, 3, 9)] == [5, 10, 20, 60]
