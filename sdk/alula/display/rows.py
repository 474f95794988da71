"""One line a node: what both the live view and the summary are made of. Pure: the time is a parameter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from alula.display.styles import Style, count, duration, fit, pad, safe, width

if TYPE_CHECKING:
    from alula.progress.items import Group
    from alula.progress.reports import NodeReport
    from alula_api.contract.failures import FailureRecord

NAMES_AT_MOST = 48
"""Columns for node ids; longer ones are cut."""


_IDLE: Final = {"waiting": "", "not taken": "not taken", "skipped": "not started"}
"""The detail of nodes of which nothing ran."""


class Row(NamedTuple):
    """The cells of one line."""

    mark: str
    name: str
    time: str
    detail: str


def of(node: NodeReport, style: Style, now: float = 0.0, tick: int = 0) -> Row:
    """The cells of `node`; `now` and `tick` matter while it runs."""
    state = node.state
    mark = style.spinner(tick) if state == "running" else style.mark(state)
    name = safe(node.id)
    if state in _IDLE:
        detail = _IDLE[state]
        return Row(mark, style.paint(name, "dim"), "", style.paint(detail, "dim"))
    if state == "cached":
        return Row(mark, name, style.paint("cached", "cyan"), "")
    if state == "running":
        again = f"attempt {node.attempts} of {node.most_attempts}" if node.attempts > 1 else ""
        detail = style.paint(again, "yellow") if again else style.paint(style.words(node.why), "dim")
        return Row(mark, style.paint(name, "bold"), duration(now - node.began), detail)
    if state == "resting":
        failed = headline(node)
        detail = f"attempt {node.attempts} of {node.most_attempts} failed: {failed}"
        return Row(mark, name, duration(now - node.began), style.paint(detail, "yellow"))
    if state == "stopped":
        return Row(mark, name, duration(node.seconds), style.paint("stopped", "yellow"))
    if state == "failed":
        tries = f"after {count(node.attempts, 'attempt')}: " if node.attempts > 1 else ""
        return Row(mark, name, duration(node.seconds), style.paint(f"{tries}{headline(node)}", "red"))
    parts = [f"attempt {node.attempts} of {node.most_attempts}"] if node.attempts > 1 else []
    parts += [style.words(node.why)] if node.why else []
    parts += [failed_items(node)] if node.failed else []
    return Row(mark, name, duration(node.seconds), style.paint("; ".join(parts), "dim"))


def of_items(group: Group, style: Style, tick: int = 0) -> Row:
    """The cells of a map of many items: how many are over, and what they do."""
    ended = "failed" if group.failed else "cached" if group.cached == group.total else "done"
    mark = style.mark(ended) if group.over == group.total else style.spinner(tick)
    words = {"running": len(group.running), "cached": group.cached, "failed": group.failed}
    detail = ", ".join(f"{number} {word}" for word, number in words.items() if number)
    return Row(mark, safe(group.name), group.progress, style.paint(detail, "red" if group.failed else "dim"))


def failed_items(node: NodeReport) -> str:
    """How many of the items in a pod have failed that may."""
    return f"{node.failed} of its {count(node.stands_for, 'item')} failed"


def headline(node: NodeReport) -> str:
    """The first line of what a failed node said."""
    return "failed" if node.failure is None else first_line(node.failure)


def first_line(record: FailureRecord) -> str:
    """The first line of what a failure says."""
    return safe(message(record).split("\n", 1)[0])


def message(record: FailureRecord) -> str:
    """What a failure says, as it came from the user's code."""
    message = record.message.strip()
    if record.exception and not message.startswith(record.exception):
        return f"{record.exception}: {message}" if message else record.exception
    return message


def lines(rows: Iterable[Row], columns: int, style: Style, names: int = 0) -> list[str]:
    """The rows as aligned lines of at most `columns`; `names` is the least width of the names' column."""
    all_of_them = [*rows]
    names = min(max([names, *(width(row.name) for row in all_of_them)]), NAMES_AT_MOST)
    times = max([6, *(width(row.time) for row in all_of_them)])
    return [_line(row, names, times, columns, style) for row in all_of_them]


def whole(rows: Sequence[Row], columns: int, style: Style) -> list[str]:
    """The rows for a reader who has time: where names leave no room for times, each name has a line of its own."""
    longest = min(max([0, *(width(row.name) for row in rows)]), NAMES_AT_MOST)
    if longest + 14 <= columns:
        return lines(rows, columns, style)
    made = []
    for row in rows:
        made.append(f"  {row.mark} {row.name}")
        if behind := "  ".join(filter(None, (row.time, row.detail))):
            made.append(fit(f"      {behind}", columns, style))
    return made


def _line(row: Row, names: int, times: int, columns: int, style: Style) -> str:
    name = pad(fit(row.name, names, style), names)
    text = f"  {row.mark} {name}  {pad(row.time, times)}  {row.detail}".rstrip()
    return fit(text, columns, style)


def tally(nodes: Sequence[NodeReport]) -> str:
    """`3 ran, 2 cached, 1 failed, 4 not started`, without what there is none of."""
    words = {
        "done": "ran",
        "cached": "cached",
        "failed": "failed",
        "not taken": "not taken",
        "skipped": "not started",
        "stopped": "stopped",
    }
    numbers = dict.fromkeys(words, 0)
    for node in nodes:
        state = "skipped" if node.state in ("waiting", "resting") else node.state
        if state in numbers:
            numbers[state] += 1
    return ", ".join(f"{number} {words[state]}" for state, number in numbers.items() if number)
