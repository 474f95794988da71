"""Argo's status in the terms of a local run."""

from __future__ import annotations

import json

import pytest

from alula.remote import status as run_status
from alula.remote.outline import Outline
from alula.remote.status import RunState, TaskState
from alula_api.contract.graphs.specs import WorkflowSpec
from tests.compiler import notation
from tests.remote import worlds
from tests.remote.worlds import RUN, admit, cached, failed, node, retried, root, status

OUTLINE = Outline(worlds.WORKFLOW, worlds.SOURCES)


def read(found: dict[str, object], **metadata: object) -> RunState:
    return run_status.state(worlds.run(worlds.keyed(found), **metadata), OUTLINE)


def test_a_run_that_argo_has_not_looked_at_has_no_phase() -> None:
    found = run_status.state(worlds.run(), OUTLINE)
    assert (found.phase, found.finished, found.held, found.begun) == ("", False, False, False)


def test_a_run_is_held_until_it_is_admitted() -> None:
    assert read(status("Running")).held
    assert read(status("Running", root("Running"), admit("Running"))).held
    assert not read(status("Running", root("Running"), admit())).held
    assert not read(status("Failed", root("Failed"), admit("Failed"))).held


def test_the_message_of_a_held_run_is_its_place_in_the_queue() -> None:
    assert read(status("Running", admit("Running"), message="third in the queue")).message == "third in the queue"


def test_the_message_of_a_refused_run_is_that_of_its_root() -> None:
    found = read(status("Failed", root("Failed", message="error BAD_VALUE: seed"), admit("Failed"), message="x"))
    assert (found.message, found.tasks, found.begun) == ("error BAD_VALUE: seed", {}, True)


def test_outputs_are_those_of_the_whole_graph() -> None:
    found = read(status("Succeeded", root("Succeeded", {"o0": '{"a":1}', "o1": "2"}), ended=1))
    assert found.outputs == {"o0": '{"a":1}', "o1": "2"}
    assert found.succeeded and found.seconds == 31


def test_groups_and_holds_are_no_tasks() -> None:
    found = read(status("Running", root("Running"), admit(), node("train", "Running", "DAG"), node("load", "Running")))
    assert list(found.tasks) == ["load"]


@pytest.mark.parametrize(
    ("nodes", "task"),
    {
        "a task from the cache": ([cached("load")], TaskState("load", "cached")),
        "a pod without a retry node": ([node("load", "Running")], TaskState("load", "running")),
        "a pod that waits": (
            [node("load", "Pending", message="ImagePullBackOff")],
            TaskState("load", "running", waits="ImagePullBackOff"),
        ),
        "a pod that waits without saying for what": (
            [node("load", "Pending")],
            TaskState("load", "running", waits="a pod"),
        ),
        "a retry node before its first attempt": (
            retried("train.fit", "Running"),
            TaskState("train.fit", "running", attempts=0),
        ),
        "a first attempt": (
            retried("train.fit", "Running", node("", "Running")),
            TaskState("train.fit", "running", attempts=1),
        ),
        "a task that rests between attempts": (
            retried("train.fit", "Running", failed("", "ValueError: no")),
            TaskState("train.fit", "resting", 1, failures=("main: Error (exit code 91): ValueError: no",)),
        ),
        "a task whose last attempt has failed, before Argo draws the conclusion": (
            retried("train.fit", "Running", failed("", "E: no", 90)),
            TaskState("train.fit", "running", 1, failures=("main: Error (exit code 90): E: no",)),
        ),
        "a second attempt that waits for its pod": (
            retried("train.fit", "Running", failed("", "E: no"), node("", "Pending", message="Unschedulable")),
            TaskState("train.fit", "running", 2, "Unschedulable", failures=("main: Error (exit code 91): E: no",)),
        ),
        "a second attempt that worked": (
            retried("train.fit", "Succeeded", failed("", "E: no"), node("", "Succeeded"), began=2, ended=9),
            TaskState("train.fit", "done", 2, seconds=7, failures=("main: Error (exit code 91): E: no",)),
        ),
        "a task whose attempts are used up": (
            retried("train.fit", "Failed", failed("", "E: 1"), failed("", "E: 2", 90), message="No more retries left"),
            TaskState(
                "train.fit",
                "failed",
                2,
                failures=("main: Error (exit code 91): E: 1", "main: Error (exit code 90): E: 2"),
            ),
        ),
        "a pod that was deleted": (
            retried("load", "Running", node("", "Error", message="pod deleted"), node("", "Running")),
            TaskState("load", "running", 2, failures=("pod deleted",)),
        ),
        "a retry node that fails by itself": (
            retried("load", "Error", message="pods is forbidden: exceeded quota"),
            TaskState("load", "failed", 0, failures=("pods is forbidden: exceeded quota",)),
        ),
        "a task that was stopped": (
            retried("load", "Failed", node("", "Failed", message="workflow shutdown with strategy:  Stop")),
            TaskState("load", "stopped", 1, failures=("workflow shutdown with strategy:  Stop",)),
        ),
        "a task that was left out": ([node("score", "Omitted", "Skipped")], TaskState("score", "skipped")),
        "a task on a way not taken": ([node("score", "Skipped", "Skipped")], TaskState("score", "not taken")),
        "a task in a piece of a graph that was cut": (
            retried("main-2.train.training-1.fit-2", "Running", node("", "Running")),
            TaskState("train.fit-2", "running"),
        ),
    }.values(),
    ids=lambda each: "",
)
def test_what_argo_shows_of_a_task_is_its_state(nodes: list[dict[str, object]], task: TaskState) -> None:
    assert read(status("Running", root("Running"), admit(), *nodes)).tasks == {task.id: task}


