"""Renders diagnostics for people. Called by `alula.display.diagnostics`; prints nothing itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from alula.display.styles import PLAIN, Style, count

if TYPE_CHECKING:
    from alula_api.contract.diagnostics import Diagnostic

MOST = 50
"""More are counted instead of shown."""


def render(found: Iterable[Diagnostic], style: Style = PLAIN) -> str:
    """All of `found`, each with its place, and how many there are when more than one."""
    all_of_them = [*found]
    blocks = [_one(diagnostic, style) for diagnostic in all_of_them[:MOST]]
    if len(all_of_them) > MOST:
        blocks.append(f"and {len(all_of_them) - MOST} more")
    if len(all_of_them) > 1:
        blocks.append(style.paint(count(len(all_of_them), "error"), "bold"))
    return "\n".join(blocks)


def _one(diagnostic: Diagnostic, style: Style) -> str:
    """The same words as `Diagnostic.render`, with colours."""
    first, *rest = diagnostic.render().split("\n")
    label = f"error {diagnostic.code}:"
    place, found, message = first.partition(label)
    if not found:
        return diagnostic.render()
    head = style.paint(place, "bold") + style.paint(label, "red", "bold") + style.paint(message, "bold")
    lines = [head]
    for line in rest:
        word = line.lstrip().split(" ", 1)[0]
        lines.append(style.paint(line, "cyan") if word == "hint:" else line)
    return "\n".join(lines)
