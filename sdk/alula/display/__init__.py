"""The only place of the SDK that prints: results to stdout, everything for people to stderr.

The command line calls `out`, `note` and `diagnostics`; runs report to what `progress.watcher` returns. Modules that
render (`problems`, `summaries`, `outcomes`, `failures`) return text and print nothing: tests compare whole texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alula_api.contract.diagnostics import Diagnostic


def out(text: str) -> None:
    """Print a result, which may be piped into something, to stdout."""
    from alula.display import printing

    printing.write("stdout", text)


def note(text: str) -> None:
    """Print something for people to stderr."""
    from alula.display import printing

    printing.write("stderr", text)


def diagnostics(found: Iterable[Diagnostic]) -> None:
    """Print errors with their places and hints to stderr, coloured on a terminal."""
    from alula.display import printing, problems, styles, terminals

    terminal = terminals.detect("stderr")
    text = problems.render(found, terminal.style)
    if terminals.is_terminal(terminals.stream_of("stderr")):
        text = styles.wrapped(text, terminal.width)
    printing.write("stderr", text)


def columns() -> int:
    """The width of what `out` prints to, for pages of help."""
    from alula.display import terminals

    return terminals.detect("stdout").width
