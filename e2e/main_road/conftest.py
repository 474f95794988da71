"""The penguins, registered into a git repository of the test's own and applied to a domain of the test's own."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import subprocess
import time
from typing import Any

import pytest

from alula_api.argo import nodes as argo
from alula_api.contract import labels
from e2e import installing

PENGUINS = installing.ROOT / "examples" / "penguins"


@dataclasses.dataclass(frozen=True)
class Road:
    """One project on its way from a file to a domain."""

    place: installing.Place
    project: pathlib.Path
    gitops: pathlib.Path

    def register(self, *files: str) -> str:
        """`alula register`, as CI would; returns what it said."""
        told = self.alula("register", "--repo", str(self.gitops), "--project", self.place.project, *files)
        return told.stderr

    @property
    def folder(self) -> pathlib.Path:
        """The registered folder of the domain."""
        return self.gitops / self.place.project / self.place.domain

    def apply(self) -> None:
        """`kubectl apply -k` of the registered folder."""
        self.place.cluster.kubectl("apply", "--server-side", "-k", str(self.folder))

    def remote(self, target: str, *inputs: str) -> tuple[installing.Object, dict[str, Any]]:
        """`alula run --remote`; returns the run as it ended, and its outputs as the command printed them."""
        told = self.alula("run", "--remote", "--json", target, *inputs)
        # The last one counts: a run that came before Argo had seen its template is started anew.
        started = re.findall(r"^started (\S+) in (\S+)$", told.stderr, re.MULTILINE)
        assert started, told.stderr
        name, namespace = started[-1]
        assert namespace == self.place.namespace
        return self.place.ended(name), json.loads(told.stdout)["outputs"]

    def handlers(self, run: str) -> dict[str, installing.Object]:
        """The handlers' runs of a run, ended, by what they were started on, once it is marked that they were."""
        found = self.started_handlers(run)
        return {event: self.place.ended(name, 180) for event, name in found.items()}

    def started_handlers(self, run: str) -> dict[str, str]:
        """The names of these runs."""
        api, namespace = self.place.cluster.api, self.place.namespace
        deadline = time.monotonic() + 90
        while api.get(installing.ARGO, "Workflow", run, namespace)["metadata"]["labels"].get(labels.HANDLERS) != "done":
            assert time.monotonic() < deadline, f"{run} was not looked at"
            time.sleep(0.5)
        listed = api.list(installing.ARGO, "Workflow", namespace)
        asked = {
            each["metadata"].get("annotations", {}).get(labels.REASON): each["metadata"]["name"] for each in listed
        }
        events = {"failure": f"on failure of {run}", "exit": f"on exit of {run}"}
        return {event: asked[reason] for event, reason in events.items() if reason in asked}

    def alula(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """The command line, in the project's folder."""
        return installing.alula(self.place.cluster, *arguments, cwd=self.project, check=check)


def made(run: installing.Object, path: str) -> str:
    """The first output of a node."""
    nodes = {node["name"]: node for node in argo.read(run["status"]).values()}
    found = nodes[f"{run['metadata']['name']}.{path}"]
    assert found["phase"] == "Succeeded", found
    return str(json.loads(found["outputs"]["parameters"][0]["value"]))


@pytest.fixture(scope="session")
def penguins(installation: installing.Installation, tmp_path_factory: pytest.TempPathFactory) -> Road:
    """The example, with its code "in the image"."""
    place = installation.place("penguins", "dev")
    gitops = tmp_path_factory.mktemp("gitops")
    subprocess.run(["git", "init", "--quiet", str(gitops)], check=True)
    installation.cluster.pods.image("registry.example.org/penguins:0.1.0", env={"PYTHONPATH": str(PENGUINS)})
    return Road(place, PENGUINS, gitops)
