"""`alula queue`: which runs of a domain wait, in which order, and why."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from alula import display
from alula.cli import cluster_flags, flags
from alula.cli.command import Command

if TYPE_CHECKING:
    from alula.remote.queues import Seen

WATCH_SECONDS = 2.0


def main(found: flags.Scan) -> int:
    """Print the queue once, or again and again."""
    from alula import settings
    from alula.remote import queues

    with contextlib.closing(cluster_flags.connect(found, settings.load())) as cluster:
        while True:
            now = time.time()
            for line in lines(queues.look(cluster, now), cluster.namespace, now):
                display.out(line)
            if not found.on("watch"):
                return 0
            time.sleep(WATCH_SECONDS)


def lines(seen: Seen, namespace: str, now: float) -> list[str]:
    """The queue as text: one line for the domain, a table of those that wait."""
    from alula.remote import queues
    from alula_api.contract import queue

    most = "" if seen.quota is None or seen.quota.running is None else f" of {seen.quota.running}"
    head = f"{namespace}: {len(seen.running)}{most} running, {len(seen.chosen)} starting, {len(seen.waiting)} waiting"
    rows = [
        (
            str(each.rank),
            each.run.name,
            each.run.plan or each.run.person or "-",
            queues.waited(each.run, now),
            "-" if seen.pace is None else queue.rough(each.rank * seen.pace),
            each.reason,
        )
        for each in seen.waiting
    ]
    return [head, *_table(("place", "run", "of", "waited", "in about", "because"), rows)] if rows else [head]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in (head, *rows))
    return ["  ".join(cells).rstrip() for cells in padded]


COMMAND = Command(
    name="queue",
    summary="which runs of a domain wait for their turn, and why",
    usage="[options]",
    prose=(
        "Print how many runs of a domain are running and which wait, in the order in which they will be let go, with "
        "what holds each back and, once a few were let go, roughly when its turn comes if it goes on so. The order is "
        "the controller's own: priority, fair share between launch plans by weight, age."
    ),
    main=main,
    closing="Exit codes: 0 printed, 1 the cluster refused or gave no answer, 2 the command line is wrong.",
    flags={"options": (*cluster_flags.FLAGS, flags.Flag("watch", "", "print it again every two seconds"))},
)
