"""Processes that race, are killed, or lose the server, on a real S3 server."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from alula_api.contract import keys, pods, references, values
from alula_data import caches, content, errors, retries
from alula_data.stores import opening
from alula_data.stores.protocols import Store
from e2e.cluster import clusters, s3

RACER = """
import sys, time
from alula_data.stores.opening import open_store
store, number, start = open_store(sys.argv[1], endpoint=sys.argv[2]), sys.argv[3], float(sys.argv[4])
time.sleep(max(0, start - time.time()))
print(*[key for key in range(40) if store.put_if_absent(f"k/{key}", f"{number};".encode() * 2000)])
"""

WRITER = """
import sys, time
from alula_data.stores.opening import open_store
def chunks():
    for number in range(3):
        yield bytes([number]) * (9 << 20)
    print("written", flush=True)
    time.sleep(60)
open_store(sys.argv[1], endpoint=sys.argv[2]).put_stream("cas/a", chunks())
"""


def start(script: str, store: Store, endpoint: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, store.url, endpoint, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_one_of_many_processes_wins_each_key(cluster: clusters.Cluster, store: Store, credentials: s3.Bucket) -> None:
    begin = str(time.time() + 2)
    racers = [start(RACER, store, credentials.endpoint, str(number), begin) for number in range(4)]
    won = [racer.communicate()[0].split() for racer in racers]
    assert sorted(int(key) for mine in won for key in mine) == list(range(40))
    for number, mine in enumerate(won):
        for key in mine:
            assert store.get(f"k/{key}") == f"{number};".encode() * 2000


def test_a_process_killed_in_the_middle_of_a_stream_leaves_nothing_readable(
    cluster: clusters.Cluster, store: Store, credentials: s3.Bucket
) -> None:
    writer = start(WRITER, store, credentials.endpoint)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "written\n"
    time.sleep(0.5)  # for the parts to arrive
    writer.kill()
    writer.communicate()
    assert writer.returncode == -signal.SIGKILL
    assert store.head("cas/a") is None
    assert list(store.list()) == []
    assert store.put_if_absent("cas/a", b"whole")
    assert store.get("cas/a") == b"whole"


def test_a_file_of_many_parts_comes_back(cluster: clusters.Cluster, store: Store, tmp_path: Path) -> None:
    source = tmp_path / "large.bin"
    block = random.Random(3).randbytes(1 << 20)
    with source.open("wb") as file:
        for number in range(70):
            file.write(number.to_bytes(4, "big") + block)
    carrier = content.Content(store, work=str(tmp_path / "in"))
    reference = carrier.commit_file(source, type="file", name="large.bin")
    assert reference.size == 70 * ((1 << 20) + 4)
    assert carrier.fetch(reference).read_bytes() == source.read_bytes()


def test_a_folder_comes_back(cluster: clusters.Cluster, store: Store, tmp_path: Path) -> None:
    (tmp_path / "site" / "a").mkdir(parents=True)
    (tmp_path / "site" / "index.html").write_text("<html>")
    (tmp_path / "site" / "a" / "ünï €.txt").write_text("1")
    carrier = content.Content(store, work=str(tmp_path / "in"))
    fetched = carrier.fetch(carrier.commit_file(tmp_path / "site", type="directory", name="site"))
    found = sorted(path.relative_to(fetched).as_posix() for path in fetched.rglob("*") if path.is_file())
    assert found == ["a/ünï €.txt", "index.html"]


def test_a_server_that_goes_and_comes_back(
    cluster: clusters.Cluster, store: Store, credentials: s3.Bucket, tmp_path: Path
) -> None:
    carrier = content.Content(store, work=str(tmp_path), policy=retries.Policy(attempts=1))
    reference = carrier.commit_bytes(b"before", type="file")
    cluster.s3.process.kill()
    try:
        for verb in (lambda: carrier.read(reference), lambda: carrier.commit_bytes(b"while", type="file")):
            with pytest.raises(errors.Unavailable):
                verb()
    finally:
        cluster.s3.start()
        cluster.s3.await_ready()
    assert carrier.read(reference) == b"before"
    assert carrier.read(carrier.commit_bytes(b"while", type="file")) == b"while"


VERBS: list[Callable[[Store], object]] = [
    lambda store: store.get("a"),
    lambda store: store.put("a", b"2"),
    lambda store: list(store.list()),
]


def test_wrong_keys_and_missing_buckets_are_denied_and_not_taken_for_missing_objects(
    cluster: clusters.Cluster, store: Store, credentials: s3.Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("a", b"1")
    nowhere = opening.open_store("s3://no-such-bucket/p", endpoint=credentials.endpoint)
    with pytest.raises(errors.Denied, match="the bucket must exist"):
        nowhere.put("a", b"1")
    for name, value in (("AWS_SECRET_ACCESS_KEY", "canary-wrong"), ("AWS_ACCESS_KEY_ID", "canary-nobody")):
        monkeypatch.setenv(name, value)
        stranger = opening.open_store(store.url, endpoint=credentials.endpoint)
        for verb in VERBS:
            with pytest.raises(errors.Denied) as raised:
                verb(stranger)
            assert "canary" not in str(raised.value)
    assert store.get("a") == b"1"


def test_the_index_on_a_server(cluster: clusters.Cluster, store: Store) -> None:
    index = caches.CacheIndex(store)
    number = {"o0": {"type": "integer"}}
    wanted = [keys.cache_key("t", "1", "0" * 64, {"a": f"{item:064x}"}) for item in range(100)]
    for item in range(0, 100, 2):
        assert index.record(keys.CacheEntry(wanted[item], "t", {"o0": item}, "", "r", "n"), number)
    hits = {item: index.find(key, number).entry for item, key in enumerate(wanted)}
    assert {item: entry.outputs["o0"] for item, entry in hits.items() if entry} == {
        item: item for item in range(0, 100, 2)
    }


TASK = """
import os
from alula import File, task

@task
def f(x: int) -> File:
    file = File.new("report.html")
    file.path.write_text("<html>" * 2_000_000)
    open(os.environ["CALLED"], "a").write("x")
    return file
"""


def test_a_pod_on_a_server(cluster: clusters.Cluster, store: Store, credentials: s3.Bucket, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "m.py").write_text(TASK)
    file = {"x-alula-type": "file"}
    interface = keys.interface_digest([("x", {"type": "integer"})], [("o0", file)])
    call = pods.Call("m:f", "m:f", interface, cache="1", inputs=(("x", "1"),), outputs=("o0",))
    environment = {
        **os.environ,
        pods.Env.RUN: "run-1",
        pods.Env.NODE: "run-1.f",
        pods.Env.STORE: store.url,
        pods.Env.STORE_ENDPOINT: credentials.endpoint,
        pods.Env.OUT: str(tmp_path / "work" / "out"),
        pods.Env.TERMINATION_LOG: str(tmp_path / "termination"),
        "CALLED": str(tmp_path / "called"),
    }
    outputs = []
    for _ in range(2):
        command = [sys.executable, "-m", "alula.runtime", *pods.argv(call)]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        outputs.append((tmp_path / "work" / "out" / "o0").read_text())
    assert (tmp_path / "called").read_text() == "x"
    assert "alula: cached" in done.stderr
    assert outputs[0] == outputs[1]
    reference = references.Reference.from_json(values.parse(outputs[0]))
    assert content.Content(store, work=str(tmp_path / "in")).fetch(reference).stat().st_size == 12_000_000
