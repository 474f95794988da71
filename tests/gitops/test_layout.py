"""What a gitops repository holds beside releases: the merge keys, and each domain's own kustomization."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from alula import errors
from alula.gitops import layout
from alula_api.kinds import openapi
from tests.kinds import samples

FILES = ("alula-openapi.json", "kustomization.yaml")


def document(version: object) -> str:
    return json.dumps({**openapi.document(), "info": {"version": version}})


def test_the_merge_keys_are_written_where_they_are_absent_and_then_left_alone(tmp_path: Path) -> None:
    assert layout.write_openapi(tmp_path).created == FILES
    assert (tmp_path / "openapi" / FILES[0]).read_text() == openapi.text()
    assert yaml.safe_load((tmp_path / "openapi" / FILES[1]).read_text())["kind"] == "Component"
    assert layout.write_openapi(tmp_path).none


@pytest.mark.parametrize("old", [document("0"), document(None), "{}", "<<<<<<< HEAD\n", openapi.text() + " "])
def test_older_edited_and_broken_merge_keys_are_written_anew(tmp_path: Path, old: str) -> None:
    layout.write_openapi(tmp_path)
    (tmp_path / "openapi" / FILES[0]).write_text(old)
    assert layout.write_openapi(tmp_path).changed == FILES[:1]
    assert (tmp_path / "openapi" / FILES[0]).read_text() == openapi.text()


def test_merge_keys_of_a_newer_alula_are_left_alone(tmp_path: Path) -> None:
    newer = document(str(openapi.VERSION_OF_KEYS + 1))
    layout.write_openapi(tmp_path)
    for name, text in zip(FILES, (newer, "kind: Component\n"), strict=True):
        (tmp_path / "openapi" / name).write_text(text)
    assert layout.write_openapi(tmp_path).none
    assert (tmp_path / "openapi" / FILES[0]).read_text() == newer


@pytest.fixture
def domain(tmp_path: Path) -> Path:
    """The kustomization of a new domain."""
    layout.write_domain(tmp_path, "penguins", "penguins-dev", [samples.WORKFLOW])
    return tmp_path / "kustomization.yaml"


def test_a_new_domain_has_a_patch_of_a_task_that_there_is_as_the_example(domain: Path) -> None:
    lines = [line.removeprefix("# ") for line in domain.read_text().splitlines() if line.startswith("# ")]
    shown = yaml.safe_load("\n".join(lines[lines.index("patches:") : -1]))
    patch = yaml.safe_load(shown["patches"][0]["patch"])
    assert patch["metadata"] == {"name": "penguins-train"}
    assert patch["spec"]["tasks"][0]["name"] in {task["name"] for task in samples.WORKFLOW["spec"]["tasks"]}


def test_another_source_is_added_after_the_others_whatever_the_comments_say(domain: Path) -> None:
    domain.write_text("# - release/penguins\n" + domain.read_text().replace("# `alula", "# ours: `alula"))
    for source in ("training", "penguins", "scoring"):
        layout.write_domain(domain.parent, source, "penguins-dev", [])
    found = yaml.safe_load(domain.read_text())
    assert found["resources"] == ["release/penguins", "release/training", "release/scoring"]
    assert domain.read_text().startswith("# - release/penguins\n# This domain's own settings")
    assert layout.missing(domain.parent, "training") == []


EDITS = {
    "a patch": lambda text: text + "patches: []\n",
    "another namespace line": lambda text: text.replace("namespace: penguins-dev", "namespace:  penguins-dev"),
    "resources on one line": lambda text: text.replace(
        "resources:\n- release/penguins", "resources: [release/penguins]"
    ),
    "no resources": lambda text: text.replace("resources:\n- release/penguins\n", ""),
    "nothing": lambda text: "",
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_a_team_edited_is_left_alone_and_what_it_lacks_is_said(domain: Path, edit: str) -> None:
    text = EDITS[edit](domain.read_text())
    domain.write_text(text)
    assert layout.write_domain(domain.parent, "training", "penguins-dev", []).none
    assert domain.read_text() == text
    lacks = ["resources: [release/training]", *(["components: [../../openapi]"] if edit == "nothing" else [])]
    assert layout.missing(domain.parent, "training") == lacks


def test_a_kustomization_that_is_no_yaml_is_refused_with_its_line(domain: Path) -> None:
    domain.write_text("resources:\n- [\n")
    with pytest.raises(errors.UserError) as raised:
        layout.write_domain(domain.parent, "training", "penguins-dev", [])
    assert raised.value.diagnostics[0].source.startswith(f"{domain}:")
