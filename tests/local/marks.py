"""A list that tasks append to from processes of their own: it lies in a file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


class Marks:
    """Literals in the order in which they were appended; `kept_in` a file that each test chooses."""

    def __init__(self) -> None:
        self._file = Path("never")

    def kept_in(self, file: Path) -> None:
        self._file = file

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
