"""Content by digest: what is committed comes back, what is damaged never does."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract import references, values
from alula_data import content, errors, retries
from alula_data.stores import folders, memory
from tests.data import damaging

ONCE = retries.Policy(attempts=1)


class Counting(memory.MemoryStore):
    """Counts writes; can lose bytes, or break off."""

    def __init__(self) -> None:
        super().__init__("counting")
        self.puts = 0
        self.streams = 0
        self.breaks = 0

    def put(self, key: str, data: bytes) -> None:
        self.puts += 1
        super().put(key, data)

    def stream(self, key: str):  # type: ignore[no-untyped-def]
        self.streams += 1
        for chunk in super().stream(key):
            yield chunk
            if self.breaks > 0:
                self.breaks -= 1
                raise errors.Unavailable(self.url, key, "broken off")


@pytest.fixture
def store() -> Counting:
    return Counting()


@pytest.fixture
def carrier(store: Counting, tmp_path: Path) -> content.Content:
    return content.Content(store, work=str(tmp_path / "in"), policy=ONCE)


def big(tmp_path: Path, size: int = 9 << 20) -> Path:
    path = tmp_path / "big.bin"
    path.write_bytes(os.urandom(1 << 20) * (size >> 20))
    return path


@given(data=st.binary(max_size=2000), name=st.sampled_from(["", "a.csv", "ünï € 😀.txt"]))
def test_bytes_come_back_under_their_digest_and_name(data: bytes, name: str) -> None:
    store = memory.MemoryStore()
    carrier = content.Content(store, policy=ONCE)
    reference = carrier.commit_bytes(data, type="file", name=name, format="csv")
    assert reference == references.Reference("file", hashlib.sha256(data).hexdigest(), len(data), name, "csv")
    assert carrier.read(reference) == data
    assert carrier.exists(reference)
    assert [head.key for head in store.list()] == [reference.path()]


@pytest.mark.parametrize("size", [0, 3, 9 << 20])
def test_a_file_comes_back_as_a_copy_of_its_own(carrier: content.Content, tmp_path: Path, size: int) -> None:
    source = tmp_path / "report.html"
    source.write_bytes(b"x" * size)
    reference = carrier.commit_file(source, type="file", name="report.html", format="html")
    source.write_bytes(b"changed after the commit")
    fetched = carrier.fetch(reference)
    assert fetched.name == "report.html"
    assert fetched.read_bytes() == b"x" * size
    assert fetched.stat().st_mode & 0o777 == 0o444


def test_equal_content_is_not_written_again(carrier: content.Content, store: Counting) -> None:
    first = carrier.commit_bytes(b"data", type="file", name="a.txt")
    second = carrier.commit_bytes(b"data", type="file", name="a.txt")
    assert first == second
    assert store.puts == 1


@pytest.mark.parametrize("way", [name for name in damaging.WAYS if name != "a bit flipped"])
def test_a_commit_mends_an_object_of_another_size(carrier: content.Content, store: Counting, way: str) -> None:
    reference = carrier.commit_bytes(b"data", type="file")
    damaging.WAYS[way](store, reference.path())
    assert not carrier.exists(reference)
    carrier.commit_bytes(b"data", type="file")
    assert carrier.read(reference) == b"data"


@pytest.mark.parametrize("verb", ["read", "fetch"])
@pytest.mark.parametrize("way", damaging.WAYS)
def test_what_is_damaged_is_never_handed_out_and_can_be_made_again(
    carrier: content.Content, store: Counting, way: str, verb: str
) -> None:
    reference = carrier.commit_bytes(b"data" * 1000, type="file", name="a.bin")
    damaging.WAYS[way](store, reference.path())
    with pytest.raises(errors.NotFound if way == "gone" else errors.Damaged) as raised:
        getattr(carrier, verb)(reference)
    assert raised.value.key == reference.path()
    assert not carrier.exists(reference)
    assert (store.head(f"{content.QUARANTINE}/{reference.path()}") is not None) == (way != "gone")
    carrier.commit_bytes(b"data" * 1000, type="file", name="a.bin")
    assert carrier.read(reference) == b"data" * 1000
    assert carrier.fetch(reference).read_bytes() == b"data" * 1000


def test_a_reader_that_damages_what_it_reads_loses_nothing(
    carrier: content.Content, store: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = carrier.commit_bytes(b"the only copy", type="file")
    monkeypatch.setattr(store, "get", lambda key: b"thE only copy")
    with pytest.raises(errors.Damaged):
        carrier.read(reference)
    monkeypatch.undo()
    assert store.get(f"{content.QUARANTINE}/{reference.path()}") == b"the only copy"


def test_damage_on_the_way_is_not_damage_in_the_store(
    carrier: content.Content, store: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = carrier.commit_bytes(b"data", type="file")
    answers = [b"dat!"]
    get = store.get
    monkeypatch.setattr(store, "get", lambda key: answers.pop() if answers else get(key))
    assert carrier.read(reference) == b"data"
    assert carrier.exists(reference)


def test_an_object_that_was_mended_meanwhile_is_not_removed(
    carrier: content.Content, store: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = carrier.commit_bytes(b"data", type="file")
    reads = 0

    def get(key: str) -> bytes:
        nonlocal reads
        reads += 1
        if reads == 2:
            memory.MemoryStore.put(store, key, b"data")
        return b"dat!"

    monkeypatch.setattr(store, "get", get)
    with pytest.raises(errors.Damaged):
        carrier.read(reference)
    assert carrier.exists(reference)


def test_who_may_only_read_still_hears_of_damage(
    carrier: content.Content, store: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = carrier.commit_bytes(b"data", type="file")
    damaging.flip(store, reference.path())

    def move(key: str, to: str) -> None:
        raise errors.Denied(store.url, key)

    monkeypatch.setattr(store, "move", move)
    with pytest.raises(errors.Damaged):
        carrier.read(reference)


def test_a_user_who_writes_to_an_input_harms_neither_store_nor_others(tmp_path: Path) -> None:
    store = folders.FolderStore(str(tmp_path / "store"))
    carrier = content.Content(store, work=str(tmp_path / "in"))
    reference = carrier.commit_bytes(b"data", type="file", name="a.txt")
    fetched = carrier.fetch(reference)
    assert not fetched.is_relative_to(store.root)
    assert fetched.stat().st_nlink == 1
    fetched.chmod(0o644)
    fetched.write_bytes(b"mine")
    again = carrier.fetch(reference)
    assert again.read_bytes() == b"data"
    assert carrier.read(reference) == b"data"
    again.unlink()
    assert carrier.fetch(reference).read_bytes() == b"data"


def test_a_file_is_fetched_once_for_many_threads(carrier: content.Content, store: Counting) -> None:
    reference = carrier.commit_bytes(b"data" * 100_000, type="file")
    paths: list[Path] = []
    threads = [threading.Thread(target=lambda: paths.append(carrier.fetch(reference))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(paths)) == 1
    assert len(paths) == 8
    assert store.streams == 1


def test_a_transfer_that_broke_off_starts_over(store: Counting, tmp_path: Path) -> None:
    carrier = content.Content(store, work=str(tmp_path), policy=retries.Policy(attempts=3, first=0.0))
    data = b"data" * 1_000_000
    reference = carrier.commit_bytes(data, type="file")
    store.breaks = 2
    assert carrier.fetch(reference).read_bytes() == data
    assert store.streams == 3


def test_a_file_that_changes_while_it_is_stored_is_not_stored(
    carrier: content.Content, store: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = big(tmp_path)
    put_stream = store.put_stream

    def put_late(key: str, chunks: Iterable[bytes]) -> int:
        with path.open("r+b") as file:
            file.write(b"changed")
        return put_stream(key, chunks)

    monkeypatch.setattr(store, "put_stream", put_late)
    with pytest.raises(OSError, match="changed while it was stored"):
        carrier.commit_file(path, type="file")
    assert list(store.list()) == []


def test_a_store_that_loses_bytes_is_found_out_at_once(
    carrier: content.Content, store: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        store, "put_stream", lambda key, chunks: memory.MemoryStore.put(store, key, b"".join(chunks)[:-1])
    )
    with pytest.raises(errors.Unavailable, match="bytes are there"):
        carrier.commit_file(big(tmp_path), type="file")


def test_a_large_file_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.truncate(96 << 20)
    script = f"""
