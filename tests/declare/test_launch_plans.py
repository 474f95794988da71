"""Launch plans and their schedules: what is taken, and everything that is told about what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula import After, Cron, Event, File, LaunchPlan, Notify, Release, Retention, errors, task, workflow
from alula.declare import schedules
from alula.emit import resources
from alula_api.contract.graphs import specs
from tests import goldens


@task
def train(seed: int, rate: float, name: str) -> float:
    return seed * rate


@workflow
def fit(seed: int, rate: float = 0.5, name: str = "x") -> float:
    return train(seed, rate, name)


@workflow
def other(seed: int = 1) -> float:
    return train(seed, 1.0, "x")


@task
def read(table: File | None, title: str) -> str:
    return title


@workflow
def show(table: File | None, title: str) -> str:
    return read(table, title)


def test_inputs_are_json_of_the_workflows_types() -> None:
    plan = LaunchPlan("nightly", fit, inputs={"rate": 1}, fixed_inputs={"seed": 7}, schedule=Cron("0 2 * * *"))
    assert plan.inputs == {"rate": 1.0}
    assert plan.fixed_inputs == {"seed": 7}
    assert plan.source.file == "tests/declare/test_launch_plans.py"
    assert repr(plan).startswith("<launch plan nightly at tests/declare/test_launch_plans.py:")


WRONG: dict[str, Any] = {
    "a name": lambda: LaunchPlan("Nightly Run", fit),
    "a name that templates have": lambda: LaunchPlan("lp-nightly", fit),
    "no workflow": lambda: LaunchPlan("nightly", train),  # type: ignore[arg-type]
    "unknown inputs": lambda: LaunchPlan("nightly", fit, inputs={"sed": 1}, fixed_inputs={"other": 2}),
    "values of other types": lambda: LaunchPlan("nightly", fit, inputs={"seed": "7"}, fixed_inputs={"name": None}),
    "default and fixed": lambda: LaunchPlan("nightly", fit, inputs={"seed": 1}, fixed_inputs={"seed": 1}),
    "a schedule without inputs": lambda: LaunchPlan("nightly", fit, schedule=Cron("@daily")),
    "a schedule that is text": lambda: LaunchPlan("nightly", fit, fixed_inputs={"seed": 1}, schedule="@daily"),  # type: ignore[arg-type]
    "suspend": lambda: LaunchPlan("nightly", fit, suspend="yes"),  # type: ignore[arg-type]
    "the queue": lambda: LaunchPlan(
        "nightly", fit, fixed_inputs={"seed": 1}, concurrency=0, priority=101, weight=True, queue_timeout="soon"
    ),
    "retention": lambda: LaunchPlan("nightly", fit, retention=Retention(succeeded="soon", failed=0.5)),
    "retention that is text": lambda: LaunchPlan("nightly", fit, retention="1d"),  # type: ignore[arg-type]
    "a policy": lambda: LaunchPlan("nightly", fit, beyond="replace"),
    "a trigger of its own": lambda: LaunchPlan("nightly", fit, inputs={"seed": 1}, trigger=After(fit)),
    "a trigger that is text": lambda: LaunchPlan("nightly", fit, inputs={"seed": 1}, trigger="fit"),  # type: ignore[arg-type]
    "an event that nothing can send": lambda: LaunchPlan(
        "nightly",
        fit,
        fixed_inputs={"seed": 1},
        trigger=Event(
            "Orders!",
            inputs={"seed": "a[0]", "sed": "a"},
            where={"k": [], "kk": [2**53, ["x"]], "": "x"},  # type: ignore[dict-item]
            delivery="a",
            delivery_header="X-Id",
        ),
    ),
    "an event without inputs": lambda: LaunchPlan("nightly", fit, trigger=Event()),
    "a trigger without inputs": lambda: LaunchPlan("nightly", fit, trigger=Release()),
    "what a trigger waits for": lambda: LaunchPlan(
        "nightly",
        fit,
        inputs={"seed": 1},
        trigger=After(train, when="soon", inputs={"sed": "o0"}),  # type: ignore[arg-type]
    ),
    "outputs of a failed run": lambda: LaunchPlan(
        "nightly", fit, fixed_inputs={"seed": 1}, trigger=After(other, when="failed", inputs={"seed": "o0"})
    ),
    "a domain without a name": lambda: LaunchPlan("nightly", other, trigger=After(other, domain="Staging Area")),
    "a file of another domain": lambda: LaunchPlan(
        "nightly", show, trigger=After(other, inputs={"table": "o0", "title": "o0"}, domain="staging")
    ),
    "notifications that are text": lambda: LaunchPlan("nightly", other, notifications="team"),  # type: ignore[arg-type]
    "notifications": lambda: LaunchPlan(
        "nightly",
        other,
        notifications=[
            Notify("Team", when="fialed"),
            Notify("pager", when=("late", "late")),
            Notify("room", queued_for="soon"),
            Notify("room", when="queued", queued_for=0.5),
        ],
    ),
    "several at once": lambda: LaunchPlan(
        "Nightly", fit, inputs={"sed": 1, "rate": "x"}, schedule=Cron("0 25 * * *", timezone="Europe/Berlim")
    ),
}


def test_every_wrong_launch_plan_is_told() -> None:
    told = []
    for title, make in WRONG.items():
        with pytest.raises(errors.DefinitionError) as caught:
            make()
        text = "\n".join(
            line if ": error " not in line else "error " + line.partition(": error ")[2]
            for line in str(caught.value).splitlines()
        )
        told.append(f"# {title}\n{text}")
    goldens.check(Path(__file__).parent / "launch_plans.txt", "\n\n".join(told) + "\n")


def test_a_plan_may_wait_for_its_own_workflow_in_another_domain() -> None:
    plan = LaunchPlan("publish", fit, trigger=After(fit, inputs={"seed": "o0"}, domain="staging"))
    passed = (specs.TriggerInput("seed", "o0"),)
    assert resources.plan_spec(plan).trigger == specs.Trigger(
        workflow="test-launch-plans-fit", domain="staging", inputs=passed
    )


@pytest.mark.parametrize(
    "line",
    [
        "0 2 * * *", "*/15 * * * *", "0 0 1 1 *", "0 9-17 * * mon-fri", "0 0 1,15 * *", "5/10 * ? * *", "@daily",
        "@hourly", "0 0 29 2 *", "0 0 31 * *", "0 0 30 2 1", "1-59/2 0 * JAN-dec SUN,6",
    ],
)  # fmt: skip
def test_a_cron_line_that_argo_takes_is_taken(line: str) -> None:
    assert schedules.problems(Cron(line), "", "") == []


REFUSED = [
    "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * 0 *",
    "* * * * 7", "* * * * 1-7", "5-1 * * * *", "*/0 * * * *", "a * * * *", "* * * foo *", "1- * * * *", "1,,2 * * * *",
    "0 0 31 2 *", "0 0 31 4,6 *", "@dayly", "@every 1h", "TZ=UTC 0 0 * * *", " 0 2 * * *", "-1 * * * *", "1.5 * * * *",
    "0 0 L * *", "٣ * * * *",
]  # fmt: skip


def test_every_cron_line_that_argo_refuses_or_never_fires_is_refused() -> None:
    told = []
    for line in REFUSED:
        problems = schedules.problems(Cron(line), "", "")
        assert problems, line
        told += [problem.render() for problem in problems]
    goldens.check(Path(__file__).parent / "schedules.txt", "\n".join(told) + "\n")


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("Europe/Berlim", "Europe/Berlin"),
        ("Q", "IANA"),
        ("../etc/passwd", "IANA"),
        ("", "IANA"),
        (3, "IANA"),
        ("Local", ""),
        ("Mars/Phobos", "IANA"),
        ("europe/berlin", "Europe/Berlin"),
    ],
)
def test_a_time_zone_must_exist(zone: Any, hint: str) -> None:
    (problem,) = schedules.problems(Cron("@daily", timezone=zone), "", "")
    assert str(problem.code) == "BAD_SCHEDULE"
    assert hint in problem.hint


def test_several_lines_are_taken_and_doubles_are_not() -> None:
    assert schedules.problems(Cron("0 2 * * *", "0 14 * * *", timezone="Europe/Berlin"), "", "") == []
    assert "twice" in schedules.problems(Cron("@daily", "@daily"), "", "")[0].message
    assert "1 to 20" in schedules.problems(Cron(), "", "")[0].message


@given(st.text(max_size=30))
def test_any_text_is_judged_without_a_crash(line: str) -> None:
    assert isinstance(schedules.problems(Cron(line), "", ""), list)


number = st.integers(0, 59)


@given(number, number, st.integers(1, 59))
def test_ranges_with_steps_are_judged_by_their_ends(low: int, high: int, step: int) -> None:
    assert (schedules.problems(Cron(f"{low}-{high}/{step} * * * *"), "", "") == []) is (low <= high)


def test_a_fixed_input_cannot_be_given_in_a_call() -> None:
    plan = LaunchPlan("nightly", fit, fixed_inputs={"seed": 7})
    with pytest.raises(errors.ValueMismatch, match="FIXED_INPUT: the launch plan fixes the input 'seed'"):
        plan(seed=8)
