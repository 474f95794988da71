"""What counts as defined in a file or folder, and what is refused before anything is emitted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alula import errors
from alula.emit import discovery
from alula_api.contract import codes, diagnostics
from tests import projects
from tests.emit.test_releases import SOURCE, module


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A project whose modules are forgotten after the test."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text("[tool.alula]\nproject = 'greet'\nimage = 'greet:1'\n")
    with projects.forgotten(root):
        yield root


def names(*paths: Path) -> list[str]:
    found = discovery.discover(paths)
    return [each.name for each in (*found.workflows, *found.launch_plans)]


def refused(*paths: Path) -> list[diagnostics.Diagnostic]:
    with pytest.raises(errors.UserError) as raised:
        discovery.discover(paths)
    return list(raised.value.diagnostics)


IMPORTING = """
from alula import LaunchPlan, workflow
from disc_defining import hello, daily

@workflow
def twice(text: str) -> str:
    return hello(hello(text))
"""


def test_a_file_that_imports_a_workflow_does_not_define_it(project: Path) -> None:
    module(project, "disc_defining", SOURCE)
    importing = module(project, "disc_importing", IMPORTING)
    assert names(importing) == ["disc-importing-twice"]
    assert names(importing, project / "disc_defining.py") == ["disc-defining-hello", "disc-importing-twice", "daily"]


def test_the_workflow_of_a_launch_plan_comes_with_it(project: Path) -> None:
    module(project, "disc_defining", SOURCE)
    plan = "from alula import LaunchPlan\nfrom disc_defining import hello\n\nweekly = LaunchPlan('weekly', hello)\n"
    assert names(module(project, "disc_planning", plan)) == ["disc-defining-hello", "weekly"]


def test_a_file_that_imports_all_that_it_has_is_told_where_that_is_defined(project: Path) -> None:
    module(project, "disc_defining", SOURCE)
    (problem,) = refused(module(project, "disc_all", "from disc_defining import hello, daily\n"))
    assert problem.code == codes.Code.NOT_FOUND
    assert "disc-defining-hello (disc_defining.py)" in problem.hint


def test_what_a_function_of_another_module_makes_is_defined_where_it_is_made(project: Path) -> None:
    module(
        project,
        "disc_factory",
        "from alula import task, workflow\n\n@task\ndef same(x: int) -> int:\n    return x\n\n"
        "def make(name: str):\n    @workflow(name=name)\n    def made(x: int) -> int:\n        return same(x)\n\n"
        "    return made\n",
    )
    assert names(module(project, "disc_made", "from disc_factory import make\n\nflow = make('made-here')\n")) == [
        "made-here"
    ]


def test_two_names_for_one_workflow_are_one(project: Path) -> None:
    assert names(module(project, "disc_alias", SOURCE + "\nother = hello\n")) == ["disc-alias-hello", "daily"]


def test_a_folder_is_all_its_files_but_tests_and_what_is_no_project_code(project: Path) -> None:
    flows = project / "flows"
    for name in ("a", "deep/b", "test_a", "conftest", "setup", ".hidden/c", "venv/lib/d", "__pycache__/e"):
        file = flows / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(SOURCE.replace('"daily"', f'"daily-{file.stem.strip("_")}"'))
    (flows / "venv" / "pyvenv.cfg").write_text("")
    (flows / "broken.py").write_text("raise RuntimeError('imported, although it defines nothing')\n")
    assert names(flows) == ["a-hello", "b-hello", "daily-a", "daily-b"]


def test_a_file_that_is_named_twice_counts_once(project: Path) -> None:
    file = module(project, "disc_twice", SOURCE)
    assert names(file, project, file) == ["disc-twice-hello", "daily"]


def test_a_test_that_is_named_itself_is_taken(project: Path) -> None:
    assert names(module(project, "test_disc_named", SOURCE)) == ["test-disc-named-hello", "daily"]


def test_all_files_that_cannot_be_imported_are_told_at_once(project: Path) -> None:
    one = module(project, "disc_broken_a", "from alula import workflow\nimport no_such_package\n")
    two = module(project, "disc_broken_b", "def workflow(:\n")
    with pytest.raises(errors.LoadError) as raised:
        discovery.discover([one, two, project / "disc_gone.py"])
    assert len(raised.value.diagnostics) == 3
    text = str(raised.value)
    assert "no_such_package" in text and "disc_broken_b.py" in text and "disc_gone.py" in text


def test_two_workflows_of_one_name_are_an_error_with_both_places(project: Path) -> None:
    named = SOURCE.replace("@workflow", "@workflow(name='same')")
    one, two = module(project, "clash_a", named), module(project, "clash_b", named.partition("daily =")[0])
    (problem,) = refused(one, two)
    assert problem.code == codes.Code.DUPLICATE_NAME
    assert "clash_b.py" in problem.source and "clash_a.py" in problem.expected


def test_two_launch_plans_of_one_name_are_an_error_with_both_places(project: Path) -> None:
    (problem,) = refused(module(project, "plan_a", SOURCE), module(project, "plan_b", SOURCE))
    assert "two launch plans are named 'daily'" in problem.message
    assert problem.source == "plan_b.py:12" and "plan_a.py:12" in problem.expected


def test_two_tasks_of_one_cache_identity_are_an_error_with_both_places(project: Path) -> None:
    named = SOURCE.partition("daily =")[0].replace("@task", "@task(name='shout')")
    (problem,) = refused(module(project, "task_a", named), module(project, "task_b", named))
    assert "two tasks are named 'shout'" in problem.message
    assert problem.source == "task_b.py:4"


def test_everything_that_is_wrong_in_all_files_is_told_at_once(project: Path) -> None:
    wrong = SOURCE.partition("daily =")[0].replace("return shout(text)", "return shout(7)")
    problems = refused(module(project, "wrong_a", wrong), module(project, "wrong_b", wrong))
    assert sorted(problem.source for problem in problems) == ["wrong_a.py:10", "wrong_b.py:10"]


def test_a_file_without_a_workflow_is_told(project: Path) -> None:
    (problem,) = refused(module(project, "empty_file", "x = 1\n"))
    assert problem.code == codes.Code.NOT_FOUND
    assert problem.hint == "decorate a function with @workflow"


def test_an_empty_folder_is_told(project: Path) -> None:
    assert "no workflow is defined in these folders" in refused(project)[0].message


INSIDE = """
from alula import task, workflow

