"""Object stores through obstore, against a server that can be told to fail; the contract too."""

from __future__ import annotations

import os
import random
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from alula_data import content, errors, retries
from alula_data.stores import objects, opening
from alula_data.stores.protocols import Store
from tests.data import fake_s3
from tests.data.fake_s3 import FakeS3
from tests.data.store_contract import StoreContract

pytest.importorskip("obstore")

QUICK = retries.Policy(attempts=6, first=0.01, longest=0.05)
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAcanary", "AWS_SECRET_ACCESS_KEY": "canary-secret", "AWS_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def server() -> Iterator[FakeS3]:
    with fake_s3.serving() as state:
        yield state


@pytest.fixture
def s3(server: FakeS3, monkeypatch: pytest.MonkeyPatch) -> FakeS3:
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    server.objects.clear()
    server.uploads.clear()
    server.requests.clear()
    server.fault = lambda method, path: ""
    return server


def opened(s3: FakeS3, policy: retries.Policy = QUICK, prefix: str = "p") -> Store:
    return opening.open_store(f"s3://bucket/{prefix}", endpoint=s3.endpoint, policy=policy)


@pytest.fixture
def store(s3: FakeS3) -> Store:
    return opened(s3)


class TestObjects(StoreContract):
    allows_file_and_folder = True

    @pytest.fixture
    def store(self, s3: FakeS3) -> Store:
        return opened(s3, prefix=uuid.uuid4().hex)

    @pytest.fixture
    def racers(self, s3: FakeS3, store: Store) -> list[Store]:
        return [opened(s3, prefix=store.url.rpartition("/")[2]) for _ in range(12)]


def times(number: int, fault: str, method: str = "") -> fake_s3.Fault:
    """The fault for the first so many requests of a method."""
    left = [number]

    def choose(of: str, path: str) -> str:
        if (method and of != method) or left[0] <= 0:
            return ""
        left[0] -= 1
        return fault

    return choose


@pytest.mark.parametrize("fault", ["503", "reset", "lost"])
def test_every_verb_survives_faults_that_pass(s3: FakeS3, store: Store, fault: str) -> None:
    verbs = [
        lambda: store.put("a", b"1"),
        lambda: store.get("a") == b"1" or pytest.fail("other bytes"),
        lambda: b"".join(store.stream("a")) == b"1" or pytest.fail("other bytes"),
        lambda: store.head("a") or pytest.fail("no head"),
        lambda: [head.key for head in store.list()] == ["a"] or pytest.fail("another list"),
        lambda: store.put_stream("b", [b"x" * 9_000_000, b"y" * 9_000_000]),
        lambda: store.put_if_absent("c", b"3") or pytest.fail("not created"),
        lambda: store.delete("a"),
    ]
    for verb in verbs:
        s3.fault = times(2, fault)
        verb()
    assert s3.objects == {"p/b": b"x" * 9_000_000 + b"y" * 9_000_000, "p/c": b"3"}


def test_a_body_that_breaks_off_is_read_on_or_again(s3: FakeS3, store: Store, tmp_path: Path) -> None:
    carrier = content.Content(store, work=str(tmp_path), policy=QUICK)
    data = random.Random(1).randbytes(6_000_000)
    reference = carrier.commit_bytes(data, type="file")
    for read in (lambda: carrier.read(reference), lambda: carrier.fetch(reference).read_bytes()):
        s3.fault = times(2, "cut", "GET")
        assert read() == data


def test_a_create_whose_answer_was_lost_was_ours(s3: FakeS3, store: Store) -> None:
    s3.fault = times(1, "lost", "PUT")
    assert store.put_if_absent("a", b"mine") is True
    assert s3.objects["p/a"] == b"mine"


def test_a_create_whose_answer_was_lost_after_anothers_was_not(s3: FakeS3, store: Store) -> None:
    s3.objects["p/a"] = b"theirs"
    s3.fault = times(1, "lost", "PUT")
    assert store.put_if_absent("a", b"mine") is False
    assert s3.objects["p/a"] == b"theirs"