import resource, sys
from pathlib import Path
from alula_data.content import Content
from alula_data.stores.folders import FolderStore
carrier = Content(FolderStore({str(tmp_path / "store")!r}, durable=False), work={str(tmp_path / "in")!r})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
reference = carrier.commit_file(Path({str(path)!r}), type="file", name="large.bin")
assert carrier.fetch(reference).stat().st_size == 96 << 20
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 30


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=12,
    ),
    limit=st.integers(0, 60),
)
def test_a_value_travels_inline_or_stored_and_arrives_the_same(value: values.Json, limit: int) -> None:
    store = memory.MemoryStore()
    carrier = content.Content(store, policy=ONCE)
    schema: dict[str, object] = {}
    codec = values.codec(schema)
    travels = carrier.save_value(codec.wire(value), codec.identity(value), limit)
    assert carrier.load_value(travels) == value
    assert (references.stored(travels) is None) == (len(values.argo_safe(codec.wire(value))) <= limit)


def test_a_users_own_envelope_is_stored_so_that_it_is_not_followed(carrier: content.Content) -> None:
    mine = {"$stored": {"digest": "0" * 64, "size": 1, "hash": "1" * 64}}
    travels = carrier.save_value(values.dumps(mine), "2" * 64, 4096)
    assert travels != mine
    assert carrier.load_value(travels) == mine


def test_an_envelope_keeps_the_values_identity(carrier: content.Content) -> None:
    stored = references.stored(carrier.save_value('"' + "x" * 5000 + '"', "3" * 64, 4096))
    assert stored is not None
    assert (stored.hash, stored.size) == ("3" * 64, 5002)


def test_data_that_lies_elsewhere_is_fetched_by_its_uri(carrier: content.Content, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("a,b")
    reference = references.Reference("file", "", 0, "mine.csv", "csv", uri=f"file://{tmp_path}/mine.csv", hash="etag")
    assert carrier.exists(reference)
    assert carrier.fetch(reference).read_text() == "a,b"
    assert carrier.read(reference) == b"a,b"
    with pytest.raises(errors.NotFound):
        carrier.fetch(references.Reference("file", "", 0, "no.csv", "csv", uri=f"file://{tmp_path}/no.csv", hash="e"))


def test_a_full_disk_for_inputs_is_the_machines_error_and_not_the_stores(
    carrier: content.Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = carrier.commit_bytes(b"data", type="file")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(content, "_write", full)
    with pytest.raises(OSError, match="No space left"):
        carrier.fetch(reference)
    assert carrier.exists(reference)


def test_temporary_copies_go_when_the_process_ends(tmp_path: Path) -> None:
    script = f"""
from alula_data.content import Content
from alula_data.stores.folders import FolderStore
carrier = Content(FolderStore({str(tmp_path)!r}))
print(carrier.fetch(carrier.commit_bytes(b"1", type="file")))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not Path(done.stdout.strip()).exists()
