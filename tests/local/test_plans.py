"""Graphs laid open as steps."""

from __future__ import annotations

from alula.local import plans
from alula.local.plans import Given, Listed, OfInput, OfStep
from tests.local import flows


def named(plan: plans.Plan) -> list[str]:
    return [step.id if step.task is not None else f"({step.id})" for step in plan.steps]


def test_a_chain_is_its_nodes_in_order() -> None:
    plan = plans.flatten(flows.chain.graph)
    assert named(plan) == ["inc", "inc-2", "inc-3"]
    assert [step.depends for step in plan.steps] == [(), (0,), (1,)]
    assert plan.steps[0].inputs == (("x", OfInput("x")),)
    assert plan.steps[2].inputs == (("x", OfStep(1, "o0")),)
    assert plan.outputs == (("o0", OfStep(2, "o0")),)


def test_a_sub_workflow_is_laid_open_between_two_virtual_steps() -> None:
    plan = plans.flatten(flows.outer.graph)
    first, second = "flows-sub", "flows-sub-2"
    assert named(plan) == [
        f"({first})", f"{first}.inc", f"{first}.add", f"({first})",
        f"({second})", f"{second}.inc", f"{second}.add", f"({second})",
        "inc",
    ]  # fmt: skip
    begin = plan.steps[4]
    assert begin.depends == (3,)  # all of the first call, because it uses its output
    assert all(4 in step.depends for step in plan.steps[5:7])
    assert plan.steps[5].inputs == (("x", OfStep(2, "o0")),)
    assert plan.steps[8].depends == (7,)
    assert plan.steps[8].inputs == (("x", OfStep(6, "o0")),)


def test_an_omitted_input_is_the_default_of_what_is_called() -> None:
    plan = plans.flatten(flows.outer.graph)
    assert plan.steps[2].inputs == (("a", OfStep(1, "o0")), ("b", Given(10)))
    assert plan.steps[6].inputs == (("a", OfStep(5, "o0")), ("b", Given(1)))


def test_parts_and_lists_are_followed() -> None:
    plan = plans.flatten(flows.parts.graph)
    split, point, total = plan.steps
    assert point.inputs == (("x", OfStep(split.number, "large")),)
    assert total.inputs == (("items", Listed((OfStep(split.number, "small"), OfInput("x"), Given(5)))),)
    assert plan.outputs[:2] == (
        ("o0", OfStep(point.number, "o0", ("x",))),
        ("o1", OfStep(point.number, "o0", ("y",))),
    )


def test_an_order_without_data_is_a_dependency() -> None:
    plan = plans.flatten(flows.ordered.graph)
    by_id = {step.id: step for step in plan.steps}
    assert by_id["inc"].depends == (by_id["nothing"].number,)


def test_the_part_of_an_origin_is_followed_into_constants_and_lists() -> None:
    assert plans.part(Given({"a": [1, 2]}), ("a", "1")) == Given(2)
    assert plans.part(Listed((OfInput("x"), OfStep(3, "o0"))), ("1", "name")) == OfStep(3, "o0", ("name",))
    assert plans.part(OfInput("x", ("a",)), ("b",)) == OfInput("x", ("a", "b"))


def test_a_task_alone_is_a_plan_of_one_step() -> None:
    plan = plans.single(flows.split)
    assert named(plan) == ["split"]
    assert plan.outputs == (("small", OfStep(0, "small")), ("large", OfStep(0, "large")))
