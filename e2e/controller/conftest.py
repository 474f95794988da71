"""A domain for the controller's scenarios, with `project/` as the code in its image."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from alula_data.stores import opening, protocols
from e2e import installing
from e2e.controller import definitions

PROJECT = pathlib.Path(__file__).parent / "project"


@dataclasses.dataclass(frozen=True)
class Scene:
    """A domain, and what the scenarios ask of it."""

    place: installing.Place
    installation: installing.Installation

    @property
    def api(self) -> Any:
        return self.place.cluster.api

    @property
    def space(self) -> str:
        return self.place.namespace

    def apply(self, *bodies: dict[str, Any]) -> None:
        for body in bodies:
            self.place.cluster.apply(body, self.space)

    def define(self, *bodies: dict[str, Any]) -> None:
        """Apply definitions and wait until all are Ready."""
        self.apply(*bodies)
        for body in bodies:
            self.place.ready(body["kind"], body["metadata"]["name"])

    def run(self, template: str, timeout: float = 120, **inputs: str) -> dict[str, Any]:
        """Start a run and wait for its end."""
        return self.place.ended(self.place.run(template, inputs), timeout)

    def pods(self, run: dict[str, Any]) -> list[str]:
        """The nodes of a run that had a pod."""
        name = run["metadata"]["name"]
        return sorted(pod.node.removeprefix(f"{name}.") for pod in self.place.cluster.pods.started(name, self.space))

    def store(self, monkeypatch: pytest.MonkeyPatch) -> protocols.Store:
        """The domain's prefix, with its own account."""
        for name, value in self.place.bucket.environment().items():
            monkeypatch.setenv(name, value)
        return opening.open_store(self.place.prefix, endpoint=self.place.bucket.endpoint)

    def events(self, name: str) -> list[str]:
        """The reasons of our Events about an object."""
        found = self.api.list("v1", "Event", self.space)
        ours = [each for each in found if each["source"].get("component") == "alula-controller"]
        return [each["reason"] for each in ours if each["involvedObject"]["name"] == name]


@pytest.fixture(scope="session")
def scene(installation: installing.Installation) -> Scene:
    installation.cluster.pods.image(definitions.IMAGE, env={"PYTHONPATH": str(PROJECT)})
    return Scene(installation.place("control", "dev", "off"), installation)


@pytest.fixture
def restarted(scene: Scene) -> Iterator[Scene]:
    """The scene, with the controller running again at the end whatever the test did to it."""
    yield scene
    controller = scene.installation.controller
    if controller is None or controller.poll() is not None:
        scene.installation.start()


def until(what: Callable[[], Any], timeout: float = 60, pause: float = 0.2) -> Any:
    """Wait for something to become true; what it is."""
    deadline = time.monotonic() + timeout
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(pause)


def metrics() -> dict[str, float]:
    """The controller's counters, by name and labels; none while it does not answer."""
    try:
        with urllib.request.urlopen("http://127.0.0.1:8080/metrics", timeout=5) as response:
            lines = response.read().decode().splitlines()
    except OSError:
        return {}
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


def writes() -> float:
    """How often the controller wrote to the cluster since it started, but to runs: those of other scenarios go on."""
    found = {name: value for name, value in metrics().items() if name.startswith("alula_writes_total")}
    return sum(value for name, value in found.items() if 'kind="Run"' not in name)


def nodes(run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Nodes by their name without the run's."""
    from alula_api.argo import nodes as argo

    name = run["metadata"]["name"]
    return {node["name"].removeprefix(f"{name}."): node for node in argo.read(run["status"]).values()}


def memoized(run: dict[str, Any]) -> set[str]:
    return {name for name, node in nodes(run).items() if (node.get("memoizationStatus") or {}).get("hit")}


def condition(body: dict[str, Any], type_: str) -> dict[str, Any]:
    found = [each for each in body["status"]["conditions"] if each["type"] == type_]
    assert found, json.dumps(body["status"], indent=1)
    return dict(found[0])
