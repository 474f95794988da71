"""Random programs in Argo, with pods as local processes: each ends as it does in the local runner, and so do further
runs, of which the cache answers what it can, and then half of that.

`make programs PROGRAMS=200 SEED=0` runs as many; what differs is printed with its seed and text.
"""

from __future__ import annotations

import collections
import dataclasses
import os
import pathlib
import random
from typing import Any

import pytest

import alula_compiler
from alula import errors
from alula.remote import outline as outlines
from alula_api.argo import nodes as argo
from alula_api.argo import outputs
from alula_api.contract.graphs import specs
from alula_data import content
from alula_data.stores import opening
from e2e import installing
from e2e.main_road.conftest import Road, registered
from tests.engine import outlined
from tests.engine.programs import here, making, syntax

COUNT = int(os.environ.get("ALULA_PROGRAMS", "8"))
SEED = int(os.environ.get("ALULA_SEED", "0"))
GROUP = 8
"""Programs in one run."""
AT_ONCE = 4
MOST = 40
"""Tasks of a program that is run: larger ones find nothing else."""


@dataclasses.dataclass(frozen=True)
class Chosen:
    """A program, and what becomes of it here."""

    seed: int
    program: syntax.Program
    expected: here.Outcome

    @property
    def node(self) -> str:
        return f"p{self.seed}"


@dataclasses.dataclass(frozen=True)
class Group:
    """Programs that share a run."""

    name: str
    programs: list[Chosen]

    def text(self) -> str:
        """A module that has all of them, and a workflow that calls them: with constants or with its own inputs."""
        inputs, calls = [], []
        for number, each in enumerate(self.programs):
            given = dict(each.program.inputs)
            if number % 2:
                inputs += [f"{name}{each.seed}: int = {value}" for name, value in given.items()]
                given = {name: f"{name}{each.seed}" for name in given}
            written = ", ".join(f"{name}={value}" for name, value in given.items())
            calls.append(f"    {each.node}_main.named({each.node!r})({written})\n")
        parts = [each.program.text(f"{each.node}_") for each in self.programs]
        head = '@workflow(failure_policy="continue")\n'
        whole = f"{head}def {self.name}({', '.join(inputs)}) -> None:\n{''.join(calls)}"
        return syntax.HEAD + "\n\n".join([*parts, whole])

    @property
    def file(self) -> str:
        return f"{self.name}.py"

    @property
    def object(self) -> str:
        return f"{self.name}-{self.name}".replace("_", "-")


def chosen(folder: pathlib.Path) -> list[Chosen]:
    """The programs of seeds from the first one on that are not refused, and small."""
    found: list[Chosen] = []
    seed = SEED
    while len(found) < COUNT:
        program = making.program(random.Random(seed))
        try:
            module = here.load(here.text(program), f"program_{seed}", folder)
            if alula_compiler.compile(here.resource(module.main)).ok:
                expected = here.run(module.main, program.inputs)
                if 3 <= len(expected.done) <= MOST:
                    found.append(Chosen(seed, program, expected))
        except errors.DefinitionError:
            pass
        seed += 1
    return found


