"""One picture of a run in progress, as lines. Pure: the time and the size of the terminal are parameters.

A picture never takes more lines than the terminal has, whatever the size of the graph, and costs as much as it shows.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from alula.display import rows
from alula.display.styles import count, duration, fit, safe
from alula.display.terminals import Terminal
from alula.progress import items

if TYPE_CHECKING:
    from alula.progress.reports import NodeReport
    from alula.progress.watchers import Beginning

MOST_ROWS = 30
"""Of a graph with more nodes than this only what moves is shown."""
RECENT = 5


class Scene:
    """What there is to show, kept up to date at O(1) an event."""

    def __init__(self, beginning: Beginning) -> None:
        self.beginning = beginning
        self.active: dict[str, NodeReport] = {}
        self.recent: deque[NodeReport] = deque(maxlen=RECENT)
        self.failed: list[NodeReport] = []
        self.items = items.Items()
        self.over = 0
        self.cached = 0
        self._single = [*beginning.nodes]
        self._names = min(rows.NAMES_AT_MOST, max((len(node.id) for node in beginning.nodes), default=0))

    def started(self, node: NodeReport) -> None:
        """An attempt at `node` starts."""
        self.active[node.id] = node
        self.items.started(node)

    def finished(self, node: NodeReport) -> None:
        """`node` came to its end."""
        self.active.pop(node.id, None)
        self.items.finished(node)
        self.over += 1
        self.cached += node.state == "cached"
        if node.state == "failed":
            self.failed.append(node)
        else:
            self.recent.append(node)

    def draw(self, terminal: Terminal, now: float, tick: int) -> list[str]:
        """The picture at `now`; `tick` moves the spinners."""
        style = terminal.style
        folded = [group for group in self.items.groups.values() if group.folds]
        single = [node for group in self.items.groups.values() if not group.folds for node in group.nodes.values()]
        room = min(terminal.height - 4, MOST_ROWS) - len(folded)
        if len(self._single) + len(single) <= room:
            shown, hidden = [*self._single, *single], ""
        else:
            shown, hidden = self._moving(max(1, room - 1))
        cells = [rows.of(node, style, now, tick) for node in shown]
        cells += [rows.of_items(group, style, tick) for group in folded]
        body = rows.lines(cells, terminal.width - 1, style, self._names)
        if hidden:
            body.append(style.paint(f"  {style.ellipsis} {hidden}", "dim"))
        return [*body, "", fit(self._foot(terminal, now), terminal.width - 1, style)]

    def _moving(self, room: int) -> tuple[list[NodeReport], str]:
        """What failed, what runs, and what ended last, as far as there is room; and a word on the others."""
        active = [*self.active.values()]
        failed = self.failed[: max(1, room // 3)]
        running = active[: max(0, room - len(failed))]
        left = room - len(failed) - len(running)
        recent = [*self.recent][-left:] if left > 0 else []
        waiting = self._total - self.over - len(active)
        words = [f"{len(active) - len(running)} more run" if len(active) > len(running) else ""]
        words.append(f"{waiting} wait" if waiting else "")
        return [*failed, *recent, *running], ", ".join(word for word in words if word)

    @property
    def _total(self) -> int:
        """How many tasks there are as far as is known: of a map once its length is."""
        return len(self._single) + sum(group.total for group in self.items.groups.values())

    def _foot(self, terminal: Terminal, now: float) -> str:
        style, total = terminal.style, self._total
        bar = style.bar(self.over / total if total else 1.0, max(10, min(30, terminal.width - 60)))
        numbers = f"{self.over} of {count(total, 'task')}"
        if self.cached:
            numbers += f", {self.cached} cached"
        if self.failed:
            numbers += ", " + style.paint(f"{len(self.failed)} failed", "red")
        name = style.paint(safe(self.beginning.workflow), "bold")
        return f"  {bar}  {duration(now - self.beginning.now)}  {numbers}  {name}"
