"""An API server that misbehaves before a controller: each fault lasts for seconds, and afterwards all is as it should
be. A proxy makes the faults; behind it is the real server.
"""

from __future__ import annotations

import collections
import json
import pathlib
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from e2e.controller import definitions
from e2e.controller.conftest import Scene, metrics, until

PORT = 18443
FAULTS: dict[str, dict[str, Any]] = {
    "too-many": {"status": 429, "retry_after": 1},
    "internal": {"status": 500},
    "unavailable": {"status": 503},
    "gone": {"status": 410},
    "cut": {"cut": True},
    "silent": {"silent": True},
    "slow": {"slow": 2},
}
SECONDS = 5.0


class Faulty:
    """A controller of its own behind the proxy, in the place of the installation's."""

    def __init__(self, scene: Scene, folder: pathlib.Path) -> None:
        cluster = scene.place.cluster
        self.faults = folder / "faults.json"
        self.seen = folder / "faults.json.seen"
        account = yaml.safe_load(scene.installation._account.kubeconfig.read_text(encoding="utf-8"))
        authority = account["clusters"][0]["cluster"]["certificate-authority"]
        argv = [sys.executable, "-m", "e2e.cluster.proxy", str(PORT), cluster.address, authority, str(self.faults)]
        self.proxy = cluster.spawn("faulty-proxy", argv, cwd=pathlib.Path(__file__).parents[2])
        account["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{PORT}"}
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(account), encoding="utf-8")
        scene.installation.kill()
        self.controller = scene.installation.spawn("alula-faulty", KUBECONFIG=str(kubeconfig))

    def requests(self) -> list[str]:
        """What was asked for so far, as verb and path."""
        return [line.partition(" ")[2] for line in self.seen.read_text(encoding="utf-8").splitlines()]

    def is_faulty(self, fault: dict[str, Any]) -> None:
        self.faults.write_text(json.dumps(fault), encoding="utf-8")


@pytest.fixture(scope="module")
def faulty(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    made = Faulty(scene, tmp_path_factory.mktemp("faulty"))
    scene.define(definitions.workflow("faulty", version="before"))
    yield made
    for process in (made.controller, made.proxy):
        if process.poll() is None:
            process.kill()
    scene.installation.start()
    until(lambda: metrics().get("alula_leader") == 1.0)


@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_fault_of_the_api_server_definitions_and_runs_go_on(scene: Scene, faulty: Faulty, fault: str) -> None:
    before = len(faulty.requests())
    faulty.is_faulty(FAULTS[fault])
    scene.apply(definitions.workflow("faulty", version=fault))
    run = scene.place.run("faulty", {"x": "5"})
    time.sleep(SECONDS)
    asked = collections.Counter(faulty.requests()[before:])
    faulty.is_faulty({})
    ended = scene.place.ended(run, 120)
    assert ended["status"]["phase"] == "Succeeded", ended["status"].get("message")
    until(lambda: compiled(scene) == fault, 120)
    assert faulty.controller.poll() is None, "the process never ended"
    # What it works on is what other scenarios have left, so only how often it asks for one thing is bounded: the most
    # that one path gets is the seven watches of runs, of which a cut one is seen twice.
    what, times = max(asked.items(), key=lambda each: each[1])
    print(f"{fault}: {asked.total()} requests, most often {what}: {times}")
    assert times < 20 * SECONDS, f"{times} times {what} in {SECONDS} s: it does not hammer a server that is in trouble"


def compiled(scene: Scene) -> str:
    """The version of the definition that the controller saw last and found good."""
    body = scene.place.ready("Workflow", "faulty", 120)
    return str(body["spec"]["version"])


def test_it_stops_orderly_and_at_once(scene: Scene, faulty: Faulty) -> None:
    assert faulty.controller.terminate(30) == 0, faulty.controller.tail()
    text = faulty.controller.log.read_text(encoding="utf-8")
    assert text.splitlines()[-1].endswith("stopped")
    assert "a defect of ours" not in text
