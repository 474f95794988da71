"""The walks of `walks.json`, as the contract's walk makes them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from alula_api.contract.graphs import plans
from alula_api.contract.graphs.frames import State
from alula_api.contract.graphs.outlines import outline
from alula_api.contract.graphs.walks import Walk
from tests import goldens
from tests.contract.graphs import golden_walks
from tests.contract.graphs.golden_walks import CASES, FILE, INPUTS
from tests.contract.graphs.test_walks import spots


def record(plan: plans.Plan, failing: tuple[str, ...]) -> dict[str, object]:
    """One walk, one task after the other."""
    walk, started = Walk(plan, INPUTS), []
    while (spot := walk.take()) is not None:
        started.append([spot.path, dict(spot.inputs)])
        if spot.path in failing:
            walk.fail(spot)
        else:
            walk.finish(spot, golden_walks.made(spot.path))
    reached = [*spots(walk), *(item for spot in spots(walk) for item in spot.items)]
    assert walk.over
    return {
        "plan": plans.to_json(plan),
        "inputs": INPUTS,
        "failing": [*failing],
        "started": started,
        "states": {spot.path: spot.state.value for spot in sorted(reached, key=lambda spot: spot.path)},
        "outputs": dict(walk.root.outputs) if walk.root.state is State.DONE else {},
    }


def text(name: str, told: Mapping[str, object]) -> str:
    """One walk, a line for each of its parts."""
    parts = [f"  {json.dumps(part)}: {json.dumps(value)}" for part, value in told.items()]
    return f" {json.dumps(name)}: {{\n" + ",\n".join(parts) + "\n }"


def test_the_walks_are_the_golden_ones() -> None:
    found = {name: record(plan, failing) for name, (plan, failing) in CASES.items()}
    goldens.check(FILE, "{\n" + ",\n".join(text(name, told) for name, told in found.items()) + "\n}\n")


@pytest.mark.parametrize("name", CASES)
def test_every_step_of_a_golden_walk_has_a_state(name: str) -> None:
    told = golden_walks.load()[name]
    paths = [place.path for place in outline(told.plan) if "(i)" not in place.path]
    assert {told.state(path) for path in paths} <= {"done", "failed", "skipped", "not taken"}
    assert told.plan == CASES[name][0]
