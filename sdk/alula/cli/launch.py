"""`alula launch PLAN`: starts a run of a launch plan that the cluster has, now."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from alula import display
from alula.cli import cluster_flags, flags, usage
from alula.cli.command import Command, Operands
from alula_api.contract.diagnostics import Diagnostic


def check(found: flags.Scan) -> Iterator[Diagnostic]:
    """One launch plan, and inputs as NAME=VALUE."""
    for word in found.rest[1:]:
        if not word.partition("=")[0] or "=" not in word:
            yield from usage.error(f"{word!r} is no input", "write NAME=VALUE, such as seed=7").diagnostics
    if found.text("event") and found.rest[1:]:
        message = "a run that an event starts gets its inputs from the event alone"
        yield from usage.error(message, "give --event, or inputs").diagnostics


def main(found: flags.Scan) -> int:
    """Start one run."""
    from alula import settings
    from alula.remote import launches

    plan, *given = found.rest
    payload = None
    if found.text("event"):
        from alula.cli import event_files

        payload = event_files.payload(found.text("event"))
    inputs = {name: text for name, _, text in (word.partition("=") for word in given)}
    cluster = cluster_flags.connect(found, settings.load(""))
    try:
        if found.text("event"):
            name = launches.start_by_event(cluster, plan, payload)
        else:
            name = launches.start(cluster, plan, inputs, datetime.datetime.now(datetime.UTC))
        display.note(f"started {name} in {cluster.namespace}")
    finally:
        cluster.close()
    return 0


COMMAND = Command(
    name="launch",
    summary="start a run of a launch plan of the cluster now",
    usage="PLAN [NAME=VALUE...] [options]",
    prose=(
        "Start one run of a launch plan that is compiled in the cluster, with its inputs. NAME=VALUE gives another "
        "value for one that the plan does not fix: JSON, or for a text input the text itself. Where the plan's "
        "schedule gives the scheduled time to an input, the run gets the time of this command."
    ),
    main=main,
    check=check,
    operands=Operands(example="alula launch PLAN, such as nightly"),
    closing="Exit codes: 0 started, 1 there is no such plan or the cluster refused, 2 the command line is wrong.",
    flags={
        "options": (
            flags.Flag("event", "FILE", "as if the payload in this file had been sent to a plan that events start"),
            *cluster_flags.FLAGS,
        )
    },
)
