"""The penguins, registered into a git repository of the test's own and applied to a domain of the test's own."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import subprocess
import time
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from alula_api.argo import nodes as argo
from alula_api.contract import labels
from e2e import installing
from tests.engine.cases import PROJECT

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


def registered(
    installation: installing.Installation,
    folder: pathlib.Path,
    name: str,
    files: Mapping[str, str],
    *,
    folders: Mapping[str, str] | None = None,
    only: Iterable[str] = (),
) -> Road:
    """A project of a test's own, registered and applied in its domain `dev`, with its code "in the image".

    Args:
        installation: Where.
        folder: In which the project and the git repository are made.
        name: Of the project.
        files: Its modules, by name.
        folders: Variables of its pods, and the folder of the project that each names.
        only: The Workflows that are registered, where those are not all.
    """
    project, gitops, image = folder / "flows", folder / "gitops", f"registry.example.org/{name}:1"
    project.mkdir()
    for file, text in files.items():
        (project / file).write_text(text)
    (project / "pyproject.toml").write_text(f'[tool.alula]\nproject = "{name}"\nimage = "{image}"\n')
    environment = {"PYTHONPATH": str(project)}
    for variable, inside in (folders or {}).items():
        (project / inside).mkdir()
        environment[variable] = str(project / inside)
    subprocess.run(["git", "init", "--quiet", str(gitops)], check=True)
    installation.cluster.pods.image(image, env=environment)
    road = Road(installation.place(name, "dev"), project, gitops)
    road.register(*sorted(files), *(word for each in only for word in ("--only", each)))
    road.apply()
    return road


def engine(*names: str) -> dict[str, str]:
    """Modules of the project of `tests/engine`, for `registered`; without names all of them."""
    return {file.name: file.read_text() for file in PROJECT.glob("*.py") if not names or file.name in names}


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
