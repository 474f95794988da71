"""`alula run`, from words to outputs and exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pandas import DataFrame

from alula.attempt import forks
from alula.cli import input_values, local_files, usage
from alula.types import compiling
from tests import goldens
from tests.cli.conftest import Alula
from tests.types.shelf import Shelf

GOLDEN = Path(__file__).parent / "golden"


def settled(text: str, folder: Path) -> str:
    """Without what differs from run to run: times, run ids, folders."""
    text = text.replace(str(folder.resolve()), "<project>")
    text = re.sub(r"\[ *[0-9.]+m?s\]", "[ TIME]", text)
    text = re.sub(r'"seconds": [0-9.]+', '"seconds": TIME', text)
    text = re.sub(r"\b(in|after) [0-9.]+m?s\b", r"\1 TIME", text)
    text = re.sub(r"(?m)^(  [✓✗] \S+ +)[0-9.]+m?s *", r"\1TIME  ", text)
    text = re.sub(r"[0-9]+ workers(?=, run)", "N workers", text)
    return re.sub(r"-[0-9]{8}-[0-9]{6}-[0-9a-f]{4}", "-ID", text).replace("  \n", "\n")


GOLDENS = {
    "help": ["run", "--help"],
    "help-plain": ["run", "flows/shop.py:plain", "--help"],
    "help-rich": ["run", "flows/shop.py:rich", "-h"],
    "help-files": ["run", "flows/shop.py:files", "--help"],
    "help-plan": ["run", "flows/shop.py:bulk", "--help"],
    "help-task": ["run", "flows/single.py:inc", "--help"],
    "run": ["run", "flows/single.py", "--x", "4"],
    "failing": ["run", "--workers", "2", "flows/shop.py:failing", "--x", "4"],
    "failing-in-one-thread": ["run", "--workers=1", "flows/shop.py:failing"],
    "wrong-inputs": ["run", "flows/shop.py:plain", "--cuont", "3", "--ratio=x", "--workers", "3", "word", "--name"],
    "missing-inputs": ["run", "flows/shop.py:rich"],
    "fixed-input": ["run", "flows/shop.py:bulk", "--ratio", "1", "--count", "x"],
    "wrong-options": ["run", "--worker", "3", "--no-cache", "--overwrite-cache", "--synced", "flows/shop.py:plain"],
    "which-workflow": ["run", "flows/shop.py"],
    "no-workflow": ["run", "flows/empty.py"],
    "unknown-workflow": ["run", "flows/shop.py:plian"],
    "not-a-workflow": ["run", "flows/empty.py:somebody"],
    "unknown-file": ["run", "flows/shopp.py:plain"],
    "wrong-definition": ["run", "flows/wrong.py"],
    "no-file": ["run"],
    "folder": ["run", "flows/"],
    "name-apart": ["run", "flows/shop.py", "plain", "--count", "3"],
    "words-after-a-list": ["run", "flows/signs.py:record", "--tags", "a", "b"],
    "help-signs": ["run", "flows/signs.py:switches", "--help"],
    "json": ["run", "--workers=1", "--json", "-q", "flows/shapes.py:shapes", "--x", "4", "--xs", "[1, 2]"],
    "json-failing": ["run", "--workers=1", "--json", "-q", "flows/shapes.py:shapes", "--x", "4", "--xs", "[1, 0, 4]"],
    "in-a-class": ["run", "flows/methods.py"],
}
CODES = {
    "help": 0,
    "run": 0,
    "json": 0,
    "json-failing": 1,
    "failing": 1,
    "failing-in-one-thread": 1,
    "wrong-definition": 1,
}


@pytest.mark.parametrize("name", GOLDENS)
def test_what_is_printed_is_the_golden_text(name: str, run: Alula, project: Path) -> None:
    done = run(*GOLDENS[name])
    command = "alula " + " ".join(GOLDENS[name])
    text = f"$ {command}\n{done.out}{'--- stderr ---' if done.err else ''}\n{done.err}--- exit code {done.code} ---\n"
    goldens.check(GOLDEN / f"{name}.txt", settled(text, project))
    assert done.code == CODES.get(name.partition("-")[0] if name.startswith("help") else name, 2)
    assert "alula/local" not in done.err


def test_simple_inputs_arrive_as_values(run: Alula) -> None:
    done = run("run", "flows/shop.py:plain", "--count=-3", "--ratio", "2", "--ready", "--name", "null", "--env", "a b")
    assert done.out == "result  -3 2.0 True 'null' 'a b'\n"
    done = run("run", "flows/shop.py:plain", "--count", "1", "--no-ready", "--name", '"quoted"')
    assert done.out == "result  1 0.5 False '\"quoted\"' 'dev'\n"


def test_structured_inputs_arrive_as_values(run: Alula) -> None:
    done = run(
        "run", "flows/shop.py:rich", "--order", '{"size": {"width": 3}, "tags": ["a"]}', "--colour", "DARK_BLUE",
        "--sizes", "1", "--sizes", "[2, 3]", "--when", "2026-05-06T07:08:09+02:00", "--wait", "90s",
    )  # fmt: skip
    order = "Order(size=Size(width=3, height=1.5, unit='cm'), tags=['a'], note=None)"
    assert done.out == f"result  {order} DARK_BLUE [1, 2, 3] 2026-05-06T07:08:09+02:00 90\n"


def test_a_record_may_be_given_field_by_field(run: Alula) -> None:
    done = run(
        "run", "flows/shop.py:rich", "--order.size.width", "3", "--order.note", "hi", "--order.size.unit=in",
        "--order.tags", '["x"]',
    )  # fmt: skip
    assert "Order(size=Size(width=3, height=1.5, unit='in'), tags=['x'], note='hi')" in done.out
    done = run("run", "flows/shop.py:rich", "--order.size.height", "3")
    assert done.code == 2
    assert "--order.size.width is missing: " in done.err
    done = run("run", "flows/shop.py:rich", "--order.sizes.height", "3")
    assert "there is no flag --order.sizes.height" in done.err


def test_files_are_given_by_their_paths(run: Alula, project: Path) -> None:
    (project / "some.csv").write_text("a\nb\n")
    (project / "other.txt").write_text("hello")
    done = run("run", "flows/shop.py:files", "--file", "some.csv", "--path", "other.txt", "--no-island")
    assert done.out.split() == ["o0", "2", "o1", "5", "o2", "None"]
    done = run("run", "flows/shop.py:files", "--file", "some.csv", "--path", "gone.txt")
    assert done.code == 2
    assert "--path: there is no file gone.txt" in done.err


def test_all_tables_that_cannot_be_stored_are_named_with_their_flags(project: Path, tmp_path: Path) -> None:
    given = {}
    for name, data in {"first_one": b"a\n\xe9\n", "other": b""}.items():
        (project / f"{name}.csv").write_bytes(data)
        given[name] = input_values.parse(str(project / f"{name}.csv"), compiling.compile(DataFrame).schema)
    schemas = dict.fromkeys(given, compiling.compile(DataFrame).schema)
    with pytest.raises(usage.UsageError) as caught:
        local_files.commit(given, schemas, Shelf(tmp_path / "shelf"))
    messages = [problem.message for problem in caught.value.diagnostics]
    assert messages[0].startswith("--first-one: the table ") and messages[0].endswith("holds the byte 0xe9")
    assert messages[1].startswith("--other: the table ")


def test_a_launch_plan_gives_its_inputs_and_lets_others_be_changed(run: Alula) -> None:
    assert run("run", "flows/shop.py:bulk").out == "result  100 0.25 False 'bulk' 'dev'\n"
    assert run("run", "flows/shop.py:bulk-orders", "--count", "5").out == "result  5 0.25 False 'bulk' 'dev'\n"


def test_a_workflow_is_found_by_the_name_of_its_resource_and_by_module(run: Alula) -> None:
    assert run("run", "-q", "flows/shop.py:shop-plain", "--count", "1").code == 0
    assert run("run", "-q", "flows.single:only").out == "result  2\n"
    assert run("run", "-q", "flows/single.py:inc", "--x", "5").out == "result  6\n"


def test_quiet_prints_outputs_only_and_json_is_json(run: Alula) -> None:
    done = run("run", "--quiet", "flows/single.py")
    assert (done.out, done.err) == ("result  2\n", "")
    done = run("run", "--json", "flows/single.py")
    assert json.loads(done.out)["outputs"] == {"o0": 2}


def test_the_options_reach_the_run(run: Alula, project: Path) -> None:
    done = run(
        "run", "--workers", "1", "--store", "elsewhere", "--project", "p", "--domain", "d", "flows/single.py",
    )  # fmt: skip
    assert done.code == 0
    assert "1 worker, run" in done.err
    assert [*(project / "elsewhere" / "p" / "d" / "runs").iterdir()]


def test_an_input_called_help_is_an_input(run: Alula, project: Path) -> None:
    (project / "flows" / "helpful.py").write_text(
        "from alula import task, workflow\n\n@task\ndef say(help: str) -> str:\n    return help\n\n"
        "@workflow\ndef helpful(help: str) -> str:\n    return say(help)\n"
    )
    assert run("run", "-q", "flows/helpful.py", "--help", "me").out == "result  me\n"
    assert "usage:" in run("run", "-q", "flows/helpful.py", "-h").out


SHADOWED = """
from alula import task, workflow

