"""The process: how it starts, what its probes say, what ends it."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

import pytest

from alula_controller import logs, metrics, probing, process
from alula_controller.cluster.watches import Seen
from alula_controller.definitions.world import Key
from tests.controller import scenes
from tests.controller.fake_cluster import FakeCluster


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
    controller.kopf_ready.set()
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


def test_what_the_watches_see_becomes_keys(controller: process.Controller) -> None:
    async def main() -> tuple[list[Any], list[Any]]:
        mine = {"alula.dev/workflow": "sums", "alula.dev/revision": "sums-1"}
        controller._child_changed(Seen("n", "lp-x", "u", "1", "", mine), True)
        controller._namespace_changed(Seen("", "n", "u", "1"), False)
        controller._namespace_changed(Seen("", "gone", "u", "1"), True)
        controller._run_changed(Seen("n", "r1", "u", "1", "", mine), False)
        controller._run_changed(Seen("n", "r2", "u", "1", "", mine | {"alula.dev/admitted": "u"}), False)
        return list(controller.definitions._due), list(controller.runs._due)

    definitions, runs = asyncio.run(main())
    assert definitions == [Key("Workflow", "n", "sums"), Key("Domain", "n", "domain")]
    assert [str(key) for key in runs] == ["run n/r1"]


def test_a_namespaced_installation_watches_no_namespaces_and_only_its_own() -> None:
    settings = type(scenes.SETTINGS)(roots=scenes.SETTINGS.roots, default_root="main", namespaces=("a", "b"))
    made = process.Controller(settings, FakeCluster())  # type: ignore[arg-type]
    assert made.namespaces is None
    assert len(made.watches) == 6
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
        assert not set(metric._labelnames) & {"name", "namespace", "run", "workflow"}


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
