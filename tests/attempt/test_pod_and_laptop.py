"""One attempt is the same in a pod and on a laptop: records, entries of the cache, how often a task is tried.

Each task of `table.py` runs by the local runner, one process an attempt, and as pods: real processes of
`python -m alula.runtime`, started again as Argo would.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from alula_api.contract import exits, pods, values
from alula_api.contract.failures import FailureRecord
from alula_data.content import Content
from alula_data.stores import folders
from tests.runtime.pod import Pod

HERE = Path(__file__).parent
FILES = {"input_gone": "gone.txt", "input_damaged": "damaged.txt", "input_gone_and_wrapped": "wrapped.txt"}
RECORDED = [
    "exception", "causes", "not_recoverable", "exits", "interrupted", "unsayable", "blabs", "misuses", "wrong_output",
    "wrong_file", "out_of_memory", "too_slow", *FILES, "foreign_gone", "foreign_unreachable",
    "store_broken_for_outputs",
]  # fmt: skip
WORDLESS = ["killed", "killed_with_side_effects", "killed_once", "crashes", "leaves", "both_in_turn"]
SIZES = [
    ("text", 0), ("text", 4094), ("text", 4095), ("text", 2_000_000), ("odd_text", 200), ("odd_text", 400),
    ("envelope", 1), ("file", 0), ("file", 9000), ("two", 4094), ("two", 4095), ("fifteen", 3998), ("fifteen", 3999),
    ("twenty", 2998), ("twenty", 2999), ("twenty", 4090),
]  # fmt: skip
CASES = [*[(name, 1) for name in (*RECORDED, *WORDLESS)], *SIZES]


@dataclasses.dataclass
class Ended:
    """What became of a task."""

    attempts: int
    ran: int
    outputs: dict[str, Any]
    record: dict[str, Any] | None = None
    warnings: list[str] = dataclasses.field(default_factory=list)


class Bench:
    """A project, a store for pods and one for the local runner."""

    def __init__(self, home: Path) -> None:
        self.pod = Pod(home, None)  # type: ignore[arg-type] - only real processes
        self.pod.write((HERE / "table.py").read_text(), "flows/table.py")
        self.laptop_data = home / "laptop" / "p" / "d"
        self.tasks: dict[str, dict[str, Any]] = {}
        self.laptop: dict[tuple[str, int], Ended] = {}
        self._on_the_laptop(home)

    def _on_the_laptop(self, home: Path) -> None:
        marks = home / "laptop-ran"
        marks.mkdir()
        for name in FILES.values():
            (home / name).write_text("data " * 99)
        jobs = [[name, {"file": {"file": str(home / FILES[name])}} if name in FILES else self.inputs(name, number)]
                for name, number in CASES]  # fmt: skip
        environment = self.environment(marks, self.laptop_data)
        command = [sys.executable, str(HERE / "laptop.py"), str(home / "laptop")]
        # Whatever breaks the store breaks it for itself alone.
        broken = [job for job in jobs if job[0] == "store_broken_for_outputs"]
        lines = []
        for some in (broken, [job for job in jobs if job not in broken]):
            done = subprocess.run(
                [*command, json.dumps(some)], cwd=self.pod.project, env=environment, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
            lines += zip(some, done.stdout.splitlines(), strict=True)
            shutil.rmtree(self.laptop_data / "cas", ignore_errors=True)
            (self.laptop_data / "cas").unlink(missing_ok=True)
        for (name, inputs), line in lines:
            found = json.loads(line)
            self.tasks[name] = found.pop("task")
            self.laptop[name, inputs.get("size", 1)] = Ended(**found)

    @staticmethod
    def inputs(name: str, number: int) -> dict[str, Any]:
        return {"size" if (name, number) in SIZES else "x": number}

    @staticmethod
    def environment(marks: Path, data: Path) -> dict[str, str]:
        own = {"RAN": str(marks), "DATA": str(data), "DB_PASSWORD": "hunter22"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ALULA_", "AWS_"))}
        return {**kept, **own}

    def as_pods(self, name: str, number: int, node: str) -> Ended:
        """Runs attempts until one succeeds, is fatal, or Argo's one counter is used up."""
        task, pod = self.tasks[name], self.pod
        marks = pod.home / f"ran-{node}"
        marks.mkdir()
        inputs = self.inputs(name, number)
        if name in FILES:
            stored = Content(pod.store).commit_bytes(b"data " * 99, type="file", name=FILES[name])
            inputs = {"file": stored.to_json()}
        environment = {
            **self.environment(marks, Path(pod.store.root)), pods.Env.NODE: node,
            pods.Env.TIMEOUT: f"{task['timeout']:g}" if task["timeout"] else "",
        }  # fmt: skip
        for attempt in range(task["retries"] + task["system_retries"] + 1):
            ended = pod.start(
                inputs, entrypoint=f"flows.table:{name}", types=task["inputs"], outputs=task["outputs"],
                interface=task["interface"], cache=task["cache"], retries=task["retries"],
                system_retries=task["system_retries"], attempt=attempt, environment=environment,
            ).end()  # fmt: skip
            if ended.code in (exits.OK, *exits.FINAL):
                break
        mark = marks / name
        records = [record for record in pod.records() if record.node == node]
        return Ended(
            attempt + 1,
            mark.stat().st_size if mark.exists() else 0,
            {each: values.parse(text) for each, text in ended.outputs.items()},
            records[-1].to_json() if records and ended.code else None,
            [line for line in ended.stderr.splitlines() if "cache" in line],
        )


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"))


