"""The penguins, registered into a git repository of the test's own and applied to a domain of the test's own."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import subprocess
from typing import Any

import pytest

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

    def alula(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """The command line, in the project's folder."""
        return installing.alula(self.place.cluster, *arguments, cwd=self.project, check=check)


@pytest.fixture(scope="session")
def penguins(installation: installing.Installation, tmp_path_factory: pytest.TempPathFactory) -> Road:
    """The example, with its code "in the image"."""
    place = installation.place("penguins", "dev")
    gitops = tmp_path_factory.mktemp("gitops")
    subprocess.run(["git", "init", "--quiet", str(gitops)], check=True)
    installation.cluster.pods.image("registry.example.org/penguins:0.1.0", env={"PYTHONPATH": str(PENGUINS)})
    return Road(place, PENGUINS, gitops)