def test_tasks_stand_in_the_order_of_their_beginning() -> None:
    nodes = [
        node("score", "Running", began=9),
        node("load", "Succeeded", began=1, ended=2),
        *retried("train.fit", "Running", began=3),
    ]
    assert list(read(status("Running", *nodes)).tasks) == ["load", "train.fit", "score"]


def test_attempts_are_counted_by_number_and_not_by_place() -> None:
    attempts = [failed("", f"E: {number}") for number in range(12)]
    retry, *inner = retried("load", "Running", *attempts)
    task = read(status("Running", retry, *reversed(inner))).tasks["load"]
    assert [each[-1] for each in task.failures] == [str(number)[-1] for number in range(12)]


def test_packed_nodes_are_the_same_nodes() -> None:
    found = worlds.keyed(status("Succeeded", root("Succeeded", {"o0": "1"}), admit(), cached("load")))
    assert read(worlds.packed(found)) == read(found)


def test_nodes_that_cannot_be_read_are_told_and_the_run_is_followed_all_the_same() -> None:
    found = read({"phase": "Running", "offloadNodeStatusVersion": "fnv:1"})
    assert "database" in found.hidden
    assert (found.tasks, found.held, found.begun) == ({}, False, True)


MISSING = 'workflowtemplates.argoproj.io "penguins-train" not found'


def test_a_run_that_ended_because_its_template_was_unseen_came_too_early() -> None:
    assert read(status("Error", message=MISSING)).came_too_early("penguins-train")


@pytest.mark.parametrize(
    "found",
    [
        status("Error", message=MISSING.replace("train", "other")),
        status("Error", message="serviceaccounts not found"),
        status("Failed", message=MISSING),
        status("Running", message=MISSING),
        status("Error", root("Error", message=MISSING), admit()),
    ],
)
def test_no_other_run_came_too_early(found: dict[str, object]) -> None:
    assert not read(found).came_too_early("penguins-train")


def test_labels_and_annotations_say_what_it_follows_and_what_took_its_place() -> None:
    found = read(
        status("Failed"),
        labels={"alula.dev/revision": "penguins-train-1a2b3c4d"},
        annotations={"alula.dev/restarted-as": "penguins-train-again"},
    )
    assert (found.revision, found.successor, found.again) == ("penguins-train-1a2b3c4d", "penguins-train-again", False)
    assert read(status("Failed")).successor is None
    assert read(status("Failed"), annotations={"alula.dev/restarted-from": RUN}).again


def test_a_status_that_is_half_written_is_no_crash() -> None:
    nodes = {"1": {"name": RUN}, "2": {"name": f"{RUN}.load", "type": "Pod"}, "3": {"name": "x", "type": "Retry"}}
    found = run_status.state(worlds.run({"phase": "Running", "nodes": json.loads(json.dumps(nodes))}), OUTLINE)
    assert found.tasks["load"].state == "running"