def without_place(record: dict[str, Any] | None, data: Path) -> dict[str, Any]:
    """The record less its run and node, and with one name for both stores and for both folders of the attempt."""
    assert record is not None
    kept = {name: value for name, value in record.items() if name not in ("run", "node")}
    text = re.sub(r"(relative paths start at) [^\s\"]+", r"\1 SCRATCH", json.dumps(kept).replace(str(data), "STORE"))
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.mark.parametrize("name", RECORDED)
def test_a_failure_has_the_same_record_after_the_same_attempts(bench: Bench, name: str) -> None:
    there, here = bench.as_pods(name, 1, name), bench.laptop[name, 1]
    (Path(bench.pod.store.root) / "cas").unlink() if name == "store_broken_for_outputs" else None
    assert there.record is not None
    assert without_place(here.record, bench.laptop_data) == without_place(there.record, Path(bench.pod.store.root))
    assert here.attempts == there.attempts
    # The local runner makes lost data anew by itself: a second run, as the controller starts one.
    assert here.ran == there.ran * (2 if there.record["code"] == "INPUT_LOST" else 1)
    assert "hunter22" not in json.dumps([here.record, there.record])


@pytest.mark.parametrize("name", WORDLESS)
def test_a_process_that_ends_without_a_word_is_tried_again_as_often(bench: Bench, name: str) -> None:
    there, here = bench.as_pods(name, 1, name), bench.laptop[name, 1]
    assert here.ran == there.ran
    assert bool(here.outputs) == bool(there.outputs)
    if here.record is not None:
        assert (here.record["kind"], here.record["code"]) == ("system", "TASK_KILLED")


def entries(root: Path) -> dict[str, dict[str, Any]]:
    store = folders.FolderStore(str(root), durable=False)
    found = {}
    for head in store.list("cache"):
        entry = values.parse(store.get(head.key).split(b"\n")[0])
        assert type(entry) is dict
        found[head.key] = {name: entry[name] for name in ("v", "key", "task", "outputs")}
    return found


@pytest.mark.parametrize(("name", "size"), SIZES)
def test_outputs_of_every_size_are_kept_in_equal_entries_and_found_again(bench: Bench, name: str, size: int) -> None:
    root = Path(bench.pod.store.root)
    before = entries(root)
    there, here = bench.as_pods(name, size, f"{name}-{size}"), bench.laptop[name, size]
    (made,) = entries(root).keys() - before.keys()
    assert entries(root)[made] == entries(bench.laptop_data)[made]
    assert (there.ran, here.ran, here.warnings) == (1, 1, [])
    again = bench.as_pods(name, size, f"{name}-{size}-again")
    assert (again.ran, again.outputs) == (0, there.outputs)


def test_every_task_of_the_table_is_in_one_of_the_lists(bench: Bench) -> None:
    declared = set(re.findall(r"^@task.*\ndef (\w+)", (HERE / "table.py").read_text(), re.MULTILINE))
    assert declared - {"plain"} == {name for name, _ in CASES}


def test_a_record_can_be_compared() -> None:
    record = FailureRecord("user", "TASK_FAILED", "m", run="r", node="n").to_json()
    assert without_place(record, Path("/nowhere")).keys() == record.keys() - {"run", "node"}
