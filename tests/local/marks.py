"""A list that tasks append to from processes of their own: it lies in a file."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

VARIABLE = "ALULA_TEST_MARKS"


class Marks:
    """Literals in the order in which they were appended; `kept_in` a file that each test chooses.

    The file's name stands in the environment: a task may run in a fork or in an interpreter of its own.
    """

    @property
    def _file(self) -> Path:
        return Path(os.environ[VARIABLE])

    def kept_in(self, file: Path) -> None:
        assert file.is_absolute(), "a test writes into its own folder, wherever it is started"
        os.environ[VARIABLE] = str(file)

    def append(self, mark: object) -> None:
        with self._file.open("a") as file:
            file.write(f"{mark!r}\n")

    def clear(self) -> None:
        self._file.unlink(missing_ok=True)

    def __iter__(self) -> Iterator[object]:
        return map(ast.literal_eval, self._file.read_text().splitlines() if self._file.exists() else [])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __eq__(self, other: object) -> bool:
        return [*self] == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr([*self])
