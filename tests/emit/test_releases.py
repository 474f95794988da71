"""The release folder: what is written, what is left alone, what goes."""

from __future__ import annotations

import hashlib
import itertools
import re
from pathlib import Path

import pytest
import yaml

from alula import errors, settings
from alula.emit import assemble, bundling, digests, discovery, lock, manifests, releases, resources
from alula_api.kinds import yamltext
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
NUMBERS = itertools.count()
IMAGE = "registry.example.org:5000/greet:1"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text("[tool.alula]\nproject = 'greet'\nimage = 'greet:1'\n")
    return root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the release lies."""
    return tmp_path / "gitops" / "greet" / "dev" / "release" / "greet"


def module(project: Path, name: str, source: str) -> Path:
    file = project / f"{name}.py"
    file.write_text(source)
    return file


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def built(
    folder: Path, *files: Path, named: str = "", commit: str = "", keep: bool = False, image: str = IMAGE
) -> releases.Release:
    code = resources.Code(image)
    made = assemble.assemble(discovery.discover(files), code)
    return releases.build(made, digests.Block(code, commit), folder, named=named, keep=keep)


def blocks(folder: Path) -> tuple[digests.Block, ...]:
    return digests.read((folder / "kustomization.yaml").read_text(), "here")


def test_a_release_holds_a_file_for_each_resource_the_lock_and_the_kustomization(project: Path, folder: Path) -> None:
    made = built(folder, module(project, "rel_files", SOURCE))
    assert sorted(made.files) == [
        "kustomization.yaml",
        "launchplan-daily.yaml",
        "release.lock",
        "workflow-rel-files-hello.yaml",
    ]
    assert not folder.exists()


def test_files_name_no_namespace_domain_store_or_digest(project: Path, folder: Path) -> None:
    made = built(folder, module(project, "rel_portable", SOURCE), image=f"{IMAGE}@sha256:{'a' * 64}", commit="c" * 40)
    (text,) = [text for name, text in made.files.items() if name.startswith("workflow-")]
    assert "  code: {image: registry.example.org:5000/greet, runtime: 1}\n" in text
    for word in ("namespace", "greet-dev", "s3:", str(project), "a" * 64, "c" * 40, "greet:1"):
        assert word not in text


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("greet", "greet"),
        ("greet:1", "greet"),
        ("localhost:5000/greet", "localhost:5000/greet"),
        ("localhost:5000/a/greet:1@sha256:ab", "localhost:5000/a/greet"),
        ("ghcr.io/acme/greet@sha256:ab", "ghcr.io/acme/greet"),
        ("", ""),
    ],
)
def test_the_image_in_a_file_has_neither_tag_nor_digest(image: str, repository: str) -> None:
    assert resources.Code(image).repository == repository


def test_the_kustomization_has_the_digests_once_with_the_release_and_the_checksum_above_them(
    project: Path, folder: Path
) -> None:
    file = module(project, "rel_digests", SOURCE)
    code = resources.Code(IMAGE, "b" * 64, 4711)
    made = releases.build(assemble.assemble(discovery.discover([file]), code), digests.Block(code, "c" * 40), folder)
    checksum = hashlib.sha256(made.files["release.lock"].encode()).hexdigest()
    assert made.files["kustomization.yaml"].partition("patches:\n")[2] == (
        f"# release: {'c' * 40}\n"
        f"# files: sha256:{checksum}\n"
        "- target:\n"
        "    group: alula.dev\n"
        "    kind: Workflow\n"
        "  patch: |\n"
        "    apiVersion: alula.dev/v1alpha1\n"
        "    kind: Workflow\n"
        "    metadata:\n"
        "      name: any\n"
        f"      annotations: {{alula.dev/commit: {'c' * 40}}}\n"
        "    spec:\n"
        "      code:\n"
        f"        image: {IMAGE}\n"
        f"        bundle: {{digest: {'b' * 64}, size: 4711}}\n"
    )


def test_the_version_of_a_workflow_and_its_plans_is_of_its_own_content_alone(project: Path) -> None:
    other = SOURCE.replace('"daily"', '"weekly"')
    first, second = module(project, "rel_own_a", SOURCE), module(project, "rel_own_b", other)

    def versions(*files: Path, image: str = IMAGE) -> dict[str, str]:
        made = assemble.assemble(discovery.discover(files), resources.Code(image))
        return {releases.kind_file(each): each["spec"]["version"] for each in made}  # type: ignore[index, call-overload, misc]

    found = versions(first, second)
    assert found["launchplan-daily.yaml"] == found["workflow-rel-own-a-hello.yaml"]
    assert found["launchplan-weekly.yaml"] == found["workflow-rel-own-b-hello.yaml"]
    assert len(set(found.values())) == 2
    assert all(re.fullmatch("[0-9a-f]{8}", version) for version in found.values())
    assert versions(first) == {name: found[name] for name in ("workflow-rel-own-a-hello.yaml", "launchplan-daily.yaml")}
    assert versions(first, second, image="registry.example.org:5000/greet:2") == found


def test_a_user_may_name_the_version_of_a_workflow_and_its_plans_have_it_too(project: Path) -> None:
    file = module(project, "rel_named", SOURCE.replace("@workflow", "@workflow(version='2026.11')"))
    made = assemble.assemble(discovery.discover([file]), resources.Code(IMAGE))
    assert [yaml.safe_load(yamltext.dump(each))["spec"]["version"] for each in made] == ["2026.11", "2026.11"]


@pytest.mark.parametrize("version", ["", "a b", "-1", "é", "x" * 64, 3])
def test_a_version_that_no_label_can_hold_is_refused_with_its_place(project: Path, version: object) -> None:
    file = module(project, f"rel_bad_{next(NUMBERS)}", SOURCE.replace("@workflow", f"@workflow(version={version!r})"))
    with pytest.raises(errors.DefinitionError) as raised:
        discovery.discover([file])
    text = str(raised.value)
    assert f"a version cannot be called {version!r}" in text
    assert "expected letters, digits, -, _ and ., at most 63" in text


def test_the_version_of_a_release_is_computed_from_the_lock_unless_the_user_names_it(
    project: Path, folder: Path
) -> None:
    file = module(project, "rel_version", SOURCE)
    made = built(folder, file, commit="c" * 40)
    assert made.name == hashlib.sha256(made.files["release.lock"].encode()).hexdigest()[:8]
    named = built(folder, file, named="2026.11", commit="c" * 40)
    assert (named.name, named.files["release.lock"]) == ("2026.11", made.files["release.lock"])
    assert "# release: 2026.11\n" in named.files["kustomization.yaml"]


def test_what_a_release_no_longer_has_is_removed_and_reported(project: Path, folder: Path) -> None:
    releases.write(built(folder, module(project, "rel_old", SOURCE)), folder)
    changes = releases.write(built(folder, module(project, "rel_new", SOURCE.partition("daily =")[0])), folder)
    assert changes.removed == ("launchplan-daily.yaml", "workflow-rel-old-hello.yaml")
    assert not (folder / "launchplan-daily.yaml").exists()


def test_another_commit_with_the_same_files_and_code_changes_nothing(project: Path, folder: Path) -> None:
    file = module(project, "rel_commit", SOURCE)
    assert not releases.write(built(folder, file, commit="a" * 40), folder).none
    assert releases.write(built(folder, file, commit="b" * 40), folder).none
    assert blocks(folder)[0].commit == "a" * 40
    assert releases.write(built(folder, file, commit="b" * 40, named="2"), folder).changed == ("kustomization.yaml",)
    assert releases.write(built(folder, file, commit="c" * 40, named="2"), folder).none


def test_another_image_changes_the_block_of_digests_alone(project: Path, folder: Path) -> None:
    file = module(project, "rel_image", SOURCE)
    releases.write(built(folder, file, commit="a" * 40), folder)
    changes = releases.write(built(folder, file, commit="b" * 40, image=IMAGE.replace(":1", ":2")), folder)
    assert (changes.created, changes.changed, changes.removed) == ((), ("kustomization.yaml",), ())
    assert blocks(folder)[0].commit == "b" * 40


def test_the_lock_has_two_lines_a_file_sorted_and_nothing_else(project: Path, folder: Path) -> None:
    releases.write(built(folder, module(project, "rel_lock", SOURCE)), folder)
    names = ["launchplan-daily.yaml", "workflow-rel-lock-hello.yaml"]
    assert (folder / "release.lock").read_text() == "".join(
        f"{name}\n{hashlib.sha256((folder / name).read_bytes()).hexdigest()}\n" for name in names
    )


def test_every_generated_yaml_says_so_in_its_first_line(project: Path, folder: Path) -> None:
    made = built(folder, module(project, "rel_generated", SOURCE))
    for name, text in made.files.items():
        assert name == "release.lock" or text.startswith("# GENERATED by alula register: ")


def test_what_register_did_not_write_is_not_removed(project: Path, folder: Path) -> None:
    releases.write(built(folder, module(project, "rel_foreign", SOURCE)), folder)
    for name in ("one.yaml", "two.yaml"):
        (folder / name).write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
    before = contents(folder)
    with pytest.raises(errors.UserError) as raised:
        releases.write(built(folder, module(project, "rel_foreign_b", SOURCE)), folder)
    assert [Path(each.source).name for each in raised.value.diagnostics] == ["one.yaml", "two.yaml"]
    own = folder.parent.parent / "kustomization.yaml"
    assert raised.value.diagnostics[0].hint == f"move it beside {own} and name it there under resources"
    assert contents(folder) == before


def test_two_sources_of_a_domain_cannot_have_a_resource_of_one_name(project: Path, folder: Path) -> None:
    file = module(project, "rel_twice", SOURCE)
    other = folder.parent / "other"
    releases.write(built(other, file), other)
    with pytest.raises(errors.UserError) as raised:
        releases.write(built(folder, file), folder)
    assert [each.source for each in raised.value.diagnostics] == [
        str(other / "launchplan-daily.yaml"),
        str(other / "workflow-rel-twice-hello.yaml"),
    ]
    assert raised.value.diagnostics[0].message == "the domain already has this resource, from the source other"
    assert not folder.exists()


def test_hidden_files_are_left_alone(project: Path, folder: Path) -> None:
    file = module(project, "rel_hidden", SOURCE)
    releases.write(built(folder, file), folder)
    (folder / ".DS_Store").write_bytes(b"x")
    assert releases.write(built(folder, file), folder).none
    assert (folder / ".DS_Store").exists()


@pytest.mark.parametrize("name", ["release.lock", "kustomization.yaml"])
def test_registering_again_settles_what_a_merge_left_in_the_lock_or_the_blocks(
    project: Path, folder: Path, name: str
) -> None:
    file = module(project, f"rel_settled_{name[:4]}", SOURCE)
    releases.write(built(folder, file, commit="a" * 40), folder)
    before = contents(folder)
    text = (folder / name).read_text()
    (folder / name).write_text(f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> other\n")
    assert releases.write(built(folder, file, commit="a" * 40), folder).changed == (name,)
    assert contents(folder) == before


def test_without_a_lock_generated_files_are_known_by_their_first_line(project: Path, folder: Path) -> None:
    releases.write(built(folder, module(project, "rel_unlocked", SOURCE)), folder)
    (folder / "release.lock").unlink()
    changes = releases.write(built(folder, module(project, "rel_unlocked_b", SOURCE)), folder)
    assert "workflow-rel-unlocked-hello.yaml" in changes.removed


def test_what_was_edited_by_hand_is_written_anew_and_reported(project: Path, folder: Path) -> None:
    file = module(project, "rel_edited", SOURCE)
    releases.write(built(folder, file), folder)
    edited = folder / "workflow-rel-edited-hello.yaml"
    written = edited.read_text()
    edited.write_text(written + "# by hand\n")
    changes = releases.write(built(folder, file), folder)
    assert changes.edited == changes.changed == ("workflow-rel-edited-hello.yaml",)
    assert edited.read_text() == written


def test_a_release_reads_back_as_it_was_made(project: Path, folder: Path) -> None:
    made = assemble.assemble(discovery.discover([module(project, "rel_back", SOURCE)]), resources.Code(IMAGE))
    releases.write(built(folder, project / "rel_back.py"), folder)
    assert sorted((each.resource for each in manifests.read([folder])), key=lambda each: each["kind"]) == sorted(
        made, key=lambda each: str(each["kind"])
    )


class TestPartial:
    """A release of which some workflows were registered alone: a block of digests for each group."""

    @pytest.fixture
    def two(self, project: Path, folder: Path) -> tuple[Path, Path]:
        """Two files that were registered together at commit a."""
        number = next(NUMBERS)
        files = (
            module(project, f"part_{number}_a", SOURCE),
            module(project, f"part_{number}_b", SOURCE.replace('"daily"', '"weekly"')),
        )
        releases.write(built(folder, *files, commit="a" * 40), folder)
        return files

    def name(self, file: Path) -> str:
        return f"{file.stem.replace('_', '-')}-hello"

    def test_what_is_left_behind_keeps_its_files_and_digests(self, two: tuple[Path, Path], folder: Path) -> None:
        first, second = two
        before = contents(folder)
        release = built(folder, second, commit="b" * 40, keep=True, image=IMAGE.replace(":1", ":2"))
        assert releases.write(release, folder).changed == ("kustomization.yaml",)
        assert {**contents(folder), "kustomization.yaml": b""} == {**before, "kustomization.yaml": b""}
        old, new = blocks(folder)
        assert (old.workflows, old.code.image, old.commit) == ((self.name(first),), IMAGE, "a" * 40)
        assert (new.workflows, new.commit, new.release) == ((self.name(second),), "b" * 40, "b" * 40)

    def test_the_checksum_of_a_group_is_of_its_workflows_and_their_launch_plans(
        self, two: tuple[Path, Path], folder: Path
    ) -> None:
        releases.write(built(folder, two[1], commit="b" * 40, keep=True), folder)
        listed = lock.read(folder / "release.lock")
        names = ["launchplan-daily.yaml", f"workflow-{self.name(two[0])}.yaml"]
        assert blocks(folder)[0].files == lock.checksum({name: listed[name] for name in names})

    def test_again_nothing_changes_and_the_whole_makes_one_group_again(
        self, two: tuple[Path, Path], folder: Path
    ) -> None:
        whole = contents(folder)
        partial = built(folder, two[1], commit="b" * 40, keep=True)
        releases.write(partial, folder)
        assert releases.write(built(folder, two[1], commit="b" * 40, keep=True), folder).none
        assert releases.write(built(folder, *two, commit="a" * 40), folder).changed == ("kustomization.yaml",)
        assert contents(folder) == whole

    def test_a_launch_plan_that_its_workflow_no_longer_has_goes(self, two: tuple[Path, Path], folder: Path) -> None:
        bare = two[1].with_name(f"{two[1].stem}_bare.py")
        bare.write_text(SOURCE.partition("daily =")[0].replace("@workflow", f"@workflow(name='{self.name(two[1])}')"))
        assert releases.write(built(folder, bare, commit="b" * 40, keep=True), folder).removed == (
            "launchplan-weekly.yaml",
        )

    def test_a_lock_that_cannot_be_read_is_no_reason_to_remove_the_others(
        self, two: tuple[Path, Path], folder: Path
    ) -> None:
        (folder / "release.lock").write_text("<<<<<<< HEAD\n")
        with pytest.raises(errors.UserError) as raised:
            built(folder, two[1], keep=True)
        (problem,) = raised.value.diagnostics
        assert (problem.source, problem.message) == (
            str(folder / "release.lock"),
            "it is not as `alula register` wrote it",
        )

    def test_what_was_edited_by_hand_in_the_others_stays_and_still_differs_from_the_lock(
        self, two: tuple[Path, Path], folder: Path
    ) -> None:
        edited = folder / f"workflow-{self.name(two[0])}.yaml"
        edited.write_text(edited.read_text() + "# by hand: é\n", encoding="utf-8")
        registered = lock.read(folder / "release.lock")
        releases.write(built(folder, two[1], commit="b" * 40, keep=True), folder)
        assert edited.read_text(encoding="utf-8").endswith("# by hand: é\n")
        assert lock.read(folder / "release.lock") == registered

    def test_the_first_workflow_of_a_release_may_be_registered_alone(self, project: Path, folder: Path) -> None:
        file = module(project, "part_first", SOURCE)
        assert built(folder, file, keep=True) == built(folder, file)

    def test_digests_that_cannot_be_read_cannot_be_kept(self, two: tuple[Path, Path], folder: Path) -> None:
        file = folder / "kustomization.yaml"
        file.write_text(file.read_text().replace("# files: ", "# file: "))
        with pytest.raises(errors.UserError) as raised:
            built(folder, two[1], keep=True)
        assert raised.value.diagnostics[0].source == str(file)
        assert "not as `alula register` wrote them" in raised.value.diagnostics[0].message


def test_a_bundle_is_put_under_its_digest_once(project: Path, tmp_path: Path) -> None:
    module(project, "bundled", SOURCE)
    code = bundling.upload(project, resources.Code("greet:1"), str(tmp_path / "store"), "greet")
    stored = tmp_path / "store" / "greet" / "releases" / code.bundle_digest
    assert stored.stat().st_size == code.bundle_size
    assert code.bundle_digest == bundles.digest(bundles.files(project))
    assert bundling.upload(project, resources.Code("greet:1"), str(tmp_path / "store"), "greet") == code


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("[tool.alula]\nsource = 'Training_Code'\n[project]\nname = 'other'\n", "training-code"),
        ("[tool.alula]\nproject = 'greet'\n[project]\nname = 'Acme.Penguins'\n", "acme-penguins"),
        ("[tool.alula]\nproject = 'greet'\n", "my-folder"),
    ],
)
def test_the_source_is_set_or_the_name_of_the_distribution_or_of_the_folder(
    tmp_path: Path, text: str, source: str
) -> None:
    (tmp_path / "my_folder").mkdir()
    (tmp_path / "my_folder" / "pyproject.toml").write_text(text)
    assert settings.load(tmp_path / "my_folder", {}).source == source


@pytest.mark.parametrize("name", ["platform", "openapi"])
def test_names_of_folders_of_the_gitops_repository_are_no_projects(tmp_path: Path, name: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.alula]\nproject = '{name}'\n")
    with pytest.raises(errors.SettingsError) as raised:
        settings.load(tmp_path, {})
    assert f"no project can be called '{name}'" in raised.value.diagnostics[0].message


def test_no_domain_is_called_like_the_folder_of_the_bundles_beside_it(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.alula]\ndomain = 'releases'\n")
    with pytest.raises(errors.SettingsError) as raised:
        settings.load(tmp_path, {})
    assert "no domain can be called 'releases'" in raised.value.diagnostics[0].message
