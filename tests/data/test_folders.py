"""Folders: what processes that race or die, and disks that fill up, may not do to readers."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from alula_data import errors
from alula_data.stores import folders, keys

RACER = """
import sys, time
from alula_data.stores.folders import FolderStore
store, number, start = FolderStore(sys.argv[1]), sys.argv[2], float(sys.argv[3])
time.sleep(max(0, start - time.time()))
won = [key for key in range(60) if store.put_if_absent(f"k/{key}", f"{number};".encode() * 20_000)]
print(*won)
"""

WRITER = """
import sys, time
from alula_data.stores.folders import FolderStore
def chunks():
    yield b"x" * 5_000_000
    print("half", flush=True)
    time.sleep(60)
    yield b"y"
FolderStore(sys.argv[1]).put_stream("cas/a", chunks())
"""

HAMMER = """
import sys
from alula_data.stores.folders import FolderStore
store = FolderStore(sys.argv[1])
print("on", flush=True)
for number in range(1_000_000):
    store.put(f"o/{number % 50}", b"%d;" % (number % 10) * 30_000)
    store.put_if_absent(f"c/{number}", b"%d;" % (number % 10) * 3_000)
"""


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True)


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious.txt").write_text("precious")
    store = folders.FolderStore(str(tmp_path / "store"))
    store.put("cas/mine", b"mine")
    root = Path(store.root)
    (root / "cas" / "aa").symlink_to(outside)
    (root / "cas" / "file").symlink_to(outside / "precious.txt")
    (root / "cas" / "loop").symlink_to(root / "cas")
    (root / "cas" / "self").symlink_to("self")
    assert [head.key for head in store.list()] == ["cas/mine"]
    assert list(store.list("cas/aa")) == []
    for key in ("cas/aa/precious.txt", "cas/file"):
        assert store.head(key) is None
        for read in (store.get, lambda key: list(store.stream(key))):
            with pytest.raises(errors.NotFound):
                read(key)
        with pytest.raises(errors.NotFound):
            store.move(key, "cas/taken")
        with pytest.raises(errors.NotFound):
            store.move("cas/nothing", key)
    with pytest.raises(errors.StoreError):
        store.put("cas/aa/precious.txt", b"overwritten")
    with pytest.raises(errors.StoreError):
        store.move("cas/mine", "cas/aa/precious.txt")
    store.delete("cas/aa/precious.txt")
    store.put("cas/file", b"in the place of the link")
    store.delete("cas/self")
    assert (outside / "precious.txt").read_text() == "precious"
    assert sorted(head.key for head in store.list()) == ["cas/file", "cas/mine"]


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    store = folders.FolderStore(str(tmp_path / "link"))
    store.put("a/b", b"1")
    assert store.get("a/b") == b"1"
    assert [head.key for head in store.list("a")] == ["a/b"]


def test_one_of_many_processes_wins_each_key(tmp_path: Path) -> None:
    store = folders.FolderStore(str(tmp_path))
    racers = [start(RACER, store.root, str(number), str(time.time() + 1)) for number in range(4)]
    won = [racer.communicate()[0].split() for racer in racers]
    assert sorted(int(key) for keys_won in won for key in keys_won) == list(range(60))
    for number, keys_won in enumerate(won):
        for key in keys_won:
            assert store.get(f"k/{key}") == f"{number};".encode() * 20_000


def test_a_process_killed_in_the_middle_of_a_write_leaves_nothing_readable(tmp_path: Path) -> None:
    store = folders.FolderStore(str(tmp_path))
    writer = start(WRITER, store.root)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "half\n"
    writer.kill()
    writer.communicate()
    assert writer.returncode == -signal.SIGKILL
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert len(left) == 1
    assert left[0].startswith(keys.TEMPORARY)
    assert list(store.list()) == []
    assert store.head("cas/a") is None
    assert store.put_if_absent("cas/a", b"whole")
    assert store.get("cas/a") == b"whole"


def test_processes_killed_at_any_moment_leave_whole_objects_only(tmp_path: Path) -> None:
    store = folders.FolderStore(str(tmp_path))
    for written in (5, 10, 15, 20, 25):
        writer = start(HAMMER, store.root)
        assert writer.stdout is not None
        writer.stdout.readline()
        while len(list(store.list())) < written and writer.poll() is None:
            time.sleep(0.003)  # a moment in the middle of a write, whatever the machine's load
        writer.kill()
        writer.communicate()
    heads = list(store.list())
    assert len(heads) >= 25
    for head in heads:
        data = store.get(head.key)
        assert data == data[:2] * (30_000 if head.key.startswith("o/") else 3_000)


def test_a_full_disk_is_said_and_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = folders.FolderStore(str(tmp_path))
    store.put("a", b"first")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(errors.Unavailable, match="make room on the disk"):
        store.put("a", b"second")
    assert store.get("a") == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_write_that_came_out_short_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = folders.FolderStore(str(tmp_path))

    def cut(handle: int) -> None:
        os.ftruncate(handle, 2)

    monkeypatch.setattr(os, "fsync", cut)
    with pytest.raises(errors.Unavailable, match="2 of 5 bytes"):
        store.put("a", b"first")
    assert list(tmp_path.iterdir()) == []


def test_a_write_reaches_the_disk_before_its_name_and_the_name_before_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    flush, replace = os.fsync, os.replace

    def fsync(handle: int) -> None:
        happened.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")
        flush(handle)

    def rename(source: str, target: str) -> None:
        happened.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", rename)
    folders.FolderStore(str(tmp_path)).put("a", b"1")
    assert happened == ["file", "rename", "folder"]


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.EACCES, errors.Denied), (errno.EROFS, errors.Denied), (errno.ESTALE, errors.Unavailable),
     (errno.EIO, errors.Unavailable), (errno.EDQUOT, errors.Unavailable)],
)  # fmt: skip
def test_the_systems_errors_become_the_stores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[errors.StoreError]
) -> None:
    store = folders.FolderStore(str(tmp_path))
    store.put("a", b"1")

    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("builtins.open", fail)
    for verb in (lambda: store.get("a"), lambda: store.put("a", b"2"), lambda: list(store.stream("a"))):
        with pytest.raises(kind) as raised:
            verb()
        assert type(raised.value) is kind
        assert raised.value.key == "a"


def test_a_file_where_a_folder_must_be_is_said(tmp_path: Path) -> None:
    store = folders.FolderStore(str(tmp_path))
    store.put("a", b"1")
    for verb in (store.put, store.put_if_absent):
        with pytest.raises(errors.StoreError, match="no file may stand where a folder must be"):
            verb("a/b", b"2")
    store.put("folder/b", b"1")
    with pytest.raises(errors.StoreError, match="no file may stand where a folder must be"):
        store.put("folder", b"2")


def test_a_root_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")
    store = folders.FolderStore(str(tmp_path / "store"))
    assert store.head("a") is None
    with pytest.raises(errors.StoreError, match="no file may stand where a folder must be"):
        store.put("a", b"1")
