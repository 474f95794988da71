"""What `alula run` shows of a run that has ended: outputs or its record on stdout, failures on stderr.

Called by `run` and `run_remote`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alula import display
from alula.cli import flags

if TYPE_CHECKING:
    from alula.progress.reports import RunResult


def show(result: RunResult, found: flags.Scan, again: str = "") -> None:
    """The outputs, or what failed; `again` is the command that runs the same in one thread.

    As JSON the record of the run, however it ended.
    """
    from alula.display import failures, outcomes, terminals

    if result.failures and not result.ok:
        terminal = terminals.detect("stderr")
        is_seen = terminals.is_terminal(terminals.stream_of("stderr"))
        text = failures.render(result, terminal.style, again, terminal.width if is_seen else 0)
        display.note(text if found.on("quiet") else f"\n{text}")
    elif result.message:
        display.note(f"\n{result.message}")
    if told := failures.items(result.nodes, terminals.detect("stderr").style):
        display.note(f"\n{told}")
    if found.on("json"):
        display.out(outcomes.as_json(result, getattr(terminals.stream_of("stdout"), "encoding", None) or "ascii"))
    elif result.ok and (
        text := outcomes.render(result, (terminal := terminals.detect("stdout")).style, terminal.width)
    ):
        if not found.on("quiet"):
            display.note("")
        display.out(text)
