"""Cases of `tests/engine` as runs of a cluster, and whether each ended there as it must.

Cases that succeed are sub-workflows of a few runs, as a run costs more than what lies in it; those that fail, and those
whose cache entries are asked for, have runs of their own. Knows nothing of what the pods are.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from alula_api.argo import failing
from alula_api.argo import nodes as argo
from alula_api.contract import lists
from alula_api.contract.graphs import bindings
from alula_controller.runs.stop import PASSED
from e2e import installing
from tests.engine.cases import Case

GROUP = 10
"""Cases in one run."""
_NEVER_BEGAN = re.compile(rf"{failing.LATE}$|^retry exceeded workflow deadline")
"""What Argo says of what it did not start, because the run was ended by its time."""


@dataclasses.dataclass(frozen=True)
class Ended:
    """What became of a case.

    Attributes:
        run: The name of its run.
        phase: Of its run, or of its node in a run that it shares.
        message: Of its run.
        nodes: Those below that, by path.
        outputs: As they travel.
    """

    run: str
    phase: str
    message: str
    nodes: dict[str, dict[str, Any]]
    outputs: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Runs:
    """The runs of some cases.

    Attributes:
        cases: What is run.
        package: Where the project's modules lie, as `flows`; empty where they lie at its root.
    """

    cases: tuple[Case, ...]
    package: str = ""

    @functools.cached_property
    def groups(self) -> dict[str, list[Case]]:
        """Cases of one file that share a run, by the function that calls them."""
        found: dict[str, list[Case]] = {}
        for file in self._files:
            cases = [case for case in self.cases if _shares(case) and _file(case) == file]
            count = -(-len(cases) // GROUP)
            found |= {f"{file}_{number}": cases[number::count] for number in range(count)}
        return found

    @functools.cached_property
    def alone(self) -> list[Case]:
        """Cases with a run of their own."""
        return [case for case in self.cases if not _shares(case)]

    @property
    def _files(self) -> list[str]:
        return sorted({_file(case) for case in self.cases if _shares(case)})

    def module(self) -> str:
        """The text of `together.py`: a workflow for each group, which passes the inputs of its cases on."""
        place = f"from {self.package} import" if self.package else "import"
        parts = [f"from alula import workflow\n\n{place} {', '.join(self._files)}\n"]
        for name, cases in self.groups.items():
            inputs = ", ".join(f"n{number}: int" for number in range(len(cases)))
            parts.append(f"\n\n@workflow\ndef {name}({inputs}) -> None:\n")
            for number, case in enumerate(cases):
                called = case.workflow.replace(".py:", ".")
                parts.append(f"    {called}.named({self._node(case)!r})(n{number})\n")
        return "".join(parts)

    def objects(self) -> list[str]:
        """The Workflows of all runs: to compile and apply others takes time."""
        return sorted({*map(_shared, self.groups), *map(workflow, self.alone)})

    def run(
        self, place: installing.Place, timeout: float, at_once: int, under_way: Callable[[], None] = lambda: None
    ) -> dict[str, Ended]:
        """Run them, so many runs at one time, as Argo looks at each again and again; returns what became of each case.

        Args:
            place: Where.
            timeout: Seconds that a run may take from when it is waited for.
            at_once: Runs at one time.
            under_way: What is done when the first so many have been started.
        """
        for name in self.objects():
            place.ready("Workflow", name, timeout=120)
        started: collections.deque[tuple[str, dict[str, str]]] = collections.deque()
        found: dict[str, Ended] = {}
        asked = False
        for template, inputs, nodes in self._asked():
            started.append((place.run(template, inputs), nodes))
            if len(started) < at_once:
                continue
            if not asked:
                under_way()
                asked = True
            found |= _parts(place, *started.popleft(), timeout)
        for run, nodes in started:
            found |= _parts(place, run, nodes, timeout)
        return found

    def _asked(self) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
        """The template of each run, its inputs, and the node of each of its cases, empty for the run itself."""
        for name, cases in self.groups.items():
            inputs = _inputs({f"n{i}": case.inputs["n"] for i, case in enumerate(cases)})
            yield _shared(name), inputs, {case.name: self._node(case) for case in cases}
        for case in self.alone:
            yield workflow(case), _inputs(case.inputs), {case.name: ""}

    def _node(self, case: Case) -> str:
        return f"{case.workflow.partition(':')[2]}-{self.cases.index(case)}"


def _parts(place: installing.Place, name: str, nodes: Mapping[str, str], timeout: float) -> dict[str, Ended]:
    """What became of the cases of a run, when it is over."""
    run = settled(place, name, timeout)
    return {case: _part(run, node) for case, node in nodes.items()}


def ended(place: installing.Place, name: str, timeout: float) -> Ended:
    """What became of the case that has a run of its own, when that is over."""
    return _part(settled(place, name, timeout), "")


def settled(place: installing.Place, name: str, timeout: float) -> installing.Object:
    """A run that is over, as the controller leaves it a moment after its end: with the reason of a failure as its
    message, and without the deadline by which the controller ended it."""
    run = place.ended(name, timeout)
    deadline = time.monotonic() + 60
    while _is_unsettled(run) and time.monotonic() < deadline:
        time.sleep(0.5)
        run = place.cluster.api.get(installing.ARGO, "Workflow", name, place.namespace)
    return run


def _is_unsettled(run: installing.Object) -> bool:
    status, said = run["status"], run["status"].get("message", "")
    limit = status.get("storedWorkflowTemplateSpec", {}).get("activeDeadlineSeconds")
    return status["phase"] == "Failed" and (not said or said.endswith(failing.LATE) or limit == PASSED)


def _part(run: installing.Object, node: str) -> Ended:
    called = run["metadata"]["name"]
    name = called + (f".{node}" if node else "")
    nodes = {each["name"]: each for each in argo.read(run["status"]).values()}
    whole = nodes[name]
    outputs = {each["name"]: json.loads(each["value"]) for each in whole.get("outputs", {}).get("parameters", ())}
    said = run["status"].get("message", "")
    below = {path.removeprefix(f"{name}."): each for path, each in nodes.items() if path.startswith(f"{name}.")}
    return Ended(called, whole["phase"] if node else run["status"]["phase"], said, below, outputs)


def check(case: Case, run: Ended) -> None:
    """Assert that it ended as it must."""
    shown = {path: (node["phase"], node.get("message", "")) for path, node in run.nodes.items()}
    assert run.phase in (("Failed", "Error") if case.outputs is None else ("Succeeded",)), shown
    over = {path for path, (phase, _) in shown.items() if phase in ("Succeeded", "Failed", "Running")}
    ran = {path for path in over if not _NEVER_BEGAN.search(shown[path][1])}
    assert not ran.intersection(case.absent), shown
    if case.outputs is None:
        assert case.message in json.dumps([run.message, *(said for _, said in shown.values())]), (run.message, shown)
    else:
        assert {name: value(run.outputs[name]) for name in case.outputs} == case.outputs


def workflow(case: Case) -> str:
    """The Workflow of a case, by its object's name."""
    return f"{_file(case)}-{case.workflow.partition(':')[2]}".replace("_", "-")


def value(wire: Any) -> Any:
    """An output as it travels; of a list that no pod collected its items, which are short here or such lists."""
    return lists.plain(bindings.value_of(wire))


def _shares(case: Case) -> bool:
    return case.outputs is not None and set(case.inputs) == {"n"} and _file(case) != "remembered"


def _file(case: Case) -> str:
    return case.workflow.partition(".")[0]


def _shared(group: str) -> str:
    return f"together-{group.replace('_', '-')}"


def _inputs(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: json.dumps(value) for name, value in values.items()}
