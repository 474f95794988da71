"""`alula backfill PLAN`: makes the runs of a launch plan for scheduled times of the past."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from alula import display
from alula.cli import cluster_flags, flags, usage
from alula.cli.command import Command, Operands
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from alula.remote.backfills import Tick
    from alula.remote.connections import Connection
    from alula_api.contract.timetables import Schedule

POLL_SECONDS = 2.0


def check(found: flags.Scan) -> Iterator[Diagnostic]:
    """One launch plan, both ends of the range, and a number that is one."""
    from alula_api.contract import timetables

    if len(found.rest) > 1:
        yield from usage.error("name one launch plan").diagnostics
    moments = []
    for name in ("from", "to"):
        text = found.text(name)
        moment = timetables.moment(text)
        if moment is None:
            message = f"--{name} must be an instant with its zone, got {text!r}" if text else f"--{name} is missing"
            yield from usage.error(message, f"write --{name} 2026-11-29T00:00:00Z").diagnostics
        else:
            moments.append(moment)
    if len(moments) == 2 and moments[0] >= moments[1]:
        yield from usage.error("--from must come before --to").diagnostics
    parallel = found.text("parallel", "1")
    if not (parallel.isascii() and parallel.isdecimal() and 1 <= int(parallel[:5]) <= 1000):
        yield from usage.error(f"--parallel must be a number from 1 to 1000, got {parallel!r}").diagnostics


def main(found: flags.Scan) -> int:
    """Say what there is for each scheduled time, and make the runs that are wanted."""
    from alula import settings
    from alula.remote import backfills, launches
    from alula.remote.refusals import refusal
    from alula_api.contract import labels, timetables

    (plan,) = found.rest
    begin, end = timetables.moment(found.text("from")), timetables.moment(found.text("to"))
    assert begin is not None and end is not None
    which = "failed" if found.on("failed") else "all" if found.on("all") else "missing"
    cluster = cluster_flags.connect(found, settings.load(""))
    try:
        schedule = launches.compiled(cluster, plan)
        if schedule is None:
            message = f"launch plan {plan} has no schedule, so no scheduled times"
            raise refusal(message, f"start a run by `alula launch {plan}`")
        moments = backfills.between(schedule, begin, end)
        listed = cluster.metadata("runs", "workflows", f"{labels.LAUNCH_PLAN}={plan}")
        ticks = backfills.plan(moments, listed, plan, which)
        for tick in ticks:
            word = "run" if tick.wanted else "skip"
            display.out(f"{timetables.instant(tick.moment)}  {word:4}  {tick.why}")
        wanted = [tick for tick in ticks if tick.wanted]
        display.note(f"{len(wanted)} of {len(ticks)} scheduled times get a run")
        if not found.on("dry_run"):
            _make(cluster, plan, schedule, wanted, int(found.text("parallel", "0")))
    finally:
        cluster.close()
    return 0


def _make(cluster: Connection, plan: str, schedule: Schedule, wanted: Sequence[Tick], parallel: int) -> None:
    """Create the runs, no more than `parallel` of them unfinished at a time; 0 leaves that to the queue."""
    from alula.remote import backfills
    from alula_api.argo import runs

    going: list[str] = []
    for tick in wanted:
        while parallel and len(going) >= parallel:
            time.sleep(POLL_SECONDS)
            found = {name: cluster.run(name) for name in going}
            going = [name for name, run in found.items() if run is not None and not runs.finished(run)]
        body = backfills.manifest(plan, schedule, tick)
        name = backfills.run_name(plan, tick)
        display.note(f"{'started' if cluster.make(body) else 'there is already'} {name} in {cluster.namespace}")
        going.append(name)


COMMAND = Command(
    name="backfill",
    summary="make the runs of a launch plan for scheduled times of the past",
    usage="PLAN --from TIME --to TIME [options]",
    prose=(
        "Make a run for each time of a launch plan's schedule in a range, TIME being an instant such as "
        "2026-11-29T00:00:00Z; --to is not part of the range. Times whose run succeeded or is under way are skipped. "
        "The runs have the lowest priority in the domain's queue. Given again, the same backfill starts nothing twice."
    ),
    main=main,
    check=check,
    operands=Operands(example="alula backfill PLAN --from 2026-11-01T00:00:00Z --to 2026-11-29T00:00:00Z"),
    exclusive=(("failed", "all"),),
    closing="Exit codes: 0 done, 1 there is no such plan or the cluster refused, 2 the command line is wrong.",
    flags={
        "options": (
            flags.Flag("from", "TIME", "the first scheduled time, or an instant before it"),
            flags.Flag("to", "TIME", "the end of the range"),
            flags.Flag("parallel", "N", "wait here so that no more than N of the runs are unfinished at a time"),
            flags.Flag("dry_run", "", "only say what would be done"),
            flags.Flag("failed", "", "only times whose last run failed"),
            flags.Flag("all", "", "also times whose run succeeded"),
            *cluster_flags.FLAGS,
        )
    },
)
