"""`alula register`: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from alula.emit import digests, lock
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


RELEASE = "gitops/greet/dev/release/greet"


def block(flows: Path, release: str = RELEASE) -> digests.Block:
    (found,) = digests.read((flows / release / "kustomization.yaml").read_text(), "here")
    return found


def test_a_new_folder_is_made_and_said_to_be_in_no_repository(flows: Path, alula: Alula) -> None:
    done = alula("register", "flows/greet.py")
    version = lock.version(lock.read(flows / RELEASE / "release.lock"))
    assert (done.code, done.out) == (0, "")
    assert done.err == (
        f"release {version} in gitops/greet/dev/release/greet\n"
        "  new      greet/dev/release/greet/kustomization.yaml\n"
        "  new      greet/dev/release/greet/launchplan-daily.yaml\n"
        "  new      greet/dev/release/greet/release.lock\n"
        "  new      greet/dev/release/greet/workflow-greet-hello.yaml\n"
        "  new      greet/dev/kustomization.yaml\n"
        "  new      openapi/alula-openapi.json\n"
        "  new      openapi/kustomization.yaml\n"
        "made the folder gitops, but it is in no git repository yet: git init gitops\n"
        "next: review and commit it, then apply it: kubectl apply --server-side -k gitops/greet/dev\n"
    )


def test_a_dry_run_reports_what_would_change_and_writes_nothing(flows: Path, alula: Alula) -> None:
    planned = alula("register", "--dry-run", "--bundle", "flows/greet.py")
    assert (planned.code, (flows / "gitops").exists()) == (0, False)
    assert planned.err.endswith("  new      openapi/kustomization.yaml\nnothing was written\n")
    done = alula("register", "flows/greet.py")
    assert [line for line in planned.err.splitlines() if line.startswith("  new")] == [
        line for line in done.err.splitlines() if line.startswith("  new")
    ]
    assert alula("register", "--dry-run", "flows/greet.py").err.endswith("nothing changed\nnothing was written\n")


def test_a_dry_run_writes_nothing_through_a_link_either(flows: Path, alula: Alula, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (flows / RELEASE).parent.mkdir(parents=True)
    (flows / RELEASE).symlink_to(elsewhere)
    assert alula("register", "--dry-run", "flows/greet.py").code == 0
    assert list(elsewhere.iterdir()) == []


def test_in_a_repository_nothing_is_said_of_it_and_again_nothing_changes(flows: Path, alula: Alula) -> None:
    (flows / "gitops").mkdir()
    git(flows / "gitops", "init", "--quiet")
    assert "git repository" not in alula("register", "flows/greet.py").err
    again = alula("register", "flows/greet.py")
    assert again.err.startswith("release ")
    assert again.err.endswith(" is in gitops/greet/dev/release/greet already: nothing changed\n")


def test_a_new_folder_inside_of_a_repository_is_said_to_be_made(flows: Path, alula: Alula) -> None:
    git(flows, "init", "--quiet")
    assert "\nmade the folder gitops\nnext: " in alula("register", "flows/greet.py").err


def test_the_block_of_digests_names_the_commit_and_whether_files_differ_from_it(flows: Path, alula: Alula) -> None:
    git(flows, "init", "--quiet")
    git(flows, "add", "flows", "pyproject.toml")
    git(flows, "commit", "--quiet", "-m", "first")
    commit = git(flows, "rev-parse", "HEAD")
    alula("register", "flows/greet.py")
    assert (block(flows).commit, block(flows).release) == (commit, commit)
    (flows / "flows" / "greet.py").write_text(SOURCE + "\n# changed\n")
    assert alula("register", "--version", "v2", "flows/greet.py").err.startswith(f"release v2 in {RELEASE}\n")
    assert (block(flows).commit, block(flows).release) == (f"{commit}-dirty", "v2")


@pytest.mark.parametrize("version", ["a b", "2\n# x", "-1", "é", "x" * 64])
def test_a_version_that_no_comment_or_label_can_hold_is_refused(flows: Path, alula: Alula, version: str) -> None:
    done = alula("register", f"--version={version}", "flows/greet.py")
    assert done.code == 2
    assert "--version must be letters, digits, -, _ and ., at most 63, not " in done.err
    assert not (flows / "gitops").exists()


def test_a_folder_is_registered_as_a_whole(flows: Path, alula: Alula) -> None:
    (flows / "flows" / "other.py").write_text(SOURCE.replace('"daily"', '"weekly"'))
    assert alula("register", "flows").code == 0
    written = sorted(path.name for path in (flows / RELEASE).glob("*-*.yaml"))
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
    assert "  removed  greet/dev/release/greet/workflow-greet-hello.yaml\n" in said
    assert "a release is exactly what is named: to keep what was removed, name its file too\n" in said


def test_what_was_edited_by_hand_is_marked(flows: Path, alula: Alula) -> None:
    alula("register", "flows/greet.py")
    plan = flows / f"{RELEASE}/launchplan-daily.yaml"
    plan.write_text(plan.read_text().replace("good morning", "good night"))
    said = alula("register", "flows/greet.py").err
    assert "  changed  greet/dev/release/greet/launchplan-daily.yaml  (edited by hand since it was written)\n" in said
    assert "good morning" in plan.read_text()


def test_two_domains_get_the_same_bytes_and_share_the_merge_keys(flows: Path, alula: Alula) -> None:
    alula("register", "flows/greet.py")
    said = alula("register", "--domain", "prod", "flows/greet.py").err
    assert "openapi" not in said
    dev, prod = flows / "gitops/greet/dev", flows / "gitops/greet/prod"
    assert {path.name: path.read_bytes() for path in (dev / "release/greet").iterdir()} == {
        path.name: path.read_bytes() for path in (prod / "release/greet").iterdir()
    }
    for folder in (dev, prod):
        text = (folder / "kustomization.yaml").read_text()
        assert f"namespace: greet-{folder.name}\n" in text
        assert "components:\n- ../../openapi\n" in text


def test_a_second_source_is_added_to_the_domain(flows: Path, alula: Alula, monkeypatch: pytest.MonkeyPatch) -> None:
    alula("register", "flows/greet.py")
    monkeypatch.setenv("ALULA_SOURCE", "training")
    (flows / "flows" / "other.py").write_text(SOURCE.replace('"daily"', '"weekly"'))
    said = alula("register", "flows/other.py").err
    assert "  changed  greet/dev/kustomization.yaml\n" in said
    text = (flows / "gitops/greet/dev/kustomization.yaml").read_text()
    assert "resources:\n- release/greet\n- release/training\n" in text
    assert "nothing changed\n" in alula("register", "flows/other.py").err
    assert alula("compile", "gitops").code == 0


def test_a_domain_that_its_team_edited_is_left_alone_and_the_line_to_add_is_said(
    flows: Path, alula: Alula, monkeypatch: pytest.MonkeyPatch
) -> None:
    alula("register", "flows/greet.py")
    own = flows / "gitops/greet/dev/kustomization.yaml"
    text = own.read_text().replace("components:\n- ../../openapi\n", "patches: []\n")
    own.write_text(text)
    monkeypatch.setenv("ALULA_SOURCE", "training")
    (flows / "flows" / "other.py").write_text(SOURCE.replace('"daily"', '"weekly"'))
    said = alula("register", "flows/other.py").err
    for line in ("resources: [release/training]", "components: [../../openapi]"):
        assert f"warning: gitops/greet/dev/kustomization.yaml is edited and lacks {line}: add it\n" in said
    assert own.read_text() == text


def test_one_workflow_may_be_registered_alone(flows: Path, alula: Alula) -> None:
    (flows / "flows" / "other.py").write_text(SOURCE.replace('"daily"', '"weekly"'))
    alula("register", "flows")
    done = alula("register", "--only", "other-hello", "--image", "greet:2", "flows")
    assert (done.code, "removed" in done.err) == (0, False)
    found = digests.read((flows / RELEASE / "kustomization.yaml").read_text(), "here")
    assert [(each.workflows, each.code.image) for each in found] == [
        (("greet-hello",), "greet:1"),
        (("other-hello",), "greet:2"),
    ]


def test_a_workflow_that_is_not_there_cannot_be_registered_alone(flows: Path, alula: Alula) -> None:
    done = alula("register", "--only", "gret-hello", "flows")
    assert done.code == 2
    assert done.err == (
        "error UNKNOWN_WORKFLOW: --only gret-hello: there is no such workflow\n  hint: did you mean greet-hello?\n"
    )


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
    code = block(flows).code
    digest = code.bundle_digest
    assert (flows / "bundles" / digest).stat().st_size == code.bundle_size
    assert f"wrote the bundle bundles/{digest}\n" in done.err
    text = (flows / f"{RELEASE}/workflow-greet-hello.yaml").read_text()
    assert digest not in text and "bundle" not in text


def test_two_ways_to_hand_over_a_bundle_exclude_each_other(flows: Path, alula: Alula) -> None:
    done = alula("register", "--bundle", "--bundle-out", "x", "flows/greet.py")
    assert done.code == 2
    assert "exclude each other" in done.err


def test_what_a_cluster_would_refuse_is_refused_here(flows: Path, alula: Alula) -> None:
    source = SOURCE.partition("daily =")[0]
    many = source + "\n\n@workflow\ndef many() -> list[str]:\n    return [shout(str(i)) for i in range(900)]\n"
    (flows / "flows" / "greet.py").write_text(many)
    done = alula("register", "flows/greet.py")
    assert done.code == 1
    assert "error TOO_LARGE: the compiled spec has " in done.err
    assert "in WorkflowTemplate greet-many" in done.err
    assert not (flows / "gitops").exists()
