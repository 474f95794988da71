"""What an earlier run says of the keys of a later one: time where it is right, and nothing else where it is not."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.argo import nodes, runs
from alula_api.argo.nodes import Nodes
from alula_api.contract import labels, references
from alula_api.contract.graphs import plans
from alula_api.contract.keys import CacheEntry
from alula_controller.admission import cache_lookup, earlier_run, fill
from alula_controller.admission.cache_lookup import Answer
from alula_controller.admission.cache_walk import CacheWalk, Wanted
from alula_controller.cluster.resources import RUNS
from alula_data.caches import Lookup
from tests.contract.graphs.random_plans import random_plans
from tests.controller import scenes, virtual_time
from tests.controller.admission import test_cache_walk, test_reconcile

LENGTH = 40


def chain(length: int = LENGTH) -> dict[str, Any]:
    """A Workflow of calls of `add`, one behind the other."""
    calls = [{"id": "n0", "task": "add", "inputs": {"a": {"input": "x"}, "b": {"value": "1"}}}]
    calls += [
        {"id": f"n{number}", "task": "add", "inputs": {"a": scenes.out(f"n{number - 1}"), "b": {"value": "1"}}}
        for number in range(1, length)
    ]
    total = {"name": "total", "type": scenes.INT, "from": scenes.out(f"n{length - 1}")}
    return scenes.workflow(nodes=calls, outputs=[total])


def number(key: str, salt: int = 0) -> int:
    """What a cache holds under a key."""
    return int(key[:8], 16) + salt


def answer(wanted: Wanted) -> Lookup:
    made = {name: number(wanted.key) if schema == scenes.INT else "t" for name, schema in wanted.outputs.items()}
    return Lookup(wanted.key, CacheEntry(wanted.key, "t", made, "", "", ""))


class Cache:
    """Holds something under every key but those that `misses` says, and counts what it is asked."""

    def __init__(self, misses: int = 0) -> None:
        self.misses = misses
        self.rounds: list[int] = []

    async def find(self, wanted: Mapping[str, Wanted], seconds: float) -> dict[str, Answer]:
        self.rounds.append(len(wanted))
        there = {key for key in wanted if not self.misses or number(key) % self.misses}
        return {key: answer(each) if key in there else Lookup(key, None) for key, each in wanted.items()}


def walked(plan: plans.Plan, inputs: Mapping[str, Any], cache: Cache, made: Nodes | None = None) -> CacheWalk:
    """The walk of a run before which one called `old` made these nodes."""
    walk = CacheWalk(plan, inputs)

    async def guess(most: int) -> Mapping[str, Wanted]:
        return earlier_run.guesses(plan, inputs, "old", {"nodes": made}, most)

    assert virtual_time.run(cache_lookup.step_through(walk, cache.find, 10, 5_000, guess if made else None)) == ""
    return walk


def nodes_of(walk: CacheWalk, run: str = "old") -> Nodes:
    """The nodes of a run that is filled in as far as the walk went."""
    held = scenes.held_run(run)["status"]["nodes"]
    return fill.fill(walk, walk.limited(len(walk.hits)), held, run, scenes.MOMENT)


def test_a_chain_of_a_thousand_is_looked_up_in_one_round_once_it_turns_out_to_be_deep() -> None:
    plan = scenes.plan(chain(1000))
    first, second = Cache(), Cache()
    walk = walked(plan, test_cache_walk.INPUTS, first)
    assert first.rounds == [1] * 1000
    again = walked(plan, test_cache_walk.INPUTS, second, nodes_of(walk))
    assert second.rounds == [1] * cache_lookup.DEEP + [1000 - cache_lookup.DEEP]
    assert nodes_of(again) == nodes_of(walk)
    assert len(again.hits) == 1000


def test_a_shallow_graph_asks_for_no_earlier_run() -> None:
    async def guess(most: int) -> Mapping[str, Wanted]:
        pytest.fail("asked")

    walk = CacheWalk(scenes.plan(), test_cache_walk.INPUTS)
    assert virtual_time.run(cache_lookup.step_through(walk, Cache().find, 10, 100, guess)) == ""


def test_what_was_evicted_since_is_not_filled_in() -> None:
    plan = scenes.plan(chain())
    whole = walked(plan, test_cache_walk.INPUTS, Cache())
    expected = walked(plan, test_cache_walk.INPUTS, Cache(19))
    assert 0 < len(expected.hits) < LENGTH
    assert nodes_of(walked(plan, test_cache_walk.INPUTS, Cache(19), nodes_of(whole))) == nodes_of(expected)


def test_guesses_take_no_lookup_from_the_walk_and_are_no_more_than_it_may_have() -> None:
    plan, most = scenes.plan(chain()), cache_lookup.DEEP + 4
    made = nodes_of(walked(plan, test_cache_walk.INPUTS, Cache()))
    cache, walk = Cache(), CacheWalk(plan, test_cache_walk.INPUTS)

    async def guess(most: int) -> Mapping[str, Wanted]:
        return earlier_run.guesses(plan, test_cache_walk.INPUTS, "old", {"nodes": made}, most)

    assert f"{most} lookups" in virtual_time.run(cache_lookup.step_through(walk, cache.find, 10, most, guess))
    assert len(walk.hits) == most
    assert max(cache.rounds) == most - cache_lookup.DEEP


def test_an_earlier_run_that_is_not_read_in_time_costs_a_part_of_the_time() -> None:
    plan, cache = scenes.plan(chain()), Cache()
    walk = CacheWalk(plan, test_cache_walk.INPUTS)

    async def guess(most: int) -> Mapping[str, Wanted]:
        await asyncio.sleep(1_000)
        pytest.fail("waited for it")

    async def timed() -> tuple[str, float]:
        began = asyncio.get_running_loop().time()
        said = await cache_lookup.step_through(walk, cache.find, 10, 100, guess)
        return said, asyncio.get_running_loop().time() - began

    said, seconds = virtual_time.run(timed())
    assert said == ""
    assert len(walk.hits) == LENGTH
    assert seconds == pytest.approx(10 * cache_lookup.AHEAD)


@given(random_plans() | random_plans(several=True))
def test_the_nodes_of_a_run_give_the_keys_of_all_that_it_did(plan: plans.Plan) -> None:
    inputs = {"a": 1, "b": 2}
    walk = walked(plan, inputs, Cache())
    made = nodes_of(walk)
    done = {walk.keys[spot] for spot in walk.limited(len(walk.hits)) if spot in walk.keys}
    assert done <= set(earlier_run.guesses(plan, inputs, "old", {"nodes": made}, 5_000))


TEXTS = st.sampled_from(
    ["", "7", "1e400", "[" * 5_000, '"\\ud800"', "null", "nan", '{"$alula": 1}', json.dumps("x" * 70_000), None, 3, {}]
) | st.text(max_size=5)
PARAMETERS = st.lists(
    st.fixed_dictionaries({}, optional={"name": st.sampled_from(["o0", "o1", "", None, 3]), "value": TEXTS}), max_size=3
)


@given(random_plans() | random_plans(several=True), st.integers(0, 4), st.integers(0, 2), st.data())
def test_whatever_an_earlier_run_says_the_same_is_filled_in_as_without_it(
    plan: plans.Plan, misses: int, salt: int, data: st.DataObject
) -> None:
    inputs = {"a": 1, "b": 2}
    stale = walked(plan, {"a": 1 + salt, "b": 2}, Cache(data.draw(st.integers(0, 4))))
    made = nodes_of(stale)
    for key in data.draw(st.lists(st.sampled_from(sorted(made)), max_size=4)):
        made[key]["outputs"] = {"parameters": data.draw(PARAMETERS)}
    expected = nodes_of(walked(plan, inputs, Cache(misses)), "run-1")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cache_lookup, "DEEP", data.draw(st.integers(0, 2)))
        assert nodes_of(walked(plan, inputs, Cache(misses), made), "run-1") == expected


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"nodes": []},
        {"nodes": {"a": 1}},
        {"offloadNodeStatusVersion": "fnv:1"},
        {"compressedNodes": "H4sI"},
        {"compressedNodes": 7},
    ],
    ids=str,
)
def test_nodes_that_cannot_be_read_give_the_keys_that_are_known_without_them_or_none(status: dict[str, Any]) -> None:
    plan = scenes.plan(chain())
    assert len(earlier_run.guesses(plan, test_cache_walk.INPUTS, "old", status, 100)) <= 1


def test_stored_values_are_taken_by_their_recorded_identity() -> None:
    plan = scenes.plan(chain(2))
    made = nodes_of(walked(plan, test_cache_walk.INPUTS, Cache()))
    envelope = references.Stored("a" * 64, 9_000, "b" * 64).to_json()
    made[nodes.id_of("old", "n0")]["outputs"] = {"parameters": [{"name": "o0", "value": json.dumps(envelope)}]}
    found = earlier_run.guesses(plan, test_cache_walk.INPUTS, "old", {"nodes": made}, 100)
    walk = CacheWalk(plan, test_cache_walk.INPUTS)
    walk.answer({each.key: {"o0": envelope} for each in walk.wanted()})
    assert list(found)[1:] == [each.key for each in walk.wanted()]


def test_inputs_of_other_values_have_another_label() -> None:
    digests = {earlier_run.inputs_digest(each) for each in ({"x": 7}, {"x": 8}, {"x": "7"}, {"y": 7}, {})}
    assert len(digests) == 5
    assert all(len(each) <= 63 and each.isalnum() for each in digests)


class Bench(test_reconcile.Bench):
    """A chain that the cache answers, and two runs of it."""

    def __init__(self) -> None:
        self.body = chain()
        super().__init__(scenes.revision(self.body), run=scenes.held_run(body=self.body))
        plan = scenes.plan(self.body)
        walk = CacheWalk(plan, test_cache_walk.INPUTS)
        while wanted := walk.wanted():
            entries = [(each, answer(each).entry) for each in wanted]
            for each, entry in entries:
                assert entry is not None
                types = {name: dict(schema) for name, schema in each.outputs.items()}
                self.index.record(entry._replace(entrypoint=each.entrypoint), types)
            walk.answer({each.key: entry.outputs for each, entry in entries if entry is not None})

    def ended(self, phase: str = "Succeeded") -> None:
        """The first run ends."""
        body = copy.deepcopy(self.run)
        body["metadata"]["labels"] |= {runs.PHASE_LABEL: phase, runs.COMPLETED_LABEL: "true"}
        self.api.put(body | {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow"})

    def second(self, monkeypatch: pytest.MonkeyPatch, **arguments: str) -> list[int]:
        """How many keys were looked up together, round by round, for another run."""
        asked: list[int] = []
        real = cache_lookup.Lookups._find

        async def counting(self: Any, domain: Any, wanted: Any, seconds: float) -> Any:
            asked.append(len(wanted))
            return await real(self, domain, wanted, seconds)

        monkeypatch.setattr(cache_lookup.Lookups, "_find", counting)
        self.api.put(scenes.held_run("run-2", arguments, self.body))
        self.handle(dataclasses.replace(test_reconcile.RUN, name="run-2"))
        return asked

    def hits(self, run: str) -> int:
        body = self.api.all("Workflow")[run]
        return sum("memoizationStatus" in node for node in nodes.read(body["status"]).values())


def test_a_second_run_looks_up_together_what_the_first_one_did(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.handle()
    assert bench.run["metadata"]["labels"][labels.INPUTS] == earlier_run.inputs_digest({"x": 7, "label": "hi"})
    bench.ended()
    assert bench.second(monkeypatch) == [1] * cache_lookup.DEEP + [LENGTH - cache_lookup.DEEP]
    assert bench.hits("run-2") == bench.hits("run-1") == LENGTH


@pytest.mark.parametrize("phase", ["Running", "Failed"])
def test_a_run_that_did_not_succeed_is_not_read(phase: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.handle()
    bench.ended(phase)
    assert bench.second(monkeypatch) == [1] * LENGTH


def test_a_run_with_other_inputs_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.handle()
    bench.ended()
    assert bench.second(monkeypatch, x="8") == [1]


def test_an_api_server_that_lists_nothing_costs_no_more_than_time(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.handle()
    bench.ended()
    real = bench.api.list

    async def failing(path: str, **selection: Any) -> Any:
        if path == RUNS.path(scenes.SPACE):
            bench.api.unavailable = 1
        return await real(path, **selection)

    monkeypatch.setattr(bench.api, "list", failing)
    assert bench.second(monkeypatch) == [1] * LENGTH
    assert bench.hits("run-2") == LENGTH


def test_what_was_guessed_is_asked_again_where_something_else_was_asked_of_it() -> None:
    plan = scenes.plan(chain())
    cache, walk = Cache(), CacheWalk(plan, test_cache_walk.INPUTS)
    made = nodes_of(walked(plan, test_cache_walk.INPUTS, Cache()))

    async def guess(most: int) -> Mapping[str, Wanted]:
        found = earlier_run.guesses(plan, test_cache_walk.INPUTS, "old", {"nodes": made}, most)
        return {key: Wanted(key, {}, each.entrypoint) for key, each in found.items()}

    assert virtual_time.run(cache_lookup.step_through(walk, cache.find, 10, 100, guess)) == ""
    left = LENGTH - cache_lookup.DEEP
    assert cache.rounds == [1] * cache_lookup.DEEP + [left] + [1] * left
    assert len(walk.hits) == LENGTH


def test_the_index_is_the_only_source_of_what_is_filled_in() -> None:
    """An earlier run that lies about its results: its keys lead nowhere, the cache's own do."""
    bench = Bench()
    bench.handle()
    body = copy.deepcopy(bench.run)
    found = nodes.read(body["status"])
    for node in found.values():
        if "memoizationStatus" in node:
            node["outputs"] = {"parameters": [{"name": "o0", "value": "666"}]}
    body["status"] = {**body["status"], "compressedNodes": nodes.pack(found), "nodes": None}
    body["metadata"]["labels"] |= {runs.PHASE_LABEL: "Succeeded", runs.COMPLETED_LABEL: "true"}
    bench.api.put(body | {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow"})
    with pytest.MonkeyPatch.context() as patched:
        bench.second(patched)
    filled = nodes.read(bench.api.all("Workflow")["run-2"]["status"])
    told = [each["value"] for node in filled.values() for each in nodes.parameters(node)]
    assert bench.hits("run-2") == LENGTH
    assert "666" not in told