@pytest.mark.parametrize("fault", ["503", "reset"])
def test_faults_that_stay_are_unavailable_after_a_bounded_number_of_attempts(s3: FakeS3, fault: str) -> None:
    store = opened(s3, retries.Policy(attempts=3, first=0.01, longest=0.02))
    s3.fault = lambda method, path: fault
    verbs = {
        "get": lambda: store.get("a"),
        "stream": lambda: list(store.stream("a")),
        "put": lambda: store.put("a", b"1"),
        "put_if_absent": lambda: store.put_if_absent("a", b"1"),
        "put_stream": lambda: store.put_stream("a", [b"1"]),
        "head": lambda: store.head("a"),
        "list": lambda: list(store.list()),
        "delete": lambda: store.delete("a"),
    }
    for name, verb in verbs.items():
        s3.requests.clear()
        with pytest.raises(errors.Unavailable) as raised:
            verb()
        assert 1 <= len(s3.requests) <= 4, name
        assert raised.value.url == "s3://bucket/p"
    assert s3.objects == {}


def test_a_stream_that_fails_at_any_request_leaves_nothing(s3: FakeS3) -> None:
    """R9: whatever request of a multipart upload is the last that works, no part of the object can be read."""
    store = opened(s3, retries.Policy(attempts=1))
    chunks = [b"x" * 9_000_000, b"y" * 9_000_000]
    store.put_stream("whole", chunks)
    needed = len(s3.requests)
    assert needed >= 4
    for working in range(needed):
        before = len(s3.requests)
        s3.fault = lambda method, path, before=before, working=working: (
            "503" if len(s3.requests) - before > working and method != "DELETE" else ""
        )
        with pytest.raises(errors.Unavailable):
            store.put_stream("part", chunks)
        assert set(s3.objects) == {"p/whole"}


def test_a_fifth_of_all_requests_may_fail(s3: FakeS3, tmp_path: Path) -> None:
    """R9, small: 20 % of answers 5xx and 5 % of connections reset, and everything succeeds or says that it did not."""
    chance = random.Random(7)
    s3.fault = lambda method, path: chance.choices(["503", "reset", "lost", "cut", ""], [20, 3, 2, 2, 73])[0]
    carrier = content.Content(opened(s3), work=str(tmp_path), policy=QUICK)
    references = {}
    failed = 0
    for number in range(60):
        data = chance.randbytes(chance.choice([10, 1000, 200_000]))
        try:
            references[carrier.commit_bytes(data, type="file", name=f"{number}")] = data
        except errors.Unavailable:
            failed += 1
    for reference, data in references.items():
        assert s3.objects[f"p/{reference.path()}"] == data
        assert carrier.read(reference) == data
    assert failed <= 1


def unreachable() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_server_that_is_not_there_is_unavailable_without_a_credential_in_the_message(s3: FakeS3) -> None:
    store = opening.open_store(
        "s3://bucket/p", endpoint=unreachable(), policy=retries.Policy(attempts=2, first=0.01, longest=0.01)
    )
    with pytest.raises(errors.Unavailable, match="check the address") as raised:
        store.get("a")
    assert "canary" not in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "NoSuchBucket", errors.Denied),
        (403, "AccessDenied", errors.Denied),
        (400, "InvalidRequest", errors.StoreError),
    ],
)
def test_what_a_server_refuses_is_said_once(
    s3: FakeS3, store: Store, monkeypatch: pytest.MonkeyPatch, status: int, code: str, kind: type[errors.StoreError]
) -> None:
    monkeypatch.setattr(fake_s3._Handler, "_answer", lambda *_: fake_s3._error(status, code))
    for verb in (lambda: store.get("a"), lambda: store.put("a", b"1"), lambda: list(store.list())):
        s3.requests.clear()
        with pytest.raises(kind) as raised:
            verb()
        assert type(raised.value) is kind
        assert len(s3.requests) == 1
        assert code in str(raised.value)


def test_an_address_that_is_none_is_said() -> None:
    for url in ("s3://", "gs://bucket", "abfss://nonsense"):
        with pytest.raises(errors.StoreError):
            opening.open_store(url, policy=retries.Policy(attempts=1, first=0.01)).get("a")


def test_without_obstore_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(errors.StoreError, match=r"pip install 'alula\[s3\]'"):
        objects.ObjectStore("s3://bucket/p")
