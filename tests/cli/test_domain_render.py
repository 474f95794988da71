"""`alula domain render`: the files that follow from a Domain, and how a stale one is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from alula.cli import main
from tests import goldens

EXAMPLE = Path(__file__).parent / "golden" / "domain"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "platform" / "penguins" / "prod"
    made.mkdir(parents=True)
    shutil.copy(EXAMPLE / "domain.yaml", made)
    return made


def render(folder: Path, *words: str) -> int:
    return main.main(["domain", "render", *words, str(folder)])


def test_the_guards_are_those_of_the_golden_files_and_the_same_the_second_time(folder: Path) -> None:
    for _ in range(2):
        assert render(folder) == 0
        for file in ("guards.yaml", "kustomization.yaml"):
            goldens.check(EXAMPLE / file, (folder / file).read_text())


def test_a_domain_that_says_nothing_still_has_its_namespace_its_account_and_nothing_connects_to_its_pods(
    folder: Path,
) -> None:
    (folder / "domain.yaml").write_text("apiVersion: alula.dev/v1alpha1\nkind: Domain\nmetadata: {name: domain}\n")
    assert render(folder, "--namespace", "elsewhere") == 0
    made = {each["kind"]: each for each in yaml.safe_load_all((folder / "guards.yaml").read_text())}
    assert set(made) == {"Namespace", "ServiceAccount", "Role", "RoleBinding", "NetworkPolicy"}
    assert made["Namespace"]["metadata"]["name"] == "elsewhere"
    assert made["Namespace"]["metadata"]["labels"] == {
        "alula.dev/project": "penguins",
        "alula.dev/domain": "prod",
        "alula.dev/policies": "open",
        "pod-security.kubernetes.io/enforce": "restricted",
    }
    assert made["NetworkPolicy"]["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "egress": [{}],
    }


def test_check_writes_nothing_and_names_a_folder_that_is_stale(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert render(folder, "--check") == 1
    assert sorted(each.name for each in folder.iterdir()) == ["domain.yaml"]
    assert f"run `alula domain render {folder}`" in capsys.readouterr().err
    render(folder)
    assert render(folder, "--check") == 0
    text = (folder / "domain.yaml").read_text()
    (folder / "domain.yaml").write_text(text.replace("pods: '200'", "pods: '100'"))
    assert render(folder, "--check") == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("limit: 3", "limit: 0", "limit"),
        ("pods: '200'", "pods: '-5'", "quota"),
        ("policies: Strict", "policies: strict", "policies"),
        ("cidr: 10.20.0.0/16", "cidr: intranet", "cidr"),
        ("kind: Domain", "kind: Workflow", "holds 0 Domains"),
    ],
)
def test_a_domain_that_makes_no_sense_is_refused_with_its_file_and_field(
    folder: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    text = (folder / "domain.yaml").read_text()
    assert old in text
    (folder / "domain.yaml").write_text(text.replace(old, new))
    assert render(folder) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert "domain.yaml" in shown
    assert not (folder / "guards.yaml").exists()
