"""What a task does to its process no other task sees, and what a run must not do to the process that asks for it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest

import alula
from alula import task, workflow
from alula.attempt import forks
from tests.local import sharing


def test_nothing_that_a_task_leaves_in_its_process_reaches_another(tmp_path: Path) -> None:
    here = (os.getcwd(), [*sys.path], dict(os.environ))
    assert alula.run(sharing.disturbing, folder=str(tmp_path), workers=4).value == [[]] * 6
    assert (os.getcwd(), [*sys.path], dict(os.environ), sharing.seen) == (*here, [])


def test_seeds_of_parallel_tasks_do_not_race() -> None:
    assert alula.run(sharing.seeding, workers=4).value == (1, 1)


def test_tasks_that_set_no_seed_draw_numbers_of_their_own_as_pods_do() -> None:
    # In a process of its own, because another test may have set a seed here.
    code = "import alula; from tests.local import sharing; print(alula.run(sharing.drawing).value)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == "(6, 6)\n", done.stderr


def test_a_seed_that_was_set_before_the_run_holds_in_each_task_as_in_a_pod_whose_module_sets_it() -> None:
    state = np.random.get_state()
    try:
        np.random.seed(5)
        assert alula.run(sharing.drawing).value[0] == 1
    finally:
        np.random.set_state(state)
        np.random.seed()


def test_a_task_may_run_a_workflow() -> None:
    @task
    def nested() -> tuple[int, int]:
        assert alula.run(sharing.seeding, seed=3).value == (1, 1)
        return sharing.seeding(3)

    assert alula.run(nested).value == (1, 1)


def test_random_numbers_of_the_caller_are_not_touched() -> None:
    random.seed(1)
    expected = random.random()
    random.seed(1)
    alula.run(sharing.drawing)
    assert random.random() == expected


def test_a_process_may_be_forked_unless_a_thread_works_in_it() -> None:
    assert forks.obstacle() == ""
    stop = threading.Event()
    thread = threading.Thread(target=lambda: stop.wait(30), name="meter", daemon=True)
    thread.start()
    try:
        assert forks.obstacle() == "the thread 'meter' is running"
    finally:
        stop.set()
        thread.join()
    assert forks.obstacle() == ""


SCRIPT = """
import os, sys, threading
import alula
from alula import task, workflow

with open(os.environ["IMPORTS"], "a") as file:
    print("imported", file=file)
if os.environ.get("METER"):
    threading.Thread(target=threading.Event().wait, name="meter", daemon=True).start()

@task
def inc(x: int) -> int:
    print("in the task")
    return x + 1

@workflow
def chain(x: int = 1) -> int:
    return inc(inc(x))

print(alula.run(chain).value)
"""


def script(folder: Path, **variables: str) -> tuple[subprocess.CompletedProcess[str], int]:
    (folder / "pyproject.toml").write_text('[project]\nname = "scripts"\nversion = "0"\n')
    (folder / "bare.py").write_text(textwrap.dedent(SCRIPT))
    imports = folder / "imports"
    done = subprocess.run(
        [sys.executable, "bare.py"],
        cwd=folder,
        env={**os.environ, "IMPORTS": str(imports), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done, len(imports.read_text().splitlines())


def test_a_script_without_a_main_guard_runs_and_is_imported_once(tmp_path: Path) -> None:
    done, imports = script(tmp_path)
    assert (done.stdout, imports) == ("3\n", 1), done.stderr
    assert done.stderr == "inc | in the task\ninc-2 | in the task\n"


def test_a_script_without_a_main_guard_whose_threads_forbid_a_fork_is_told_to_have_one(tmp_path: Path) -> None:
    done, imports = script(tmp_path, METER="1")
    assert done.returncode == 1
    assert imports < 10
    assert 'put what runs below `if __name__ == "__main__":`' in done.stderr
    assert "importing bare runs workflow bare-chain" in done.stderr


@pytest.mark.parametrize("library", ["pyarrow"])
def test_a_library_that_prepares_for_forks_works_on_both_sides(library: str, tmp_path: Path) -> None:
    table = pytest.importorskip(library).table({"a": [1, 2, 3]})
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(table, tmp_path / "a.parquet")
    file = str(tmp_path / "a.parquet")

    @task
    def rows() -> int:
        return parquet.read_table(file).num_rows

    @workflow
    def reading() -> int:
        return rows()

    for _ in range(2):
        assert parquet.read_table(file).num_rows == 3
        result = alula.run(reading)
        assert (result.value, result.warnings) == (3, ())
