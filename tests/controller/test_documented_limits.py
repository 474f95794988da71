"""docs/limits.md says the limits that hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alula_api.argo import nodes
from alula_api.contract import lists
from alula_controller.admission import cache_lookup, check, decide
from alula_controller.cluster import client
from alula_controller.conditions import Reason
from alula_controller.definitions import compilation, gather
from alula_controller.notices import outbox, posting
from alula_data import caches
from e2e.soak.measures import Measures
from tests.controller import scenes

TEXT = (Path(__file__).parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"(?m)^\| ([^|]+?) \| ([^|]+?) \|", TEXT))
SETTINGS, SOAK = scenes.SETTINGS, Measures()


@pytest.mark.parametrize(
    ("what", "limit"),
    [
        ("levels of arrays and objects in an object", f"{client.MAX_DEPTH}"),
        (
            "launch plans that are compiled with one Workflow",
            f"{gather.MAX_PLANS}, together {gather.MAX_PLAN_BYTES >> 20} MiB",
        ),
        ("memory to compile a Workflow with its launch plans", f"{compilation.MAX_MEMORY >> 20} MiB"),
        ("CPU to compile it", f"{compilation.MAX_CPU_SECONDS} s"),
        ("what it compiles to, launch plans included", f"{compilation.MAX_ANSWER >> 20} MiB"),
        ("an object that alula writes", f"{client.LARGEST_REQUEST >> 10} KiB"),
        ("the text of one input of a run", f"{check.MAX_VALUE >> 10} KiB"),
        ("the texts of all inputs of a run", f"{check.MAX_ALL >> 10} KiB"),
        ("items of one map", f"{lists.MAX_ITEMS:,}"),
        ("items of one map in batches", f"{lists.MAX_BATCHED:,}"),
        ("items of one batch", f"{lists.MAX_BATCH:,}"),
        ("an item of a map's list, as it travels in the run", f"{lists.MAX_ITEM} characters"),
        ("the nodes of a run, unpacked", f"{nodes.MAX_UNPACKED >> 20} MiB, {nodes.MAX_VALUES:,} values"),
        ("a run with the cached nodes that are filled in", f"{decide.LARGEST_RUN // 1000} kB"),
        (
            "looking up what of a run is cached",
            f"{type(SETTINGS).fill_seconds:g} s, {type(SETTINGS).fill_lookups:,} tasks",
        ),
        (
            "looking up together what an earlier run came to",
            f"{'half' if cache_lookup.AHEAD == 0.5 else cache_lookup.AHEAD} of the time that is left, "
            f"{type(SETTINGS).fill_lookups:,} tasks, one run",
        ),
        ("the answer of a place that is told of runs", f"{posting.MAX_ANSWER >> 10} KiB, within {posting.SECONDS:g} s"),
        ("notices for one place that the controller remembers", f"{outbox.MAX_WAITING}"),
        ("a stored list of files whose identity is checked meanwhile", f"{caches.MOST_CHECKED >> 10} KiB"),
    ],
)
def test_a_limit_is_the_one_that_holds(what: str, limit: str) -> None:
    assert ROWS[what] == limit


def test_every_reason_that_is_named_is_one() -> None:
    named = set(re.findall(r"`([A-Z][A-Za-z]+)`", TEXT)) - {"WorkflowRevision", "File"}
    assert named == {"Unreadable", "TooManyPlans", "CompilerStopped", "Refused"}
    assert named <= {reason.value for reason in Reason}


def test_the_bounds_of_the_soak_are_those_that_are_written() -> None:
    bounds = (SOAK.memory >> 20, SOAK.health_seconds, SOAK.ready_seconds)
    written = re.search(r"more than (\d+) MiB, .*?after more than (\d+) s, .*?more than (\d+) s\.", TEXT, re.DOTALL)
    assert written is not None
    assert tuple(map(float, written.groups())) == bounds
