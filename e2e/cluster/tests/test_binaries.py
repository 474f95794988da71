"""Where servers are found, and how what is built of a recipe follows from its folder."""

from __future__ import annotations

import pathlib
import shutil

import pytest

from e2e.cluster import binaries, errors
from e2e.servers import __main__ as build
from e2e.servers import recipes


@pytest.fixture
def bare(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A machine with nothing of ours; returns the cache's folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("ALULA_E2E_BIN", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(binaries, "SHARED", tmp_path / "shared")
    return binaries.cache_root()


def executable(path: pathlib.Path) -> pathlib.Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return path


def test_what_was_built_is_found_and_a_folder_of_ones_own_comes_first(
    bare: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kube = next(recipe for recipe in recipes.RECIPES if recipe.name == "kube")
    built = executable(kube.built(bare) / "kube")
    assert binaries.find("kubelet") == [str(built), "kubelet"]
    own = executable(bare / "own" / "kubelet")
    monkeypatch.setenv("ALULA_E2E_BIN", str(own.parent))
    assert binaries.find("kubelet") == [str(own)]


def test_manifests_are_found_with_the_servers_that_were_built(bare: pathlib.Path) -> None:
    argo = next(recipe for recipe in recipes.RECIPES if recipe.name == "argo")
    folder = argo.built(bare) / "manifests" / "argo-workflows"
    folder.mkdir(parents=True)
    assert binaries.manifests("argo-workflows") == folder
    with pytest.raises(errors.Unavailable, match=r"no manifests/argo-workflows-4\.1"):
        binaries.manifests("argo-workflows-4.1")


def test_a_machine_without_servers_is_told_how_to_build_them_and_what_that_needs(bare: pathlib.Path) -> None:
    with pytest.raises(
        errors.Unavailable, match=r"no `etcd` in .*`make e2e-servers` builds .* needs Go 1\.26: there is no"
    ):
        binaries.find("etcd")
    executable(bare.parent / "bin" / "go")
    with pytest.raises(errors.Unavailable, match=r"`make e2e-servers` builds the servers$"):
        binaries.find("etcd")


@pytest.mark.parametrize("recipe", recipes.RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_names_its_version_and_pins_what_it_needs(recipe: recipes.Recipe) -> None:
    assert recipe.version.startswith("v")
    pinned = (recipe.folder / "go.sum").read_text()
    assert f"{recipe.module} {recipe.version} h1:" in pinned
    for stand_in in recipe.missing.values():
        assert (recipe.folder / stand_in).exists()


def test_a_changed_recipe_is_built_anew(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = recipes.RECIPES[0]
    shutil.copytree(recipe.folder, tmp_path / recipe.name)
    before = recipe.built(tmp_path)
    monkeypatch.setattr(recipes, "FOLDER", tmp_path)
    assert recipe.built(tmp_path) == before
    with (recipe.folder / "go.sum").open("a") as pinned:
        pinned.write("\n")
    assert recipe.built(tmp_path) != before


def test_an_unknown_server_and_a_missing_go_are_said_in_one_line(
    bare: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build.main(["etc"]) == 2
    assert capsys.readouterr().err == (
        "e2e-servers: no server is called etc; there are etcd, versitygw, kustomize, kube, argo\n"
    )
    assert build.main(["etcd"]) == 1
    assert capsys.readouterr().err == "e2e-servers: no `go` on PATH; Go 1.26 or newer builds the servers\n"


def test_what_was_built_before_is_not_built_again(
    bare: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    etcd = recipes.RECIPES[0]
    etcd.built(bare).mkdir(parents=True)
    monkeypatch.setattr(build, "go", lambda *_, **__: pytest.fail("the go command was called"))
    build.build(etcd)
    assert capsys.readouterr().out == f"etcd {etcd.version}: built before\n"