def test_what_lies_in_a_branch_that_is_not_taken_is_told_task_by_task() -> None:
    short = {
        "inputs": {"n": "int"},
        "tasks": {"step": "(x: int) -> o0: int"},
        "graphs": {
            "main": {
                "nodes": [
                    {
                        "id": "pick",
                        "branch": {"reads": {"n": "int"}, "then": "n > 3 -> two", "elif-1": "n > 1 -> one"},
                        "n": "$n",
                        "x": "$n",
                    },
                    {"id": "waits", "call": "step", "x": "$n", "after": ["pick"]},
                    {"id": "more", "call": "step", "x": "$n", "after": ["waits"]},
                ]
            },
            "one": {"inputs": {"x": "int"}, "nodes": [{"id": "a", "call": "step", "x": "$x"}]},
            "two": {
                "inputs": {"x": "int"},
                "nodes": [{"id": "a", "call": "step", "x": "$x"}, {"id": "b", "call": "step", "x": "a.o0"}],
            },
        },
    }
    outline = Outline(WorkflowSpec.from_json(notation.resource(short)["spec"]))
    assert list(outline.tasks) == ["pick.then.a", "pick.then.b", "pick.elif-1.a", "waits", "more"]

    def told(*found: dict[str, object]) -> dict[str, str]:
        nodes = worlds.keyed(status("Running", root("Running"), admit(), *found))
        return {task.id: task.state for task in run_status.state(worlds.run(nodes), outline).tasks.values()}

    skipped = node("pick.then", "Skipped", "Skipped")
    assert told(node("pick", "Running", "DAG"), skipped, node("pick.elif-1.a", "Succeeded")) == {
        "pick.elif-1.a": "done",
        "pick.then.a": "not taken",
        "pick.then.b": "not taken",
    }
    behind = [node("waits", "Skipped", "Skipped"), node("more", "Omitted", "Skipped")]
    assert told(skipped, node("pick.elif-1", "Skipped", "Skipped"), *behind) == dict.fromkeys(
        outline.tasks, "not taken"
    )


def test_what_no_branch_led_to_in_an_item_of_a_map_is_not_taken() -> None:
    read = [{"name": "n", "type": "int"}]
    branch = {"reads": read, "cases": [{"name": "then", "when": "n > 3", "graph": "two"}]}
    spec = {
        "version": "1",
        "code": {"image": "x:1", "runtime": 1},
        "tasks": [{"name": "step", "entrypoint": "m:step"}],
        "graphs": [
            {"name": "main", "nodes": [{"id": "each", "map": {"graph": "item", "over": ["n"], "outputs": []}}]},
            {
                "name": "item",
                "inputs": read,
                "nodes": [
                    {"id": "before", "task": "step"},
                    {"id": "pick", "branch": branch, "after": ["before"]},
                    {"id": "waits", "task": "step", "after": ["pick"]},
                ],
            },
            {"name": "two", "nodes": [{"id": "a", "task": "step"}, {"id": "b", "task": "step", "after": ["a"]}]},
        ],
    }
    outline = Outline(WorkflowSpec.from_json(spec))
    skipped = [
        node("each.item(2:2).pick.then", "Skipped", "Skipped"),
        node("each.item(2:2).waits", "Skipped", "Skipped"),
    ]
    nodes = worlds.keyed(
        status("Running", root("Running"), admit(), node("each.item(2:2).before", "Succeeded"), *skipped)
    )
    assert {task.id: task.state for task in run_status.state(worlds.run(nodes), outline).tasks.values()} == {
        "each(2).before": "done",
        "each(2).pick.then.a": "not taken",
        "each(2).pick.then.b": "not taken",
        "each(2).waits": "not taken",
    }


