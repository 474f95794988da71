"""`alula admit`: lets a run go that waits in its domain's queue."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from alula import display
from alula.cli import cluster_flags, flags, usage
from alula.cli.command import Command, Operands
from alula_api.contract.diagnostics import Diagnostic


def check(found: flags.Scan) -> Iterator[Diagnostic]:
    """One run, and `--force`: the controller lets all others go by itself."""
    if len(found.rest) > 1:
        yield from usage.error("name one run", "`alula queue` lists those that wait").diagnostics
    if not found.on("force"):
        message = "a run is let go by the controller when it is its turn"
        yield from usage.error(message, "--force lets it go now, whatever the quota says").diagnostics


def main(found: flags.Scan) -> int:
    """Ask the controller to let the run go now."""
    import getpass

    from alula import settings
    from alula.remote import queues

    (name,) = found.rest
    with contextlib.closing(cluster_flags.connect(found, settings.load())) as cluster:
        queues.force(cluster, name, getpass.getuser())
    display.note(f"{name} is let go as soon as the controller sees it; it counts against the quota")
    return 0


COMMAND = Command(
    name="admit",
    summary="let a waiting run go whatever the quota says",
    usage="RUN --force [options]",
    prose=(
        "Ask the controller to let one run go that waits in its domain's queue. It counts against the quota and may "
        "exceed it; who asked is recorded on the run. It needs the right to change runs."
    ),
    main=main,
    check=check,
    operands=Operands(example="alula admit RUN --force"),
    closing="Exit codes: 0 asked for, 1 there is no such run or the cluster refused, 2 the command line is wrong.",
    flags={"options": (flags.Flag("force", "", "let it go now"), *cluster_flags.FLAGS)},
)
