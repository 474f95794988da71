"""The story of docs/domains.md on the real servers: thirty runs of two domains at once, while replicas are killed.

`make queue` starts more of them (`ALULA_QUEUE_RUNS=200`).
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import random
import re
import shlex
import signal
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator

import pytest

from e2e import installing
from e2e.cluster import processes
from e2e.controller import definitions
from e2e.controller.conftest import Scene, metrics, until
from e2e.controller.histories import History

RUNS = int(os.environ.get("ALULA_QUEUE_RUNS", "30"))
QUOTAS = {"dev": 5, "prod": 2}
PLANS = {"hourly": {}, "nightly": {"weight": 2}, "reports": {}, "urgent": {"priority": 10}}
TOLD = 20  # runs whose place stands in their message
PATIENCE = 60 + 20 * RUNS


@pytest.fixture(scope="module")
def domains(scene: Scene) -> dict[str, Scene]:
    """Both domains, with the launch plans of the page."""
    found = {name: Scene(scene.installation.place("iris", name, "off"), scene.installation) for name in QUOTAS}
    for place in found.values():
        place.define(definitions.workflow("iris", [definitions.node("one", "uncached", a={"input": "x"})]))
        place.define(*(definitions.launch_plan(name, "iris", **spec) for name, spec in PLANS.items()))
    time.sleep(2)  # Argo's own view of templates is a moment behind
    return found


@pytest.fixture
def replicas(restarted: Scene) -> Iterator[Replicas]:
    until(lambda: metrics().get("alula_leader") == 1.0)
    replicas = Replicas(restarted.installation)
    yield replicas
    replicas.end()


class Replicas:
    """The controller and a standby, which are killed, and stopped for longer than the Lease holds, again and again."""

    def __init__(self, installation: installing.Installation) -> None:
        self._installation = installation
        self._standby = self._second()
        self._over = threading.Event()
        self.done = 0

    def _second(self) -> processes.Process:
        return self._installation.spawn("alula-standby", ALULA_PORT="8081", ALULA_IDENTITY="standby")

    @contextlib.contextmanager
    def killed(self) -> Iterator[None]:
        """While the body runs, and at least three times."""
        thread = threading.Thread(target=self._harm)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _harm(self) -> None:
        chance = random.Random(7)
        with processes.in_network(self._installation.cluster.supervisor.network):
            while self.done < 3 or not self._over.is_set():
                first, stops = chance.random() < 0.5, chance.random() < 0.4
                victim = self._installation.controller if first else self._standby
                assert victim is not None
                if stops:
                    victim.signal(signal.SIGSTOP)
                    time.sleep(chance.uniform(3, 5))
                    victim.signal(signal.SIGCONT)
                elif first:
                    self._installation.kill()
                    self._installation.start()
                else:
                    self._standby.kill()
                    self._standby.wait(10)
                    self._standby = self._second()
                self.done += 1
                self._over.wait(chance.uniform(2, 6))

    def end(self) -> None:
        self._standby.kill()


def commands() -> tuple[list[str], list[str]]:
    """Those of the story: what comes before the runs go, and what comes after."""
    page = (installing.ROOT / "docs/domains.md").read_text(encoding="utf-8")
    story = page.partition("\n## Two domains, thirty runs\n")[2].partition("\n## ")[0]
    before, after = re.findall(r"```console\n(.*?)```", story, re.DOTALL)
    return tuple([line.removeprefix("$ ") for line in block.splitlines()] for block in (before, after))  # type: ignore[return-value]


def typed(scene: Scene, command: str, cwd: pathlib.Path) -> str:
    """What a command of the page prints."""
    program, *words = shlex.split(command)
    if program == "kubectl":
        return str(scene.place.cluster.kubectl(*words).stdout)
    argv = [sys.executable, "-m", program, *words]
    done = scene.place.cluster.run(argv, cwd=cwd)
    return str(done.stdout + done.stderr)


def started(place: Scene, plan: str) -> str:
    """A run of a launch plan, or by a person for no plan."""
    spec = {"workflowTemplateRef": {"name": f"lp-{plan}" if plan else "iris"}}
    marks = {} if plan else {"workflows.argoproj.io/creator-preferred-username": "ada"}
    metadata = {"generateName": f"{plan or 'ada'}-", "labels": marks}
    body = {"apiVersion": installing.ARGO, "kind": "Workflow", "metadata": metadata, "spec": spec}
    return str(place.api.create(body, place.space)["metadata"]["name"])


def shares(count: int) -> list[str]:
    """Whose runs they are: three plans take turns, and a person starts as many as two of them."""
    return [("hourly", "nightly", "reports", "", "")[number % 5] for number in range(count)]


def test_at_no_instant_more_runs_are_let_go_than_allowed_and_all_end_in_the_documented_order(
    scene: Scene, domains: dict[str, Scene], replicas: Replicas, tmp_path: pathlib.Path
) -> None:
    dev, prod = domains["dev"], domains["prod"]
    before, after = commands()
    with History(dev.place) as in_dev, History(prod.place) as in_prod:
        for command in before[:2]:
            typed(scene, command, tmp_path)
        (launched,) = re.findall(r"started (\S+) in iris-dev", typed(scene, before[2], tmp_path))
        runs = {"dev": [launched], "prod": []}
        for plan in shares(RUNS * 3 // 4):
            runs["dev"].append(started(dev, plan))
        for plan in shares(RUNS - len(runs["dev"])):
            runs["prod"].append(started(prod, plan))
        everybody_is_seen(scene, dev, runs["dev"], before[3:], tmp_path)
        (urgent,) = re.findall(r"started (\S+) in iris-dev", typed(scene, after[0], tmp_path))
        until(lambda: re.search(rf"^1 +{urgent} ", typed(scene, after[1], tmp_path), re.MULTILINE))
        with replicas.killed():
            for command in after[2:]:
                typed(scene, command, tmp_path)
            for name, place in domains.items():
                for run in [*runs[name], *([urgent] if name == "dev" else [])]:
                    assert place.place.ended(run, PATIENCE)["status"]["phase"] == "Succeeded"
        for place in domains.values():
            until(lambda place=place: ledger(place) == (0, 0, []))  # type: ignore[misc]
    assert replicas.done >= 3
    for history, name in ((in_dev, "dev"), (in_prod, "prod")):
        assert 0 < history.most <= QUOTAS[name]
        assert sorted(history.admitted) == sorted(history.chosen), "each was chosen before it was let go"
        assert set(history.admitted) >= set(runs[name])
        assert history.strange() == []
    assert len(in_dev.admitted) + len(in_prod.admitted) == RUNS + 1
    assert in_dev.chosen[0] == urgent, "it overtook all that waited"


def everybody_is_seen(scene: Scene, dev: Scene, runs: list[str], looks: list[str], tmp_path: pathlib.Path) -> None:
    """In `alula queue`, and the first twenty in their messages: for kubectl, and for Argo's UI."""
    queue = until(lambda: _whole(typed(scene, looks[0], tmp_path), runs))
    places = dict(re.findall(r"^(\d+) +(\S+) ", queue, re.MULTILINE))
    assert sorted(places.values()) == sorted(runs)
    first = [places[str(place)] for place in range(1, min(TOLD, len(runs)) + 1)]

    def told() -> dict[str, str]:
        server = dev.place.cluster.argo_server()
        try:
            with urllib.request.urlopen(f"{server}/api/v1/workflows/{dev.space}", timeout=30) as response:
                items = json.load(response)["items"] or []  # null until it has listed them
        except OSError:
            return {}  # it answers this later than it shows its first page
        said = {each["metadata"]["name"]: str(each["status"].get("message") or "") for each in items}
        return {run: text for run, text in said.items() if text.startswith("waits at place")}

    until(lambda: set(told()) == set(first), 180)
    shown = typed(scene, looks[1], tmp_path)
    for place, run in enumerate(first, 1):
        (line,) = [line for line in shown.splitlines() if line.startswith(f"{run} ")]
        assert re.search(r"waits at place \d+ of \d+: the domain is suspended", line), f"{place}: {line}"
    until(lambda: re.search(rf"^iris-dev +domain +iris +dev +0 +{len(runs)} ", typed(scene, looks[2], tmp_path), re.M))


def _whole(queue: str, runs: list[str]) -> str:
    return queue if all(run in queue for run in runs) else ""


def ledger(place: Scene) -> tuple[int, int, list[str]]:
    status = place.api.get(installing.ALULA, "Domain", "domain", place.space)["status"]["admission"]
    return status["running"], status["waiting"], status["intents"]
