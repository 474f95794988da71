"""The record of local runs: which maps and repeats it names, and in what order."""

from __future__ import annotations

import json
from typing import Any

import pytest

import alula
from alula import conditional, map_task, repeat, task, workflow
from alula.progress.reports import RunResult


@task
def invert(x: int) -> float:
    return 1 / x


@task
def numbers(n: int) -> list[int]:
    return list(range(1, n + 1))


@task
def total(xs: list[float]) -> float:
    return sum(xs)


@workflow
def row(n: int) -> float:
    return total(map_task(invert)(numbers(n)))


@workflow
def table(ns: list[int]) -> list[float]:
    return map_task(row)(ns)


@workflow
def most(xs: list[int]) -> list[float | None]:
    return map_task(invert, min_successes=3)(xs)


@workflow
def chosen(n: int, xs: list[int]) -> int:
    case = conditional("size").if_(n > 3).then(map_task(invert).named("large")(xs))
    case.elif_(n > 1).then(map_task(invert).named("small")(xs))
    return n


def record(result: RunResult[Any]) -> dict[str, Any]:
    assert result.dir is not None
    found: dict[str, Any] = json.loads((result.dir / "run.json").read_text())
    return found


def test_nodes_and_maps_stand_in_the_order_of_their_items_and_empty_maps_are_named() -> None:
    found = record(alula.run(table, ns=[0, 12], threads=True, workers=4))
    items = [f"{row.name}(1).invert({index})" for index in range(12)]
    assert [node["id"] for node in found["nodes"]] == [
        f"{row.name}(0).numbers",
        f"{row.name}(0).total",
        f"{row.name}(1).numbers",
        *items,
        f"{row.name}(1).total",
    ]
    assert [(each["id"], each["progress"]) for each in found["maps"]] == [
        (row.name, "2/2"),
        (f"{row.name}(0).invert", "0/0"),
        (f"{row.name}(1).invert", "12/12"),
    ]


def test_a_map_of_which_too_few_items_succeed_is_the_error_and_not_its_items() -> None:
    with pytest.raises(alula.RunFailed) as caught:
        alula.run(most, xs=[1, 0, 0], threads=True)
    found = record(caught.value.result)
    assert found["error"]["node"] == "invert"
    assert "only 1 of 3 items succeeded" in found["error"]["message"]
    assert [(node["id"], node.get("tolerated")) for node in found["nodes"]] == [
        ("invert", False),
        ("invert(0)", None),
        ("invert(1)", True),
        ("invert(2)", True),
    ]


@workflow
def checked(n: int) -> None:
    conditional("check").if_(n < 3).fail("{n} is too low", n=n)


def test_a_branch_that_fails_has_the_line_where_it_stands() -> None:
    with pytest.raises(alula.RunFailed) as caught:
        alula.run(checked, n=1, threads=True)
    found = record(caught.value.result)
    assert found["error"]["node"] == "check.then.fail"
    assert found["error"]["source"] == found["nodes"][0]["source"] != ""


def test_maps_that_never_began_are_not_taken_and_those_without_items_began() -> None:
    found = record(alula.run(chosen, n=2, xs=[], threads=True))
    assert found["idle"] == [{"id": "size.then.large", "state": "not taken"}]
    assert [each["id"] for each in found["maps"]] == ["size.elif-1.small"]
    found = record(alula.run(chosen, n=0, xs=[1], threads=True))
    assert [each["state"] for each in found["idle"]] == ["not taken", "not taken"]


@workflow
def guarded(x: int) -> float:
    return conditional("size").if_(x > 1).then(invert(x)).else_().then(0.0)


@workflow
def sign(x: int) -> int:
    return conditional("sign").if_(x > 0).then(1).else_().then(0)


@workflow
def several(xs: list[int]) -> tuple[list[float], list[int]]:
    return map_task(guarded)(xs), map_task(sign)(xs)


@workflow
def halved(x: float) -> float:
    return conditional("size").if_(x > 4.0).then(less(x)).else_().then(even_less(x))


@task
def less(x: float) -> float:
    return x / 2


@task
def even_less(x: float) -> float:
    return x / 4


@workflow
def shrunk(x: float) -> float:
    return repeat(halved, until=lambda x: x < 1.0, max=9)(x)


def test_what_no_branch_led_to_is_named_in_items_and_rounds_too() -> None:
    found = record(alula.run(several, xs=[1, 5, 0], threads=True))
    name = guarded.name
    assert [(node["id"], node["state"], node.get("index")) for node in found["nodes"]] == [
        (f"{name}(0).size.then.invert", "not taken", 0),
        (f"{name}(1).size.then.invert", "done", 1),
        (f"{name}(2).size.then.invert", "not taken", 2),
    ]
    assert [(each["id"], each["progress"], each["counts"]) for each in found["maps"]] == [
        (name, "3/3", {"done": 1, "not taken": 2}),
        (sign.name, "3/3", {"done": 3}),
    ], "items without a task are over too"
    found = record(alula.run(shrunk, x=6.0, threads=True))
    assert [(node["id"], node["state"]) for node in found["nodes"]] == [
        (f"{halved.name}.round-1.size.then.less", "done"),
        (f"{halved.name}.round-1.size.else.even-less", "not taken"),
        (f"{halved.name}.round-2.size.then.less", "not taken"),
        (f"{halved.name}.round-2.size.else.even-less", "done"),
    ], "rounds that were not needed are none"
