"""`@workflow`: names, options, and what a call outside a trace does."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from alula import Workflow, errors, task, workflow


@task
def inc(n: int) -> int:
    return n + 1


@workflow
def twice(n: int = 1) -> int:
    """Add two."""
    return inc(inc(n))


@workflow(name="my-flow")
def other(n: int) -> int:
    return twice(n)


def test_a_workflow_is_called_after_module_and_function() -> None:
    assert isinstance(twice, Workflow)
    assert twice.name == "test-workflows-twice"
    assert twice.entrypoint == "tests.declare.test_workflows:twice"
    assert twice.interface.description == "Add two."
    assert other.name == "my-flow"
    assert repr(other).startswith("<workflow my-flow at tests/declare/test_workflows.py:")


@pytest.mark.parametrize("name", ["My Flow", "my_flow", "lp-flow", "a" * 50, "", "-a", "a.b", 3])
def test_a_name_must_be_one_that_a_resource_can_have(name: Any) -> None:
    with pytest.raises(errors.DefinitionError) as caught:
        workflow(name=name)(lambda: None)
    assert str(caught.value.diagnostics[0].code) == "BAD_NAME"


def test_the_name_that_was_likely_meant_is_shown() -> None:
    with pytest.raises(errors.DefinitionError, match="write name='my-flow'"):
        workflow(name="my_flow")(lambda: None)


def test_an_option_that_does_not_exist_is_told_with_its_place() -> None:
    with pytest.raises(errors.DefinitionError, match=r"test_workflows\.py:\d+: error BAD_OPTION: .* no option 'cache'"):
        workflow(cache=True)  # type: ignore[call-overload]


def test_a_workflow_must_stand_on_a_function() -> None:
    with pytest.raises(errors.DefinitionError, match="must stand on a function"):
        workflow(inc)
    with pytest.raises(errors.DefinitionError, match="must stand on a function"):
        workflow(twice)


def test_a_wrong_call_says_what_is_wrong() -> None:
    with pytest.raises(errors.ValueMismatch, match="there is no input 'm'"):
        twice(m=3)  # type: ignore[call-arg]


def test_a_plain_call_runs_the_tasks_here() -> None:
    assert twice() == 3
    assert twice(5) == 7
    assert other(n=0) == 2


def test_an_async_workflow_is_refused_and_its_coroutine_closed() -> None:
    begun = []

    async def eager(n: int) -> int:
        begun.append(n)
        return n

    with pytest.raises(errors.DefinitionError, match="a workflow is traced before anything runs"):
        _ = workflow(eager).graph
    gc.collect()  # a coroutine that was not awaited would warn now
    assert begun == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"failure_policy": "drein"}, "failure_policy cannot be 'drein'"),
        ({"failure_policy": None}, "failure_policy cannot be None"),
        ({"on_failure": print}, "on_failure cannot be the function print"),
        ({"on_exit": "tidy"}, "on_exit cannot be 'tidy'"),
        ({"deadline": "soon"}, "deadline cannot be 'soon'"),
        ({"deadline": 0.5}, "deadline cannot be 0.5"),
        ({"deadline": "9000d"}, "deadline cannot be '9000d'"),
    ],
)
def test_what_becomes_of_a_run_is_one_of_the_options_and_a_handler_a_task(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(errors.DefinitionError) as caught:
        workflow(**options)(lambda: None)
    assert message in str(caught.value)
    if "drein" in message:
        assert "did you mean 'drain'?" in str(caught.value)
