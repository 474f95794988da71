"""What the records in a domain's store add to a run that was followed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from alula.display import failures as shown
from alula.progress import run_record
from alula.progress.reports import RunResult
from alula.progress.watchers import Watcher
from alula.remote import stored_failures
from alula.remote.outline import Outline
from alula.remote.reporting import Reporter
from alula.remote.status import RunState, TaskState
from alula_api.contract import failures, values
from alula_api.contract.failures import FailureRecord
from alula_api.contract.graphs.specs import WorkflowSpec
from alula_api.contract.problems import InvalidValue
from alula_data.stores.folders import FolderStore
from tests.remote.worlds import RUN

UID = "0d9f4f3e"
BAD = FailureRecord("user", "TASK_FAILED", "no such town", "ValueError", source="flows/w.py:7", inputs={"x": "'?'"})
TASK = {"entrypoint": "flows.w:f", "inputs": [{"name": "x", "type": "int"}], "outputs": [{"name": "o0", "type": "int"}]}
SPEC = {
    "version": "1",
    "code": {"image": "w:1", "runtime": 2},
    "inputs": [{"name": "xs", "type": "list[int]"}],
    "tasks": [{"name": "f", **TASK}],
    "graphs": [
        {
            "name": "main",
            "nodes": [
                {
                    "id": "f",
                    "map": {"task": "f", "over": ["x"], "outputs": ["o0"], "minSuccesses": 1, "batch": 20},
                    "inputs": {"x": {"input": "xs"}},
                }
            ],
        }
    ],
}


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(str(tmp_path), durable=False)


def followed(*tasks: TaskState) -> tuple[RunResult, RunState]:
    state = RunState(RUN, "Succeeded", tasks={each.id: each for each in tasks}, lengths={"f": 35}, uid=UID)
    reporter = Reporter(RUN, "w", Outline(WorkflowSpec.from_json(SPEC)), watcher=Watcher(), say=print, now=0.0)
    reporter.see(state, 1.0)
    return RunResult(RUN, "w", True, reporter.nodes, 1.0, maps=state.lengths), state


def batch(index: int, succeeded: int, **more: object) -> TaskState:
    return TaskState(f"f({index})", "done", name=f"{RUN}.f.item({index}:{index}).try", succeeded=succeeded, **more)  # type: ignore[arg-type]


def test_the_items_that_failed_in_a_pod_that_succeeded_are_counted_and_told(store: FolderStore) -> None:
    result, state = followed(batch(0, 18, attempts=2), batch(1, 15))
    text = values.dumps(failures.items_to_json({3: BAD, 12: BAD}))
    store.put(failures.items_path(UID, f"{RUN}.f.item(0:0).try", 2), text.encode())
    found = stored_failures.with_records(result, state, store)
    assert shown.items(result.nodes) == "f(0): 2 of its 20 items failed\n  the log of its pod says which, and why"
    why = "ValueError: no such town (flows/w.py:7)"
    assert shown.items(found.nodes) == f"f(0): 2 of its 20 items failed\n  item 3: {why}\n  item 12: {why}"
    told = run_record.of(found, {})
    assert told["maps"] == [{"id": "f", "items": 35, "progress": "35/35", "counts": {"done": 33, "failed": 2}}]
    first, second = told["nodes"]  # type: ignore[misc]
    assert (first["failed"], [each["index"] for each in first["failed_items"]]) == (2, [3, 12])
    assert first["failed_items"][0]["error"]["inputs"] == {"x": "'?'"}
    assert "failed" not in second


def test_a_failed_task_gets_its_inputs_and_its_exact_words(store: FolderStore) -> None:
    name = f"{RUN}.f.item(0:0).try"
    exact = dataclasses.replace(BAD, message="{{=1+1}} \x07\n \t")
    lost = TaskState("f(0)", "failed", failures=(failures.termination_message(exact),), name=name)
    result, state = followed(lost)
    store.put(failures.path(UID, name, 1), values.dumps(exact.to_json()).encode())
    (found,) = stored_failures.with_records(result, state, store).nodes
    assert found.failure is not None
    assert (found.failure.inputs, found.tolerated, found.failed) == ({"x": "'?'"}, True, 0)
    assert found.failure.message == exact.message != result.nodes[0].failure.message  # type: ignore[union-attr]


def test_of_many_items_the_first_are_told_in_full_and_all_by_their_first_line() -> None:
    long = FailureRecord("user", "TASK_FAILED", "x" * 300 + "\nmore", traceback="frames", inputs={"x": "1"})
    found = failures.items_from_json(failures.items_to_json(dict.fromkeys(range(1000), long)))
    assert len(found) == 1000 and found[19] == long
    assert (found[20].inputs, found[20].traceback, found[20].code) == ({}, "", "TASK_FAILED")
    assert found[999].message.startswith("xxx") and len(found[999].message) < 210
    for wrong in (None, {"items": 3}, {"items": [3]}, {"items": [{"index": "3"}]}, {"items": [{"index": 3}]}):
        with pytest.raises(InvalidValue):
            failures.items_from_json(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "{}", "[" * 1000, '{"items": [{"index": 1}]}', "x" * (1 << 20) + "x"])
def test_what_cannot_be_read_is_left_out(store: FolderStore, text: str) -> None:
    result, state = followed(batch(0, 18))
    store.put(failures.items_path(UID, f"{RUN}.f.item(0:0).try", 1), text.encode())
    assert stored_failures.with_records(result, state, store) == result
