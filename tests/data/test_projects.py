"""Which files belong to a project, in git and outside."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from alula_data import projects


def write(root: Path, *paths: str, text: str = "") -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def git(root: Path, *words: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", "-C", str(root), *identity, *words], check=True, capture_output=True)


def listed(root: Path) -> tuple[list[str], dict[str, str]]:
    skipped: dict[str, str] = {}
    return sorted(projects.paths(root, on_skip=skipped.__setitem__)), skipped


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init")
    write(tmp_path, ".gitignore", text="*.log\n/build/\n")
    write(tmp_path, "flows/x.py", "a.log", "build/y.py", "new file €.py", "kept.log")
    git(tmp_path, "add", "-f", ".gitignore", "flows/x.py", "kept.log")
    git(tmp_path, "commit", "-m", "first")
    return tmp_path


def test_in_git_it_is_what_is_tracked_or_not_ignored(repository: Path) -> None:
    assert listed(repository) == ([".gitignore", "flows/x.py", "kept.log", "new file €.py"], {})


def test_a_tracked_file_that_was_removed_is_not_there(repository: Path) -> None:
    (repository / "flows" / "x.py").unlink()
    assert listed(repository) == ([".gitignore", "kept.log", "new file €.py"], {})


def test_a_folder_inside_a_repository_is_a_project_of_its_own(repository: Path) -> None:
    assert listed(repository / "flows") == (["x.py"], {})


def test_a_project_in_an_ignored_folder_of_a_repository_is_walked(repository: Path) -> None:
    assert listed(repository / "build") == (["y.py"], {})


def test_what_no_project_means_is_left_out_even_if_git_has_it(repository: Path) -> None:
    write(repository, ".alula/store/x", "flows/__pycache__/x.pyc", ".venv/bin/python", ".env", "node_modules/a.js")
    git(repository, "add", "-f", ".")
    assert [path for path in listed(repository)[0] if "py" in path] == ["build/y.py", "flows/x.py", "new file €.py"]
    assert ".env" not in listed(repository)[0]


def test_links_count_as_files_while_they_stay_inside(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret"
    outside.write_text("")
    (repository / "inside.py").symlink_to("flows/x.py")
    (repository / "outside.py").symlink_to(outside)
    (repository / "dangling.py").symlink_to("nowhere")
    (repository / "folder").symlink_to("flows")
    found, skipped = listed(repository)
    assert "inside.py" in found
    assert skipped == {
        "outside.py": "a link that leaves the project",
        "dangling.py": "a link that points nowhere",
        "folder": "a link to a folder",
    }


def test_a_repository_inside_is_skipped_and_said(repository: Path) -> None:
    (repository / "sub").mkdir()
    git(repository / "sub", "init")
    write(repository / "sub", "z.py")
    git(repository / "sub", "add", ".")
    git(repository / "sub", "commit", "-m", "first")
    assert listed(repository)[1] == {"sub": "a repository of its own"}


def test_names_that_no_store_takes_are_said(repository: Path) -> None:
    write(repository, "odd\nname.py")
    assert listed(repository)[1] == {"odd\nname.py": "its name cannot be packed: control characters"}
    with open(os.fsencode(repository) + b"/bad\xff.py", "w"):
        pass
    assert len(listed(repository)[1]) == 2


@pytest.mark.parametrize("path", ["/usr/bin:/bin", "/nowhere"])
def test_outside_git_or_without_git_the_plain_patterns_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("PATH", path)
    write(
        tmp_path,
        ".gitignore",
        text="# comment\n\n*.csv\n!keep.csv\ndata/\n/top.txt\ndocs/*.md\n**/cache\n",
    )
    write(tmp_path, "a.py", "a.csv", "deep/b.csv", "keep.csv", "data/x", "deep/data/x", "top.txt", "deep/top.txt")
    write(tmp_path, "docs/a.md", "docs/a.txt", "deep/cache/x", "env/pyvenv.cfg", "env/lib.py", "x.pyc")
    write(tmp_path, ".git/config", ".venv/x.py", "__pycache__/x.py", ".alula/store/x", ".env", "data.py")
    found, skipped = listed(tmp_path)
    assert found == [".gitignore", "a.py", "data.py", "deep/top.txt", "docs/a.txt", "keep.csv"]
    assert skipped == {}
