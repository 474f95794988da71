"""Folders by their digest: whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alula_api.contract.references import Reference
from alula_data import content, errors, retries, trees
from alula_data.stores import memory
from tests.data import damaging


@pytest.fixture
def store() -> memory.MemoryStore:
    return memory.MemoryStore()


@pytest.fixture
def carrier(store: memory.MemoryStore, tmp_path: Path) -> content.Content:
    return content.Content(store, work=str(tmp_path / "in"), policy=retries.Policy(attempts=1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "site"
    (made / "a" / "b").mkdir(parents=True)
    (made / "empty").mkdir()
    (made / "index.html").write_text("<html>")
    (made / "a" / "b" / "ünï €.txt").write_bytes(b"\x00\xff")
    (made / "a" / "same.txt").write_text("<html>")
    (made / "link.html").symlink_to("index.html")
    (made / "a" / "up").symlink_to("../empty")
    (made / "a" / "run").write_text("#!/bin/sh")
    (made / "a" / "run").chmod(0o750)
    return made


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_comes_back_whole(carrier: content.Content, folder: Path) -> None:
    reference = carrier.commit_file(folder, type="directory", name="site")
    assert (reference.type, reference.name) == ("directory", "site")
    assert reference.size == 6 + 2 + 6 + 9
    fetched = carrier.fetch(reference)
    assert fetched.name == "site"
    assert files(fetched) == files(folder)
    assert carrier.fetch(reference) == fetched


def test_the_manifest_is_written_last_and_counts(
    carrier: content.Content, store: memory.MemoryStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_stream = store.put_stream
    done = 0

    def breaking(key: str, chunks: object) -> int:
        nonlocal done
        done += 1
        if done == 3:
            raise errors.Unavailable(store.url, key)
        return put_stream(key, chunks)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "put_stream", breaking)
    with pytest.raises(errors.Unavailable):
        carrier.commit_file(folder, type="directory")
    assert not any(head.key.endswith(trees.MANIFEST) for head in store.list())
    monkeypatch.undo()
    reference = carrier.commit_file(folder, type="directory")
    assert carrier.exists(reference)
    assert files(carrier.fetch(reference)) == files(folder)


def test_programs_links_and_empty_folders_are_kept(carrier: content.Content, folder: Path) -> None:
    fetched = carrier.fetch(carrier.commit_file(folder, type="directory", name="site"))
    assert os.access(fetched / "a" / "run", os.X_OK)
    assert not os.stat(fetched / "index.html").st_mode & 0o111
    assert os.readlink(fetched / "link.html") == "index.html"
    assert os.readlink(fetched / "a" / "up") == "../empty"
    assert [*(fetched / "empty").iterdir()] == []
    assert {path.name for path in fetched.rglob("*")} == {path.name for path in folder.rglob("*")}


def test_a_mode_is_part_of_a_folder_and_the_umask_is_not(carrier: content.Content, folder: Path) -> None:
    first = carrier.commit_file(folder, type="directory", name="site")
    (folder / "a" / "run").chmod(0o700)
    (folder / "index.html").chmod(0o600)
    assert carrier.commit_file(folder, type="directory", name="site") == first
    (folder / "a" / "run").chmod(0o644)
    assert carrier.commit_file(folder, type="directory", name="site").digest != first.digest


def test_links_are_written_so_that_they_hold_elsewhere(carrier: content.Content, tmp_path: Path) -> None:
    made = tmp_path / "out"
    (made / "deep" / "er").mkdir(parents=True)
    (made / "deep" / "a.txt").write_text("a")
    (tmp_path / "other.txt").write_text("o")
    (made / "absolute").symlink_to(made / "deep" / "a.txt")
    (made / "around").symlink_to("deep/er/../a.txt")
    (made / "deep" / "er" / "top").symlink_to("../..")
    (made / "elsewhere").symlink_to(tmp_path / "other.txt")
    fetched = carrier.fetch(carrier.commit_file(made, type="directory", name="out"))
    assert os.readlink(fetched / "absolute") == os.readlink(fetched / "around") == "deep/a.txt"
    assert (fetched / "deep" / "er" / "top").samefile(fetched)
    assert not (fetched / "elsewhere").is_symlink()
    assert (fetched / "elsewhere").read_text() == "o"


@pytest.mark.parametrize(
    ("link", "message"), [("nothing", "a link to nothing"), ("loop", "a link to nothing"), ("..", "not a plain file")]
)
def test_a_link_that_leads_nowhere_is_refused(
    carrier: content.Content, tmp_path: Path, link: str, message: str
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "loop").symlink_to(link)
    with pytest.raises(ValueError, match=message):
        carrier.commit_file(tmp_path / "out", type="directory")


def test_an_empty_folder_is_a_folder(carrier: content.Content, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    fetched = carrier.fetch(carrier.commit_file(tmp_path / "nothing", type="directory", name="nothing"))
    assert fetched.is_dir()
    assert list(fetched.iterdir()) == []


def test_equal_folders_are_one_whatever_their_times(carrier: content.Content, folder: Path) -> None:
    first = carrier.commit_file(folder, type="directory", name="site")
    os.utime(folder / "index.html", (1, 1))
    assert carrier.commit_file(folder, type="directory", name="site") == first
    (folder / "a" / "same.txt").write_text("<HTML>")
    assert carrier.commit_file(folder, type="directory", name="site").digest != first.digest


@pytest.mark.parametrize("way", damaging.WAYS)
@pytest.mark.parametrize("which", ["index.html", trees.MANIFEST])
def test_what_is_damaged_is_never_handed_out_and_can_be_made_again(
    carrier: content.Content, store: memory.MemoryStore, folder: Path, which: str, way: str
) -> None:
    reference = carrier.commit_file(folder, type="directory", name="site")
    damaging.WAYS[way](store, f"{reference.path()}/{which}")
    with pytest.raises((errors.Damaged, errors.NotFound)):
        carrier.fetch(reference)
    assert not carrier.exists(reference)
    carrier.commit_file(folder, type="directory", name="site")
    assert files(carrier.fetch(reference)) == files(folder)


def test_what_cannot_be_stored_is_said(carrier: content.Content, store: memory.MemoryStore, tmp_path: Path) -> None:
    made = tmp_path / "odd"
    made.mkdir()
    (made / "manifest.jsonl").write_text("")
    with pytest.raises(ValueError, match="alula keeps its own list under this name"):
        carrier.commit_file(made, type="directory")
    (made / "manifest.jsonl").unlink()
    os.mkfifo(made / "pipe")
    with pytest.raises(ValueError, match="not a plain file"):
        carrier.commit_file(made, type="directory")
    assert list(store.list()) == []


@pytest.mark.parametrize(
    "line",
    [
        '{"path":"../out","mode":"644","sha256":"0","size":1}',
        '{"path":"/etc/passwd","mode":"644","sha256":"0","size":1}',
        '{"path":"a/../../b","mode":"644","sha256":"0","size":1}',
        '{"path":"manifest.jsonl","mode":"644","sha256":"0","size":1}',
        '{"path":7,"mode":"644","sha256":"0","size":1}',
        '{"path":"a","mode":"644","sha256":"0","size":"1"}',
        '{"path":"a","sha256":"0"}',
        '{"path":"a","mode":"4755","sha256":"0","size":1}',
        '{"path":"a","mode":"644","sha256":"0","size":true}',
        '{"link":"/etc/passwd","path":"a"}',
        '{"link":"../out","path":"a"}',
        '{"link":"b/../../out","path":"a"}',
        '{"link":"../../out","path":"a/b"}',
        '{"link":"b","path":"a"}\n{"mode":"644","path":"a/x","sha256":"0","size":1}',
        '{"link":7,"path":"a"}',
        '{"empty":false,"path":"a"}',
        '{"empty":true,"path":"a"}\n{"mode":"644","path":"a/x","sha256":"0","size":1}',
        '{"path":"b","mode":"644","sha256":"0","size":1}\n{"path":"a","mode":"644","sha256":"0","size":1}',
        '{"path":"a","mode":"644","sha256":"0","size":1}\n{"path":"a","mode":"644","sha256":"0","size":1}',
        "[]",
        "not json",
    ],
)
def test_a_hostile_manifest_leads_nowhere(
    carrier: content.Content, store: memory.MemoryStore, tmp_path: Path, line: str
) -> None:
    import hashlib

    digest = hashlib.sha256(line.encode()).hexdigest()
    reference = Reference("directory", digest, 1, "site")
    store.put(trees.manifest_key(reference), line.encode())
    with pytest.raises(errors.Damaged):
        carrier.fetch(reference)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
