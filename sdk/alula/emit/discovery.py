"""Finds the workflows and launch plans that files define, and refuses what a pod could not run or tell apart.

Called by the command line before anything is emitted. Every problem in every file is collected before it raises.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from alula import errors
from alula.code import importing, places
from alula.declare import launch_plans, members, reachable, tasks, workflows
from alula_api.contract import codes, diagnostics

Workflow = workflows.Workflow[..., Any]
LaunchPlan = launch_plans.LaunchPlan

_WORDS = (b"workflow", b"LaunchPlan")
"""A file that defines something holds one of them, however it spells its imports."""
_SHOWN = 5


@dataclass(frozen=True)
class Definitions:
    """What one release is made of, sorted by name."""

    workflows: tuple[Workflow, ...]
    launch_plans: tuple[LaunchPlan, ...]


@dataclass
class _Search:
    """What was found so far, each once, by identity; and what is wrong."""

    workflows: dict[int, Workflow] = field(default_factory=dict)
    plans: dict[int, LaunchPlan] = field(default_factory=dict)
    imported: dict[int, Workflow | LaunchPlan] = field(default_factory=dict)
    problems: list[diagnostics.Diagnostic] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)
    missing: bool = False


def discover(paths: Iterable[Path]) -> Definitions:
    """Load every Python file at or below `paths` and take the workflows and launch plans that they define.

    What a file imports from another is left to that file, but for the workflow of a launch plan: a plan needs it.
    Folders are searched for files with definitions; tests, hidden folders and virtual environments are left out.

    Raises:
        alula.errors.LoadError: files cannot be imported.
        alula.errors.DefinitionError: names clash, a graph is wrong, a pod could not find a task, or there is nothing.
    """
    files = list(dict.fromkeys(file for path in paths for file in _python_files(path)))
    search = _Search()
    for file in files:
        _load(file, search)
    if search.tracebacks:
        raise errors.LoadError(search.problems, "\n".join(each for each in search.tracebacks if each), search.missing)
    for handled in [*search.workflows.values()]:
        search.workflows |= {id(each): each for each in handled.handlers}
    search.problems += _trace(search.workflows.values())
    search.problems += _clashes("workflow", search.workflows.values())
    search.problems += _clashes("launch plan", search.plans.values())
    if not search.problems:
        search.problems += _tasks(search.workflows.values())
    if not search.workflows and not search.problems:
        search.problems.append(_nothing(files, search.imported.values()))
    if search.problems:
        raise errors.DefinitionError(search.problems)
    return Definitions(
        tuple(sorted(search.workflows.values(), key=lambda each: each.name)),
        tuple(sorted(search.plans.values(), key=lambda each: each.name)),
    )


def _python_files(path: Path) -> Iterator[Path]:
    """The path itself, whatever it holds; of a folder, the files that may define something."""
    if not path.is_dir():
        yield path
        return
    stack = [path]
    while stack:
        folder = stack.pop()
        if folder != path and (folder.name.startswith((".", "__pycache__")) or (folder / "pyvenv.cfg").exists()):
            continue
        entries = sorted(folder.iterdir())
        stack += [entry for entry in reversed(entries) if entry.is_dir() and not entry.is_symlink()]
        yield from (entry for entry in entries if entry.suffix == ".py" and entry.is_file() and _may_define(entry))


def _may_define(file: Path) -> bool:
    stem = file.stem
    if stem.startswith("test_") or stem.endswith("_test") or stem in {"conftest", "setup"}:
        return False
    text = file.read_bytes()
    return any(word in text for word in _WORDS)


def _load(file: Path, search: _Search) -> None:
    try:
        module = importing.load(str(file))
    except errors.LoadError as error:
        search.problems += error.diagnostics
        search.missing |= error.missing
        search.tracebacks.append(error.traceback)
        return
    except errors.DefinitionError as error:
        search.problems += error.diagnostics
        return
    for value in _members(module):
        if _is_imported(value, module):
            search.imported[id(value)] = value
        elif isinstance(value, launch_plans.LaunchPlan):
            search.plans[id(value)] = value
            search.workflows[id(value.workflow)] = value.workflow
        else:
            search.workflows[id(value)] = value


def _members(module: ModuleType) -> Iterator[Workflow | LaunchPlan]:
    for kind in (workflows.Workflow, launch_plans.LaunchPlan):
        found: Iterator[tuple[str, Workflow | LaunchPlan]] = members.members(vars(module), kind)
        yield from (value for _, value in found)


def _is_imported(value: Workflow | LaunchPlan, module: ModuleType) -> bool:
    """Whether another module holds it, where it was made; what a function of another module made belongs here."""
    if value.source.file == places.relative(module.__file__ or ""):
        return False
    homes = [
        each
        for each in list(sys.modules.values())
        if each is not module
        and isinstance(getattr(each, "__file__", None), str)
        and places.relative(str(each.__file__)) == value.source.file
    ]
    return any(value is each for home in homes for each in _members(home))


def _trace(found: Iterable[Workflow]) -> Iterator[diagnostics.Diagnostic]:
    for workflow in found:
        try:
            _ = workflow.closure
        except errors.DefinitionError as error:
            yield from error.diagnostics


def _clashes(what: str, found: Iterable[Workflow] | Iterable[LaunchPlan]) -> Iterator[diagnostics.Diagnostic]:
    first: dict[str, Workflow | LaunchPlan] = {}
    for each in found:
        other = first.setdefault(each.name, each)
        if other is not each:
            yield _clash(f"two {what}s are named {each.name!r}", each.source, other.source)


def _tasks(found: Iterable[Workflow]) -> Iterator[diagnostics.Diagnostic]:
    """Two functions must not share a cache identity, or one would be handed the other's values; pods must find all."""
    first: dict[str, tasks.Task[..., Any]] = {}
    reached = [*dict.fromkeys(task for workflow in found for task in workflow.closure.tasks)]
    for task in reached:
        other = first.setdefault(task.key, task)
        if other is not task and other.entrypoint != task.entrypoint:
            yield _clash(f"two tasks are named {task.key!r}", task.source, other.source)
    yield from reachable.problems(reached)


def _nothing(files: list[Path], imported: Iterable[Workflow | LaunchPlan]) -> diagnostics.Diagnostic:
    homes = [*dict.fromkeys(f"{each.name} ({each.source.file})" for each in imported)]
    if homes:
        hint = f"what they import is defined elsewhere, so name that: {', '.join(homes[:_SHOWN])}"
    else:
        hint = "decorate a function with @workflow"
    where = ", ".join(map(str, files)) or "these folders"
    return diagnostics.Diagnostic(codes.Code.NOT_FOUND, f"no workflow is defined in {where}", hint=hint)


def _clash(message: str, source: places.Source, other: places.Source) -> diagnostics.Diagnostic:
    return diagnostics.Diagnostic(
        codes.Code.DUPLICATE_NAME,
        message,
        source=str(source),
        expected=f"a name of its own; the other one is at {other}",
        hint="name one of them in its decorator: name=...",
    )
