"""`alula init`: a project that runs, and a gitops folder that kustomize builds and Argo CD's own schemas accept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from alula.emit import kustomize
from alula_api.kinds import guards
from alula_api.kinds.domains import Domain
from e2e.cluster import binaries, errors
from tests.emit.conftest import Alula
from tests.kinds import samples

GOLDEN = Path(__file__).parent / "golden"


def written(folder: Path) -> dict[str, str]:
    return {
        each.relative_to(folder).as_posix(): each.read_text()
        for each in sorted(folder.rglob("*"))
        if each.is_file() and "__pycache__" not in each.parts and ".pytest_cache" not in each.parts
    }


def compare(folder: Path, golden: Path) -> None:
    found = written(folder)
    if os.environ.get("ALULA_GOLDEN") == "write":
        for path, text in found.items():
            (golden / path).parent.mkdir(parents=True, exist_ok=True)
            (golden / path).write_text(text)
    assert found == written(golden)


def built(folder: Path) -> list[dict[str, object]]:
    command = kustomize.builder()
    assert command is not None
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=True)
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def test_a_project_of_code_runs_its_test_and_registers(
    alula: Alula, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = alula("init", "code", "--project", "penguins")
    assert (done.code, done.out) == (0, "")
    compare(tmp_path / "code", GOLDEN / "code")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd="code", capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout
    words = [sys.executable, "-m", "alula", "register", "--image", "penguins:1", "flows"]
    assert subprocess.run(words, cwd="code", capture_output=True, check=False).returncode == 0
    again = alula("init", "code")
    assert again.err == "all files are in code already: nothing was written\n"


@pytest.fixture
def gitops(alula: Alula, tmp_path: Path) -> Path:
    folder = tmp_path / "gitops"
    words = ("--project", "penguins", "--url", "https://git.example.org/data/gitops.git")
    assert alula("init", "--gitops", str(folder), *words).code == 0
    return folder


def test_a_gitops_folder_is_as_the_golden_tree(gitops: Path) -> None:
    compare(gitops, GOLDEN / "gitops")


def test_everything_in_it_builds_and_argo_cd_accepts_it(gitops: Path, alula: Alula) -> None:
    found = built(gitops / "platform/argocd")
    assert [(each["kind"], each["metadata"]["namespace"]) for each in found] == [  # type: ignore[index]
        ("AppProject", "argocd"), ("AppProject", "argocd"), ("AppProject", "argocd"),
        ("ApplicationSet", "argocd"), ("ApplicationSet", "argocd"),
    ]  # fmt: skip
    try:
        crds = binaries.manifests("argo-cd")
    except errors.Unavailable as error:
        pytest.skip(str(error))
    for kind in ("AppProject", "ApplicationSet"):
        (crd,) = [
            parsed
            for file in crds.glob(f"{kind.lower()}-crd.yaml")
            for parsed in yaml.load_all(file.read_text(), yaml.CSafeLoader)
        ]
        schema = closed(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
        for each in found:
            if each["kind"] == kind:
                jsonschema.validate(each, schema)
    for domain in ("dev", "prod"):
        kinds = [each["kind"] for each in built(gitops / f"platform/penguins/{domain}")]
        assert kinds == ["Namespace", "ServiceAccount", "Role", "RoleBinding", "Domain", "NetworkPolicy"]
        assert built(gitops / f"penguins/{domain}") == []
    assert alula("verify", "--repo", str(gitops)).err == "penguins/dev: nothing\npenguins/prod: nothing\n"


def test_argo_cd_may_bring_every_guard_that_a_domain_can_have(gitops: Path) -> None:
    (projects,) = [
        each
        for each in yaml.safe_load_all((gitops / "platform/argocd/applicationsets.yaml").read_text())
        if each["kind"] == "AppProject"
    ]
    spec = projects["spec"]
    allowed = {each["kind"] for each in spec["clusterResourceWhitelist"] + spec["namespaceResourceWhitelist"]}
    whole = guards.render(Domain.model_validate(samples.DOMAIN), "penguins", "prod", "penguins-prod")
    assert {each["kind"] for each in whole} == allowed


def closed(schema: object) -> object:
    """A schema under which no field goes that it does not name."""
    if isinstance(schema, dict):
        found = {key: closed(value) for key, value in schema.items()}
        named = schema.get("properties", {})
        if named and "metadata" not in named and "additionalProperties" not in schema:
            found["additionalProperties"] = False
        return found
    return [closed(each) for each in schema] if isinstance(schema, list) else schema


def test_a_domain_may_be_added_and_nothing_else_changes(gitops: Path, alula: Alula) -> None:
    before = written(gitops)
    (gitops / "README.md").write_text("ours\n")
    done = alula("init", "--gitops", str(gitops), "--project", "penguins", "--domain", "staging")
    after = written(gitops)
    assert done.code == 0
    assert {path for path in after if path not in before} == {
        "penguins/staging/kustomization.yaml",
        "platform/argocd/projects/penguins-staging.yaml",
        *(f"platform/penguins/staging/{each}.yaml" for each in ("domain", "guards", "kustomization")),
    }
    assert {path for path in before if after[path] != before[path]} == {
        "README.md",
        "platform/argocd/kustomization.yaml",
    }
    assert "- projects/penguins-staging.yaml\n" in after["platform/argocd/kustomization.yaml"]


def test_a_domain_that_is_added_follows_the_repository_that_the_others_follow(alula: Alula, tmp_path: Path) -> None:
    folder, url = str(tmp_path / "gitops"), "https://git.example.com/other.git"
    assert alula("init", "--gitops", folder, "--project", "penguins", "--url", url, "--branch", "live").code == 0
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", folder], check=True)
    subprocess.run(["git", "-C", folder, "remote", "add", "origin", "/somewhere/else.git"], check=True)
    assert alula("init", "--gitops", folder, "--project", "penguins", "--domain", "staging").code == 0
    text = (tmp_path / "gitops/platform/argocd/projects/penguins-staging.yaml").read_text()
    assert yaml.safe_load(text)["spec"]["sourceRepos"] == [url]


def test_what_a_team_edited_is_left_alone_and_the_line_to_add_is_said(gitops: Path, alula: Alula) -> None:
    own = gitops / "platform/argocd/kustomization.yaml"
    own.write_text(own.read_text() + "# ours\n")
    done = alula("init", "--gitops", str(gitops), "--project", "penguins", "--domain", "staging")
    assert f"warning: {own} is edited and lacks projects/penguins-staging.yaml under resources: add it\n" in done.err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--project", "openapi"], "no project can be called 'openapi'"),
        (["--project", "../x"], "is not a name that a namespace can have"),
        (["--domain", "A B"], "is not a name that a namespace can have"),
        (["--url", "a\nb"], "--url cannot be 'a\\nb'"),
        (["a", "b"], "init makes one folder, got 2"),
    ],
)
def test_hostile_names_are_refused_and_nothing_is_written(
    alula: Alula, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = alula("init", "--gitops", *words)
    assert (done.code, [*tmp_path.iterdir()]) == (2, [])
    assert expected in done.err
