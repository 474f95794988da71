"""The progress of a run as lines that stay: for logs, CI, pipes, and runs in one thread, where a debugger may talk."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TextIO

from alula.display import capturing, printing, rows, summaries, terminals
from alula.display.styles import Style, count, duration, safe
from alula.progress import items
from alula.progress.watchers import Beginning, Watcher

if TYPE_CHECKING:
    from alula.progress.reports import NodeReport, RunResult
    from alula_api.contract.failures import FailureRecord

MOST_NODES = 100
"""In a larger graph only failures and every twentieth part of the way get a line."""
_ENDED: Final = {"cached": "cached", "not taken": "not taken", "skipped": "not started", "stopped": "stopped"}
"""What is said of a node that did not come to its end by running."""


class Plain(Watcher):
    """One line an event on stderr."""

    def __init__(self) -> None:
        self._beginning: Beginning | None = None
        self._brief = False
        self._items = items.Items()
        self._over = 0
        self._cached = 0
        self._stream: TextIO | None = None  # stderr below our own stand-in
        self._captures = capturing.Captures(self._labelled)

    def begin(self, beginning: Beginning) -> None:
        """Say what starts."""
        self._beginning = beginning
        if beginning.workers > 1:
            self._stream = sys.stderr
            self._captures.install(lambda stream: True)
        self._brief = len(beginning.nodes) > MOST_NODES
        facts = [count(len(beginning.nodes), "task")] if beginning.nodes else []  # else maps and repeats bring them
        facts += [count(beginning.workers, "worker")] if beginning.workers else []
        self._say(f"{safe(beginning.workflow)}: {', '.join(facts)}, run {beginning.run}")

    def started(self, node: NodeReport, now: float) -> None:
        """One line, unless the graph is large; for a cached task once it is known that it runs."""
        group = self._items.started(node)
        if self._brief or (group is not None and group.folds) or (node.cacheable and node.attempts == 1):
            return
        again = f", attempt {node.attempts} of {node.most_attempts}" if node.attempts > 1 else ""
        self._event(f"{safe(node.id)} started{again}", now)

    def missed(self, node: NodeReport, now: float) -> None:
        """One line with the reason, unless the graph is large."""
        if not self._brief and node.items <= items.MOST:
            why = self._style.words(node.why)
            self._event(f"{safe(node.id)} started: {why}", now)

    def retrying(self, node: NodeReport, failure: FailureRecord, rest: float, now: float) -> None:
        """One line, always."""
        attempt = f"attempt {node.attempts} of {node.most_attempts} failed"
        self._event(f"{safe(node.id)} {attempt}: {rows.headline(node)}; again in {duration(rest)}", now)

    def finished(self, node: NodeReport, now: float) -> None:
        """One line, unless the graph is large and nothing is wrong."""
        self._over += 1
        self._cached += node.state == "cached"
        group = self._items.finished(node)
        if node.state == "failed":
            self._event(f"{safe(node.id)} failed after {duration(node.seconds)}: {rows.headline(node)}", now)
        if node.failed:
            self._event(f"{safe(node.id)}: {rows.failed_items(node)}", now)
        if group is not None and group.folds:
            if _is_part(group.over, group.total):
                cached = f", {group.cached} of them cached" if group.cached else ""
                self._event(f"{safe(group.name)} {group.progress} items are over{cached}", now)
        elif node.state != "failed" and not self._brief:
            self._event(f"{safe(node.id)} {_ENDED.get(node.state) or f'done in {duration(node.seconds)}'}", now)
        elif self._brief and self._beginning is not None:
            total = len(self._beginning.nodes)
            if _is_part(self._over, total):
                self._event(f"{self._over} of {total} tasks are over, {self._cached} of them cached", now)

    def printed(self, node: NodeReport, lines: Sequence[str]) -> None:
        """Whole lines, each with the node that printed it."""
        self._labelled(node.id, lines)

    def warned(self, text: str) -> None:
        """One line."""
        self._say(f"warning: {safe(text)}")

    def interrupted(self, workflow: str, nodes: Sequence[NodeReport], seconds: float) -> None:
        """What was done, and what not."""
        self.close()
        terminal = self._terminal
        self._say(summaries.interrupted(workflow, nodes, seconds, terminal.style, terminal.width))

    def close(self) -> None:
        """Let what threads of this process print go its own way again."""
        self._captures.close()
        self._stream = None

    def end(self, result: RunResult) -> None:
        """The summary."""
        self.close()
        terminal = self._terminal
        most = summaries.MOST_BELOW_EVENTS
        self._say(summaries.render(result, terminal.style, terminal.width, most))

    @property
    def _terminal(self) -> terminals.Terminal:
        return terminals.detect_stream(self._stream or sys.stderr)

    @property
    def _style(self) -> Style:
        return self._terminal.style

    def _event(self, text: str, now: float) -> None:
        began = self._beginning.now if self._beginning is not None else now
        self._say(f"[{duration(now - began):>6}] {text}")

    def _labelled(self, label: str, lines: Sequence[str]) -> None:
        rule = self._style.rule
        prefix = f"{safe(label)} {rule} " if label else ""
        self._say("\n".join(f"{prefix}{capturing.last_version(line)}" for line in lines))

    def _say(self, text: str) -> None:
        printing.emit(self._stream or sys.stderr, f"{text}\n")


def _is_part(over: int, total: int) -> bool:
    """Whether another twentieth of the way is done."""
    return over * 20 // total > (over - 1) * 20 // total
