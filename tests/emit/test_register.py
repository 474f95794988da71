"""`alula register`: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.emit.conftest import Alula
from tests.emit.test_releases import SOURCE


@pytest.fixture
def flows(greet: Path) -> Path:
    """A project with one file."""
    (greet / "flows").mkdir()
    (greet / "flows" / "greet.py").write_text(SOURCE)
    return greet


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_new_folder_is_made_and_said_to_be_in_no_repository(flows: Path, alula: Alula) -> None:
    done = alula("register", "flows/greet.py")
    version = json.loads((flows / "gitops/greet/dev/release.lock").read_text())["version"]
    assert (done.code, done.out) == (0, "")
    assert done.err == (
        f"release {version} in gitops/greet/dev\n"
        "  new      kustomization.yaml\n"
        "  new      release.lock\n"
        "  new      release/alula-openapi.json\n"
        "  new      release/kustomization.yaml\n"
        "  new      release/launchplan-daily.yaml\n"
        "  new      release/workflow-greet-hello.yaml\n"
        "made the folder gitops, but it is in no git repository yet: git init gitops\n"
        "next: review and commit it, then apply it: kubectl apply --server-side -k gitops/greet/dev\n"
    )


def test_in_a_repository_nothing_is_said_of_it_and_again_nothing_changes(flows: Path, alula: Alula) -> None:
    (flows / "gitops").mkdir()
    git(flows / "gitops", "init", "--quiet")
    assert "git repository" not in alula("register", "flows/greet.py").err
    again = alula("register", "flows/greet.py")
    assert again.err.startswith("release ")
    assert again.err.endswith(" is in gitops/greet/dev already: nothing changed\n")


def test_a_new_folder_inside_of_a_repository_is_said_to_be_made(flows: Path, alula: Alula) -> None:
    git(flows, "init", "--quiet")
    assert "\nmade the folder gitops\nnext: " in alula("register", "flows/greet.py").err


def test_the_lock_names_the_commit_and_whether_files_differ_from_it(flows: Path, alula: Alula) -> None:
    git(flows, "init", "--quiet")
    git(flows, "add", "flows", "pyproject.toml")
    git(flows, "commit", "--quiet", "-m", "first")
    commit = git(flows, "rev-parse", "HEAD")
    lock = flows / "gitops/greet/dev/release.lock"
    alula("register", "flows/greet.py")
    assert json.loads(lock.read_text())["commit"] == commit
    (flows / "flows" / "greet.py").write_text(SOURCE + "\n# changed\n")
    alula("register", "--version", "2", "flows/greet.py")
    assert json.loads(lock.read_text())["commit"] == f"{commit}-dirty"


def test_a_folder_is_registered_as_a_whole(flows: Path, alula: Alula) -> None:
    (flows / "flows" / "other.py").write_text(SOURCE.replace('"daily"', '"weekly"'))
    assert alula("register", "flows").code == 0
    written = sorted(path.name for path in (flows / "gitops/greet/dev/release").glob("*-*.yaml"))
    assert written == [
        "launchplan-daily.yaml",
        "launchplan-weekly.yaml",
        "workflow-greet-hello.yaml",
        "workflow-other-hello.yaml",
    ]


def test_a_file_that_is_no_longer_named_is_removed_and_told_why(flows: Path, alula: Alula) -> None:
    (flows / "flows" / "other.py").write_text(SOURCE.replace('"daily"', '"weekly"'))
    alula("register", "flows")
    said = alula("register", "flows/other.py").err
    assert "  removed  release/workflow-greet-hello.yaml\n" in said
    assert "a release is exactly what is named: to keep what was removed, name its file too\n" in said


def test_what_was_edited_by_hand_is_marked(flows: Path, alula: Alula) -> None:
    alula("register", "flows/greet.py")
    plan = flows / "gitops/greet/dev/release/launchplan-daily.yaml"
    plan.write_text(plan.read_text().replace("good morning", "good night"))
    said = alula("register", "flows/greet.py").err
    assert "  changed  release/launchplan-daily.yaml  (somebody had edited it there)\n" in said
    assert "good morning" in plan.read_text()


def test_two_domains_get_the_same_bytes(flows: Path, alula: Alula) -> None:
    alula("register", "flows/greet.py")
    alula("register", "--domain", "prod", "flows/greet.py")
    dev, prod = flows / "gitops/greet/dev", flows / "gitops/greet/prod"
    assert {path.name: path.read_bytes() for path in (dev / "release").iterdir()} == {
        path.name: path.read_bytes() for path in (prod / "release").iterdir()
    }
    assert (dev / "release.lock").read_bytes() == (prod / "release.lock").read_bytes()
    assert "namespace: greet-dev" in (dev / "kustomization.yaml").read_text()
    assert "namespace: greet-prod" in (prod / "kustomization.yaml").read_text()


def test_a_folder_of_another_project_is_refused(flows: Path, alula: Alula) -> None:
    alula("register", "flows/greet.py")
    (flows / "gitops" / "greet").rename(flows / "gitops" / "hello")
    done = alula("register", "--project", "hello", "flows/greet.py")
    assert done.code == 1
    assert "gitops/hello/dev holds a release of the project greet, not of hello" in done.err


def test_a_folder_that_cannot_be_written_is_a_usage_error(flows: Path, alula: Alula) -> None:
    (flows / "gitops").write_text("a file")
    done = alula("register", "flows/greet.py")
    assert done.code == 2
    assert "cannot be written" in done.err


def test_wrong_definitions_write_nothing(flows: Path, alula: Alula) -> None:
    (flows / "flows" / "greet.py").write_text(SOURCE.replace("shout(text)", "shout(7)"))
    done = alula("register", "flows/greet.py")
    assert done.code == 1
    assert done.err.startswith("flows/greet.py:10: error EDGE_TYPE: ") or "flows/greet.py:10: error" in done.err
    assert not (flows / "gitops").exists()


def test_without_an_image_the_setting_is_told(flows: Path, alula: Alula) -> None:
    (flows / "pyproject.toml").write_text("[tool.alula]\nproject = 'greet'\n")
    done = alula("register", "flows/greet.py")
    assert done.code == 1
    assert 'write image = "registry.example.org/project:1.0" under [tool.alula]' in done.err


def test_a_bundle_is_written_for_ci_and_named_in_the_release(flows: Path, alula: Alula) -> None:
    done = alula("register", "--bundle-out", "bundles", "flows/greet.py")
    lock = json.loads((flows / "gitops/greet/dev/release.lock").read_text())
    digest = lock["bundle"]["digest"]
    assert (flows / "bundles" / digest).stat().st_size == lock["bundle"]["size"]
    assert f"wrote the bundle bundles/{digest}\n" in done.err
    text = (flows / "gitops/greet/dev/release/workflow-greet-hello.yaml").read_text()
    assert digest in text and "bundles" not in text


def test_two_ways_to_hand_over_a_bundle_exclude_each_other(flows: Path, alula: Alula) -> None:
    done = alula("register", "--bundle", "--bundle-out", "x", "flows/greet.py")
    assert done.code == 2
    assert "exclude each other" in done.err
