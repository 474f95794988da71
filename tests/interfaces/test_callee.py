"""Everything that can be called has a kind; an unknown kind is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import alula
from alula import errors, task, workflow
from alula.graph.tracer import active
from alula.interfaces import callee
from alula.interfaces.callee import Callee
from alula.local import plan
from alula_api.contract.codes import Code


class Approval(Callee):
    """A kind of callee to come: it does all that a trace asks of it."""

    kind = "approval"

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function, None)
        self.name = "approve"
        self.subject = "approval approve"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        import sys

        tracer = active.get()
        assert tracer is not None
        return tracer.call(self, args, kwargs, sys._getframe(1))


@Approval
def approve(n: int) -> int:
    return n


@task
def inc(n: int) -> int:
    return n + 1


@workflow
def waits(n: int) -> int:
    return inc(approve(n))


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(errors.DefinitionError) as caught:
        call()
    (problem,) = caught.value.diagnostics
    assert problem.code is Code.NOT_A_TASK
    assert problem.subject == "approval approve"
    assert problem.source.startswith("tests/interfaces/test_callee.py:")
    return problem.message


def test_a_trace_refuses_an_unknown_kind_by_name() -> None:
    assert refusal(lambda: waits.graph) == "a callee of the kind 'approval' cannot be called in a graph"


def test_a_local_run_refuses_an_unknown_kind_by_name() -> None:
    with pytest.raises(errors.UserError, match="a workflow, a launch plan or a task, not"):
        alula.run(approve, n=1)


def test_a_plan_of_a_local_run_refuses_an_unknown_kind_by_name() -> None:
    assert refusal(lambda: plan.of(approve)) == "a callee of the kind 'approval' cannot be run here"


@workflow
def passes_itself() -> int:
    return inc(approve)  # type: ignore[arg-type]


def test_a_callee_of_any_kind_that_is_passed_instead_of_its_result_is_told_so() -> None:
    with pytest.raises(errors.DefinitionError, match="the approval approve itself stands where its result is needed"):
        _ = passes_itself.graph


def test_a_callee_of_any_kind_is_found_by_its_entrypoint() -> None:
    assert callee.find("tests.interfaces.test_callee:approve") is approve
