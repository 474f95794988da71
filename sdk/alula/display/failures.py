"""A failed run in full: each failed node with the user's traceback, its inputs and how to see it again. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alula.display import rows, summaries
from alula.display.outcomes import near
from alula.display.styles import PLAIN, Style, count, duration, pad, safe, width, wrapped
from alula_api.contract.codes import Code
from alula_api.contract.failures import SYSTEM, USER

if TYPE_CHECKING:
    from alula.progress.reports import NodeReport, RunResult

MOST = 5
"""At most this many failures are shown in full; `summaries` lists the others."""
OPTIONS = {USER: "retries", SYSTEM: "system_retries"}
"""What forgives a failure of each kind."""


def render(result: RunResult, style: Style = PLAIN, again: str = "", columns: int = 0) -> str:
    """The failures as text.

    Args:
        result: The run.
        style: How it may look.
        again: The command that runs the workflow with a debugger's help, where the user's code failed.
        columns: The width of a terminal, in which our own words are not broken; 0 for none. What the user's code says
            and what is to be copied stays as it is.
    """
    failed = result.failures
    first = next((node for node in failed if not node.tolerated), None)
    blocks = [_one(node, style, columns, first=first) for node in failed[:MOST]]
    if len(failed) > MOST:
        blocks.append(f"{style.ellipsis} and {count(len(failed) - MOST, 'more failed task')}, listed above")
    if lines := summaries.repeated(result.nodes):
        blocks.append("\n".join(_words(line, columns) for line in lines))
    if again and any(node.failure is not None and node.failure.kind == USER for node in failed):
        words = _words("to see it again in one thread, where a debugger stops:", columns)
        blocks.append(f"{words}\n  {style.paint(again, 'cyan')}")
    return "\n\n".join(blocks)


def items(nodes: Sequence[NodeReport], style: Style = PLAIN) -> str:
    """Why items failed that may and that shared a pod with others; empty where there are none."""
    lines = []
    for node in nodes:
        if not node.failed:
            continue
        lines.append(f"{style.paint(safe(node.id), 'bold')}: {rows.failed_items(node)}")
        for index, record in [*node.failed_items.items()][:MOST]:
            place = style.paint(f" ({record.source})", "dim") if record.source else ""
            lines.append(f"  item {index}: {rows.first_line(record)}{place}")
        more = node.failed - min(len(node.failed_items), MOST)
        if more and node.failed_items:
            lines.append(f"  {style.ellipsis} and {count(more, 'more item')}")
        elif more:
            lines.append("  the log of its pod says which, and why")
    return "\n".join(lines)


def _words(text: str, columns: int) -> str:
    return wrapped(text, columns) if columns else text


def _one(node: NodeReport, style: Style, columns: int, *, first: NodeReport | None) -> str:
    """One failure.

    Args:
        node: The node that failed.
        style: How it may look.
        columns: As of `render`.
        first: The one for which the run failed, if any did.
    """
    record = node.failure
    head = f"{style.mark('failed')} {style.paint(safe(node.id), 'bold')} {style.paint('failed', 'red', 'bold')}"
    if record is None:
        return _words(head, columns)
    facts = [record.source or node.source]
    facts.append(f"attempt {record.attempt} of {node.most_attempts}" if node.most_attempts > 1 else "")
    facts.append(f"after {duration(node.seconds)}")
    head += " " + style.paint(f"({', '.join(fact for fact in facts if fact)})", "dim")
    if node.tolerated:
        head += style.paint("  it may fail", "dim")
    if node.most_attempts > record.attempt:
        why = "it said that this cannot help" if record.code != Code.TASK_TIMEOUT else "the run's time is over"
        if record.retryable:
            later = first is not None and first is not node and node.began + node.seconds >= first.began + first.seconds
            why = "another task had failed for good" if later else f"its {OPTIONS[record.kind]} are used up"
        head += style.paint(f"  not tried again: {why}", "dim")
    body = record.traceback.rstrip() or rows.message(record)
    parts = [_words(head, columns), _indent(_painted(body, record.exception, style))]
    if record.inputs:
        names = max(width(name) for name in record.inputs)
        shown = "\n".join(f"  {pad(safe(name), names)}  {safe(text)}" for name, text in record.inputs.items())
        parts.append(_indent(f"{style.paint('inputs', 'bold')}\n{shown}"))
    if node.prints:
        parts.append(_indent(f"{style.paint('printed', 'bold')}  {safe(near(Path(node.prints)))}"))
    return "\n\n".join(parts)


def _painted(body: str, exception: str, style: Style) -> str:
    """The traceback with what the exception says, which may be several lines, in red."""
    lines = [safe(line) for line in body.split("\n")]
    named = [i for i, line in enumerate(lines) if exception and line.startswith(exception)]
    begin = named[-1] if named else len(lines) - 1 if exception else 0
    return "\n".join([*lines[:begin], *(style.paint(line, "red") for line in lines[begin:])])


def _indent(text: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in text.split("\n"))
