"""`alula run`: runs a workflow here, with its inputs as flags, or starts it on the cluster with --remote.

Our options stand before the file and the workflow's inputs after it, so that an input may have any name.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from alula import display
from alula.cli import cluster_flags, flags, help_text, outcomes, usage
from alula.cli.command import Command, Operands
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from alula.cli import inputs, targets

LOCAL = (
    flags.Flag("workers", "N", "so many tasks at a time; 1 runs them in one thread, where a debugger stops"),
    flags.Flag("threads", help="run tasks in threads of one process, not in processes of their own"),
    flags.Flag("processes", help="run each attempt in a process of its own with --workers 1 too"),
    flags.Flag("strict", help="hand every table over through the store, as pods do"),
    flags.Flag("no-cache", help="run every task, whatever the cache holds"),
    flags.Flag("overwrite-cache", help="run every task and replace what the cache holds"),
    flags.Flag("store", "URL", "the store, a folder or URL, instead of the project's"),
    flags.Flag("project", "NAME", "instead of the project's own name"),
    flags.Flag("domain", "NAME", "instead of the domain `local`"),
    flags.Flag("event", "FILE", "for a launch plan that events start: with the inputs from the payload in this file"),
)
SHOWN = (
    flags.Flag("quiet", help="show the outputs only", letter="q"),
    flags.Flag("plain", help="show progress as lines that stay"),
    flags.Flag("json", help="print the whole run as one JSON object: outputs, nodes, errors"),
)
REMOTE = (
    flags.Flag("remote", help="start a run of what the cluster has, and follow it"),
    *cluster_flags.NAMESPACE,
    flags.Flag("detach", help="print the run's name and return"),
    flags.Flag("synced", help="start what the cluster has, even when the file says something else"),
)


def main(found: flags.Scan) -> int:
    """Run; exit code 1 when the run fails."""
    from alula.display import printing

    with printing.kept_for_results():  # whatever user code prints, its imports too
        return _run(found)


def _run(found: flags.Scan) -> int:
    word, rest = found.rest[0], found.rest[1:]
    from alula.cli import inputs, targets
    from alula.declare import reachable

    target = targets.find(word, rest[0] if rest else "")
    parameters = target.parameters()
    if _wants_help(rest, parameters):
        display.out(_inputs_page(target, parameters))
        return 0
    # What is wrong with the workflow comes before what is wrong with its inputs.
    reachable.check(target.tasks())
    options = {word for flag in COMMAND.all_flags for word in (flag.name, flag.letter) if word}
    sent: dict[str, Any] = {}
    if found.text("event"):
        from alula.cli import event_files

        mapped = event_files.inputs(target, parameters, found.text("event"))
        if mapped is None:
            return 0
        sent, parameters = mapped, [each for each in parameters if each.name not in mapped]
    given = {**target.preset(), **sent, **inputs.read(rest, parameters, f"{target.kind} {target.named.name}", options)}
    if found.on("remote"):
        from alula.cli import run_remote

        return run_remote.run(target, given, found)
    from alula.declare.workflows import Workflow

    if isinstance(target.runs, Workflow) and not found.on("quiet"):
        from alula.cli import limits

        limits.warn(target.runs)
    return _locally(target, given, found, rest)


def check(found: flags.Scan) -> Iterator[Diagnostic]:
    """What is wrong with options, or has no meaning without --remote."""
    workers = found.text("workers", "0")
    if not workers.isdecimal() or (found.values.get("workers") and int(workers) < 1):
        yield from usage.error(f"--workers must be a whole number from 1 up, not {workers!r}").diagnostics
    for name in ("namespace", "context", "detach", "synced"):
        if found.values.get(name) and not found.on("remote"):
            yield from usage.error(f"--{name} is for runs on the cluster", "add --remote").diagnostics


def _locally(target: targets.Target, given: Mapping[str, Any], found: flags.Scan, rest: Sequence[str]) -> int:
    from alula.cli import local_files
    from alula.local import api
    from alula.local.options import Options
    from alula.progress.watchers import Watcher

    options = Options(
        workers=int(found.text("workers", "0")),
        processes=found.on("processes"),
        threads=found.on("threads"),
        strict=found.on("strict"),
        cache="off" if found.on("no-cache") else "overwrite" if found.on("overwrite-cache") else "use",
        store=found.text("store"),
        project=found.text("project"),
        domain=found.text("domain"),
    )
    schemas = {item.name: item.type.schema for item in target.runs.interface.inputs}
    if found.on("quiet"):
        watcher = Watcher()
    else:
        from alula.display import progress

        watcher = progress.watcher(options.clock.now, plain=found.on("plain") or options.debuggable)
    result = api.execute(target.runs, lambda carrier: local_files.commit(given, schemas, carrier), options, watcher)
    outcomes.show(result, found, _again(target, found, rest))
    return 0 if result.ok else 1


def _again(target: targets.Target, found: flags.Scan, rest: Sequence[str]) -> str:
    """The command that runs the same in one thread; empty when this one did."""
    if found.text("workers") == "1" and not found.on("processes"):
        return ""
    options = ["--workers", "1"]
    for flag in LOCAL:
        if flag.name in {"workers", "processes", "threads", "overwrite-cache"} or flag.name not in found.values:
            continue
        options += [f"--{flag.name}", *([found.text(flag.name)] if flag.metavar else [])]
    return shlex.join(["alula", "run", *options, target.word, *rest])


def _wants_help(rest: Sequence[str], parameters: Sequence[inputs.Parameter]) -> bool:
    names = {parameter.name for parameter in parameters}
    return ("--help" in rest and "help" not in names) or "-h" in rest


def _inputs_page(target: targets.Target, parameters: Sequence[inputs.Parameter]) -> str:
    from alula.cli import inputs
    from alula_api.contract import schemas

    runs, columns = target.runs, min(help_text.COLUMNS, display.columns())
    listed = inputs.to_flags(parameters)
    required = [flag for flag in listed if flag.required]
    fixed = [
        (f"--{flags.dashed(item.name)} {inputs.default_text(item)}", item.description)
        for item in parameters
        if item.fixed
    ]
    outputs = [
        ("result" if output.name == "o0" and len(runs.interface.outputs) == 1 else output.name,
         " ".join(f"{schemas.describe(output.type.schema)}  {output.description}".split(" ")).strip())
        for output in runs.interface.outputs
    ]  # fmt: skip
    return help_text.page(
        f"usage: alula run [options] {target.word} {'[inputs]' if not required else 'INPUTS'}",
        help_text.prose(getattr(target.named, "description", "") or runs.interface.description, columns),
        help_text.flags("inputs", listed, columns) or "It takes no inputs.",
        help_text.section("fixed by the launch plan", fixed, columns),
        help_text.section("outputs", outputs, columns),
        f"This is the {target.kind} {target.named.name}, at {target.named.source}.\n"
        "Options of alula stand before the file: alula run --help",
        columns=columns,
    )


COMMAND = Command(
    name="run",
    summary="run a workflow here, or on the cluster with --remote",
    usage="[options] FILE[:NAME] [inputs]",
    prose=(
        "Run a workflow, a launch plan or a task of a Python file. Options stand before the file, inputs after it:\n"
        "  alula run --workers 4 flows/penguins.py:train --seed 7"
    ),
    closing="`alula run FILE:NAME --help` lists the inputs.",
    main=main,
    operands=Operands(example="alula run FILE:WORKFLOW, such as flows/penguins.py:train", last=True),
    exclusive=(
        ("no-cache", "overwrite-cache"),
        ("quiet", "plain"),
        ("remote", "event"),
        ("remote", "processes"),
        ("remote", "threads"),
        ("processes", "threads"),
    ),
    check=check,
    flags={"options": LOCAL, "what is shown": SHOWN, "on the cluster": REMOTE},
)
