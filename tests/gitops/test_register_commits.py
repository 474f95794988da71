"""`alula register --branch --push --pr`: a commit instead of files in the working tree; and what it refuses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from alula.emit import releases
from tests.gitops.conftest import ENVIRONMENT, SOURCE, Gitops

ROOT = Path(__file__).resolve().parents[2]


def register(gitops: Gitops, *words: str, image: str = "penguins:2") -> tuple[int, str]:
    done = gitops.alula("register", "--repo", str(gitops.folder), "--image", image, *words, "flows")
    return done.code, done.err


def test_a_branch_has_the_release_and_the_working_tree_stays(gitops: Gitops, tmp_path: Path) -> None:
    gitops.git("clone", "--quiet", "--bare", ".", str(tmp_path / "remote.git"))
    gitops.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    head = gitops.git("rev-parse", "HEAD")
    gitops.write(SOURCE.replace("10m", "20m"))
    code, said = register(gitops, "--branch", "release/2", "--push", "--pr")
    assert code == 0, said
    assert said.endswith(f"open a request: for the branch release/2 of {tmp_path}/remote.git\n")
    assert (gitops.git("rev-parse", "HEAD"), gitops.git("status", "--porcelain")) == (head, "")
    assert gitops.git("ls-remote", "origin", "release/2").split()[0] == gitops.git("rev-parse", "release/2")
    assert gitops.git("log", "-1", "--format=%s", "release/2").startswith("Register penguins ")
    assert "timeout: 20m" in gitops.git("show", "release/2:penguins/dev/release/penguins/workflow-penguins-train.yaml")
    gitops.git("merge", "--quiet", "--ff-only", "release/2")
    assert gitops("verify").code == 0
    register(gitops, "--push")
    assert register(gitops, "--push")[1].endswith("nothing to do, all of it is there already\n")


def test_what_could_not_be_built_again_is_neither_sent_nor_promoted(gitops: Gitops) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=gitops.project, check=True, capture_output=True)

    git("init", "--quiet")
    git("add", "--all")
    git("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "-m", "first")
    gitops.write(SOURCE.replace("10m", "20m"))
    code, said = register(gitops, "--branch", "release/2")
    assert (code, "files differ from the source commit" in said) == (2, True)
    assert register(gitops)[0] == 0
    gitops.commit()
    done = gitops("promote", "--from", "dev", "--to", "prod")
    assert (done.code, "it was registered from files that differ from commit" in done.err) == (1, True)


def test_a_domain_may_take_only_what_was_registered_from_committed_files(gitops: Gitops) -> None:
    own = gitops.folder / "platform/penguins/dev/domain.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(
        "apiVersion: alula.dev/v1alpha1\nkind: Domain\nmetadata: {name: domain}\nspec: {source: Committed}\n"
    )
    assert gitops.alula("domain", "render", str(own.parent)).code == 0
    gitops.commit()
    for words in ((), ("--dry-run",), ("--branch", "release/2")):
        code, said = register(gitops, *words)
        assert (code, gitops.git("status", "--porcelain")) == (1, "")
        assert "error NOT_PROMOTABLE: penguins/dev does not take it: no commit of its source is known" in said
    done = gitops("verify")
    assert done.code == 1
    assert "no commit of its source is known, and the Domain says `source: Committed`" in done.err

    subprocess.run(["git", "init", "--quiet"], cwd=gitops.project, check=True)
    for line in ("add --all", "-c user.name=Ada -c user.email=ada@example.org commit --quiet -m first"):
        subprocess.run(["git", *line.split()], cwd=gitops.project, check=True)
    text = (gitops.project / "flows/penguins.py").read_text()
    gitops.write(text.replace("10m", "20m"))
    code, said = register(gitops)
    assert (code, "it was registered from files that differ from commit " in said) == (1, True)
    gitops.write(text)
    assert register(gitops)[0] == 0
    assert gitops("verify").code == 0


def test_a_request_needs_a_branch_that_is_pushed(gitops: Gitops) -> None:
    code, said = register(gitops, "--pr")
    assert (code, "--pr is for a branch that is pushed" in said) == (2, True)


SURROUNDINGS = {
    "locale": {"LC_ALL": "C", "LANG": "tr_TR.UTF-8"},
    "hash seed": {"PYTHONHASHSEED": "12345"},
    "zone": {"TZ": "Asia/Kathmandu"},
    "utf-8 mode": {"PYTHONUTF8": "0", "LC_ALL": "POSIX"},
}


@pytest.mark.parametrize("surrounding", SURROUNDINGS)
def test_a_release_is_the_same_bytes_in_any_surroundings(gitops: Gitops, tmp_path: Path, surrounding: str) -> None:
    other = tmp_path / "other"
    umask = os.umask(0o077)
    try:
        words = [sys.executable, "-m", "alula", "register", "--repo", str(other), "--image", "penguins:1", "flows"]
        environment = {**os.environ, **ENVIRONMENT, **SURROUNDINGS[surrounding]}
        subprocess.run(words, cwd=gitops.project, check=True, capture_output=True, env=environment)
    finally:
        os.umask(umask)
    found = {each.relative_to(other): each.read_bytes() for each in other.rglob("*") if each.is_file()}
    own = [each for each in gitops.folder.rglob("*") if each.is_file() and ".git" not in each.parts]
    assert found == {each.relative_to(gitops.folder): each.read_bytes() for each in own}


def test_the_ends_of_lines_of_the_source_do_not_count(gitops: Gitops) -> None:
    before = tree(gitops.folder)
    for each in gitops.project.rglob("*.py"):
        each.write_bytes(each.read_bytes().replace(b"\n", b"\r\n"))
    gitops.register()
    assert tree(gitops.folder) == before


def tree(folder: Path) -> dict[str, bytes]:
    files = (each for each in folder.rglob("*") if each.is_file() and ".git" not in each.parts)
    return {str(each.relative_to(folder)): each.read_bytes() for each in files}


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_every_python_makes_the_same_resources(gitops: Gitops, tmp_path: Path, version: str) -> None:
    """The second trace of `register` in another Python, which has none of our dependencies."""
    environment = {**os.environ, **ENVIRONMENT, "PYENV_VERSION": version}
    environment["PYTHONPATH"] = os.pathsep.join(str(ROOT / each) for each in ("sdk", "compiler", "crds"))
    program = shutil.which(f"python{version}")
    if program is None or subprocess.run([program, "-V"], env=environment, capture_output=True).returncode:
        pytest.skip(f"Python {version} is not on this machine")
    words = ["-m", "alula.emit.repeat", str(tmp_path / "made"), "penguins:1", "flows"]
    subprocess.run([program, *words], cwd=gitops.project, check=True, env=environment)
    made = {releases.kind_file(each): each for each in json.loads((tmp_path / "made").read_text())}
    files = gitops.path("dev/release/penguins").glob("*-*.yaml")
    assert made == {each.name: yaml.safe_load(each.read_text()) for each in files}


def test_two_branches_that_change_different_workflows_conflict_in_the_digests_alone(gitops: Gitops) -> None:
    base = gitops.registered(SOURCE, image="penguins:1")
    for branch, old, new in (
        ("one", "trees=1)", "trees=2)"),
        ("two", "fit(load(day), trees)", "fit(load(day), trees=trees)"),
    ):
        gitops.git("checkout", "--quiet", "-b", branch, base)
        text = (
            SOURCE.replace(old, new)
            if branch == "one"
            else SOURCE.replace(
                "trees: int = 10) -> int:\n    return fit(load", "trees: int = 12) -> int:\n    return fit(load"
            )
        )
        gitops.registered(text, image=f"penguins:{branch}")
    gitops.git("merge", "one", check=False)
    conflicts = gitops.git("diff", "--name-only", "--diff-filter=U").split()
    assert conflicts == ["penguins/dev/release/penguins/kustomization.yaml"]
    assert gitops("verify").code == 1
    merged = SOURCE.replace("trees=1)", "trees=2)").replace(
        "trees: int = 10) -> int:\n    return fit(load", "trees: int = 12) -> int:\n    return fit(load"
    )
    gitops.write(merged)
    gitops.register(image="penguins:3")
    assert gitops("verify").code == 0
