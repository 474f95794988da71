"""What attempts print, kept in a file an attempt beside the run's records, and passed on line by line.

Made by `run`; `pool` calls it. Stores that are no folder keep nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alula_api.contract import failures

if TYPE_CHECKING:
    from alula.local.drive.attempts import Attempt
    from alula.local.drive.reporter import Reporter
    from alula.local.store.place import DataRoot

NAME = "output.txt"


class Prints:
    """What the attempts of one run print.

    Args:
        place: Where the run keeps its data.
        run: The run's id; empty for one that keeps no records.
        reporter: Passes lines on to the watcher.
    """

    def __init__(self, place: DataRoot, run: str, reporter: Reporter) -> None:
        self._place = place
        self._run = run
        self._reporter = reporter

    def __call__(self, attempt: Attempt, lines: bytes) -> None:
        """Keep and pass on whole lines."""
        report = self._reporter.report(attempt.spot)
        file = self._file(attempt)
        if file is not None:
            try:
                with file.open("ab") as kept:
                    kept.write(lines)
                report.prints = str(file)
            except OSError:  # a full disk is no reason to fail the task
                pass
        self._reporter.printed(report, lines.decode("utf-8", "replace").split("\n")[:-1])

    def _file(self, attempt: Attempt) -> Path | None:
        folder = self._place.folder
        if folder is None or not self._run:
            return None
        file = (folder / failures.path(self._run, attempt.spot.path, attempt.number)).with_name(NAME)
        try:
            if not file.parent.exists():
                self._place.store()  # also keeps the folder out of git
                file.parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            return None
        return file