@pytest.fixture(scope="module")
def groups(tmp_path_factory: pytest.TempPathFactory) -> list[Group]:
    folder = tmp_path_factory.mktemp("programs")
    found = chosen(folder)
    count = -(-len(found) // GROUP)
    return [Group(f"group_{number}", found[number::count]) for number in range(count)]


@pytest.fixture(scope="module")
def road(installation: installing.Installation, groups: list[Group], tmp_path_factory: pytest.TempPathFactory) -> Road:
    """All of them, registered and applied, with their code "in the image"."""
    files = {group.file: group.text() for group in groups} | {"pieces.py": (here.PROJECT / "pieces.py").read_text()}
    only = [group.object for group in groups]
    return registered(installation, tmp_path_factory.mktemp("registered"), "programs", files, only=only)


@dataclasses.dataclass
class Round:
    """The runs of all groups, one after the other as far as they are in one lane, and what differs."""

    road: Road
    groups: list[Group]
    held: content.Content

    def differences(self) -> tuple[list[str], int]:
        """What differs, and how many pods were started."""
        place = self.road.place
        for group in self.groups:
            place.ready("Workflow", group.object, timeout=180)
        waiting: collections.deque[tuple[Group, str]] = collections.deque()
        found: list[str] = []
        pods = 0
        for group in self.groups:
            waiting.append((group, place.run(group.object)))
            if len(waiting) == AT_ONCE:
                told, count = self._ended(*waiting.popleft())
                found, pods = found + told, pods + count
        for group, run in waiting:
            told, count = self._ended(group, run)
            found, pods = found + told, pods + count
        return found, pods

    def _ended(self, group: Group, name: str) -> tuple[list[str], int]:
        place = self.road.place
        pods = len(place.cluster.pods.started(workflow=name, namespace=place.namespace))
        try:
            run = place.ended(name, 900)
        except TimeoutError as late:
            run = place.cluster.api.get(installing.ARGO, "Workflow", name, place.namespace)
            return [f"{name} of {[each.seed for each in group.programs]} does not end: {late}"], pods
        pods = len(place.cluster.pods.started(workflow=name, namespace=place.namespace))
        spec = place.cluster.api.get(installing.ALULA, "Workflow", group.object, place.namespace)["spec"]
        outline = outlines.Outline(specs.WorkflowSpec.from_json(spec))
        nodes = {each["name"]: each for each in argo.read(run["status"]).values()}
        told = []
        for each in group.programs:
            for difference in self._compared(each, name, nodes, outline):
                told.append(
                    f"seed {each.seed} in {name}: {difference}\n{each.program.inputs}\n{here.text(each.program)}"
                )
        return told, pods

    def _compared(self, each: Chosen, run: str, nodes: dict[str, Any], outline: outlines.Outline) -> list[str]:
        whole = nodes.get(f"{run}.{each.node}")
        if whole is None:
            return ["there is no node"]
        expected, found = each.expected, []
        phase = "Failed" if expected.outputs is None else "Succeeded"
        is_alike = whole["phase"] == phase or (phase == "Failed" and whole["phase"] == "Error")
        if not is_alike:
            messages = {
                path: node.get("message") for path, node in nodes.items() if node["phase"] in ("Failed", "Error")
            }
            found.append(f"is {whole['phase']} and must be {phase}: {messages}")
        elif expected.outputs is not None:
            made = {one["name"]: one["value"] for one in whole.get("outputs", {}).get("parameters", ())}
            values = {name: outputs.assembled(name, made, self.held.load_value) for name in expected.outputs}
            if values != expected.outputs:
                found.append(f"gives {values} and must give {expected.outputs}")
        ran, failed = _ran(each, run, nodes, outline)
        must = expected.done | expected.failed
        if ran != must:
            found.append(f"runs {sorted(ran - must)} beside what it must, and not {sorted(must - ran)}")
        elif failed - expected.failed:
            found.append(f"fails in {sorted(failed - expected.failed)}")
        return found


def _ran(each: Chosen, run: str, nodes: dict[str, Any], outline: outlines.Outline) -> tuple[set[str], set[str]]:
    """The tasks that ran, as a local run of the program calls them, and those that failed, without items of batches."""
    ran: set[str] = set()
    failed: set[str] = set()
    prefix = f"{run}.{each.node}."
    known = {f"{each.node}.{path}" for path in each.expected.done | each.expected.failed}
    for path, node in nodes.items():
        if not path.startswith(prefix) or node["type"] not in ("Pod", "Retry"):
            continue
        if node["phase"] not in ("Succeeded", "Failed", "Error", "Running"):
            continue
        if node["type"] == "Pod" and nodes.get(path.rpartition("(")[0], {}).get("type") == "Retry":
            continue
        place = path.removeprefix(f"{run}.")
        paths = outlined.tasks(outline, place, known)
        ran |= paths
        if node["phase"] != "Succeeded" and not outlined.is_batch(outline, place):
            failed |= paths
    own = len(each.node) + 1
    return {path[own:] for path in ran}, {path[own:] for path in failed}


@pytest.fixture(scope="module")
def held(road: Road) -> content.Content:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in road.place.bucket.environment().items():
            patch.setenv(name, value)
        return content.Content(opening.open_store(road.place.prefix, endpoint=road.place.bucket.endpoint))


def test_a_program_ends_in_argo_as_it_does_here(road: Road, groups: list[Group], held: content.Content) -> None:
    found, pods = Round(road, groups, held).differences()
    print(f"{pods} pods for {COUNT} programs from seed {SEED}")
    assert not found, "\n\n".join(found)


def test_so_it_does_with_what_the_cache_answers(road: Road, groups: list[Group], held: content.Content) -> None:
    found, pods = Round(road, groups, held).differences()
    print(f"{pods} pods where all is cached that can be")
    assert not found, "\n\n".join(found)


def test_so_it_does_with_half_of_what_the_cache_had(road: Road, groups: list[Group], held: content.Content) -> None:
    rng = random.Random(SEED)
    for head in sorted(each.key for each in held.store.list("cache/")):
        if rng.random() < 0.5:
            held.store.delete(head)
    found, pods = Round(road, groups, held).differences()
    print(f"{pods} pods where half of it is")
    assert not found, "\n\n".join(found)
