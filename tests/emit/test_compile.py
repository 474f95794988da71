"""`alula compile`: what a folder will really become, the domain's patches included."""

from __future__ import annotations

import re
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from alula.emit import kustomize
from tests.emit.conftest import Alula
from tests.emit.test_releases import SOURCE

PATCH = """
patches:
- patch: |
    apiVersion: alula.dev/v1alpha1
    kind: Workflow
    metadata: {name: greet-hello}
    spec: {tasks: [{name: shout, resources: {requests: {memory: 4Gi}}}]}
"""
NEITHER = "neither kubectl nor kustomize is on PATH"

needs_kustomize = pytest.mark.skipif(kustomize.builder() is None, reason=f"{NEITHER}, so nothing builds a folder")


@pytest.fixture
def folder(greet: Path, alula: Alula) -> Path:
    """A registered folder."""
    (greet / "greet.py").write_text(SOURCE)
    assert alula("register", "greet.py").code == 0
    return Path("gitops/greet/dev")


@pytest.fixture
def without_kustomize(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kustomize, "builder", lambda: None)


def append(folder: Path, text: str) -> None:
    with (folder / "kustomization.yaml").open("a") as file:
        file.write(text)


def memory(printed: str) -> Any:
    """The memory that the task asks for in the compiled template."""
    (template,) = [each for each in yaml.safe_load_all(printed) if each["metadata"]["name"] == "greet-hello"]
    (shout,) = [each for each in template["spec"]["templates"] if each["name"] == "shout"]
    return shout["container"].get("resources", {}).get("requests", {}).get("memory")


@needs_kustomize
def test_a_domains_patch_is_in_what_is_printed(folder: Path, alula: Alula) -> None:
    append(folder, PATCH)
    done = alula("compile", str(folder))
    assert (done.code, done.err) == (0, "")
    assert memory(done.out) == "4Gi"


