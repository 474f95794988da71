"""The cache index: a hit is always right, everything else is a miss that the next result mends."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract import keys, references, values
from alula_api.contract.keys import CacheEntry
from alula_data import caches, content, errors, retries
from alula_data.stores import folders, memory
from alula_data.stores.protocols import Store
from tests.data import damaging

KEY = keys.cache_key("flows.x:f", "1", "0" * 64, {"a": "1" * 64})
NUMBER = {"o0": {"type": "integer"}}
FILE = {"type": "object", "x-alula-type": "file"}
FILES = {"o0": {"x-alula-type": "file"}, "o1": {"type": "array", "items": {"x-alula-type": "file"}}}


def entry(outputs: dict[str, values.Json], key: str = KEY, run: str = "run-1") -> CacheEntry:
    return CacheEntry(key, "flows.x:f", outputs, "2026-11-22T10:00:00Z", run, "f")


@pytest.fixture
def store() -> Store:
    return memory.MemoryStore()


@pytest.fixture
def index(store: Store) -> caches.CacheIndex:
    return caches.CacheIndex(store)


def test_what_was_recorded_is_found(index: caches.CacheIndex) -> None:
    assert index.find(KEY, NUMBER).entry is None
    assert index.record(entry({"o0": 7}), NUMBER)
    assert index.find(KEY, NUMBER).entry == entry({"o0": 7})


def test_the_first_entry_stays(index: caches.CacheIndex) -> None:
    assert index.record(entry({"o0": 7}), NUMBER)
    assert not index.record(entry({"o0": 8}, run="run-2"), NUMBER)
    assert index.find(KEY, NUMBER).entry == entry({"o0": 7})


def test_a_value_that_travels_inline_may_lie_in_the_store_as_well(index: caches.CacheIndex, store: Store) -> None:
    text = {"type": "string"}
    assert index.also_stored("é" * 200, text) is None
    kept = content.Content(store).save_value(values.dumps("é" * 200), values.codec(text).digest("é" * 200), 0)
    stored = index.also_stored("é" * 200, text)
    assert stored is not None and stored.to_json() == kept


def test_who_comes_second_hands_out_the_first_ones_outputs(index: caches.CacheIndex) -> None:
    first, second = entry({"o0": 7}), entry({"o0": 8}, run="run-2")
    assert index.settle(first, NUMBER) == first
    assert index.settle(second, NUMBER) == first


def test_of_many_at_once_all_hand_out_one_value(tmp_path: Path) -> None:
    index = caches.CacheIndex(folders.FolderStore(str(tmp_path)))
    settled: list[values.Json] = []
    barrier = threading.Barrier(24)

    def work(number: int) -> None:
        barrier.wait()
        settled.append(index.settle(entry({"o0": number}), NUMBER).outputs["o0"])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(settled) == 24
    assert len(set(settled)) == 1


def test_an_evicted_entry_is_a_miss(index: caches.CacheIndex) -> None:
    index.record(entry({"o0": 7}), NUMBER)
    assert index.evict(KEY)
    assert index.find(KEY, NUMBER).entry is None
    assert not index.evict(KEY)


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda text: b"",
    "cut short": lambda text: text[: len(text) // 2],
    "not UTF-8": lambda text: text.replace(b"run-1", b"\xff\xfe"),
    "not JSON": lambda text: text.replace(b":", b"=", 1),
    "another version": lambda text: text.replace(b'"v":2', b'"v":1'),
    "another key": lambda text: text.replace(KEY.encode(), b"0" * 64),
    "another type": lambda text: text.replace(b'"o0":7', b'"o0":"7"'),
    "another output": lambda text: text.replace(b'"o0":7', b'"o1":7'),
    "one output too many": lambda text: text.replace(b'"o0":7', b'"o0":7,"o1":8'),
    "an unknown field": lambda text: text.replace(b'"v":2', b'"v":2,"uri":"s3://evil"'),
    "too large": lambda text: text.replace(b"run-1", b"r" * 70_000),
    "huge": lambda text: b" " * (5 << 20) + text,
    "too deep": lambda text: text.replace(b'"o0":7', b'"o0":' + b"[" * 5000 + b"]" * 5000),
    "an envelope to nowhere": lambda text: text.replace(
        b'"o0":7', b'"o0":{"$stored":{"digest":"%s","size":1,"hash":"%s"}}' % (b"0" * 64, b"0" * 64)
    ),
    "an envelope with a place in it": lambda text: text.replace(
        b'"o0":7', b'"o0":{"$stored":{"digest":"../../x","size":1,"hash":"%s"}}' % (b"0" * 64)
    ),
}


@pytest.mark.parametrize("way", BROKEN)
def test_a_broken_entry_is_a_miss_with_a_reason_and_the_next_result_mends_it(
    store: Store, index: caches.CacheIndex, way: str
) -> None:
    index.record(entry({"o0": 7}), NUMBER)
    path = keys.cache_path(KEY)
    text = BROKEN[way](store.get(path).split(b"\n")[0])
    # Not only damaged but written so, with a good seal.
    store.put(path, text + b'\n{"sha256":"%s"}\n' % hashlib.sha256(text).hexdigest().encode())
    found = index.find(KEY, NUMBER)
    assert found.entry is None
    assert found.broken
    assert found.reason
    assert index.record(entry({"o0": 8}), NUMBER)
    assert index.find(KEY, NUMBER).entry == entry({"o0": 8})


def test_a_huge_entry_is_not_read_to_its_end(store: Store, index: caches.CacheIndex) -> None:
    read = 0

    def endless(key: str):  # type: ignore[no-untyped-def]
        nonlocal read
        while True:
            read += 1000
            yield b"x" * 1000

    store.stream = endless  # type: ignore[method-assign]
    assert index.find(KEY, NUMBER).entry is None
    assert read < 100_000


@pytest.mark.parametrize("way", [name for name in damaging.WAYS if name != "a bit flipped"])
@pytest.mark.parametrize("which", ["file", "list of files"])
def test_an_entry_whose_objects_are_gone_or_of_another_size_is_a_miss(store: Store, which: str, way: str) -> None:
    index, carrier = caches.CacheIndex(store), content.Content(store)
    made = [carrier.commit_bytes(f"file {number}".encode(), type="file", name="a.txt") for number in range(3)]
    outputs: dict[str, values.Json] = {"o0": made[0].to_json(), "o1": [made[1].to_json(), made[2].to_json()]}
    assert index.record(entry(outputs), FILES)
    assert index.find(KEY, FILES).entry == entry(outputs)
    damaging.WAYS[way](store, made[0 if which == "file" else 2].path())
    found = index.find(KEY, FILES)
    assert found.entry is None
    assert ("o0" if which == "file" else "o1") in found.reason
    for number in range(3):
        carrier.commit_bytes(f"file {number}".encode(), type="file", name="a.txt")
    assert index.record(entry(outputs), FILES) is False
    assert index.find(KEY, FILES).entry == entry(outputs)


@pytest.mark.parametrize("way", damaging.WAYS)
def test_files_named_in_a_stored_value_count_too(store: Store, way: str) -> None:
    index, carrier = caches.CacheIndex(store), content.Content(store)
    made = carrier.commit_bytes(b"a file", type="file", name="a.txt")
    codec = values.codec({"type": "array", "items": {"x-alula-type": "file"}})
    stored = carrier.save_value(codec.wire([made.to_json()] * 50), codec.identity([made.to_json()] * 50), 100)
    envelope = references.stored(stored)
    assert envelope is not None
    schema = {"o0": codec.schema}
    assert index.record(entry({"o0": stored}), schema)
    assert index.find(KEY, schema).entry is not None
    if way == "a bit flipped":
        damaging.flip(store, envelope.path())
    else:
        damaging.WAYS[way](store, made.path())
    assert index.find(KEY, schema).entry is None
    # A shallow reader checks the value's identity and leaves the files in it to the consumer.
    shallow = caches.CacheIndex(store, deep=False).find(KEY, schema).entry
    assert (shallow is None) is (way == "a bit flipped")


@pytest.mark.parametrize("deep", [True, False])
def test_an_identity_that_is_not_the_values_own_is_a_miss_that_the_next_result_mends(store: Store, deep: bool) -> None:
    index, carrier = caches.CacheIndex(store, deep=deep), content.Content(store)
    codec = values.codec({"type": "array", "items": {"type": "integer"}})
    value: values.Json = list(range(500))
    true = carrier.save_value(codec.wire(value), codec.identity(value), 100)
    false = carrier.save_value(codec.wire(value), "d" * 64, 100)
    schema = {"o0": codec.schema}
    assert index.record(entry({"o0": false}), schema)
    found = index.find(KEY, schema)
    assert found.entry is None and found.broken
    assert "another identity" in found.reason
    assert index.record(entry({"o0": true}), schema)
    assert index.find(KEY, schema).entry == entry({"o0": true})


@pytest.mark.parametrize("deep", [True, False])
def test_the_identity_of_a_value_with_files_in_it_is_compared(store: Store, deep: bool) -> None:
    index, carrier = caches.CacheIndex(store, deep=deep), content.Content(store)
    made = carrier.commit_bytes(b"a file", type="file", name="a.txt")
    codec = values.codec({"type": "array", "items": {"x-alula-type": "file"}})
    false = carrier.save_value(codec.wire([made.to_json()] * 50), "d" * 64, 100)
    schema = {"o0": codec.schema}
    assert index.record(entry({"o0": false}), schema)
    found = index.find(KEY, schema)
    assert found.entry is None
    assert "another identity" in found.reason


def test_a_shallow_reader_misses_values_with_files_in_them_that_are_large(store: Store) -> None:
    index, carrier = caches.CacheIndex(store), content.Content(store)
    codec = values.codec({"type": "array", "items": {"x-alula-type": "file"}})
    made = [carrier.commit_bytes(b"a file", type="file", name="a.txt").to_json()] * 1_000
    schema = {"o0": codec.schema}
    assert index.record(entry({"o0": carrier.save_value(codec.wire(made), codec.identity(made), 100)}), schema)
    assert index.find(KEY, schema).entry is not None
    found = caches.CacheIndex(store, deep=False).find(KEY, schema)
    assert found.entry is None
    assert "checked in a pod" in found.reason


def test_a_shallow_reader_reads_no_more_of_a_value_than_its_envelope_says(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier = content.Content(store)
    codec = values.codec({"type": "array", "items": {"x-alula-type": "file"}})
    made = [carrier.commit_bytes(b"a file", type="file", name="a.txt").to_json()] * 50
    schema = {"o0": codec.schema}
    index = caches.CacheIndex(store, deep=False)
    assert index.record(entry({"o0": carrier.save_value(codec.wire(made), codec.identity(made), 100)}), schema)
    assert index.find(KEY, schema).entry is not None
    stream, chunks = store.stream, []

    def endless(key: str) -> Iterator[bytes]:
        if key.startswith("cache/"):
            yield from stream(key)
        while not key.startswith("cache/"):
            chunks.append(key)
            yield b" " * 10_000

    monkeypatch.setattr(store, "stream", endless)
    assert index.find(KEY, schema).broken
    assert len(chunks) <= 2


def test_a_store_without_an_answer_is_not_a_miss(store: Store, index: caches.CacheIndex) -> None:
    def stream(key: str) -> None:
        raise errors.Unavailable(store.url, key)

    store.stream = stream  # type: ignore[method-assign, assignment]
    with pytest.raises(errors.Unavailable):
        index.find(KEY, NUMBER).entry


def test_an_entry_that_would_be_too_large_is_refused_before_it_is_written(
    store: Store, index: caches.CacheIndex
) -> None:
    with pytest.raises(values.InvalidValue):
        index.record(entry({"o0": "x" * 70_000}), {"o0": {"type": "string"}})
    assert list(store.list()) == []


@given(seed=st.integers(0, 2**32))
def test_no_damage_of_whatever_kind_makes_a_wrong_hit(seed: int) -> None:
    """R8: bit flips, cuts and deletions anywhere in the store: the right value or a miss, never another value."""
    chance = random.Random(seed)
    store = memory.MemoryStore()
    index, carrier = caches.CacheIndex(store), content.Content(store, policy=retries.Policy(attempts=1))
    made = carrier.commit_bytes(b"a file's content", type="file", name="a.txt")
    long = carrier.save_value('"' + "x" * 500 + '"', "0" * 64, 100)
    schemas = {"o0": {"x-alula-type": "file"}, "o1": {"type": "string"}}
    right = entry({"o0": made.to_json(), "o1": long})
    index.record(right, schemas)
    victim = chance.choice(sorted(head.key for head in store.list()))
    data = bytearray(store.get(victim))
    match chance.randrange(4):
        case 0:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        case 1:
            del data[chance.randrange(len(data)) :]
        case 2:
            data[chance.randrange(len(data)) :] = chance.randbytes(chance.randrange(40))
        case _:
            data.clear()
    store.put(victim, bytes(data))
    found = index.find(KEY, schemas).entry
    if found is None:
        return
    assert found == right
    for load in (lambda: carrier.read(made) == b"a file's content", lambda: carrier.load_value(long) == "x" * 500):
        try:
            assert load()
        except (errors.Damaged, errors.NotFound):
            pass


def test_a_flipped_bit_anywhere_in_an_entry_is_a_miss(store: Store, index: caches.CacheIndex) -> None:
    index.record(entry({"o0": 7}), NUMBER)
    path = keys.cache_path(KEY)
    whole = store.get(path)
    for place in range(len(whole)):
        for bit in range(8):
            data = bytearray(whole)
            data[place] ^= 1 << bit
            store.put(path, bytes(data))
            assert index.find(KEY, NUMBER).entry is None


def test_the_largest_entry_fits(store: Store, index: caches.CacheIndex) -> None:
    room = keys.MOST_ENTRY - len(entry({"o0": ""}).to_text())
    largest = entry({"o0": "x" * room})
    text = {"o0": {"type": "string"}}
    assert index.record(largest, text)
    assert index.find(KEY, text).entry == largest
