"""What every store promises, as tests: subclassed for each store here, and for a real S3 server in `e2e/stores`."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from alula_data import errors
from alula_data.stores.protocols import Store

AWKWARD_NAMES = [
    "sp ace", "per%20cent%", "ha#sh", "qu?es=1", "ünï/€/😀", "é", "til~de", "a+b&c", "quo'te\"", "back\\slash",
    "{x}[y]<z>|^`", "...", "x.", "-", "a" * 255,
]  # fmt: skip


class StoreContract:
    """Subclasses give the fixtures `store` (empty) and `racers` (stores on the same objects for many threads)."""

    atomic_create = True

    def test_what_was_put_is_got_byte_for_byte(self, store: Store) -> None:
        data = bytes(range(256)) * 33
        store.put("a/b", data)
        assert store.get("a/b") == data
        assert b"".join(store.stream("a/b")) == data

    def test_an_empty_object_is_an_object(self, store: Store) -> None:
        store.put("empty", b"")
        assert store.get("empty") == b""
        assert list(store.stream("empty")) == []
        head = store.head("empty")
        assert head is not None
        assert head.size == 0

    def test_a_put_replaces_what_is_there(self, store: Store) -> None:
        store.put("a", b"a longer first value")
        store.put("a", b"second")
        assert store.get("a") == b"second"

    def test_what_is_missing_is_not_found(self, store: Store) -> None:
        with pytest.raises(errors.NotFound) as raised:
            store.get("no/such")
        assert raised.value.key == "no/such"
        with pytest.raises(errors.NotFound):
            next(store.stream("no/such"))
        assert store.head("no/such") is None

    def test_a_folder_is_no_object(self, store: Store) -> None:
        store.put("folder/object", b"1")
        assert store.head("folder") is None
        with pytest.raises(errors.NotFound):
            store.get("folder")

    def test_a_head_tells_size_time_and_change(self, store: Store) -> None:
        store.put("a", b"123")
        first = store.head("a")
        assert first is not None
        assert (first.key, first.size) == ("a", 3)
        assert first.modified > 1_700_000_000
        store.put("a", b"4567")
        second = store.head("a")
        assert second is not None
        assert second.etag != first.etag

    def test_put_if_absent_writes_once(self, store: Store) -> None:
        assert store.put_if_absent("deep/er/a", b"first") is True
        assert store.put_if_absent("deep/er/a", b"second") is False
        assert store.get("deep/er/a") == b"first"

    def test_put_if_absent_writes_again_after_a_delete(self, store: Store) -> None:
        assert store.put_if_absent("a", b"first")
        store.delete("a")
        assert store.put_if_absent("a", b"second")
        assert store.get("a") == b"second"

    def test_one_of_many_concurrent_creates_wins_and_its_bytes_stay(self, store: Store, racers: list[Store]) -> None:
        for round_ in range(5):
            won = race(racers, f"race/{round_}")
            assert len(won) == 1 or (won and not self.atomic_create)
            assert store.get(f"race/{round_}") in map(body, won)

    def test_a_stream_is_put_whole(self, store: Store) -> None:
        chunks = [b"x" * 3_000_000, b"", b"y" * 7_000_000, b"z"]
        assert store.put_stream("big", iter(chunks)) == 10_000_001
        assert store.get("big") == b"".join(chunks)
        head = store.head("big")
        assert head is not None
        assert head.size == 10_000_001

    def test_an_empty_stream_is_an_empty_object(self, store: Store) -> None:
        assert store.put_stream("nothing", iter(())) == 0
        assert store.get("nothing") == b""

    @pytest.mark.parametrize("before", [0, 1, 12_000_000])
    def test_a_body_that_raises_leaves_nothing_and_its_own_error(self, store: Store, before: int) -> None:
        class Own(OSError):
            pass

        def chunks() -> Iterator[bytes]:
            yield b"x" * before
            raise Own("the body's own")

        with pytest.raises(Own):
            store.put_stream("broken", chunks())
        assert store.head("broken") is None
        assert list(store.list()) == []

    def test_a_body_that_raises_leaves_what_was_there(self, store: Store) -> None:
        def chunks() -> Iterator[bytes]:
            yield b"half of the second"
            raise KeyboardInterrupt

        store.put("a", b"first")
        with pytest.raises(KeyboardInterrupt):
            store.put_stream("a", chunks())
        assert store.get("a") == b"first"

    def test_a_list_goes_by_whole_segments(self, store: Store) -> None:
        for key in ("a", "a/1", "a/b/2", "ab/3", "c/4") if self.allows_file_and_folder else ("a/1", "a/b/2", "ab/3"):
            store.put(key, key.encode())
        found = {head.key: head.size for head in store.list("a")}
        assert found == {"a/1": 3, "a/b/2": 5}
        assert {head.key for head in store.list("a/")} == set(found)
        assert list(store.list("nothing/here")) == []
        assert {"a/1", "a/b/2", "ab/3"} <= {head.key for head in store.list()}

    allows_file_and_folder = False

    def test_a_delete_is_done_when_it_is_gone(self, store: Store) -> None:
        store.put("a", b"1")
        store.delete("a")
        assert store.head("a") is None
        store.delete("a")
        assert store.head("a") is None

    def test_a_move_takes_the_bytes_to_another_key_over_what_is_there(self, store: Store) -> None:
        store.put("a/1", b"one")
        store.put("aside/a/1", b"an older one")
        store.move("a/1", "aside/a/1")
        assert store.head("a/1") is None
        assert store.get("aside/a/1") == b"one"
        with pytest.raises(errors.NotFound):
            store.move("a/1", "aside/a/1")
        assert store.get("aside/a/1") == b"one"

    @pytest.mark.parametrize("name", AWKWARD_NAMES)
    def test_awkward_names_are_kept(self, store: Store, name: str) -> None:
        key = f"names/{name}"
        store.put(key, b"1")
        assert store.get(key) == b"1"
        assert [head.key for head in store.list("names")] == [key]
        assert store.put_if_absent(key, b"2") is False
        store.delete(key)
        assert store.head(key) is None

    @pytest.mark.parametrize(
        "key",
        ["", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\x00b", "a\nb", "a\x7fb", "\ud800", "a" * 256,
         "a/" * 600 + "b", ".alula-tmp-1", "a/.alula-tmp-1/b"],
    )  # fmt: skip
    def test_what_is_no_key_is_refused_by_every_verb(self, store: Store, key: str) -> None:
        verbs = [
            lambda: store.get(key),
            lambda: list(store.stream(key)),
            lambda: store.put(key, b"1"),
            lambda: store.put_if_absent(key, b"1"),
            lambda: store.put_stream(key, [b"1"]),
            lambda: store.head(key),
            lambda: store.delete(key),
        ]
        for verb in verbs:
            with pytest.raises(errors.StoreError, match="key must be"):
                verb()
        assert list(store.list()) == []

    def test_readers_see_all_or_nothing_while_it_is_written_anew(self, store: Store) -> None:
        versions = [bytes([number]) * 300_000 for number in range(8)]
        store.put("a", versions[0])
        torn: list[int] = []
        done = threading.Event()

        def read() -> None:
            while not done.is_set():
                seen = store.get("a")
                if seen not in versions:
                    torn.append(len(seen))

        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for version in versions * 3:
            store.put("a", version)
        done.set()
        for reader in readers:
            reader.join()
        assert torn == []


def race(racers: list[Store], key: str) -> list[int]:
    """Lets every store create `key` at the same moment; returns the numbers of those who were told that they did."""
    barrier = threading.Barrier(len(racers))
    won: list[int] = []

    def create(number: int) -> None:
        barrier.wait()
        if racers[number].put_if_absent(key, body(number)):
            won.append(number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(len(racers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return won


def body(number: int) -> bytes:
    return b"%d" % number * 50_000
