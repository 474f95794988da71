"""The live view of a run on a terminal: a few lines rewritten in place, with what tasks print scrolling above them.

A thread of its own redraws ten times a second. Whatever happens, `close` gives the terminal back as it was.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO

from alula.display import capturing, frames, printing, summaries, terminals
from alula.display.styles import safe
from alula.progress.watchers import Beginning, Watcher

if TYPE_CHECKING:
    from alula.progress.reports import NodeReport, RunResult

INTERVAL = 0.1
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
CLEAR_LINE, CLEAR_BELOW = "\x1b[K", "\x1b[J"


class Live(Watcher):
    """Draws on stderr.

    Args:
        now: The run's clock.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._scene: frames.Scene | None = None
        self._stream: TextIO | None = None
        self._lines = 0  # on the screen now
        self._tick = 0
        self._stop = threading.Event()
        self._captures = capturing.Captures(self._above)
        self._hook: Callable[..., object] | None = None

    def begin(self, beginning: Beginning) -> None:
        """Take the terminal over."""
        self._stream = sys.stderr
        self._scene = frames.Scene(beginning)
        self._stop = threading.Event()
        self._captures.install(terminals.is_terminal)
        self._hook, sys.breakpointhook = sys.breakpointhook, self._breakpoint
        printing.emit(self._stream, HIDE_CURSOR)
        self._draw()
        threading.Thread(target=self._refresh, args=(self._stop,), name="alula-display", daemon=True).start()

    def started(self, node: NodeReport, now: float) -> None:
        """Show it as running from the next frame on."""
        with printing.lock:
            if self._scene is not None:
                self._scene.started(node)

    def finished(self, node: NodeReport, now: float) -> None:
        """Show its end from the next frame on."""
        with printing.lock:
            if self._scene is not None:
                self._scene.finished(node)

    def printed(self, node: NodeReport, lines: Sequence[str]) -> None:
        """Print them above the view."""
        self._above(safe(node.id), [capturing.last_version(line) for line in lines])

    def warned(self, text: str) -> None:
        """Print it above the view."""
        style = terminals.detect("stderr").style
        self._above("", [style.paint("warning: ", "yellow") + safe(text)])

    def end(self, result: RunResult) -> None:
        """Replace the view by the summary."""
        self.close()
        terminal = terminals.detect("stderr")
        printing.write("stderr", summaries.render(result, terminal.style, terminal.width - 1))

    def interrupted(self, workflow: str, nodes: Sequence[NodeReport], seconds: float) -> None:
        """Replace the view by what was done, and what not."""
        self.close()
        terminal = terminals.detect("stderr")
        text = summaries.interrupted(workflow, nodes, seconds, terminal.style, terminal.width - 1)
        printing.write("stderr", text)

    def close(self) -> None:
        """Give the terminal back."""
        with printing.lock:
            if self._scene is None:
                return
            self._stop.set()
            self._captures.close()
            if self._hook is not None:
                sys.breakpointhook = self._hook
            # Line by line: terminals keep what "clear the screen" clears, so the view would stay in the scrollback.
            blank = f"{CLEAR_LINE}\n" * self._lines
            printing.emit(self._stream, self._up() + blank + self._up() + SHOW_CURSOR)
            self._scene, self._lines = None, 0

    def _refresh(self, stop: threading.Event) -> None:
        while not stop.wait(INTERVAL):
            self._tick += 1
            self._draw()

    def _draw(self) -> None:
        with printing.lock:
            printing.emit(self._stream, self._up() + self._picture())

    def _picture(self) -> str:
        if self._scene is None:
            return ""
        lines = self._scene.draw(terminals.detect_stream(self._stream), self._now(), self._tick)
        shorter = len(lines) < self._lines
        self._lines = len(lines)
        return "".join(f"{line}{CLEAR_LINE}\n" for line in lines) + (CLEAR_BELOW if shorter else "")

    def _up(self) -> str:
        """Move to where the view begins."""
        return f"\x1b[{self._lines}A\r" if self._lines else "\r"

    def _above(self, label: str, lines: Sequence[str]) -> None:
        """Print `lines` where the view begins, and the view below them."""
        with printing.lock:
            style = terminals.detect_stream(self._stream).style
            prefix = style.paint(f"{label} {style.rule} ", "dim") if label else ""
            text = "".join(f"{prefix}{line}{CLEAR_LINE}\n" for line in lines)
            printing.emit(self._stream, self._up() + text + self._picture())

    def _breakpoint(self, *arguments: object, **keywords: object) -> object:
        """Stop drawing before a debugger talks to the user; the run goes on without the view."""
        hook = self._hook
        self.close()
        if os.environ.get("PYTHONBREAKPOINT") or hook is not sys.__breakpointhook__ or arguments or keywords:
            return hook(*arguments, **keywords) if hook is not None else None
        import pdb

        # The hook as it stands would stop in this frame.
        pdb.Pdb().set_trace(sys._getframe().f_back)
        return None
