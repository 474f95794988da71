"""A malformed resource is told with the field's path, the name of what it belongs to, and the nearest fix."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api import kinds
from alula_api.contract import names
from alula_api.contract.codes import Code
from alula_api.kinds import workflows

from . import samples


def workflow(**changes: Any) -> dict[str, Any]:
    """The sample with values set at places such as `spec.tasks.0.retries`."""
    obj = copy.deepcopy(samples.WORKFLOW)
    for place, value in changes.items():
        *path, last = [int(step) if step.isdigit() else step for step in place.split("__")]
        owner = samples.at(obj, tuple(path))
        owner[last] = value
    return obj


def told(obj: Any, kind: type[kinds.Resource] = kinds.Workflow) -> list[str]:
    model, problems = kinds.read(kind, obj)
    assert (model is None) == bool(problems)
    return [problem.message for problem in problems]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spec__tasks__0__retries__limit": "3"}, "spec.tasks[0].retries.limit: must be an integer, not a string '3'"),
        (
            {"spec__tasks__0__retries__limit": True},
            "spec.tasks[0].retries.limit: must be an integer, not a boolean true",
        ),
        ({"spec__tasks__0__retries__limit": 101}, "spec.tasks[0].retries.limit: must be at most 100, not 101"),
        (
            {"spec__tasks__0__retries__backoff__factor": 0},
            "spec.tasks[0].retries.backoff.factor: must be at least 1, not 0",
        ),
        ({"spec__version": None}, "spec.version: must be given"),
        ({"spec__version": ""}, "spec.version: must not be empty"),
        ({"spec__code": []}, "spec.code: must be an object, not a list"),
        ({"spec__tasks": {}}, "spec.tasks: must be a list, not an object"),
        ({"spec__tasks__0": "x"}, "spec.tasks[0]: must be an object, not a string 'x'"),
        ({"spec__code__bundle__digest": "ab"}, "spec.code.bundle.digest: must have at least 64 characters, not 2"),
        ({"spec__tasks__0__key": "x" * 2000}, "spec.tasks[0].key: must have at most 512 characters, not 2,000"),
        (
            {"spec__tasks__0__timeout": "10 minutes"},
            "spec.tasks[0].timeout: must be a duration such as 90s, 10m or 1h30m, not '10 minutes'",
        ),
        (
            {"spec__tasks__0__resources__limits__memory": "4GB"},
            "spec.tasks[0].resources.limits.memory: must be a quantity such as 500m, 2 or 4Gi, not '4GB'",
        ),
        (
            {"spec__tasks__0__name": "Load_It"},
            "spec.tasks[0].name: must be lower-case letters, digits and dashes, with a letter or digit at both ends, "
            "not 'Load_It'",
        ),
        ({"spec__tasks__1__name": "load"}, "spec.tasks: must have each name once, but has 'load' more than once"),
        (
            {"spec__graphs__0__nodes__1__after": ["load", "load"]},
            "spec.graphs[0].nodes[1].after: must have each item once, but has 'load' more than once",
        ),
        (
            {"spec__graphs__0__nodes__0__graph": "sub"},
            "spec.graphs[0].nodes[0]: must have exactly one of `task`, `graph`, `map`, `branch`, `repeat`",
        ),
        (
            {"spec__graphs__0__nodes__1__inputs__df": {"value": "1", "input": "seed"}},
            "spec.graphs[0].nodes[1].inputs.df: must have exactly one of `value`, `input`, `node`, `items`, "
            "`firstOf`, not `value` and `input`",
        ),
        (
            {"spec__graphs__0__nodes__1__inputs__a b": {}},
            "spec.graphs[0].nodes[1].inputs['a b']: must have exactly one of `value`, `input`, `node`, "
            "`items`, `firstOf`, not none",
        ),
        (
            {"spec__graphs__0__nodes__1__inputs__df": {"node": "load"}},
            "spec.graphs[0].nodes[1].inputs.df: must have `node` and `output` together",
        ),
        (
            {"spec__graphs__0__nodes__1__inputs__df": {"value": "1", "path": ["a"]}},
            "spec.graphs[0].nodes[1].inputs.df: must have `path` beside `input` or `node` only",
        ),
        (
            {"metadata__name": "lp-train"},
            "metadata.name: must not start with lp-, because the templates of launch plans do",
        ),
        (
            {"metadata__name": "a.b"},
            "metadata.name: must have at most 49 characters and no dot, because other names are made from it",
        ),
        (
            {"spec__inputs__1__default": '"\x85"'},
            "spec.inputs[1].default: must be text without the control characters U+007F to U+009F, which kustomize "
            "changes (in JSON: \\\\u007f), not '\"\\x85\"'",
        ),
        (
            {"spec__inputs__1__type": 'Literal["\x85"]'},
            "spec.inputs[1].type: must be text without the control characters U+007F to U+009F, which kustomize "
            "changes (in JSON: \\\\u007f), not 'Literal[\"\\x85\"]'",
        ),
        ({"metadata": None}, "metadata: must be given"),
        ({"apiVersion": "alula.dev/v1"}, "apiVersion: must be alula.dev/v1alpha1, not 'alula.dev/v1'"),
        ({"kind": "Workflw"}, "kind: must be Workflow, not 'Workflw'"),
        (
            {"spec__tasks__0__outputs__0__type": "list[strng]"},
            "spec.tasks[0].outputs[0].type: has strng at character 6, which is no type here; did you mean str?",
        ),
        (
            {"spec__tasks__0__outputs__0__type": "Forst"},
            "spec.tasks[0].outputs[0].type: has Forst at character 1, which is no type here; did you mean Forest?",
        ),
        (
            {"spec__tasks__0__outputs__0__type": {"type": "string"}},
            "spec.tasks[0].outputs[0].type: must be a string, not an object",
        ),
        (
            {"spec__types__0__fields__0__type": "Foresst"},
            "spec.types[0].fields[0].type: has Foresst at character 1, which is no type here; did you mean Forest?",
        ),
        (
            {"spec__types__0__fields__0__default": '"many"'},
            'spec.types[0].fields[0].default: must be an int, not "many"',
        ),
        (
            {"spec__types__2__kind": "Record"},
            "spec.types[2]: must have `values` where its kind is Enum, and `fields` otherwise",
        ),
        ({"spec__types__0__name": "Color"}, "spec.types: must have each name once, but has 'Color' more than once"),
    ],
)
def test_a_problem_is_told_by_path_and_with_what_is_expected(changes: dict[str, Any], message: str) -> None:
    found = told(workflow(**changes))
    assert len(found) == 1
    assert found[0] == message or (message.endswith(": ") and found[0].startswith(message))


@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        ({"spec__tasks__0__retrys": 3}, "spec.tasks[0].retrys: unknown field", "did you mean retries?"),
        ({"spec__task": []}, "spec.task: unknown field", "did you mean tasks?"),
        ({"spec__code__qqq": 3}, "spec.code.qqq: unknown field", "known fields: image, runtime, bundle"),
        ({"spec__outputs__0__from__nod": "x"}, "spec.outputs[0].from.nod: unknown field", "did you mean node?"),
        (
            {"spec__graphs__0__nodes__1__inputs__seeds__items__0__inputs": "x"},
            "spec.graphs[0].nodes[1].inputs.seeds.items[0].inputs: unknown field",
            "did you mean input?",
        ),
        ({"spc": {}}, "spc: unknown field", "did you mean spec?"),
    ],
)
def test_an_unknown_field_is_told_with_the_nearest_known_one(changes: dict[str, Any], message: str, hint: str) -> None:
    _, problems = kinds.read(kinds.Workflow, workflow(**changes))
    assert [(problem.message, problem.hint) for problem in problems] == [(message, hint)]


def test_a_python_name_is_no_alias_in_a_resource() -> None:
    plan = copy.deepcopy(samples.LAUNCH_PLAN)
    plan["spec"]["fixed_inputs"] = plan["spec"].pop("fixedInputs")
    _, problems = kinds.read(kinds.LaunchPlan, plan)
    assert [(p.message, p.hint) for p in problems] == [
        ("spec.fixed_inputs: unknown field", "did you mean fixedInputs?")
    ]


def test_a_problem_names_the_source_and_whose_field_it_is() -> None:
    _, problems = kinds.read(kinds.Workflow, workflow(spec__graphs__0__nodes__1__after="x"))
    assert [p.render() for p in problems] == [
        "flows/penguins.py: error BAD_RESOURCE: spec.graphs[0].nodes[1].after: must be a list, not a string 'x'\n"
        "  in Workflow penguins-train, graph main, node train"
    ]


def test_several_problems_are_told_at_once() -> None:
    assert told(workflow(spec__version=1, spec__tasks__0__env="x", spec__graphs__1__name=None)) == [
        "spec.version: must be a string, not an integer 1",
        "spec.tasks[0].env: must be a list, not a string 'x'",
        "spec.graphs[1].name: must be given",
    ]


def test_at_most_twenty_problems_are_told_and_the_rest_is_counted() -> None:
    found = told(workflow(spec__tasks=[{"name": i} for i in range(500)]))
    assert len(found) == 20
    assert found[-1] == "and 981 more problems"


@pytest.mark.parametrize("obj", [None, 3, "x", [], b"", object()])
def test_what_is_no_object_is_told_as_such(obj: Any) -> None:
    assert told(obj)[0].startswith("a Workflow must be an object, not ")


def test_a_secret_in_a_malformed_value_is_not_shown_in_full() -> None:
    (message,) = told(workflow(spec__tasks__0__cache="s3cr3t" * 50))
    assert len(message) < 150


def test_nulls_count_as_absent_as_they_do_for_the_api_server() -> None:
    obj = workflow(spec__tasks__0__cache=None, spec__graphs__0__nodes__1__inputs__extra=None, metadata__labels=None)
    model, problems = kinds.read(kinds.Workflow, obj)
    assert problems == []
    assert model is not None
    assert model.spec.tasks[0].cache is None
    assert "extra" not in model.spec.graphs[0].nodes[1].inputs


def test_metadata_that_the_api_server_adds_is_kept_and_unknown_status_is_ignored() -> None:
    obj = workflow(
        metadata__managedFields=[{"manager": "x"}], status={"conditions": [], "newer": {"a": 1}, "version": "v"}
    )
    model, problems = kinds.read(kinds.Workflow, obj)
    assert problems == []
    assert model is not None and model.status is not None
    assert model.status.version == "v"
    assert model.to_dict()["metadata"] == obj["metadata"]


def test_a_deeply_nested_type_is_refused_instead_of_exhausting_the_stack() -> None:
    deep: Any = {"type": "integer"}
    for _ in range(3000):
        deep = {"type": "array", "items": deep}
    assert told(workflow(spec__inputs__0__type=deep)) == ["spec.inputs[0].type: must be a string, not an object"]
    assert "must have at most 1,024 characters" in told(workflow(spec__inputs__0__type="list[" * 3000))[0]
    assert "is nested deeper than 32 levels" in told(workflow(spec__inputs__0__type="list[" * 100))[0]


def test_a_constant_that_is_too_large_is_told_with_what_to_do() -> None:
    found = workflow(spec__graphs__0__nodes__1__inputs__df={"value": f'"{"x" * 65_536}"'})
    (problem,) = kinds.read(kinds.Workflow, found)[1]
    assert problem.code == "TOO_LARGE"
    assert problem.message.endswith(".inputs.df.value: must have at most 65,536 characters, not 65,538")
    assert problem.hint == "make the value in a task, or give it to the run"


def test_models_made_by_hand_are_as_strict_and_cannot_change() -> None:
    with pytest.raises(ValueError, match="unknown"):
        workflows.Retries.model_validate({"limit": 3, "unknown": 1})
    retries = workflows.Retries(limit=3)
    with pytest.raises(ValueError, match="frozen"):
        retries.limit = 4  # type: ignore[misc]


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "spec", "tasks", "type", "items", "id", "from", "a"]), inner, max_size=3
        )
    ),
    max_leaves=10,
)


@given(
    samples.mutated(), st.lists(st.tuples(st.integers(0, 200), junk), max_size=3), st.sampled_from(list(kinds.KINDS))
)
def test_whatever_is_in_an_object_reading_never_raises(obj: dict[str, Any], puts: list[Any], kind: str) -> None:
    for index, value in puts:
        places = [path for path in samples.paths(obj) if path]
        path = places[index % len(places)]
        samples.at(obj, path[:-1])[path[-1]] = value
    model, problems = kinds.read(kinds.KINDS[kind], obj)
    assert (model is None) == bool(problems)
    assert len(problems) <= 20
    for problem in problems:
        assert problem.code in (Code.BAD_RESOURCE, Code.TOO_LARGE)
        assert problem.message
        assert "pydantic" not in problem.render()


def test_a_time_zone_of_a_plan_is_iana_s_in_the_words_of_the_decorator() -> None:
    plan = copy.deepcopy(samples.LAUNCH_PLAN)
    plan["spec"]["schedule"] = {"cron": ["@daily"], "timezone": "Mars/Phobos"}
    _, (problem,) = kinds.read(kinds.LaunchPlan, plan)
    assert problem.code == "BAD_SCHEDULE"
    assert problem.message == "spec.schedule.timezone: there is no time zone 'Mars/Phobos'"
    plan["spec"]["schedule"]["timezone"] = "Asia/Kathmandu"
    assert kinds.read(kinds.LaunchPlan, plan)[1] == []


def test_the_kinds_that_people_write_are_those_that_are_read() -> None:
    assert tuple(kinds.KINDS) == names.KINDS
