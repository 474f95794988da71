"""The samples of CI that `alula init` writes: their own lines, run as a forge would."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.gitops.conftest import Gitops

GOLDEN = Path(__file__).parent / "golden"


def lines(sample: Path) -> Iterator[str]:
    """The commands of alula in a sample."""

    def texts(found: object) -> Iterator[str]:
        if isinstance(found, str):
            yield from (line.strip() for line in found.splitlines())
        elif isinstance(found, dict):
            for each in found.values():
                yield from texts(each)
        elif isinstance(found, list):
            for each in found:
                yield from texts(each)

    yield from (line for line in texts(yaml.safe_load(sample.read_text())) if line.startswith("alula "))


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """An environment with `alula` on PATH, and no command line of a forge."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "alula").write_text(f'#!/bin/sh\nexec {sys.executable} -m alula "$@"\n')
    (folder / "alula").chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:/usr/bin:/bin"}


def run(line: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize("sample", [".github/workflows/review.yaml", ".gitlab-ci.yml"])
def test_a_review_is_checked_and_says_what_it_means(gitops: Gitops, shell: dict[str, str], sample: str) -> None:
    base = gitops.git("rev-parse", "HEAD")
    gitops.registered(gitops.project.joinpath("flows/penguins.py").read_text().replace("10m", "20m"))
    environment = {**shell, "BASE": base, "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    found = [*lines(GOLDEN / "gitops" / sample)]
    assert {line.split()[1] for line in found} == {"verify", "diff"}
    for line in found:
        done = run(line, gitops.folder, environment)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
    assert "timeout 10m → 20m" in (gitops.folder / "diff.md").read_text()
    gitops.edit("dev/release/penguins/release.lock", "workflow", "other")
    verify = next(line for line in found if "verify" in line)
    assert run(verify, gitops.folder, environment).returncode == 1


@pytest.mark.parametrize("sample", [".github/workflows/release.yaml", ".gitlab-ci.yml"])
def test_a_merge_of_the_code_opens_a_request_in_the_gitops_repository(
    gitops: Gitops, shell: dict[str, str], tmp_path: Path, sample: str
) -> None:
    gitops.git("clone", "--quiet", "--bare", ".", str(tmp_path / "remote.git"))
    subprocess.run(["git", "clone", "--quiet", str(tmp_path / "remote.git"), "gitops"], cwd=gitops.project, check=True)
    for key, value in (("user.name", "CI"), ("user.email", "ci@example.org")):
        subprocess.run(["git", "config", key, value], cwd=gitops.project / "gitops", check=True)
    image = f"registry.example.org/penguins@sha256:{2:064x}"
    sha = "0123456789abcdef"
    environment = {**shell, "IMAGE": image, "GITHUB_SHA": sha, "CI_COMMIT_SHORT_SHA": sha[:12]}
    (line,) = [line for line in lines(GOLDEN / "code" / sample) if " register " in line]
    done = run(line, gitops.project, environment)
    assert done.returncode == 0, done.stderr
    branch = f"release/penguins-{sha[:12]}"
    assert f"open a request: for the branch {branch}" in done.stderr
    shown = subprocess.run(
        ["git", "show", f"{branch}:penguins/dev/release/penguins/kustomization.yaml"],
        cwd=tmp_path / "remote.git", check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert image.partition("@")[2] in shown