@needs_kustomize
def test_with_and_without_kustomize_an_unpatched_folder_is_the_same_bytes(
    folder: Path, alula: Alula, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = alula("compile", str(folder))
    monkeypatch.setattr(kustomize, "builder", lambda: None)
    read = alula("compile", str(folder))
    assert (built.code, built.err) == (read.code, read.err) == (0, "")
    assert built.out == read.out == alula("compile", str(folder / "release")).out
    assert "image: greet:1\n" in built.out


def test_without_kustomize_the_release_is_printed_and_what_is_left_out_is_told(
    folder: Path, alula: Alula, without_kustomize: None
) -> None:
    append(folder, PATCH)
    (folder / "more.yaml").write_text("not: ours")  # a plain file counts, whatever it holds
    file = folder / "kustomization.yaml"
    file.write_text(file.read_text().replace("- release/greet\n", "- release/greet\n- more.yaml\n- gone\n"))
    done = alula("compile", str(folder))
    assert done.code == 0
    assert memory(done.out) is None
    assert done.err == (
        f"warning: patches, resource gone of {file} not applied: {NEITHER}; "
        "what is printed is the release without them\n"
    )


def test_patches_in_files_of_their_own_are_no_resources(folder: Path, alula: Alula, without_kustomize: None) -> None:
    append(folder, "patches:\n- path: memory.yaml\n")
    (folder / "memory.yaml").write_text(yaml.safe_dump(yaml.safe_load(yaml.safe_load(PATCH)["patches"][0]["patch"])))
    done = alula("compile", str(folder))
    assert done.code == 0
    assert "warning: patches of" in done.err


@needs_kustomize
def test_patches_in_files_of_their_own_are_applied(folder: Path, alula: Alula) -> None:
    append(folder, "patches:\n- path: memory.yaml\n")
    (folder / "memory.yaml").write_text(yaml.safe_dump(yaml.safe_load(yaml.safe_load(PATCH)["patches"][0]["patch"])))
    done = alula("compile", str(folder))
    assert (done.code, done.err, memory(done.out)) == (0, "", "4Gi")


def test_what_a_domain_forbids_is_told_where_the_option_stands(greet: Path, alula: Alula) -> None:
    call = '    return half.with_overrides(timeout="2h")(half.with_overrides(timeout="1h")(n))'
    (greet / "greet.py").write_text(
        f"{SOURCE}\n\n@task\ndef half(n: int) -> int:\n    return n // 2\n\n\n"
        f"@workflow\ndef halves(n: int) -> int:\n{call}\n"
    )
    line = (greet / "greet.py").read_text().splitlines().index(call) + 1
    domain = {"apiVersion": "alula.dev/v1alpha1", "kind": "Domain", "metadata": {"name": "domain"}}
    (greet / "domain.yaml").write_text(yaml.safe_dump({**domain, "spec": {"taskLimits": {"timeout": "1h"}}}))
    done = alula("compile", "--domain", "domain.yaml", "greet.py")
    assert f"greet.py:{line}: error OVER_LIMIT: the timeout is 2h, and this domain allows 1h\n" in done.err, done.err


@needs_kustomize
def test_what_kustomize_refuses_is_told_in_its_words(folder: Path, alula: Alula) -> None:
    append(folder, PATCH.replace("greet-hello", "greet-helo"))
    done = alula("compile", str(folder))
    assert done.code == 1
    assert done.err.startswith(
        f"{folder}/kustomization.yaml: error BAD_RESOURCE: kustomize refuses it: no resource matches"
    )
    assert "greet-helo" in done.err
    assert "Traceback" not in done.err


@needs_kustomize
def test_what_a_patch_breaks_is_told_with_the_file_of_the_resource(folder: Path, alula: Alula) -> None:
    append(folder, PATCH.replace("resources: {requests: {memory: 4Gi}}", "retries: {limit: many}"))
    done = alula("compile", str(folder))
    assert done.code == 1
    assert done.err.startswith(f"{folder}/release/greet/workflow-greet-hello.yaml: error BAD_RESOURCE: ")
    assert "retries" in done.err


@needs_kustomize
def test_a_folder_that_builds_to_nothing_of_ours_is_told(greet: Path, alula: Alula) -> None:
    (greet / "kustomization.yaml").write_text("resources: [one.yaml]\n")
    (greet / "one.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
    done = alula("compile", ".")
    assert done.code == 1
    assert "no resource of alula is in what kustomize builds of ." in done.err


def test_two_domains_at_once_are_refused_with_both_files(folder: Path, alula: Alula) -> None:
    alula("register", "--domain", "prod", "greet.py")
    done = alula("compile", "gitops")
    assert done.code == 1
    assert "gitops/greet/prod/release/greet/workflow-greet-hello.yaml: error DUPLICATE_NAME: two Workflows" in done.err
    assert "the other one is in gitops/greet/dev/release/greet/workflow-greet-hello.yaml" in done.err
    assert "hint: name the folder of one domain" in done.err


def test_a_python_file_compiles_as_its_release_does(folder: Path, alula: Alula) -> None:
    python, release = alula("compile", "greet.py"), alula("compile", str(folder))
    assert (python.code, release.code) == (0, 0)
    assert python.out == release.out != ""


def test_kubectl_is_looked_for_beside_python_and_then_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert kustomize.builder() is None
    for folder, name, command in (
        ("path", "kustomize", ["build"]),
        ("path", "kubectl", ["kustomize"]),
        ("bin", "kubectl", ["kustomize"]),
    ):
        file = tmp_path / folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("#!/bin/sh\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        assert kustomize.builder() == [str(file), *command]


def test_a_kustomize_that_cannot_be_run_is_told(folder: Path, alula: Alula, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kustomize, "builder", lambda: ["/nowhere/kubectl", "kustomize"])
    done = alula("compile", str(folder))
    assert done.code == 1
    assert "/nowhere/kubectl cannot be run" in done.err


def test_digests_that_a_merge_left_behind_are_reported(folder: Path, alula: Alula) -> None:
    file = folder / "release" / "greet" / "kustomization.yaml"
    file.write_text(re.sub("sha256:[0-9a-f]+", f"sha256:{'0' * 64}", file.read_text()))
    done = alula("compile", str(folder))
    assert (done.code, done.err) == (
        0,
        f"warning: the digests in {file} were made for other files, as after a merge; "
        "register the merged sources again\n",
    )
