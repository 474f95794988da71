"""What a run reports as it goes on. `alula.display.progress` implements it for people; the default shows nothing.

Calls come in order and never from two threads at once, but from changing threads, and while the run holds its lock: a
watcher must return soon and must not call back.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alula.progress.reports import NodeReport, RunResult
    from alula_api.contract.failures import FailureRecord


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is known when a run starts; the reports change while it goes on. A run on a cluster has no workers."""

    run: str
    workflow: str
    nodes: Sequence[NodeReport]
    workers: int
    now: float


class Watcher:
    """Sees a run and shows nothing."""

    def begin(self, beginning: Beginning) -> None:
        """The run starts."""

    def started(self, node: NodeReport, now: float) -> None:
        """An attempt at `node` starts; where the task is cached, with a look into the cache."""

    def missed(self, node: NodeReport, now: float) -> None:
        """The cache does not know the result of `node`, so its task runs; `node.why` is what differs."""

    def retrying(self, node: NodeReport, failure: FailureRecord, rest: float, now: float) -> None:
        """An attempt failed; the next follows after `rest` seconds."""

    def finished(self, node: NodeReport, now: float) -> None:
        """`node` is done, cached, not taken, or failed for good."""

    def printed(self, node: NodeReport, lines: Sequence[str]) -> None:
        """The process of `node` has printed whole lines: to stderr, even where nothing else is shown."""
        try:
            if sys.stderr is not None:
                sys.stderr.write("".join(f"{node.id} | {line}\n" for line in lines))
                sys.stderr.flush()
        except (OSError, ValueError):  # it is not read any more
            return

    def warned(self, text: str) -> None:
        """Something that the user should know."""

    def end(self, result: RunResult) -> None:
        """The run is over. Not called when it was interrupted."""

    def interrupted(self, workflow: str, nodes: Sequence[NodeReport], seconds: float) -> None:
        """The run was interrupted, or alula itself went wrong, after `seconds`."""

    def close(self) -> None:
        """Nothing more comes; always called, also after an error, and must undo what `begin` did."""
