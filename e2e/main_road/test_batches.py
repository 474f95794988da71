"""Maps in batches on the real engine: several items in one pod, each with its own result, cache entry and retries."""

from __future__ import annotations

import json
import pathlib
import subprocess
from typing import Any

import pytest

from alula_api.argo import nodes as argo
from e2e import installing
from e2e.main_road.conftest import Road

IMAGE = "registry.example.org/batches:1"
SOURCE = """
import os
import pathlib

from alula import Batch, NonRecoverable, map_task, task, workflow

MARKS = pathlib.Path(os.environ["MARKS"])


@task(cache=True, retries=1)
def measure(name: str) -> int:
    with open(MARKS / "calls", "a") as calls:
        calls.write(name + "\\n")
    if name == "n07" and not (MARKS / "tried").exists():
        (MARKS / "tried").touch()
        raise ValueError("the first time it fails")
    if name == "n33" and not (MARKS / "mended").exists():
        raise NonRecoverable("{{=1+1}} is not mended")
    return int(name[1:])


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@workflow(failure_policy="continue")
def measured(names: list[str]) -> int:
    return total(map_task(measure, batch=20)(names))


@task
def numbers(n: int) -> list[int]:
    return list(range(n))


@task
def plus(x: int, y: int = 1, *, text: str = "") -> int:
    return x + y


@task
def small(x: int) -> tuple[int, str]:
    if x == 6:
        raise NonRecoverable("six is not small")
    if x == 12:
        os._exit(3)
    return x, "long " * 50


@task
def told(xs: list[int], ys: list[int | None], texts: list[str | None]) -> str:
    return f"{xs} {ys} {[text and len(text) for text in texts]}"


@workflow
def mixed(n: int, text: str) -> str:
    first = numbers(n)
    second = map_task(plus, batch=4)(first, text=text)
    third = map_task(plus, batch=Batch(5, parallel=3))(second, first)
    fourth = map_task(plus)(third)
    ys, texts = map_task(small, batch=3, min_success_ratio=0.25)(fourth)
    return told(map_task(plus, batch="auto")(fourth), ys, texts)


@task(cache=True)
def words(n: int) -> list[str]:
    return [f"word {k} " * 30 for k in range(n)]


@task(cache=True)
def length(word: str) -> int:
    return len(word)


@task(cache=True)
def sum_of(xs: list[int]) -> int:
    return sum(xs)


@workflow
def known(n: int) -> int:
    made = words(n)
    return sum_of([sum_of(map_task(length, batch=10)(made)), sum_of(map_task(length)(made))])


@workflow
def short(n: int) -> int:
    return total(map_task(plus, batch=2)(numbers(n)))
"""


@pytest.fixture(scope="module")
def road(installation: installing.Installation, tmp_path_factory: pytest.TempPathFactory) -> Road:
    """The workflows, registered and applied, with their code "in the image"."""
    project = tmp_path_factory.mktemp("batches") / "flows"
    project.mkdir()
    (project / "batches.py").write_text(SOURCE)
    (project / "pyproject.toml").write_text(f'[tool.alula]\nproject = "batches"\nimage = "{IMAGE}"\n')
    gitops = tmp_path_factory.mktemp("gitops")
    subprocess.run(["git", "init", "--quiet", str(gitops)], check=True)
    environment = {"PYTHONPATH": str(project), "MARKS": str(project)}
    installation.cluster.pods.image(IMAGE, env=environment)
    found = Road(installation.place("batches", "dev"), project, gitops)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MARKS", str(project))
        found.register("batches.py")
    found.apply()
    for name in ("measured", "mixed", "short", "known"):
        found.place.ready("Workflow", f"batches-{name}")
    return found


def _nodes(run: installing.Object) -> dict[str, Any]:
    start = len(run["metadata"]["name"]) + 1
    return {node["name"][start:]: node for node in argo.read(run["status"]).values()}


def _pods(road: Road, run: installing.Object) -> int:
    return len(road.place.cluster.pods.started(workflow=run["metadata"]["name"], namespace=road.place.namespace))


def _called(project: pathlib.Path) -> list[str]:
    calls = project / "calls"
    found = calls.read_text().split()
    calls.unlink()
    return found


def _output(run: installing.Object) -> Any:
    (made,) = _nodes_root(run)["outputs"]["parameters"]
    return json.loads(made["value"])


def _nodes_root(run: installing.Object) -> Any:
    return argo.read(run["status"])[run["metadata"]["name"]]


