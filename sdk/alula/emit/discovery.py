"""Finds the workflows and launch plans that a file defines, and refuses names that clash.

Called by the command line before anything is emitted. Every problem in every file is collected before it raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alula import errors, sources
from alula.declare import launch_plans, tasks, workflows
from alula_api.contract import codes, diagnostics


@dataclass(frozen=True)
class Definitions:
    """What one release is made of, sorted by name."""

    workflows: tuple[workflows.Workflow[..., Any], ...]
    launch_plans: tuple[launch_plans.LaunchPlan, ...]


def discover(paths: Iterable[Path]) -> Definitions:
    """Load every Python file at or below `paths` and take the workflows and launch plans that they define.

    A definition that a file imports from another is taken once, where it was defined.

    Raises:
        alula.errors.DefinitionError: names clash, a graph is wrong, or there is nothing to emit.
    """
    found_workflows: dict[int, workflows.Workflow[..., Any]] = {}
    found_plans: dict[int, launch_plans.LaunchPlan] = {}
    files = [file for path in paths for file in _python_files(path)]
    for file in files:
        for value in vars(sources.load(str(file))).values():
            if isinstance(value, workflows.Workflow):
                found_workflows[id(value)] = value
            elif isinstance(value, launch_plans.LaunchPlan):
                found_plans[id(value)] = value
                found_workflows[id(value.workflow)] = value.workflow
    problems = [*_trace(found_workflows.values())]
    problems += _clashes("workflow", found_workflows.values())
    problems += _clashes("launch plan", found_plans.values())
    problems += _task_clashes(found_workflows.values()) if not problems else []
    if not found_workflows and not problems:
        problems.append(
            diagnostics.Diagnostic(
                codes.Code.NOT_FOUND,
                f"no workflow is defined in {', '.join(map(str, files)) or 'an empty list of files'}",
                hint="decorate a function with @workflow",
            )
        )
    if problems:
        raise errors.DefinitionError(tuple(problems))
    return Definitions(
        tuple(sorted(found_workflows.values(), key=lambda each: each.name)),
        tuple(sorted(found_plans.values(), key=lambda each: each.name)),
    )


def _python_files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for file in sorted(path.rglob("*.py")):
        if not any(part.startswith((".", "__pycache__")) for part in file.relative_to(path).parts):
            yield file


def _trace(found: Iterable[workflows.Workflow[..., Any]]) -> Iterator[diagnostics.Diagnostic]:
    for workflow in found:
        try:
            _ = workflow.graph
        except errors.DefinitionError as error:
            yield from error.diagnostics


def _clashes(
    what: str, found: Iterable[workflows.Workflow[..., Any]] | Iterable[launch_plans.LaunchPlan]
) -> Iterator[diagnostics.Diagnostic]:
    first: dict[str, workflows.Workflow[..., Any] | launch_plans.LaunchPlan] = {}
    for each in found:
        other = first.setdefault(each.name, each)
        if other is not each:
            yield _clash(f"two {what}s are named {each.name!r}", each.source, other.source)


def _task_clashes(found: Iterable[workflows.Workflow[..., Any]]) -> Iterator[diagnostics.Diagnostic]:
    """Two functions must not share a cache identity: one would be handed the other's values."""
    first: dict[str, tasks.Task[..., Any]] = {}
    for task in dict.fromkeys(task for workflow in found for task in workflow.closure.tasks):
        other = first.setdefault(task.key, task)
        if other is not task and other.entrypoint != task.entrypoint:
            yield _clash(f"two tasks are named {task.key!r}", task.source, other.source)
        if task.obstacle:
            yield diagnostics.Diagnostic(
                codes.Code.BAD_SOURCE, f"a pod cannot find this task: {task.obstacle}", str(task.source), task.subject
            )


def _clash(message: str, source: sources.Source, other: sources.Source) -> diagnostics.Diagnostic:
    return diagnostics.Diagnostic(
        codes.Code.DUPLICATE_NAME,
        message,
        source=str(source),
        expected=f"a name of its own; the other one is at {other}",
        hint="name one of them in its decorator: name=...",
    )