@task
def plus(x: int) -> int:
    return x

{bound}

@task
def plus(x: int) -> int:
    return x + 1

@workflow
def shadowed(x: int = 1) -> int:
    return {called}(x)
"""


@pytest.mark.parametrize("obstacle", ["", "a library has started threads"])
def test_a_task_whose_name_another_has_taken_runs_by_the_name_that_holds_it(
    run: Alula, project: Path, monkeypatch: pytest.MonkeyPatch, obstacle: str
) -> None:
    monkeypatch.setattr(forks, "obstacle", lambda: obstacle)
    source = SHADOWED.replace("{bound}", "first = plus").replace("{called}", "first")
    (project / "flows" / "shadowed.py").write_text(source)
    done = run("run", "flows/shadowed.py")
    assert (done.code, done.out) == (0, "result  1\n")
    assert "warning" not in done.err


def test_a_task_that_no_pod_finds_is_refused_with_one_diagnostic_by_run_and_by_register(
    run: Alula, project: Path
) -> None:
    source = SHADOWED.replace("{bound}", "held = [plus]").replace("{called}", "held[0]")
    (project / "flows" / "shadowed.py").write_text(source)
    told = [run(*words, "flows/shadowed.py") for words in (["run"], ["register", "--repo", "gitops"])]
    assert [done.code for done in told] == [1, 1]
    assert told[0].err == told[1].err
    assert "a pod cannot find this task: flows.shadowed:plus is another one now" in told[0].err


def test_a_run_on_the_cluster_takes_no_task(run: Alula) -> None:
    done = run("run", "--remote", "flows/single.py:inc", "--x", "1")
    assert (done.code, "a task alone cannot run on the cluster" in done.err) == (2, True)


NUMBERS = {
    "pairs as an object": (["--pairs", '{"1": "z"}'], "{1: 'z'} 1 3"),
    "pairs as a list": (["--pairs", '[[1, "z"]]'], "{1: 'z'} 1 3"),
    "an int of a union": (["--number", "2"], "{} 2 3"),
    "a float of a union": (["--number", "2.5"], "{} 2.5 3"),
    "None of an optional union": (["--no-maybe"], "{} 1 None"),
    "a value of an optional union": (["--maybe", "2.0"], "{} 1 2.0"),
}


@pytest.mark.parametrize("case", NUMBERS)
def test_pairs_and_unions_are_given_as_people_write_them(case: str, run: Alula) -> None:
    words, expected = NUMBERS[case]
    done = run("run", "-q", "flows/signs.py:numbers", *words)
    assert (done.code, done.out) == (0, f"result  {expected}\n")


FIELDS = {
    "a list field that is repeated": (["--c.tags", "1", "--c.tags", "2"], "[1, 2] True None ['q']"),
    "a list field as JSON": (["--c.tags", "[1, 2]"], "[1, 2] True None ['q']"),
    "a switch of a record": (["--c.tags", "1", "--no-c.on"], "[1] False None ['q']"),
    "a switch of a record with a value": (["--c.tags", "1", "--c.on", "false"], "[1] False None ['q']"),
    "None for an optional field": (["--c.tags", "1", "--no-c.limit"], "[1] True None ['q']"),
    "a list that is repeated": (["--c.tags", "1", "--tags", "a", "--tags", "b"], "[1] True None ['a', 'b']"),
}


@pytest.mark.parametrize("case", FIELDS)
def test_fields_of_a_record_are_flags_like_inputs(case: str, run: Alula) -> None:
    words, expected = FIELDS[case]
    done = run("run", "-q", "flows/signs.py:record", *words)
    assert (done.code, done.out) == (0, f"result  {expected}\n")


SWITCHES = {
    "an input called like a negation": (["--no-cache"], "True True"),
    "its negation": (["--no-no-cache"], "True False"),
    "the other one off": (["--cache=false"], "False False"),
    "the other one off, after a blank": (["--cache", "false"], "False False"),
    "both": (["--cache", "--no-cache"], "True True"),
}


@pytest.mark.parametrize("case", SWITCHES)
def test_inputs_called_cache_and_no_cache_are_two_inputs(case: str, run: Alula) -> None:
    words, expected = SWITCHES[case]
    done = run("run", "-q", "flows/signs.py:switches", *words)
    assert (done.code, done.out) == (0, f"result  {expected}\n")


EXIT_CODES = {
    "a file that is not there": (["run", "flows/shopp.py"], 2),
    "a module that is not there": (["run", "flows.shopp"], 2),
    "a folder": (["run", "flows"], 2),
    "no Python file": (["run", "pyproject.toml"], 2),
    "a workflow that is not there": (["run", "flows/shop.py:shopp"], 2),
    "an input that is not there": (["run", "flows/shop.py:plain", "--cuont", "1"], 2),
    "a value that does not fit": (["run", "flows/shop.py:plain", "--count", "--1"], 2),
    "an option that is not there": (["run", "--warkers", "flows/shop.py"], 2),
    "a file that is not there, for another command": (["register", "--image", "x/y:1", "flows/shopp.py"], 2),
    "a definition that is wrong": (["run", "flows/wrong.py"], 1),
    "a task that fails": (["run", "-q", "flows/shop.py:failing", "--x", "4"], 1),
}


@pytest.mark.parametrize("case", EXIT_CODES)
def test_every_kind_of_mistake_has_its_exit_code(case: str, run: Alula) -> None:
    words, expected = EXIT_CODES[case]
    done = run(*words)
    assert done.code == expected
    assert "Traceback" not in done.err or expected == 1


def test_without_a_pyproject_the_hint_says_where_one_belongs(run: Alula, tmp_path: Path) -> None:
    flows = tmp_path / "bare" / "jobs"
    flows.mkdir(parents=True)
    (flows / "shared.py").write_text("A = 1\n")
    (flows / "main.py").write_text("from jobs.shared import A\n")
    done = run("run", str(flows / "main.py"))
    assert done.code == 1
    root = flows.resolve()
    assert (
        f"hint: there is no pyproject.toml at or above {root}, so {root} is taken for the project's root; " in done.err
    )
    assert f"put one into {root.parent}, which has jobs" in done.err
