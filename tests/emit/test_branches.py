"""Releases in a real git repository: what a commit changes, and what two branches fight over."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from alula.emit import lock
from tests.emit.conftest import Alula

HEAD = (
    "from alula import LaunchPlan, task, workflow\n\n@task(cache=True)\ndef shout(text: str) -> str:\n    return text\n"
)
FLOW = '\n@workflow\ndef w{0:02}(text: str = "hello") -> str:\n    """{1}."""\n    return shout(text)\n'
RELEASE = "greet/dev/release/greet"


def sources(project: Path, **words: str) -> None:
    """Twenty files with a workflow each; `w03="night"` changes one word in one of them."""
    for number in range(20):
        word = words.get(f"w{number:02}", "day")
        (project / f"flow{number:02}.py").write_text(HEAD + FLOW.format(number, f"Say good {word}"))


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=check, capture_output=True, text=True)
    return done.stdout


def register(project: Path, *arguments: str, check: bool = True, **environment: str) -> str:
    """`alula register` in a process of its own, so that each sees the sources as they are now."""
    argv = [sys.executable, "-m", "alula", "register", *arguments, "."]
    env = {**os.environ, **environment}
    done = subprocess.run(argv, cwd=project, env=env, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of twenty workflows, `greet`, beside the repository that it is registered into, `gitops`."""
    place = tmp_path_factory.mktemp("registered")
    project = place / "greet"
    project.mkdir()
    (project / "pyproject.toml").write_text("[tool.alula]\nproject = 'greet'\n")
    sources(project)
    git(place, "init", "--quiet", "--initial-branch=main", "gitops")
    register(project, "--repo", "../gitops", "--image", image(1))
    commit(place / "gitops")
    return place


@pytest.fixture
def project(registered: Path, tmp_path: Path) -> Path:
    """The project, for this test alone."""
    shutil.copytree(registered, tmp_path, dirs_exist_ok=True)
    return tmp_path / "greet"


@pytest.fixture
def gitops(project: Path) -> Path:
    """The repository beside it."""
    return project.parent / "gitops"


def image(build: int) -> str:
    """What CI builds for a commit."""
    return f"registry.example.org/greet@sha256:{build:064}"


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Register")


def changes(folder: Path, *revisions: str) -> dict[str, tuple[int, int]]:
    """Lines added and removed in each file since a commit."""
    rows = (line.split("\t") for line in git(folder, "diff", "--numstat", *revisions).splitlines())
    return {name.removeprefix(f"{RELEASE}/"): (int(added), int(removed)) for added, removed, name in rows}


def test_one_word_changes_its_file_its_line_of_the_lock_and_the_digests(project: Path, gitops: Path) -> None:
    sources(project, w07="night")
    register(project, "--repo", str(gitops), "--image", image(2))
    assert changes(gitops) == {
        "workflow-flow07-w07.yaml": (2, 2),  # its version and the word
        "release.lock": (1, 1),
        "kustomization.yaml": (3, 3),  # the release, the checksum, the image
    }


def test_compiled_objects_of_the_others_change_by_their_image_alone(project: Path, gitops: Path, alula: Alula) -> None:
    before = alula("compile", str(gitops / "greet" / "dev")).out
    sources(project, w07="night")
    register(project, "--repo", str(gitops), "--image", image(2))
    after = alula("compile", str(gitops / "greet" / "dev")).out
    old, new = (dict(zip(names(text), text.split("---\n"), strict=True)) for text in (before, after))
    assert len(old) == 20
    different = {name for name in old if settled(old[name]) != settled(new[name])}
    assert different == {"flow07-w07"}
    assert all(image(2) in text for text in new.values())


def settled(objects: str) -> str:
    """Without the image, and without the revision, which is the digest of all that is compiled."""
    return re.sub(r"(alula.dev/revision: |@sha256:)\S+", r"\1", objects)


def names(objects: str) -> list[str]:
    return [line.removeprefix("  name: ") for line in objects.splitlines() if line.startswith("  name: ")]


def test_two_branches_that_touch_two_workflows_meet_in_the_digests_alone(project: Path, gitops: Path) -> None:
    for branch, words, build in (("night", {"w07": "night"}, 2), ("noon", {"w08": "noon"}, 3)):
        git(gitops, "checkout", "--quiet", "-b", branch, "main")
        sources(project, **words)
        register(project, "--repo", str(gitops), "--image", image(build))
        commit(gitops)
    git(gitops, "merge", "night", check=False)
    assert git(gitops, "diff", "--name-only", "--diff-filter=U").split() == [f"{RELEASE}/kustomization.yaml"]
    text = (gitops / RELEASE / "kustomization.yaml").read_text()
    assert sum(line.endswith(".yaml") for line in without_conflicts(text)[1:]) == 20
    assert conflicting(text) <= {"# release", "# files", "image"}
    lines = (gitops / RELEASE / "release.lock").read_text()
    assert "<<<" not in lines and len(lines.splitlines()) == 40

    sources(project, w07="night", w08="noon")
    register(project, "--repo", str(gitops), "--image", image(4))
    assert git(gitops, "diff", "--check") == ""
    listed = lock.read(gitops / RELEASE / "release.lock")
    assert listed == {name: lock.digest((gitops / RELEASE / name).read_bytes()) for name in listed}
    assert set(changes(gitops, "night")) == {"workflow-flow08-w08.yaml", "release.lock", "kustomization.yaml"}


def without_conflicts(text: str) -> list[str]:
    """The lines that git could merge."""
    found, inside = [], False
    for line in text.splitlines():
        inside = line.startswith("<<<<<<<") or (inside and not line.startswith(">>>>>>>"))
        found += [] if inside else [line]
    return found


def conflicting(text: str) -> set[str]:
    """What the lines that git could not merge begin with."""
    merged = set(without_conflicts(text))
    lines = (
        line for line in text.splitlines() if line not in merged and line[:7] not in {"<<<<<<<", "=======", ">>>>>>>"}
    )
    return {line.partition(":")[0].strip() for line in lines}


def test_registering_again_is_no_change(project: Path, gitops: Path) -> None:
    assert "nothing changed" in register(project, "--repo", str(gitops), "--image", image(1))
    assert git(gitops, "status", "--porcelain") == ""


def test_the_bytes_are_the_same_on_every_machine(project: Path, gitops: Path, tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        for number, environment in enumerate(
            (
                {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "C"},
                {"PYTHONHASHSEED": "2", "TZ": "America/St_Johns", "LC_ALL": "de_DE.UTF-8", "PYTHONUTF8": "0"},
            )
        ):
            repo = tmp_path / f"again-{number}"
            register(project, "--repo", str(repo), "--image", image(1), **environment)
            assert contents(repo) == contents(gitops)
    finally:
        os.umask(old)


def contents(repo: Path) -> dict[str, bytes]:
    files = (path for path in repo.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(repo)): path.read_bytes() for path in files}
