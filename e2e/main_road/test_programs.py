"""Random programs in Argo, with pods as local processes: each ends as it does in the local runner, and so do further
runs, of which the cache answers what it can, and then half of that.

`make programs PROGRAMS=200 SEED=0` runs as many; what differs is printed with its seed and text.
"""

from __future__ import annotations

import collections
import dataclasses
import json
import os
import random
from typing import Any

import pytest

from alula.remote import outline as outlines
from alula_api.argo import nodes as argo
from alula_api.contract.graphs import specs
from alula_data import content
from alula_data.stores import opening
from e2e import installing
from e2e.main_road.conftest import Road, registered
from tests.engine import outlined
from tests.engine.programs import compared, here, making, syntax

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

    @property
    def outputs(self) -> list[str]:
        """The names of what it gives."""
        return [f"o{number}" for number in range(len(self.program.flows[-1].outputs))]


@dataclasses.dataclass(frozen=True)
class Group:
    """Programs that share a run."""

    name: str
    programs: list[Chosen]

    def text(self) -> str:
        """A module that has all of them, and a workflow that calls them: with constants or with its own inputs."""
        inputs, calls = [], []
        for number, each in enumerate(self.programs):
            given = {}
            for port in each.program.flows[-1].inputs:
                value = written(each.program.inputs[port.name])
                given[port.name] = f"{port.name}_{each.seed}" if number % 2 else value
                if number % 2:
                    inputs.append(f"{port.name}_{each.seed}: {syntax.TYPES[port.type]} = {value}")
            arguments = ", ".join(f"{name}={value}" for name, value in given.items())
            given_back = [f"{each.node}_{output}" for output in each.outputs]
            calls.append(f"    {', '.join(given_back)} = {each.node}_main.named({each.node!r})({arguments})\n")
            for name, type_ in zip(given_back, each.program.flows[-1].outputs, strict=True):
                calls.append(f"    pieces.same_{type_}.named({name.replace('_', '-')!r})({name})\n")
        parts = [each.program.text(f"{each.node}_") for each in self.programs]
        head = '@workflow(failure_policy="continue")\n'
        whole = f"{head}def {self.name}({', '.join(inputs)}) -> None:\n{''.join(calls)}"
        return "\n\n".join(["import pieces\n" + syntax.HEAD, *parts, whole])

    @property
    def file(self) -> str:
        return f"{self.name}.py"

    @property
    def object(self) -> str:
        return f"{self.name}-{self.name}".replace("_", "-")


def written(value: Any) -> str:
    """An input as it is written in a workflow."""
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    fields = ", ".join(f"{name}={field!r}" for name, field in value.items()) if isinstance(value, dict) else ""
    return f"Pair({fields})" if fields else repr(value)


def chosen() -> list[Chosen]:
    """The programs of seeds from the first one on that are not refused, and small."""
    found: list[Chosen] = []
    seed = SEED
    while len(found) < COUNT:
        made = compared.here_and_compiled(making.program(random.Random(seed)))
        if made is not None and 3 <= len(made.outcome.done) <= MOST:
            found.append(Chosen(seed, made.program, made.outcome))
        seed += 1
    return found