def test_the_items_of_a_map_are_tasks_with_their_index_and_an_empty_map_is_none() -> None:
    spec = {
        "version": "1",
        "code": {"image": "x:1", "runtime": 1},
        "tasks": [{"name": "fit", "entrypoint": "m:fit"}, {"name": "after", "entrypoint": "m:after"}],
        "graphs": [
            {
                "name": "main",
                "nodes": [
                    {
                        "id": "each",
                        "map": {"task": "fit", "over": ["x"], "outputs": []},
                        "inputs": {"x": {"value": "[1, 2]"}},
                    },
                    {"id": "after", "task": "after", "after": ["each"]},
                ],
            }
        ],
    }
    outline = Outline(WorkflowSpec.from_json(spec))
    assert list(outline.tasks) == ["after"] and outline.maps == {"each": ("x",)}
    found = outline.expected("each(12)")
    assert found is not None and found.task == "fit"
    assert sorted(["after", "each(10)", "each(9)"], key=outline.place) == ["each(9)", "each(10)", "after"]

    def told(*found: dict[str, object]) -> dict[str, TaskState]:
        nodes = worlds.keyed(status("Running", root("Running"), admit(), *found))
        return dict(run_status.state(worlds.run(nodes), outline).tasks)

    begun = told(
        node("each", "Running", "DAG"),
        node("each.item", "Running", "TaskGroup"),
        node("each.item(0:0)", "Succeeded", "Retry"),
        node("each.item(0:0)(0)", "Succeeded"),
        node("each.item(1:1)", "Running", "Retry"),
        node("each.item(1:1)(0)", "Failed"),
        node("each.item(1:1)(1)", "Running"),
    )
    assert {id: (task.state, task.attempts) for id, task in begun.items()} == {
        "each(0)": ("done", 1),
        "each(1)": ("running", 2),
    }
    given = {"parameters": [{"name": "x", "value": '{"$stored":{"items":["\\"=1\\"","\\"=2\\""]}}'}]}
    nodes = worlds.keyed(status("Running", root("Running"), admit(), node("each", "Running", "DAG", inputs=given)))
    assert run_status.state(worlds.run(nodes), outline).lengths == {"each": 2}
    assert not told(node("each", "Succeeded", "DAG"), node("each.item", "Skipped", "Skipped"))
    spec["graphs"][0]["nodes"][0]["map"]["batch"] = 20  # type: ignore[index]
    in_batches = Outline(WorkflowSpec.from_json(spec))
    assert [in_batches.items_of(id, 57) for id in ("each(0)", "each(2)", "other(0)")] == [(0, 20), (40, 17), (None, 1)]
    del spec["graphs"][0]["nodes"][0]["map"]["batch"]  # type: ignore[index]
    spec["graphs"][0]["nodes"][0]["map"]["minSuccesses"] = 1  # type: ignore[index]
    outline = Outline(WorkflowSpec.from_json(spec))
    assert outline.id("each.item(1:1).try") == "each(1)"
    counted = {"parameters": [{"name": "succeeded--item", "value": "18"}]}
    (some,) = told(node("each.item(1:1).try", "Succeeded", "Retry", outputs=counted)).values()
    assert (some.id, some.state, some.succeeded) == ("each(1)", "done", 18)
    (wrong,) = told(node("each.item", "Error", "Skipped")).values()
    assert (wrong.id, wrong.state) == ("each", "failed")


def test_the_rounds_of_a_repeat_are_tasks_and_those_that_were_not_needed_are_left_out() -> None:
    again = {
        "until": "made > 3",
        "max": 4,
        "state": [{"input": "x", "output": "o0"}],
        "outputs": ["o0"],
        "reads": [{"name": "made", "type": "int", "output": "o0"}],
    }
    given = {"x": {"value": "1"}}
    spec = {
        "version": "1",
        "code": {"image": "x:1", "runtime": 1},
        "tasks": [{"name": "fit", "entrypoint": "m:fit"}],
        "graphs": [
            {
                "name": "main",
                "nodes": [
                    {"id": "calls", "repeat": {"task": "fit", **again}, "inputs": given},
                    {"id": "graphs", "repeat": {"graph": "sub", **again}, "inputs": given},
                ],
            },
            {"name": "sub", "inputs": [{"name": "x", "type": "int"}], "nodes": [{"id": "round-1", "task": "fit"}]},
        ],
    }
    outline = Outline(WorkflowSpec.from_json(spec))
    nodes = worlds.keyed(
        status(
            "Running",
            root("Running"),
            admit(),
            node("calls.round-1", "Succeeded"),
            node("calls.round-2", "Skipped", "Skipped"),
            node("calls.round-3", "Omitted", "Skipped"),
            node("graphs.round-1", "Succeeded", "DAG"),
            node("graphs.round-1.round-1", "Succeeded"),
            node("graphs.round-2", "Failed", "DAG"),
            node("graphs.round-2.round-1", "Failed"),
            node("graphs.round-3", "Omitted", "Skipped"),
        )
    )
    found = run_status.state(worlds.run(nodes), outline).tasks
    assert {task.id: task.state for task in found.values()} == {
        "calls.round-1": "done",
        "graphs.round-1.round-1": "done",
        "graphs.round-2.round-1": "failed",
    }
