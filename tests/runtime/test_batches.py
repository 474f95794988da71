"""A batch in a pod's process: each item has a process, a result, a cache entry and retries of its own."""

from __future__ import annotations

import os
import re
import signal
from typing import Any

import pytest

from alula_api.contract import failures, keys, lists, names, pods, values
from alula_api.contract.graphs import comparables
from alula_data import caches
from alula_data.content import Content
from tests.runtime.pod import INTEGER, RUN_UID, Ended, Pod

SOURCE = """
import os, pathlib, random, time
from alula import NonRecoverable, task
MARKS = pathlib.Path({marks!r})

@task
def f(x: int, y: int = 0) -> int:
    (MARKS / f"call-{{x}}-{{time.time_ns()}}").touch()
    {body}
    return 10 * x + y
"""


def source(pod: Pod, body: str) -> None:
    pod.write(SOURCE.format(marks=str(pod.home), body=body or "pass"))


def run(pod: Pod, xs: list[int], *, start: int = 0, y: int = 0, attempt: int = 0, **fields: Any) -> Ended:
    whole = lists.read(comparables.batches([0] * start + xs, 50))
    assert whole is not None
    part = lists.taken(whole, start, len(xs)).to_json()
    call = pods.Call(
        "flows.m:f",
        "flows.m:f",
        keys.interface_digest([("x", INTEGER), ("y", INTEGER)], [("o0", INTEGER)]),
        inputs=(("x", values.argo_safe(values.dumps(part))), ("y", str(y))),
        outputs=("o0",),
        parts=((names.item_parameter("o0"), "o0", (), "item"),),
        over=("x",),
        **{"backoff": ("10ms", "", ""), **fields},
    )
    return pod.run_words(pods.argv(call), {pods.Env.ATTEMPT: str(attempt), **fields.get("environment", {})})


def made(pod: Pod, ended: Ended) -> Any:
    assert ended.code == 0, ended.stderr
    (found,) = lists.Listed((lists.text(str(ended.value("o0--item"))),)).values()
    return Content(pod.store).load_value(found.to_json() if hasattr(found, "to_json") else found)


def called(pod: Pod) -> list[int]:
    found = sorted(int(path.name.split("-")[1]) for path in pod.home.glob("call-*"))
    for path in pod.home.glob("call-*"):
        path.unlink()
    return found


def test_the_items_are_published_as_one_value_short_or_stored(pod: Pod) -> None:
    source(pod, "")
    assert made(pod, run(pod, [1, 2, 3], y=5)) == [15, 25, 35]
    assert pod.committed() == []
    assert made(pod, run(pod, list(range(40)), parallel=4)) == [10 * x for x in range(40)]
    assert len(pod.committed()) == 1


def test_a_second_pod_runs_only_what_is_missing_and_a_batch_that_is_known_runs_nothing(pod: Pod) -> None:
    source(pod, "if x == 2 and not (MARKS / 'mended').exists(): raise NonRecoverable('no')")
    first = run(pod, [1, 2, 3, 4], cache="1", failing=pods.GO_ON)
    assert (first.code, called(pod)) == (90, [1, 2, 3, 4])
    assert "item 1: no" in first.message
    (pod.home / "mended").touch()
    assert made(pod, run(pod, [1, 2, 3, 4], cache="1")) == [10, 20, 30, 40]
    assert called(pod) == [2]
    third = run(pod, [1, 2, 3, 4], cache="1", start=50)
    assert made(pod, third) == [10, 20, 30, 40]
    assert called(pod) == [] and "item" not in third.stderr
    assert made(pod, run(pod, [4, 3], cache="1")) == [40, 30]
    assert called(pod) == [], "each has its own entry"


def test_a_failure_stops_the_others_and_names_the_item_with_its_inputs(pod: Pod) -> None:
    source(pod, "if x == 2: raise ValueError('two is bad')")
    ended = run(pod, [1, 2, 3, 4], start=20, y=7)
    assert (ended.code, called(pod)) == (90, [1, 2])
    assert ended.message.startswith("ValueError: item 21: two is bad (flows/m.py:")
    (record,) = pod.records()
    assert (record.inputs, record.kind) == ({"x": "2", "y": "7"}, "user")