@pytest.fixture(scope="module")
def groups() -> list[Group]:
    found = chosen()
    count = -(-len(found) // GROUP)
    return [Group(f"group_{number}", found[number::count]) for number in range(count)]


@pytest.fixture(scope="module")
def road(installation: installing.Installation, groups: list[Group], tmp_path_factory: pytest.TempPathFactory) -> Road:
    """All of them, registered and applied, with their code "in the image"."""
    files = {group.file: group.text() for group in groups} | {"pieces.py": (here.PROJECT / "pieces.py").read_text()}
    only = [group.object for group in groups]
    return registered(installation, tmp_path_factory.mktemp("registered"), "programs", files, only=only)


@dataclasses.dataclass(frozen=True)
class Ended:
    """A run of a group, as it ended.

    Attributes:
        group: What ran.
        run: Its object.
        nodes: By name.
        outline: Of its definition.
    """

    group: Group
    run: installing.Object
    nodes: dict[str, dict[str, Any]]
    outline: outlines.Outline

    @property
    def name(self) -> str:
        return str(self.run["metadata"]["name"])


def differences(road: Road, groups: list[Group]) -> list[str]:
    """Run all groups, some at one time, and return what differs; also prints it, as it is found."""
    started: collections.deque[tuple[Group, str]] = collections.deque()
    found: list[str] = []
    for group in groups:
        road.place.ready("Workflow", group.object, timeout=180)
        started.append((group, road.place.run(group.object)))
        if len(started) == AT_ONCE:
            found += _told(road, *started.popleft())
    for group, name in started:
        found += _told(road, group, name)
    return found


def _told(road: Road, group: Group, name: str) -> list[str]:
    place = road.place
    run = place.ended(name, 900)
    definition = place.cluster.api.get(installing.ALULA, "Workflow", group.object, place.namespace)
    outline = outlines.Outline(specs.WorkflowSpec.from_json(definition["spec"]))
    ended = Ended(group, run, {each["name"]: each for each in argo.read(run["status"]).values()}, outline)
    held = content.Content(opening.open_store(place.prefix, endpoint=place.bucket.endpoint))
    told = [
        f"seed {each.seed} in {name}: {difference[:3000]}\n{each.program.inputs}\n{here.text(each.program)}"
        for each in group.programs
        for difference in _compared(each, ended, held)
    ]
    pods = place.cluster.pods.started(workflow=name, namespace=place.namespace)
    print(f"{name}: {len(pods)} pods for {len(group.programs)} programs", *told, sep="\n", flush=True)
    return told


def _compared(each: Chosen, ended: Ended, held: content.Content) -> list[str]:
    """What differs of a program."""
    expected, prefix = each.expected, f"{ended.name}.{each.node}"
    whole, found = ended.nodes[prefix], []
    if (whole["phase"] == "Succeeded") != (expected.outputs is not None):
        bad = {
            path.removeprefix(f"{prefix}."): node.get("message", "")
            for path, node in ended.nodes.items()
            if path.startswith(f"{prefix}.") and node["phase"] in ("Failed", "Error")
        }
        found.append(f"is {whole['phase']}, and here it gives {expected.outputs}: {bad}")
    elif expected.outputs is not None:
        values = {name: _given(ended, f"{each.node}-{name}", held) for name in each.outputs}
        if values != expected.outputs:
            found.append(f"gives {values}, and here {expected.outputs}")
    ran, failed = _ran(each, ended)
    must = expected.done | expected.failed
    if ran != must:
        found.append(f"runs {sorted(ran - must)}, which do not run here, and not {sorted(must - ran)}")
    if failed - expected.failed:
        found.append(f"fails in {sorted(failed - expected.failed)}")
    return found


def _given(ended: Ended, node: str, held: content.Content) -> Any:
    """What a program gave, as the task made it that read it."""
    (made,) = ended.nodes[f"{ended.name}.{node}"]["outputs"]["parameters"]
    return held.load_value(json.loads(made["value"]))


def _ran(each: Chosen, ended: Ended) -> tuple[set[str], set[str]]:
    """The tasks that ran, as a local run of the program calls them, and those that failed, without items of batches."""
    ran: set[str] = set()
    failed: set[str] = set()
    known = {f"{each.node}.{path}" for path in each.expected.done | each.expected.failed}
    for path, node in ended.nodes.items():
        is_attempt = ended.nodes.get(path.rpartition("(")[0], {}).get("type") == "Retry"
        is_task = node["type"] in ("Pod", "Retry") and path.startswith(f"{ended.name}.{each.node}.")
        if not is_task or is_attempt or node["phase"] not in ("Succeeded", "Failed", "Error", "Running"):
            continue
        place = path.removeprefix(f"{ended.name}.")
        paths = outlined.tasks(ended.outline, place, known)
        ran |= paths
        if node["phase"] != "Succeeded" and not outlined.is_batch(ended.outline, place):
            failed |= paths
    own = len(each.node) + 1
    return {path[own:] for path in ran}, {path[own:] for path in failed}


@pytest.fixture(autouse=True)
def account(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the domain's store."""
    for name, value in road.place.bucket.environment().items():
        monkeypatch.setenv(name, value)


def test_a_program_ends_in_argo_as_it_does_here(road: Road, groups: list[Group]) -> None:
    assert not (found := differences(road, groups)), "\n\n".join(found)


def test_so_it_does_with_what_the_cache_answers(road: Road, groups: list[Group]) -> None:
    assert not (found := differences(road, groups)), "\n\n".join(found)


def test_so_it_does_with_half_of_what_the_cache_had(road: Road, groups: list[Group]) -> None:
    rng = random.Random(SEED)
    store = opening.open_store(road.place.prefix, endpoint=road.place.bucket.endpoint)
    for entry in sorted(each.key for each in store.list("cache/")):
        if rng.random() < 0.5:
            store.delete(entry)
    assert not (found := differences(road, groups)), "\n\n".join(found)
