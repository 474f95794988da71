"""`alula cache explain FILE:NAME`: what of the code counts for the cache version of a task, file by file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from alula import display
from alula.cli import flags
from alula.cli.command import Command, Operands

if TYPE_CHECKING:
    from alula.cli.targets import Target
    from alula.code.fingerprints import Counted
    from alula.declare.tasks import Task


def main(found: flags.Scan) -> int:
    """Print what counts for each task that is named: the task itself, or all of a workflow."""
    from alula.cli import targets

    blocks = [block for word in found.rest for block in _blocks(targets.find(word))]
    display.out("\n\n".join(blocks))
    return 0


def _blocks(target: Target) -> Iterator[str]:
    from alula.declare import tasks

    runs = target.runs
    if isinstance(runs, tasks.Task):
        yield _block(runs)
        return
    for task in runs.closure.tasks:
        yield _block(task)


def _block(task: Task[..., Any]) -> str:
    from alula.code import fingerprints

    cache = task.options.cache
    if cache is None:
        return f"{task.subject}: not cached"
    if cache.version is not None:
        return f"{task.subject}: the version is {cache.version!r}, and its code does not count"
    counted = fingerprints.explain(task.function, str(task.source), task.subject)
    width = max(len(each.file) for each in counted)
    lines = [f"  {each.file:{width}}  {_what(each)}" for each in counted]
    return "\n".join([f"{task.subject}: the version is {task.version}, of", *lines])


def _what(counted: Counted) -> str:
    return f"the whole file: {counted.reason}" if counted.reason else ", ".join(counted.names)


PROSE = """
What counts for the cache version of a task with cache=True, file by file: the function, and what it names in the
project. Where a name is not plain (bound twice, under a condition, by a string), and where a statement puts state into
something that counts, the whole file does, with the files that it imports. Data files, installed packages, the
environment and the clock are not seen.
"""
COMMAND = Command(
    name="cache explain",
    summary="print what of the code counts for a task's cache version",
    usage="FILE[:NAME]...",
    prose=" ".join(PROSE.split()),
    operands=Operands(example="alula cache explain flows/penguins.py:fit"),
    main=main,
    flags={},
)