def test_an_item_is_tried_again_in_the_pod_and_the_others_go_on(pod: Pod) -> None:
    source(pod, "n = len(list(MARKS.glob(f'call-{x}-*')))\n    if x == 2 and n < 3: raise ValueError(n)")
    ended = run(pod, [1, 2, 3], retries=2)
    assert made(pod, ended) == [10, 20, 30]
    assert called(pod) == [1, 2, 2, 2, 3]
    source(pod, "raise ValueError('never')")
    assert "item 0, attempt 3: never" in run(pod, [1], retries=2).message


def test_items_that_may_fail_are_null_and_counted(pod: Pod) -> None:
    source(pod, "if x == 2: raise ValueError('no')")
    ended = run(pod, [1, 2, 3], start=40, failing=pods.TOLERATE)
    assert made(pod, ended) == [10, None, 30]
    assert ended.value(names.SUCCEEDED) == 2
    left = values.parse(pod.store.get(failures.items_path(RUN_UID, "run-1.f", 1)))
    ((index, record),) = failures.items_from_json(left).items()
    assert (index, record.code, record.message, record.inputs) == (41, "TASK_FAILED", "no", {"x": "2", "y": "0"})


def test_a_batch_that_is_known_counts_its_items_where_they_may_fail(pod: Pod) -> None:
    source(pod, "")
    for _ in range(2):
        ended = run(pod, [1, 2, 3], start=40, cache="1", failing=pods.TOLERATE)
        assert made(pod, ended) == [10, 20, 30]
        assert ended.value(names.SUCCEEDED) == 3
    assert called(pod) == [1, 2, 3]


def test_a_crash_loses_only_its_item_and_the_next_pod_goes_on_there(pod: Pod) -> None:
    source(pod, "if x == 2 and not (MARKS / 'up').exists(): os.kill(os.getpid(), 11)")
    first = run(pod, [1, 2, 3], cache="1")
    assert first.code == 91 and "item 1: the process of the item was ended by SIGSEGV" in first.message
    assert called(pod) == [1, 2]
    (pod.home / "up").touch()
    assert made(pod, run(pod, [1, 2, 3], cache="1", attempt=1)) == [10, 20, 30]
    assert called(pod) == [2, 3]


def test_a_crash_in_the_last_pod_is_a_failure_of_its_item_where_items_may_fail(pod: Pod) -> None:
    source(pod, "if x == 2: os._exit(4)")
    assert run(pod, [1, 2, 3], failing=pods.TOLERATE).code == 91
    last = run(pod, [1, 2, 3], failing=pods.TOLERATE, system_retries=0)
    assert made(pod, last) == [10, None, 30]


def test_the_timeout_is_that_of_an_item(pod: Pod) -> None:
    pod.environment[pods.Env.TIMEOUT] = "3"
    source(pod, "time.sleep(1.1 if x != 4 else 30)")
    assert made(pod, run(pod, [1, 2, 3])) == [10, 20, 30]
    ended = run(pod, [1, 4])
    assert ended.code == 90
    assert "item 1: it took longer than its timeout of 3s" in ended.message


def test_items_side_by_side_have_folders_and_seeds_of_their_own(pod: Pod) -> None:
    here = "pathlib.Path('here')"
    source(pod, f"{here}.write_text(str(x)); time.sleep(0.2); return int({here}.read_text())")
    assert made(pod, run(pod, [5, 6, 7, 8], parallel=4)) == [5, 6, 7, 8]
    source(pod, "return random.randrange(10**9)")
    assert len(set(made(pod, run(pod, [1, 2, 3])))) == 3


def test_a_pod_that_is_asked_to_end_ends_its_items(pod: Pod) -> None:
    source(pod, "(MARKS / 'pid').write_text(str(os.getppid())); time.sleep(60)")
    import threading
    import time

    def stop() -> None:
        while not (pod.home / "pid").exists() or not (pod.home / "pid").read_text():
            time.sleep(0.02)
        os.kill(int((pod.home / "pid").read_text()), signal.SIGTERM)

    thread = threading.Thread(target=stop)
    thread.start()
    ended = run(pod, [1])
    thread.join()
    assert ended.code == 143 and re.search("the pod was asked to end", ended.message)


