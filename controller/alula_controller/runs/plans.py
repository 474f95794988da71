"""The plan of a revision as values: what the controller itself compiled and stored, read back with care.

`admit` works on the run's own revision, which may be years old or (in a namespace where people may write
ControllerRevisions) not of our making; whatever is malformed is a `BadPlan`, never a traceback.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

VERSION = 1


class BadPlan(Exception):
    """The stored plan is not one that this controller understands."""


@dataclass(frozen=True)
class Input:
    """An input of the run. `default` and `fixed` are JSON texts; None where there is none."""

    name: str
    type: Mapping[str, Any]
    default: str | None = None
    fixed: str | None = None


@dataclass(frozen=True)
class Task:
    """What a key is made of: cache name, version (None: not cached), interface digest, and the declared types."""

    key: str
    version: str | None
    interface: str
    inputs: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Step:
    """A node of a graph: a task, or (with `dag`) a graph inside it."""

    name: str
    template: str
    task: str
    dag: str
    inputs: Mapping[str, Mapping[str, Any]]
    depends: tuple[str, ...]


@dataclass(frozen=True)
class Dag:
    """A graph: its steps in topological order, and where its outputs come from."""

    inputs: tuple[str, ...]
    steps: tuple[Step, ...]
    outputs: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Plan:
    """A revision: what `admit` needs to check inputs and to find cached nodes."""

    template: str
    entrypoint: str
    inputs: tuple[Input, ...]
    tasks: Mapping[str, Task]
    dags: Mapping[str, Dag]


def read(plan: object) -> Plan:
    """The plan out of its JSON form.

    Raises:
        BadPlan: with what is wrong.
    """
    try:
        return _plan(plan)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadPlan(f"the revision's plan is malformed: {type(error).__name__} {error}") from error


def _plan(plan: Any) -> Plan:
    if plan["v"] != VERSION:
        raise BadPlan(f"the revision's plan has version {plan['v']!r}; this controller knows {VERSION}")
    read_plan = Plan(
        template=_text(plan["template"]),
        entrypoint=_text(plan["entrypoint"]),
        inputs=tuple(
            Input(_text(each["name"]), _map(each["type"]), _optional(each.get("default")), _optional(each.get("fixed")))
            for each in plan["inputs"]
        ),
        tasks={_text(name): _task(task) for name, task in plan["tasks"].items()},
        dags={_text(name): _dag(dag) for name, dag in plan["dags"].items()},
    )
    for name, dag in read_plan.dags.items():
        _check(read_plan, name, dag)
    if read_plan.entrypoint not in read_plan.dags:
        raise BadPlan(f"the revision's plan has no graph {read_plan.entrypoint!r}")
    return read_plan


def _task(task: Any) -> Task:
    return Task(
        key=_text(task["key"]),
        version=_optional(task.get("version")),
        interface=_text(task["interface"]),
        inputs={_text(each["name"]): _map(each["type"]) for each in task["inputs"]},
        outputs={_text(each["name"]): _map(each["type"]) for each in task["outputs"]},
    )


def _dag(dag: Any) -> Dag:
    steps = tuple(
        Step(
            name=_text(step["name"]),
            template=_text(step["template"]),
            task=_text(step.get("task", "")),
            dag=_text(step.get("dag", "")),
            inputs={_text(name): _map(binding) for name, binding in step["inputs"].items()},
            depends=tuple(_text(name) for name in step["depends"]),
        )
        for step in dag["tasks"]
    )
    outputs = {_text(name): _map(binding) for name, binding in dag["outputs"].items()}
    return Dag(tuple(_text(name) for name in dag["inputs"]), steps, outputs)


def _check(plan: Plan, name: str, dag: Dag) -> None:
    """Steps are in topological order and name what exists; a plan that is not so is not walked."""
    before: set[str] = set()
    for step in dag.steps:
        if (step.task in plan.tasks) == (step.dag in plan.dags):
            raise BadPlan(f"step {step.name!r} of graph {name!r} must be one known task or graph")
        if step.name in before or not before.issuperset(step.depends):
            raise BadPlan(f"step {step.name!r} of graph {name!r} is out of order")
        before.add(step.name)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.60} is not text")
    return value


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)


def _map(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r:.60} is not an object")
    return value
