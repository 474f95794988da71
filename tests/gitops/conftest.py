"""A gitops repository of the test's own, with one source registered into it, and git as its people run it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.emit.conftest import Alula, Done, alula, greet

__all__ = ["Alula", "Done", "alula", "greet"]

SOURCE = """
from alula import Cache, LaunchPlan, Resources, task, workflow

@task(cache=Cache("1"), timeout="10m")
def load(day: str = "today") -> list[str]:
    return [day]

@task(cache=Cache("1"), resources=Resources(memory="1Gi"))
def fit(rows: list[str], trees: int = 10) -> int:
    return trees * len(rows)

@workflow
def train(day: str = "today", trees: int = 10) -> int:
    return fit(load(day), trees)

@workflow
def count(day: str = "today") -> int:
    return fit(load(day), trees=1)

nightly = LaunchPlan("nightly", train, inputs={"day": "yesterday"})
"""
"""Two workflows with two tasks in common, and a launch plan of one."""


@dataclass(frozen=True)
class Gitops:
    """A gitops repository beside a project."""

    project: Path
    folder: Path
    alula: Alula

    def git(self, *words: str, check: bool = True) -> str:
        done = subprocess.run(["git", *words], cwd=self.folder, check=check, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, message: str = "a change") -> str:
        """Commit everything; returns the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def write(self, source: str = SOURCE, file: str = "flows/penguins.py") -> None:
        """Change the project's source."""
        path = self.project / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
        for name in [name for name in sys.modules if name.partition(".")[0] == "flows"]:
            del sys.modules[name]

    def register(self, *words: str, image: str = "penguins:1", domain: str = "dev") -> Done:
        done = self.alula("register", "--repo", str(self.folder), "--image", image, "--domain", domain, *words, "flows")
        assert done.code == 0, done.err
        return done

    def registered(self, source: str = SOURCE, *words: str, image: str = "penguins:1", domain: str = "dev") -> str:
        """Register a source and commit it."""
        self.write(source)
        self.register(*words, image=image, domain=domain)
        return self.commit(f"Register {domain}")

    def path(self, path: str) -> Path:
        return self.folder / "penguins" / path

    def edit(self, path: str, old: str, new: str) -> Path:
        """Change a text in a file of the project's folder."""
        file = self.path(path)
        text = file.read_text()
        assert old in text, text
        file.write_text(text.replace(old, new, 1))
        return file

    def __call__(self, *words: str) -> Done:
        """`alula WORDS...` on this repository."""
        return self.alula(*words, "--repo", str(self.folder))


ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_DATE": "2026-11-02T08:00:00Z",
    "GIT_COMMITTER_DATE": "2026-11-02T08:00:00Z",
    # A file that is changed within a second, to as many bytes, would be taken for what was compiled of it.
    "PYTHONDONTWRITEBYTECODE": "1",
}


@pytest.fixture(scope="session")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the project and the gitops repository, made once; each test has a copy."""
    folder = tmp_path_factory.mktemp("registered")
    project, gitops = folder / "project", folder / "gitops"
    (project / "flows").mkdir(parents=True)
    (project / "pyproject.toml").write_text("[tool.alula]\nproject = 'penguins'\nsource = 'penguins'\n")
    (project / "flows/penguins.py").write_text(SOURCE)
    words = [sys.executable, "-m", "alula", "register", "--repo", str(gitops), "--image", "penguins:1", "flows"]
    subprocess.run(words, cwd=project, check=True, capture_output=True, env={**os.environ, **ENVIRONMENT})
    for line in ("init -q --initial-branch=main", "config user.name Ada", "config user.email ada@example.org"):
        subprocess.run(["git", *line.split()], cwd=gitops, check=True, env={**os.environ, **ENVIRONMENT})
    for line in ("add --all", "commit -q -m Register"):
        subprocess.run(["git", *line.split()], cwd=gitops, check=True, env={**os.environ, **ENVIRONMENT})
    return folder


@pytest.fixture
def gitops(registered: Path, greet: Path, alula: Alula, monkeypatch: pytest.MonkeyPatch) -> Gitops:
    """A project `penguins`, registered and committed to its domain dev."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    shutil.copytree(registered / "project", greet, dirs_exist_ok=True)
    shutil.copytree(registered / "gitops", greet.parent / "gitops")
    return Gitops(greet, greet.parent / "gitops", alula)


Edit = Callable[[Gitops], object]
