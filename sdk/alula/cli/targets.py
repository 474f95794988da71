"""What `FILE:NAME` names: a workflow, a launch plan or a task, with its inputs as the command line takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from alula.cli import inputs, usage
from alula.code import importing, places
from alula.declare import launch_plans, members, tasks, workflows
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic, did_you_mean

Named = workflows.Workflow[..., Any] | launch_plans.LaunchPlan | tasks.Task[..., Any]


@dataclass(frozen=True)
class Target:
    """What is to run.

    Attributes:
        word: What the user wrote, completed: `flows/penguins.py:train`.
        named: The workflow, launch plan or task.
    """

    word: str
    named: Named

    @property
    def runs(self) -> workflows.Workflow[..., Any] | tasks.Task[..., Any]:
        """What runs in the end: of a launch plan its workflow."""
        return self.named.workflow if isinstance(self.named, launch_plans.LaunchPlan) else self.named

    @property
    def kind(self) -> str:
        """`workflow`, `launch plan` or `task`."""
        return _kind(self.named)

    def tasks(self) -> tuple[tasks.Task[..., Any], ...]:
        """The tasks that it reaches.

        Raises:
            DefinitionError: A workflow cannot be traced; says everything that is wrong with it.
        """
        runs = self.runs
        return (runs,) if isinstance(runs, tasks.Task) else runs.closure.tasks

    def parameters(self) -> list[inputs.Parameter]:
        """Its inputs; a launch plan's own values are the defaults, and what it fixes cannot be given."""
        plan = self.named if isinstance(self.named, launch_plans.LaunchPlan) else None
        own = {} if plan is None else {**plan.inputs, **plan.fixed_inputs}
        return [
            inputs.Parameter(
                name=item.name,
                schema=item.type.schema,
                required=item.required and item.name not in own,
                default=own.get(item.name, item.default),
                description=item.description,
                fixed=plan is not None and item.name in plan.fixed_inputs,
            )
            for item in self.runs.interface.inputs
        ]

    def preset(self) -> dict[str, Any]:
        """The JSON values that a launch plan gives."""
        plan = self.named if isinstance(self.named, launch_plans.LaunchPlan) else None
        return {} if plan is None else {**plan.inputs, **plan.fixed_inputs}


def find(word: str, following: str = "") -> Target:
    """The target that `word` names.

    Args:
        word: `FILE` or `FILE:NAME`.
        following: The next word of the command line, for the message where it is the name.

    Raises:
        UsageError: There is nothing of that name, or more than one thing and no name.
        LoadError: The file cannot be imported.
    """
    file, name = split(word)
    module = importing.load(file)
    found = dict(_defined(module))
    if name:
        return Target(f"{file}:{name}", _named(name, found, file, vars(module)))
    if following in found:
        message = f"{following} stands apart from its file"
        raise usage.error(message, f"write {file}:{following}", Code.UNKNOWN_WORKFLOW)
    candidates: dict[str, Named] = {key: value for key, value in found.items() if isinstance(value, workflows.Workflow)}
    if len(candidates) == 1:
        only, value = next(iter(candidates.items()))
        return Target(f"{file}:{only}", value)
    raise _choose(file, found, candidates, _in_classes(module))


def split(word: str) -> tuple[str, str]:
    """The file and the name, which may be missing."""
    file, colon, name = word.rpartition(":")
    if not colon or "/" in name or "\\" in name:
        return word, ""
    return file, name


def listing(found: dict[str, Named]) -> str:
    """`train (workflow), nightly (launch plan)`."""
    return ", ".join(f"{name} ({_kind(value)})" for name, value in found.items())


def _defined(module: Any) -> Iterator[tuple[str, Named]]:
    """What a module defines itself: first workflows, then launch plans, then tasks, each in the file's order."""
    for kind in (workflows.Workflow, launch_plans.LaunchPlan, tasks.Task):
        found: Iterator[tuple[str, Named]] = members.members(vars(module), kind)
        yield from ((name, value) for name, value in found if _is_own(value, module))


def _is_own(value: Named, module: Any) -> bool:
    if isinstance(value, launch_plans.LaunchPlan):
        return value.source.file == places.relative(module.__file__)
    return value.entrypoint.partition(":")[0] == places.module_name(module.__file__)


def _named(name: str, found: dict[str, Named], file: str, everything: dict[str, Any]) -> Named:
    """By the name in the file, else by that of the resource; what the file imports counts when it is named."""
    value = found.get(name, everything.get(name))
    if isinstance(value, (workflows.Workflow, launch_plans.LaunchPlan, tasks.Task)):
        return value
    for each in found.values():
        if each.name == name and not isinstance(each, tasks.Task):
            return each
    known = [*found, *(each.name for each in found.values())]
    hint = did_you_mean(name, known, _has(found), f"{file}:{{}}".format)
    if value is not None:
        message = f"{file}:{name} is neither a workflow nor a launch plan nor a task"
    else:
        message = f"{file} has no workflow, launch plan or task {name!r}"
    raise usage.UsageError([Diagnostic(Code.UNKNOWN_WORKFLOW, message, hint=hint)])


def _in_classes(module: Any) -> list[str]:
    """What is decorated inside a class of the module, which nothing can run: `Model.fit`."""
    return [
        f"{name}.{inner}"
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
        for inner, held in vars(value).items()
        if isinstance(held, (workflows.Workflow, tasks.Task))
    ]


def _choose(file: str, found: dict[str, Named], candidates: dict[str, Named], methods: list[str]) -> usage.UsageError:
    if candidates:
        message = f"{file} has {len(candidates)} workflows: say which"
        hint = "alula run " + " | ".join(f"{file}:{name}" for name in candidates)
    else:
        message = f"{file} has no workflow"
        if methods:
            hint = f"{', '.join(methods)} in a class cannot be run: move functions with a decorator out of classes"
            return usage.error(message, hint, Code.UNKNOWN_WORKFLOW)
        hint = _has(found) if found else "decorate a function with @workflow"
    return usage.error(message, hint, Code.UNKNOWN_WORKFLOW)


def _has(found: dict[str, Named]) -> str:
    return f"it has {listing(found)}" if found else "it defines none"


def _kind(value: Named) -> str:
    if isinstance(value, launch_plans.LaunchPlan):
        return "launch plan"
    return "workflow" if isinstance(value, workflows.Workflow) else "task"
