"""The release folder: what is written, what is left alone, what goes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alula import errors, settings
from alula.emit import assemble, bundling, discovery, manifests, releases, resources
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


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def release(*files: Path, version: str = "", commit: str = "") -> releases.Release:
    made = assemble.assemble(discovery.discover(files), resources.Code("greet:1"), version)
    return built(made, assemble.version_of(made), commit=commit)


def built(
    made: list[resources.Resource], version: str, *, project: str = "greet", commit: str = ""
) -> releases.Release:
    return releases.build(made, version, commit=commit, project=project, namespace="greet-dev")


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


def test_the_lock_says_whose_release_it_is_and_what_it_runs(project: Path, tmp_path: Path) -> None:
    made = release(module(project, "rel_whose", SOURCE), version="2026.11", commit="a" * 40)
    lock = json.loads(made.files["release.lock"])
    assert list(lock) == ["generated", "project", "version", "commit", "image", "files"]
    assert (lock["project"], lock["version"], lock["commit"], lock["image"]) == (
        "greet",
        "2026.11",
        "a" * 40,
        "greet:1",
    )


def test_every_generated_file_says_so_in_its_first_lines(project: Path) -> None:
    made = release(module(project, "rel_generated", SOURCE))
    for path, text in made.files.items():
        if path.endswith(".yaml"):
            assert text.startswith("# GENERATED" if path.startswith("release/") else "# This domain's own settings")
    assert made.files["release.lock"].splitlines()[1] == '  "generated": "by alula register",'


def test_the_domains_own_file_shows_a_patch_of_a_task_that_there_is(project: Path) -> None:
    text = release(module(project, "rel_hint", SOURCE)).files["kustomization.yaml"]
    assert "#     metadata: {name: rel-hint-hello}\n" in text
    assert "#     spec: {tasks: [{name: shout, resources: {requests: {memory: 4Gi}}}]}\n" in text


def test_another_projects_release_is_not_overwritten(project: Path, tmp_path: Path) -> None:
    file = module(project, "rel_other", SOURCE)
    made = assemble.assemble(discovery.discover([file]), resources.Code("greet:1"))
    releases.write(built(made, "1", project="penguins"), tmp_path / "dev")
    before = contents(tmp_path / "dev")
    with pytest.raises(errors.UserError) as raised:
        releases.write(release(file), tmp_path / "dev")
    (problem,) = raised.value.diagnostics
    assert "holds a release of the project penguins, not of greet" in problem.message
    assert problem.source == str(tmp_path / "dev" / "release.lock")
    assert contents(tmp_path / "dev") == before


def test_what_somebody_else_put_into_the_release_is_not_removed(project: Path, tmp_path: Path) -> None:
    file = module(project, "rel_foreign", SOURCE)
    releases.write(release(file), tmp_path / "dev")
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / "dev" / "release" / name).write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
    before = contents(tmp_path / "dev")
    with pytest.raises(errors.UserError) as raised:
        releases.write(release(module(project, "rel_foreign_b", SOURCE)), tmp_path / "dev")
    assert [Path(each.source).name for each in raised.value.diagnostics] == ["one.yaml", "two.yaml"]
    assert "kustomization.yaml and name it there under resources" in raised.value.diagnostics[0].hint
    assert contents(tmp_path / "dev") == before


def test_hidden_files_are_left_alone(project: Path, tmp_path: Path) -> None:
    file = module(project, "rel_hidden", SOURCE)
    releases.write(release(file), tmp_path)
    (tmp_path / "release" / ".DS_Store").write_bytes(b"x")
    assert releases.write(release(file), tmp_path).none
    assert (tmp_path / "release" / ".DS_Store").exists()


def test_without_a_lock_generated_files_are_known_by_their_first_line(project: Path, tmp_path: Path) -> None:
    releases.write(release(module(project, "rel_unlocked", SOURCE)), tmp_path)
    (tmp_path / "release.lock").write_text("not JSON")
    changes = releases.write(release(module(project, "rel_unlocked_b", SOURCE)), tmp_path)
    assert "release/workflow-rel-unlocked-hello.yaml" in changes.removed


def test_what_was_edited_by_hand_is_written_anew_and_told(project: Path, tmp_path: Path) -> None:
    file = module(project, "rel_edited", SOURCE)
    releases.write(release(file), tmp_path)
    edited = tmp_path / "release" / "workflow-rel-edited-hello.yaml"
    written = edited.read_text()
    edited.write_text(written + "# by hand\n")
    changes = releases.write(release(file), tmp_path)
    assert changes.edited == changes.changed == ("release/workflow-rel-edited-hello.yaml",)
    assert edited.read_text() == written


def test_a_release_reads_back_as_it_was_made(project: Path, tmp_path: Path) -> None:
    made = assemble.assemble(discovery.discover([module(project, "rel_back", SOURCE)]), resources.Code("greet:1"))
    releases.write(built(made, "1"), tmp_path)
    assert sorted((each.resource for each in manifests.read([tmp_path])), key=lambda each: each["kind"]) == sorted(
        made, key=lambda each: str(each["kind"])
    )


def test_a_bundle_is_put_under_its_digest_once(project: Path, tmp_path: Path) -> None:
    module(project, "bundled", SOURCE)
    code = bundling.upload(project, resources.Code("greet:1"), str(tmp_path / "store"), "greet")
    stored = tmp_path / "store" / "greet" / "releases" / code.bundle_digest
    assert stored.stat().st_size == code.bundle_size
    assert code.bundle_digest == bundles.digest(bundles.files(project))
    assert bundling.upload(project, resources.Code("greet:1"), str(tmp_path / "store"), "greet") == code


def test_settings_name_the_project(project: Path) -> None:
    assert settings.load(project).project == "greet"
