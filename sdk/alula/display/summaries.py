"""What a run did, after it: one line a node, or one a task when there are many. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from alula.display import rows
from alula.display.styles import PLAIN, Style, count, duration, safe, wrapped
from alula.progress import items
from alula.progress.reports import NodeReport

if TYPE_CHECKING:
    from alula.progress.reports import RunResult

WIDE = 100
"""Columns of what is no terminal."""
MOST_NODES = 40
MOST_BELOW_EVENTS = 12
"""Where each node has had its lines already."""
MOST_TASKS = 30
_IDLE = "maps and repeats"
"""What those that never began are called together, where there is one line a task."""


def render(result: RunResult, style: Style = PLAIN, columns: int = 100, most: int = MOST_NODES) -> str:
    """The summary as text without a line end; of more than `most` nodes one line a task."""
    idle = (NodeReport(path, _IDLE, state=state) for path, state in result.idle.items())
    return "\n".join([_head(headline(result, style), columns), *table([*result.nodes, *idle], style, columns, most)])


def headline(result: RunResult, style: Style = PLAIN) -> str:
    """`penguins-train succeeded in 4.1s: 6 tasks, 2 ran, 4 cached`."""
    if result.ok:
        verdict = style.paint("succeeded", "green", "bold") + f" in {duration(result.seconds)}"
    else:
        verdict = style.paint("failed", "red", "bold") + f" after {duration(result.seconds)}"
    numbers = rows.tally(result.nodes)
    tasks = count(len(result.nodes), "task") + (f", {numbers}" if numbers else "")
    return f"{style.paint(safe(result.workflow), 'bold')} {verdict}: {tasks}"


def interrupted(
    workflow: str, nodes: Sequence[NodeReport], seconds: float, style: Style = PLAIN, columns: int = 100
) -> str:
    """What a run had done when it was interrupted, and what it had not: as `render`."""
    verdict = style.paint("interrupted", "yellow", "bold") + f" after {duration(seconds)}"
    numbers = rows.tally(nodes)
    tasks = count(len(nodes), "task") + (f", {numbers}" if numbers else "")
    head = _head(f"{style.paint(safe(workflow), 'bold')} {verdict}: {tasks}", columns)
    return "\n".join([head, *table(nodes, style, columns), *repeated(nodes)])


def repeated(nodes: Sequence[NodeReport]) -> list[str]:
    """Which items a new run makes again although they have come to their end: a line for each task without a cache.

    Of maps alone: that whole tasks without a cache run again is what everybody expects.
    """
    done: dict[str, int] = {}
    broken = {items.map_of(node.id) for node in nodes if node.items and node.state not in ("done", "cached")}
    for node in nodes:
        if node.items and node.state == "done" and not node.keeps and items.map_of(node.id) in broken:
            done[node.task] = done.get(node.task, 0) + node.stands_for
    return [
        f"a new run makes the {count(number, 'item')} again that {safe(task)} has finished: it has no cache"
        for task, number in done.items()
    ]


def _head(text: str, columns: int) -> str:
    """One line in a file, which is read by programs too; whole words on a narrow terminal."""
    return wrapped(text, columns) if columns < WIDE else text


def table(
    nodes: Sequence[NodeReport],
    style: Style = PLAIN,
    columns: int = 100,
    most: int = MOST_NODES,
    *,
    now: float = 0.0,
) -> list[str]:
    """The lines below the headline; `now` matters where something runs."""
    if len(nodes) <= most:
        return rows.whole([rows.of(node, style, now) for node in nodes], columns, style)
    return _by_task(nodes, style, columns)


def _by_task(nodes: Sequence[NodeReport], style: Style, columns: int) -> list[str]:
    groups: dict[str, list[NodeReport]] = {}
    for node in nodes:
        groups.setdefault(node.task or node.id, []).append(node)
    shown = [_group(task, members, style) for task, members in [*groups.items()][:MOST_TASKS]]
    lines = rows.whole(shown, columns, style)
    if len(groups) > MOST_TASKS:
        lines.append(f"  {style.ellipsis} and {count(len(groups) - MOST_TASKS, 'task')} more")
    return lines


def _group(task: str, members: Sequence[NodeReport], style: Style) -> rows.Row:
    states = {member.state for member in members}
    state = next((each for each in ("failed", "stopped", "done", "cached", "not taken") if each in states), "skipped")
    reasons = [*dict.fromkeys(member.why for member in members if member.why)]
    detail = rows.tally(members)
    if reasons:
        more = f" and {count(len(reasons) - 1, 'other reason')}" if len(reasons) > 1 else ""
        detail += style.paint(f"; {style.words(reasons[0])}{more}", "dim")
    name = f"{safe(task)} {style.times}{len(members)}" if len(members) > 1 else safe(members[0].id)
    spent = sum(member.seconds for member in members if member.state != "cached")
    return rows.Row(style.mark(state), name, duration(spent) if spent else "", detail)