def test_sixty_items_run_in_three_pods_and_a_second_run_repeats_only_what_is_missing(road: Road) -> None:
    names = [f"n{number:02d}" for number in range(60)]
    first = road.place.ended(road.place.run("batches-measured", {"names": json.dumps(names)}), 120)
    found = _nodes(first)
    assert first["status"]["phase"] == "Failed", {path: node.get("message") for path, node in found.items()}
    assert [found[f"measure.item({n}:{n})"]["phase"] for n in range(3)] == ["Succeeded", "Failed", "Succeeded"]
    message = found["measure.item(1:1)(0)"]["message"]
    assert "item 33: { {=1+1} } is not mended" in message, message
    assert _pods(road, first) == 3, "and the one that fails is not started again"
    assert sorted(_called(road.project)) == sorted([*names, "n07"])
    (road.project / "mended").touch()
    second = road.place.ended(road.place.run("batches-measured", {"names": json.dumps(names)}), 120)
    assert second["status"]["phase"] == "Succeeded", second["status"].get("message")
    assert _output(second) == sum(range(60))
    assert _called(road.project) == ["n33"]
    assert _pods(road, second) == 2, "of batches that are cached as a whole there is none"
    third = road.place.ended(road.place.run("batches-measured", {"names": json.dumps(names[:40])}), 120)
    assert _output(third) == sum(range(40))
    assert _pods(road, third) == 1, "nothing but the sum of another list"


def test_lists_of_other_batches_and_of_none_are_gone_over_in_step(road: Road) -> None:
    runs = {n: road.place.run("batches-mixed", {"n": str(n), "text": r'"\u007b\u007b=1+1}}"'}) for n in (9, 0)}
    full, empty = (road.place.ended(run, 200) for run in runs.values())
    shown = {path: (node["phase"], node.get("message", "")) for path, node in _nodes(full).items()}
    assert full["status"]["phase"] == "Succeeded", shown
    fourth = [2 * x + 2 for x in range(9)]
    lost = (6, 12)
    ys = [None if x in lost else x for x in fourth]
    assert _output(full) == f"{[x + 1 for x in fourth]} {ys} {[None if x in lost else 250 for x in fourth]}"
    assert empty["status"]["phase"] == "Succeeded", empty["status"].get("message")
    assert _output(empty) == "[] [] []"


def test_who_follows_a_run_sees_which_items_failed_in_pods_that_succeeded_and_why(road: Road) -> None:
    words = ["run", "--remote", "--json", "batches.py:mixed", "--n", "9", "--text", "x"]
    environment = {**road.place.bucket.environment(), "MARKS": str(road.project)}
    done = installing.alula(road.place.cluster, *words, cwd=road.project, env=environment)
    told = json.loads(done.stdout)
    failed = {node["id"]: (node["failed"], node["failed_items"]) for node in told["nodes"] if "failed" in node}
    assert {id: count for id, (count, _) in failed.items()} == {"small(0)": 1, "small(1)": 1}, done.stderr
    (six,), (twelve,) = (items for _, items in failed.values())
    assert (six["index"], six["error"]["message"], six["error"]["inputs"]) == (2, "six is not small", {"x": "6"})
    assert (twelve["index"], twelve["error"]["code"], twelve["error"]["inputs"]) == (5, "TASK_KILLED", {"x": "12"})
    counts = {each["id"]: each["counts"] for each in told["maps"]}
    assert counts["small"] == {"done": 7, "failed": 2}
    assert "small(0): 1 of its 3 items failed\n  item 2: alula.NonRecoverable: six is not small" in done.stderr, (
        done.stderr
    )


def test_a_list_that_is_too_long_for_its_batch_fails_before_its_first_item(road: Road) -> None:
    run = road.place.ended(road.place.run("batches-short", {"n": "2001"}), 60)
    message = _nodes(run)["numbers(0)"]["message"]
    told = "has 2,001 items, and a map in batches of 2 takes at most 2,000: batch=5 would do"
    assert told in message, message
    assert _pods(road, run) == 1


def test_a_run_over_a_long_list_of_which_all_is_cached_starts_no_pod(road: Road) -> None:
    runs = []
    for _ in range(2):
        run = road.place.ended(road.place.run("batches-known", {"n": "12"}), 120)
        assert run["status"]["phase"] == "Succeeded", {path: node.get("message") for path, node in _nodes(run).items()}
        runs.append((_output(run), _pods(road, run)))
    (made, first), (again, second) = runs
    assert made == again == 2 * sum(len(f"word {k} " * 30) for k in range(12))
    assert first > 12 and second == 0
