"""The process: how it starts, what its probes say, what ends it."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from typing import Any

import pytest

from alula_controller import logs, metrics, probing, process, timestamps
from alula_controller.cluster.queue import QueueKey
from alula_controller.cluster.watches import Seen
from alula_controller.runs.reconcile import RUN
from bench import takeover
from tests.controller import scenes, virtual_time
from tests.controller.fake_cluster import FakeCluster

ADMITTED = {"alula.dev/admitted": "u.1", "workflows.argoproj.io/completed": "false"}


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "alula_controller"]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_an_environment_that_makes_no_sense_ends_it_with_a_line_for_each_mistake() -> None:
    done = start(ALULA_PORT="http", ALULA_WORKERS="none")
    assert done.returncode == 2
    lines = done.stderr.strip().splitlines()
    assert [line.split()[1] for line in lines] == ["ALULA_ROOTS", "ALULA_PORT", "ALULA_WORKERS"]


@pytest.fixture
def controller() -> process.Controller:
    return process.Controller(scenes.SETTINGS, FakeCluster())  # type: ignore[arg-type]


def test_it_is_ready_when_everything_was_listed_and_the_lease_was_seen(controller: process.Controller) -> None:
    assert "workflows.argoproj.io" in controller.ready()
    for watch in controller.watches:
        watch.synced.set()
    assert "kopf" in controller.ready()
    controller.edge.ready.set()
    assert "Lease" in controller.ready()
    controller.leadership.observed = True
    assert controller.ready() == ""


def test_it_is_sick_when_a_part_ended_or_a_watch_fell_silent(controller: process.Controller) -> None:
    async def main() -> list[str]:
        said = [controller.healthy()]
        watch = controller.watches[0]
        watch.synced.set()
        watch.heard = asyncio.get_running_loop().time()
        said.append(controller.healthy())
        watch.heard -= process.SILENT_SECONDS + 1
        said.append(controller.healthy())
        controller.tasks.append(asyncio.create_task(asyncio.sleep(0), name="sweep"))
        await asyncio.sleep(0.01)
        return [*said, controller.healthy()]

    assert asyncio.run(main()) == ["", "", "silent: namespaces.core", "ended: sweep"]


def test_a_part_that_ends_ends_the_process_with_its_error(controller: process.Controller) -> None:
    async def main() -> None:
        async def broken() -> None:
            raise KeyError("defect")

        controller.tasks.append(asyncio.create_task(broken(), name="relist"))
        await controller._unless_ended(asyncio.Event().wait())

    with pytest.raises(process.Ended, match="relist") as caught:
        asyncio.run(main())
    assert isinstance(caught.value.__cause__, KeyError)


def test_what_writes_is_stopped_before_the_lease_is_let_go(controller: process.Controller) -> None:
    ended: list[str] = []

    async def part(name: str, pause: float) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(pause)
            ended.append(name)

    async def main() -> None:
        controller._start("lease", part("lease", 0))
        controller._start("runs", part("runs", 0.1))
        controller._start("hanging", part("hanging", 100))
        await asyncio.sleep(1)
        await controller._stop_parts()

    virtual_time.run(main())
    assert ended[:2] == ["runs", "lease"], "what hangs holds up nothing"


def test_it_stops_when_told_so_while_it_waits_for_the_kinds_or_for_lists(controller: process.Controller) -> None:
    async def main() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(controller._run_parts(stop))
        await asyncio.sleep(5)
        stop.set()
        await asyncio.wait_for(running, 5)
        assert not await process._before(stop, asyncio.sleep(1000))

    controller.api.watch = never  # type: ignore[method-assign, assignment]
    controller.edge.run = asyncio.Event().wait  # type: ignore[method-assign, assignment]
    virtual_time.run(main())


async def never(*_: Any, **__: Any) -> AsyncIterator[dict[str, Any]]:
    await asyncio.Event().wait()
    yield {}


def test_what_the_watches_see_becomes_keys(controller: process.Controller) -> None:
    async def main() -> tuple[list[Any], list[Any]]:
        controller.leadership._until = float("inf")
        mine = {"alula.dev/workflow": "sums", "alula.dev/revision": "sums-1"}
        controller._child_changed(Seen("n", "lp-x", "u", "1", "", mine), True)
        controller._namespace_changed(Seen("", "n", "u", "1"), False)
        controller._namespace_changed(Seen("", "gone", "u", "1"), True)
        controller._run_changed(Seen("n", "r1", "u", "1", "", mine), False)
        controller._run_changed(Seen("n", "r2", "u2", "1", "", mine), False)
        controller._run_changed(Seen("n", "r2", "u2", "1", "", mine | {"alula.dev/admitted": "u2.1"}), False)
        return list(controller.definitions._waiting), list(controller.runs._waiting)

    definitions, runs = asyncio.run(main())
    assert definitions == [QueueKey("n", "sums", "Workflow"), QueueKey("n", "domain", "Domain")]
    assert [str(key) for key in runs] == ["Run n/r1"]


@pytest.mark.parametrize(("ours", "looks"), [(True, 1), (False, 2)])
def test_what_was_made_from_a_definition_is_looked_at_unless_we_wrote_it_whichever_comes_first(
    controller: process.Controller, *, ours: bool, looks: int
) -> None:
    marks = {"alula.dev/workflow": "sums"}
    key = QueueKey("n", "sums", "Workflow")
    looked: list[float] = []

    async def handle(_: QueueKey) -> None:
        loop = asyncio.get_running_loop()
        looked.append(loop.time())
        if len(looked) == 1:
            for name in ("sums-1", "sums"):  # the revision, the template
                controller._child_changed(Seen("n", name, name, "1", "", marks), False)
            await asyncio.sleep(0.05)
            for name in ("sums-1", "sums") if ours else ():
                controller.echoes.note({"metadata": {"uid": name, "resourceVersion": "1"}})

    async def main() -> None:
        controller.leadership._until = float("inf")
        controller.definitions._handle = handle
        worker = asyncio.create_task(controller.definitions.run())
        controller.definitions.add(key)
        await asyncio.sleep(30)
        worker.cancel()

    virtual_time.run(main())
    assert len(looked) == looks


def test_a_run_that_needs_nothing_any_more_leaves_the_queue(controller: process.Controller) -> None:
    labels = {"alula.dev/workflow": "sums", "alula.dev/revision": "sums-1"}
    over = {
        "admitted": (Seen("n", "r", "u", "2", "", labels | ADMITTED), False),
        "completed": (Seen("n", "r", "u", "2", "", labels | {"workflows.argoproj.io/completed": "true"}), False),
        "deleted": (Seen("n", "r", "u", "1", "", labels), True),
    }

    async def main() -> None:
        controller.leadership._until = float("inf")
        for then in over.values():
            controller._run_changed(Seen("n", "r", "u", "1", "", labels), False)
            assert len(controller.runs) == 1
            controller._run_changed(*then)
            assert len(controller.runs) == 0

    asyncio.run(main())


def test_a_replica_that_begins_to_act_looks_at_what_waits_now_and_at_nothing_that_passed(
    controller: process.Controller,
) -> None:
    labels = {"alula.dev/workflow": "sums", "alula.dev/revision": "sums-1"}

    async def main() -> tuple[list[str], list[str]]:
        for number in range(1000):
            controller._run_changed(Seen("n", f"past-{number}", f"past-{number}", "1", "", labels), False)
        assert len(controller.runs) == 0
        known = controller.started[0].known
        known["n"] = {
            "admitted": Seen("n", "admitted", "u", "1", "", labels | ADMITTED),
            "waiting": Seen("n", "waiting", "u2", "1", "", labels),
        }
        gone = Seen("n", "gone", "u", "1", "", {"alula.dev/workflow": "gone"})
        controller.templates[0].known["n"] = {"gone": gone}
        controller.leadership._until = float("inf")
        controller.runs.add(QueueKey("n", "stale", RUN))
        controller._acting_changed(True)
        controller.runs._wait()
        controller.definitions._wait()
        runs = [str(controller.runs._take()) for _ in range(len(controller.runs))]
        return runs, [str(controller.definitions._take()) for _ in range(len(controller.definitions))]

    runs, definitions = asyncio.run(main())
    assert runs == ["Run n/waiting", "Run n/admitted"], "whose mark may be of a hold before a retry"
    assert all(watch._asked.is_set() for watch in controller.failed), "they tell the runs that failed"
    assert definitions == ["Workflow n/gone"]
    assert controller.relist._known is None
    assert controller.relist._asked.is_set()


def test_runs_that_are_over_are_neither_watched_nor_kept_but_those_that_failed_are_looked_at(
    controller: process.Controller,
) -> None:
    (under_way,) = controller.started
    (failed,) = controller.failed
    assert under_way._labels == "alula.dev/revision,workflows.argoproj.io/completed!=true"
    assert failed._labels == "alula.dev/revision,workflows.argoproj.io/phase=Failed"

    ours = {"alula.dev/revision": "sums-1", "workflows.argoproj.io/phase": "Failed"}
    over = ours | {"workflows.argoproj.io/completed": "true"}
    recent = timestamps.seconds(timestamps.now())

    async def main() -> list[str]:
        controller.leadership._until = float("inf")
        controller._run_failed(Seen("n", "admitted", "u", "1", recent, over | {"alula.dev/admitted": "u.1"}), False)
        controller._run_failed(Seen("n", "refused", "u", "1", recent, over), False)
        controller._run_failed(
            Seen("n", "old", "u", "1", "2020-01-01T00:00:00Z", over | {"alula.dev/admitted": "u.1"}), False
        )
        return [str(key) for key in controller.runs._waiting]

    assert asyncio.run(main()) == ["EndedRun n/admitted"]


def test_a_run_that_leaves_those_under_way_because_it_failed_is_looked_at_all_the_same(
    controller: process.Controller,
) -> None:
    over = {"alula.dev/revision": "sums-1", "workflows.argoproj.io/phase": "Failed"}
    seen = Seen("n", "r", "u", "1", timestamps.seconds(timestamps.now()), over | {"alula.dev/admitted": "u.1"})

    async def main() -> None:
        controller.leadership._until = float("inf")
        controller._run_failed(seen, False)
        controller._run_changed(seen, True)
        assert len(controller.runs) == 1

    asyncio.run(main())


def test_a_run_that_comes_back_with_its_mark_is_looked_at_once(controller: process.Controller) -> None:
    labels = {"alula.dev/workflow": "sums", "alula.dev/revision": "sums-1"}

    async def main() -> list[int]:
        controller.leadership._until = float("inf")
        found = []
        retried = Seen("n", "r", "u", "3", "", labels | ADMITTED)
        for then, gone in (
            (Seen("n", "r", "u", "1", "", labels), False),
            (Seen("n", "r", "u", "2", "", labels | ADMITTED), False),
            (Seen("n", "r", "u", "2", "", labels | ADMITTED), True),  # it is over
            (retried, False),
            (retried, False),
        ):
            controller._run_changed(then, gone)
            found.append(len(controller.runs))
        return found

    assert asyncio.run(main()) == [1, 0, 0, 1, 0]
    assert controller.settled == {"u"}


def test_that_argo_took_up_a_run_is_known_after_the_run_is_over_until_its_namespace_is_gone(
    controller: process.Controller,
) -> None:
    labels = {"alula.dev/revision": "sums-1", "workflows.argoproj.io/phase": "Running"}
    seen = Seen("n", "r", "u", "1", "2026-11-29T10:00:00Z", labels)

    async def main() -> None:
        controller._run_changed(seen, False)
        controller._run_changed(seen, True)
        assert list(controller.watchdog.taken_up.youngest) == ["n"]
        controller._namespace_changed(Seen("", "n", "u", "1"), True)
        assert controller.watchdog.taken_up.youngest == {}

    asyncio.run(main())


def test_a_replica_that_stops_acting_keeps_no_key(controller: process.Controller) -> None:
    async def main() -> None:
        controller.leadership._until = float("inf")
        controller.runs.add(QueueKey("n", "r", RUN))
        controller.definitions.add(QueueKey("n", "w", "Workflow"), 60)
        controller._acting_changed(False)
        assert len(controller.runs) == len(controller.definitions) == 0

    asyncio.run(main())


def test_a_namespaced_installation_watches_no_namespaces_and_only_its_own() -> None:
    settings = type(scenes.SETTINGS)(roots=scenes.SETTINGS.roots, default_root="main", namespaces=("a", "b"))
    made = process.Controller(settings, FakeCluster())  # type: ignore[arg-type]
    assert made.namespaces == []
    assert len(made.watches) == 18
    assert all("/namespaces/" in watch._path for watch in made.watches)


def test_probes_and_metrics_are_served() -> None:
    states = {"sick": "", "unready": "not listed yet"}

    async def main() -> list[tuple[int, str]]:
        runner, port = await probing.serve(0, lambda: states["sick"], lambda: states["unready"])
        try:
            return [await asyncio.to_thread(fetch, port, path) for path in ("healthz", "readyz", "metrics")]
        finally:
            await runner.cleanup()

    (healthy, _), (ready, why), (scraped, text) = asyncio.run(main())
    assert (healthy, ready, scraped) == (200, 503, 200)
    assert why == "not listed yet\n"
    assert "# HELP alula_leader" in text


def fetch(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_every_metric_has_our_prefix_and_a_sentence_and_no_label_that_grows() -> None:
    for metric in metrics.ALL:
        assert metric._name.startswith("alula_")
        assert metric._documentation.endswith(".")
        assert not set(metric._labelnames) & {"name", "run", "workflow"}
        assert ("namespace" in metric._labelnames) == (metric in metrics.OF_NAMESPACES)


def test_a_log_line_is_one_json_object_with_its_fields() -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "two\nlines %s", ("of text",), None)
    record.fields = {"kind": "Workflow", "name": "sums"}
    line = logs.JsonLines().format(record)
    assert "\n" not in line
    told = json.loads(line)
    assert told["message"] == "two\nlines of text"
    assert (told["level"], told["kind"], told["name"]) == ("info", "Workflow", "sums")


def test_kopf_is_never_as_talkative_as_to_log_bodies() -> None:
    before = logging.root.handlers[:], logging.root.level
    try:
        logs.configure("json", "debug")
        assert logging.getLogger("kopf").getEffectiveLevel() == logging.WARNING
        assert logging.getLogger("alula_controller").getEffectiveLevel() == logging.DEBUG
    finally:
        logging.root.handlers[:], logging.root.level = before


def test_what_the_bench_of_a_takeover_measures_is_what_waits_and_nothing_that_passed() -> None:
    found = takeover.measure(200, 5)
    assert found.keys == 5
    assert found.mebibytes < 5
