"""The commands that the README and docs/remote.md show do what is said of them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from tests.emit.conftest import Alula, Done

ROOT = Path(__file__).resolve().parents[2]


def commands(page: str, heading: str) -> list[list[str]]:
    """The words of each command under a heading, without comments."""
    text = (ROOT / page).read_text(encoding="utf-8").partition(f"\n{heading}")[2].partition("\n## ")[0]
    (block, *_) = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    return [shlex.split(line[2:], comments=True) for line in block.splitlines() if line.startswith("$ ")]


def sources(folder: Path) -> None:
    """The project that the README shows."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (toml,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (python,) = re.findall(r"```python\n# flows/greet.py\n(.*?)```", text, re.DOTALL)
    (folder / "pyproject.toml").write_text(toml)
    (folder / "flows").mkdir()
    (folder / "flows" / "greet.py").write_text(python)


@pytest.fixture
def done(greet: Path, alula: Alula) -> dict[str, Done]:
    """What each command of the README did, by the command's name and last word."""
    sources(greet)
    shown = commands("README.md", "## Write a pipeline")
    assert [words[:2] for words in shown] == [["alula", word] for word in ("run", "run", "register", "compile")]
    return {" ".join(words[1:]): alula(*words[1:]) for words in shown}


def test_the_commands_of_the_readme_work_one_after_the_other(done: dict[str, Done]) -> None:
    assert {words: each.code for words, each in done.items()} == dict.fromkeys(done, 0)
    ran, helped, registered, compiled = done.values()
    assert ran.out == "result  ADA\n"
    assert "--name TEXT" in helped.out
    assert "  new      greet/dev/release/greet/workflow-greet-hello.yaml\n" in registered.err
    assert "image: registry.example.org/greet:1.0\n" in compiled.out


def test_the_files_of_the_page_on_releases_are_those_that_are_written(done: dict[str, Done], greet: Path) -> None:
    text = (ROOT / "docs" / "remote.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| `(<project>/<domain>/\S+|openapi/)` \|", text, re.MULTILINE)
    for word, meant in (("<project>", "greet"), ("<domain>", "dev"), ("<source>", "greet")):
        shown = [each.replace(word, meant) for each in shown]
    gitops = greet.parent / "gitops"
    written = {path for path in gitops.rglob("*") if path.is_file()}
    found = {path for each in shown for path in gitops.glob(f"{each}*" if each.endswith("/") else each)}
    assert found == written
    assert len(shown) == 5


def test_the_workflow_that_a_program_makes_is_registered_as_the_page_on_running_says(greet: Path, alula: Alula) -> None:
    text = (ROOT / "docs" / "running.md").read_text(encoding="utf-8").partition("## Workflows that a program makes")[2]
    (snippet, *_) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    tasks = "@task\ndef fit(n: int) -> int:\n    return n\n\n@task\ndef best(found: list[int]) -> int:\n    return 1\n"
    (greet / "cities.py").write_text(f"from alula import ImperativeWorkflow, task\n\n{tasks}\n{snippet}")
    assert alula("register", "cities.py").code == 0
    resource = yaml.safe_load((greet / "gitops/greet/dev/release/greet/workflow-fit-nordic.yaml").read_text())
    assert [node["id"] for node in resource["spec"]["graphs"][0]["nodes"]] == ["fit-oslo", "fit-bergen", "best"]
    assert alula("run", "--plain", "cities.py:nordic", "--rounds", "4").code == 0
    assert alula("run", "--plain", "cities.py").code == 0


def test_the_calls_of_a_loop_have_the_names_that_the_page_on_running_gives_them(greet: Path, alula: Alula) -> None:
    text = (ROOT / "docs" / "running.md").read_text(encoding="utf-8").partition("## Names of calls")[2]
    (snippet, *_) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    tasks = "@task\ndef fit(n: int) -> int:\n    return n\n\n@task\ndef best(found: list[int]) -> int:\n    return 1\n"
    (greet / "cities.py").write_text(f"from alula import task, workflow\n\n{tasks}\n{snippet}")
    assert alula("register", "cities.py").code == 0
    resource = yaml.safe_load((greet / "gitops/greet/dev/release/greet/workflow-cities-fit-all.yaml").read_text())
    assert [node["id"] for node in resource["spec"]["graphs"][0]["nodes"]] == ["fit-chicago", "fit-oslo", "best"]
    ran = alula("run", "--plain", "cities.py")
    assert ran.code == 0
    assert "fit-chicago" in ran.err and "fit-oslo" in ran.err
    assert "depends: fit-chicago.Succeeded && fit-oslo.Succeeded" in alula("compile", "cities.py").out


def test_the_run_as_json_is_as_the_page_on_running_shows_it_and_every_key_is_explained(
    greet: Path, alula: Alula
) -> None:
    text = (
        (ROOT / "docs" / "running.md").read_text(encoding="utf-8").partition("## For programs")[2].partition("\n## ")[0]
    )
    ((name, code),) = re.findall(r"```python\n# (\S+)\n(.*?)```", text, re.DOTALL)
    (greet / name).parent.mkdir()
    (greet / name).write_text(code)
    ((_, *words),) = commands("docs/running.md", "## For programs")
    done = alula(*words)
    (shown,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert (done.code, _settled(done.out)) == (1, _settled(shown))
    found = json.loads(done.out)
    keys = {*found, *found["error"], *found["maps"][0], *(key for node in found["nodes"] for key in node)}
    assert keys <= set(re.findall(r"`(\w+)`", text))


def _settled(record: str) -> str:
    """Without what differs from run to run."""
    record = re.sub(r'"seconds": [0-9.]+', '"seconds": 0', record)
    record = re.sub(r'"run": "[^"]+"', '"run": ""', record)
    return re.sub(r'"traceback": "Traceback(?:[^"\\]|\\.)+"', '"traceback": ""', record)
