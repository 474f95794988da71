"""Chooses how a run is shown. Called by the command line and by `alula.run(..., show=True)`."""

from __future__ import annotations

from collections.abc import Callable

from alula.display import terminals
from alula.progress.watchers import Watcher


def watcher(now: Callable[[], float], *, plain: bool = False) -> Watcher:
    """A live view where stderr is a terminal, else plain lines.

    Args:
        now: The run's clock.
        plain: Lines in any case: the user asked for them, or tasks run in the main thread, where a debugger may talk.
    """
    if plain or not terminals.detect("stderr").live:
        from alula.display.plain import Plain

        return Plain()
    from alula.display.live import Live

    return Live(now)
