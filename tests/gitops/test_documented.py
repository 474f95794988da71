"""The page on gitops: its commands end well, one after the other, and its files are those that are meant."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from alula.emit import kustomize
from tests.gitops.conftest import ENVIRONMENT

PAGE = Path(__file__).resolve().parents[2] / "docs" / "gitops.md"


def parts(text: str) -> list[tuple[str, str]]:
    """Commands and files in their order."""
    found = re.findall(r"(?ms)^```(console|yaml)\n(.*?)^```", text)
    parts = []
    for kind, block in found:
        if kind == "console":
            parts += [("command", line[2:]) for line in block.splitlines() if line.startswith("$ ")]
        elif block.startswith("# gitops/"):
            parts.append(("file", block))
    return parts


def put(folder: Path, files: list[str]) -> None:
    """Write what the page shows, once."""
    while files:
        name, _, content = files.pop().partition("\n")
        file = folder / name.removeprefix("# ")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


def test_the_commands_of_the_page_end_well_one_after_the_other(tmp_path: Path) -> None:
    done = {}
    pending: list[str] = []
    found = parts(PAGE.read_text(encoding="utf-8"))
    assert sum(kind == "command" for kind, _ in found) >= 20
    for kind, text in found:
        if kind == "file":
            pending.append(text)
            continue
        words = shlex.split(text)
        if words[0] == "kubectl":
            put(tmp_path, pending)
            words[:2] = kustomize.builder() or pytest.skip("neither kubectl nor kustomize is on PATH")
        if words[:1] == ["alula"]:
            words = [sys.executable, "-m", *words]
        run = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, **ENVIRONMENT})
        assert run.returncode == 0, f"{text}\n{run.stdout}{run.stderr}"
        done[text] = run
        if "promote" in text:  # what the page shows is in place once production has a release
            put(tmp_path, pending)
    git = subprocess.run(["git", "log", "--format=%s"], cwd=tmp_path / "gitops", capture_output=True, text=True)
    subjects = git.stdout.splitlines()
    assert [subject.partition(":")[0].partition(" to ")[0] for subject in subjects] == [
        "Roll back penguins in prod",
        "Promote penguins from dev",
        "Register penguins in dev",
        "A plan and a patch of production's own",
        "Promote penguins from dev",
        "Register penguins in dev",
        "Begin",
    ]
    status = next(run.stdout for text, run in done.items() if text.startswith("alula status"))
    assert "penguins/dev\n  release penguins " in status
    difference = next(run.stdout for text, run in done.items() if text.endswith("dev prod"))
    assert "~ workflow greetings-greet, task join: timeout 5m → 1h\n" in difference
    assert "~ launch plan greet-weekly: added\n" in difference
    built = next(run.stdout for text, run in done.items() if text.startswith("kubectl kustomize"))
    sets = {each["metadata"]["name"]: each for each in yaml.safe_load_all(built) if each["kind"] == "ApplicationSet"}
    followed = {name: each["spec"]["generators"][0]["git"]["directories"] for name, each in sets.items()}
    assert followed == {
        "alula": [{"path": "*/prod"}, {"path": "platform/*", "exclude": True}],
        "alula-platform": [{"path": "platform/*/prod"}],
    }
