"""The release folder: what is written, what is left alone, what goes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alula import errors, settings
from alula.emit import assembling, bundling, discovery, manifests, releases, resources
from alula_api.contract import codes
from alula_data import bundles

SOURCE = """
from alula import LaunchPlan, task, workflow

@task
def shout(text: str) -> str:
    return text.upper()

@workflow
def hello(text: str = "hello") -> str:
    return shout(text)

daily = LaunchPlan("daily", hello, inputs={"text": "good morning"})
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text("[tool.alula]\nproject = 'greet'\nimage = 'greet:1'\n")
    return root


def module(project: Path, name: str, source: str) -> Path:
    file = project / f"{name}.py"
    file.write_text(source)
    return file


def release(*files: Path, version: str = "", commit: str = "") -> releases.Release:
    made = assembling.assemble(discovery.discover(files), resources.Code("greet:1"), version)
    return releases.build(made, assembling.version_of(made), commit=commit, namespace="greet-dev")


def test_a_release_holds_a_file_for_each_resource_and_what_kustomize_needs(project: Path) -> None:
    made = release(module(project, "rel_files", SOURCE))
    assert sorted(made.files) == [
        "kustomization.yaml",
        "release.lock",
        "release/alula-openapi.json",
        "release/kustomization.yaml",
        "release/launchplan-daily.yaml",
        "release/workflow-rel-files-hello.yaml",
    ]


def test_a_release_names_no_namespace_domain_or_store(project: Path) -> None:
    made = release(module(project, "rel_portable", SOURCE))
    text = "".join(text for path, text in made.files.items() if path.startswith("release/") and path.endswith(".yaml"))
    assert "namespace" not in text and "greet-dev" not in text and "s3:" not in text and str(project) not in text


def test_equal_sources_make_equal_versions_and_a_change_makes_another(project: Path) -> None:
    first = release(module(project, "rel_version_a", SOURCE)).version
    assert release(project / "rel_version_a.py").version == first
    changed = SOURCE.replace("hello", "good_day")
    assert release(module(project, "rel_version_b", changed)).version != first


def test_a_user_may_name_the_version(project: Path) -> None:
    assert release(module(project, "rel_named", SOURCE), version="2026.11").version == "2026.11"


def test_the_domains_own_kustomization_is_written_once_and_kept(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "dev"
    releases.write(release(module(project, "rel_kept", SOURCE)), folder)
    (folder / "kustomization.yaml").write_text("# ours now\n")
    releases.write(release(module(project, "rel_kept_b", SOURCE)), folder)
    assert (folder / "kustomization.yaml").read_text() == "# ours now\n"


def test_what_a_release_no_longer_has_is_removed_and_told(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "dev"
    releases.write(release(module(project, "rel_old", SOURCE)), folder)
    changes = releases.write(release(module(project, "rel_new", SOURCE.partition("daily =")[0])), folder)
    assert changes.removed == ("release/launchplan-daily.yaml", "release/workflow-rel-old-hello.yaml")
    assert not (folder / "release" / "launchplan-daily.yaml").exists()


def test_another_commit_with_the_same_release_changes_nothing(project: Path, tmp_path: Path) -> None:
    file = module(project, "rel_commit", SOURCE)
    assert not releases.write(release(file, commit="a" * 40), tmp_path).none
    assert releases.write(release(file, commit="b" * 40), tmp_path).none
    assert json.loads((tmp_path / "release.lock").read_text())["commit"] == "a" * 40


def test_the_lock_has_the_digest_of_every_file(project: Path, tmp_path: Path) -> None:
    import hashlib

    releases.write(release(module(project, "rel_lock", SOURCE)), tmp_path)
    lock = json.loads((tmp_path / "release.lock").read_text())
    assert lock["files"] == {
        f"release/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((tmp_path / "release").iterdir())
    }


def test_a_release_reads_back_as_it_was_made(project: Path, tmp_path: Path) -> None:
    made = assembling.assemble(discovery.discover([module(project, "rel_back", SOURCE)]), resources.Code("greet:1"))
    releases.write(releases.build(made, "1", commit="", namespace="greet-dev"), tmp_path)
    assert sorted((each.resource for each in manifests.read([tmp_path])), key=lambda each: each["kind"]) == sorted(
        made, key=lambda each: str(each["kind"])
    )


def test_two_workflows_of_one_name_are_an_error_with_both_places(project: Path) -> None:
    named = SOURCE.replace("@workflow", "@workflow(name='same')")
    one, two = module(project, "clash_a", named), module(project, "clash_b", named.partition("daily =")[0])
    with pytest.raises(errors.DefinitionError) as raised:
        discovery.discover([one, two])
    (problem,) = raised.value.diagnostics
    assert problem.code == codes.Code.DUPLICATE_NAME
    assert "clash_b.py" in problem.source and "clash_a.py" in problem.expected


def test_a_file_without_a_workflow_is_told(project: Path) -> None:
    with pytest.raises(errors.DefinitionError) as raised:
        discovery.discover([module(project, "empty_file", "x = 1\n")])
    assert raised.value.diagnostics[0].code == codes.Code.NOT_FOUND


def test_a_task_that_a_pod_could_not_find_is_refused(project: Path) -> None:
    source = (
        "from alula import task, workflow\n\ndef make():\n    @task\n    def inner(x: int) -> int:\n        return x\n"
        "    return inner\n\ninner = make()\n\n@workflow\ndef outer(x: int) -> int:\n    return inner(x)\n"
    )
    with pytest.raises(errors.DefinitionError) as raised:
        discovery.discover([module(project, "local_task", source)])
    assert raised.value.diagnostics[0].code == codes.Code.BAD_SOURCE


def test_a_bundle_is_put_under_its_digest_once(project: Path, tmp_path: Path) -> None:
    module(project, "bundled", SOURCE)
    code = bundling.upload(project, resources.Code("greet:1"), str(tmp_path / "store"), "greet")
    stored = tmp_path / "store" / "greet" / "releases" / code.bundle_digest
    assert stored.stat().st_size == code.bundle_size
    assert code.bundle_digest == bundles.digest(bundles.files(project))
    assert bundling.upload(project, resources.Code("greet:1"), str(tmp_path / "store"), "greet") == code


def test_settings_name_the_project(project: Path) -> None:
    assert settings.load(project).project == "greet"
