"""A terminal that is good enough to see what a live view leaves on it."""

from __future__ import annotations

import re

_PIECES = re.compile(r"\x1b\[(\??[0-9;]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+")


class Screen:
    """Interprets what was written: text, carriage return, line feed, cursor up, erasing; colours are dropped."""

    def __init__(self) -> None:
        self.lines = [""]
        self.row = self.column = 0
        self.cursor_shown = True

    def feed(self, text: str) -> Screen:
        for piece in _PIECES.finditer(text):
            parameters, command = piece.group(1), piece.group(2)
            if command:
                self.command(parameters or "", command)
            elif piece[0] == "\r":
                self.column = 0
            elif piece[0] == "\n":
                self.row, self.column = self.row + 1, 0
                if self.row == len(self.lines):
                    self.lines.append("")
            else:
                line = self.lines[self.row].ljust(self.column)
                self.lines[self.row] = line[: self.column] + piece[0] + line[self.column + len(piece[0]) :]
                self.column += len(piece[0])
        return self

    def command(self, parameters: str, command: str) -> None:
        if command == "A":
            self.row -= int(parameters or 1)
            assert self.row >= 0, "the cursor was moved above what was written"
        elif command == "K":
            self.lines[self.row] = self.lines[self.row][: self.column]
        elif command == "J":
            self.lines[self.row] = self.lines[self.row][: self.column]
            del self.lines[self.row + 1 :]
        elif command in "hl" and parameters == "?25":
            self.cursor_shown = command == "h"
        else:
            assert command == "m", f"an unknown command: {command}"

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines).rstrip("\n")
