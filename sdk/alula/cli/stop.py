"""`alula stop RUN`: asks the controller to end a run, with a message that says why."""

from __future__ import annotations

import contextlib

from alula import display
from alula.cli import cluster_flags, flags
from alula.cli.command import Command, Operands


def main(found: flags.Scan) -> int:
    """Ask for the end of each run."""
    from alula import settings
    from alula.remote import asks
    from alula_api.contract import labels

    with contextlib.closing(cluster_flags.connect(found, settings.load())) as cluster:
        for run in found.rest:
            asks.ask(cluster, run, labels.STOP, found.text("why", "by `alula stop`"))
            display.note(f"asked for the end of {run} in {cluster.namespace}")
    return 0


COMMAND = Command(
    name="stop",
    summary="end runs on the cluster",
    usage="[options] RUN...",
    prose=(
        "End runs on the cluster. Whatever runs gets the signal to stop, nothing more starts, clean-up tasks run, and "
        "the run shows why it was stopped. It is the controller that ends the run, so this works where policies leave "
        "people no right to change a run's status."
    ),
    main=main,
    operands=Operands(example="alula stop RUN, such as penguins-train-x7k2p"),
    flags={"options": (flags.Flag("why", "TEXT", "what the run shows as the reason"), *cluster_flags.FLAGS)},
)