THREADED = """
import os, threading, time
from alula import task
LOCK = threading.Lock()

def measure():
    while True:
        with LOCK:
            time.sleep(0.05)

threading.Thread(target=measure, name="meter", daemon=True).start()
while not LOCK.locked():
    time.sleep(0.001)

@task
def f(x: int, y: int = 0) -> int:
    print("item of", x)
    {body}
    return 10 * x + y
"""


def test_where_loading_the_code_starts_threads_each_item_has_an_interpreter(pod: Pod) -> None:
    """In a fork the lock would be held for ever: the thread that holds it is not there."""
    pod.environment[pods.Env.TIMEOUT] = "20"
    pod.write(THREADED.format(body="LOCK.acquire()"))
    ended = run(pod, [1, 2, 3], y=5, parallel=2, cache="1")
    assert made(pod, ended) == [15, 25, 35]
    assert ended.stderr.count("each item starts an interpreter of its own") == 1
    assert "the thread 'meter' is running" in ended.stderr
    assert sorted(ended.stdout.splitlines()) == ["item of 1", "item of 2", "item of 3"]
    again = run(pod, [3, 4], y=5, cache="1")
    assert (made(pod, again), again.stdout) == ([35, 45], "item of 4\n")


def test_what_becomes_of_an_interpreter_is_said_of_its_item(pod: Pod) -> None:
    pod.environment[pods.Env.TIMEOUT] = "3"
    ends = "{1: int, 2: lambda: int('two'), 3: lambda: os.kill(os.getpid(), 11), 4: lambda: time.sleep(60)}"
    pod.write(THREADED.format(body=f"{ends}[x]()"))
    ended = run(pod, [1, 2, 3, 4], parallel=4, failing=pods.TOLERATE, system_retries=0)
    assert made(pod, ended) == [10, None, None, None]
    for text in (
        "item 1: failed: invalid literal for int() with base 10: 'two'",
        "item 2: failed: the process of the item was ended by SIGSEGV",
        "item 3: failed: it took longer than its timeout of 3s",
    ):
        assert text in ended.stderr


@pytest.mark.parametrize("text", ['"no"', "[1]"])
def test_lists_that_do_not_fit_are_refused(pod: Pod, text: str) -> None:
    source(pod, "")
    call = pods.Call(
        "flows.m:f",
        "flows.m:f",
        keys.interface_digest([("x", INTEGER), ("y", INTEGER)], [("o0", INTEGER)]),
        inputs=(("x", "[1, 2]"), ("y", text)),
        over=("x", "y"),
    )
    ended = pod.run_words(pods.argv(call), {})
    assert ended.code == 90 and "the lists of a batch must be of one length" in ended.message


@pytest.mark.parametrize("attempt", ["made", "known"])
def test_a_stored_list_is_kept_beside_the_result_as_maps_go_over_it(pod: Pod, attempt: str) -> None:
    pod.write("from alula import task\n\n@task\ndef f(x: int) -> list[str]:\n    return ['long ' * 20] * x\n")
    texts = {"type": "array", "items": {"type": "string"}}
    call = pods.Call(
        "flows.m:f",
        "flows.m:f",
        keys.interface_digest([("x", INTEGER)], [("o0", texts)]),
        cache="1",
        inputs=(("x", "50"),),
        outputs=("o0",),
        parts=(("o0--items", "o0", (), "items"),),
        batches=(("o0--batches-20", "o0", (), 20),),
    )
    short = {pods.Env.INLINE_LIMIT: "131"}
    if attempt == "known":
        pod.run_words(pods.argv(call._replace(parts=(), batches=())), short)
    ended = pod.run_words(pods.argv(call), short)
    assert ended.code == 0, ended.stderr
    key = keys.cache_key("flows.m:f", "1", call.interface, {"x": keys.identity(50, INTEGER)})
    entry = caches.CacheIndex(pod.store, deep=False).find(key, {"o0": texts}).entry
    assert entry is not None
    assert entry.parts == {name: ended.value(name) for name in ("o0--items", "o0--batches-20")}
    batches = lists.read(entry.parts["o0--batches-20"])
    assert isinstance(batches, lists.Batches)
    assert (lists.length(batches), len(batches.texts)) == (50, 3)
    assert pod.run_words(pods.argv(call), short).outputs == ended.outputs