def make():
    @task
    def inner(x: int) -> int:
        return x
    return inner

{bound}

@workflow
def outer(x: int) -> int:
    return {called}(x)
"""


def test_a_task_that_a_pod_could_not_find_is_refused_with_its_place(project: Path) -> None:
    (problem,) = refused(module(project, "local_task", bound(INSIDE, "held = [make()]", "held[0]")))
    assert problem.code == codes.Code.BAD_SOURCE
    assert problem.source == "local_task.py:5"
    assert "a pod cannot find this task: it is defined inside make()" in problem.message


HIDDEN = """
from alula import task, workflow

@task
def load(x: int) -> int:
    return x

{bound}

@task
def load(x: int) -> int:
    return -x

@workflow
def outer(x: int) -> int:
    return {called}(x)
"""


def bound(source: str, statement: str, called: str) -> str:
    return source.replace("{bound}", statement).replace("{called}", called)


def test_a_task_whose_name_leads_to_another_is_refused_with_both_places(project: Path) -> None:
    (problem,) = refused(module(project, "hidden_task", bound(HIDDEN, "held = [load]", "held[0]")))
    assert problem.code == codes.Code.BAD_SOURCE
    assert problem.source == "hidden_task.py:4"
    assert "hidden_task:load is another one now, made at hidden_task.py:10" in problem.message


@pytest.mark.parametrize("source", [INSIDE, HIDDEN], ids=["made inside a function", "hidden by another"])
def test_a_task_that_a_name_of_its_module_holds_is_found_by_that_name(project: Path, source: str) -> None:
    made = "make()" if source == INSIDE else "load"
    found = discovery.discover([module(project, "held_task", bound(source, f"first = {made}", "first"))])
    (one,) = [task for each in found.workflows for task in each.closure.tasks]
    assert (one.entrypoint, one.key, one.obstacle) == ("held_task:first", "held_task:first", "")


def test_a_task_made_of_a_function_of_another_name_is_found(project: Path) -> None:
    source = SOURCE.replace("@task\ndef shout", "def _shout").replace("@workflow", "shout = task(_shout)\n\n@workflow")
    assert names(module(project, "made_task", source)) == ["made-task-hello", "daily"]


FACTORY = """
from alula import LaunchPlan, task, workflow

@task
def fit(n: int, city: str) -> int:
    return n + len(city)

def made(city: str):
    @workflow(name=f"train-{city}")
    def train(n: int = 1) -> int:
        return fit(n, city)
    return train

oslo = made("oslo")
CITIES = {city: made(city) for city in ("bern", "rome")}
AGAIN = [oslo, made("lima")]
PLANS = (LaunchPlan("nightly", CITIES["rome"], inputs={"n": 2}),)
"""


def test_what_a_function_makes_counts_under_a_name_and_in_lists_tuples_and_dicts(project: Path) -> None:
    made = module(project, "disc_factory", FACTORY)
    assert names(made) == ["train-bern", "train-lima", "train-oslo", "train-rome", "nightly"]


def test_a_file_that_imports_a_list_of_workflows_does_not_define_them(project: Path) -> None:
    made = module(project, "disc_factory", FACTORY)
    other = module(project, "disc_lists", "from disc_factory import AGAIN, PLANS\n" + SOURCE)
    assert names(other) == ["disc-lists-hello", "daily"]
    assert names(other, made)[:2] == ["disc-lists-hello", "train-bern"]
