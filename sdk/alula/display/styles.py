"""Colours and symbols, and the width that text takes in a terminal. Pure; used by every module here that renders."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_CODES: Final = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_START = re.compile(r"(?:\x1b\[[0-9;]*m)*( *)")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

_SYMBOLS: Final = {
    "done": "✓",
    "cached": "✓",
    "failed": "✗",
    "resting": "↻",
    "waiting": "·",
    "not taken": "-",
    "skipped": "-",
    "stopped": "!",
}
_LETTERS: Final = {
    "done": "+",
    "cached": "=",
    "failed": "x",
    "resting": "~",
    "waiting": ".",
    "not taken": "-",
    "skipped": "-",
    "stopped": "!",
}
_SPINNER: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Style(NamedTuple):
    """How text may look: with ANSI colours or without, with symbols beyond ASCII or without."""

    colour: bool = False
    symbols: bool = True

    def paint(self, text: str, *names: str) -> str:
        """`text` in the named colours."""
        if not self.colour or not text or not names:
            return text
        return f"\x1b[{';'.join(_CODES[name] for name in names)}m{text}\x1b[0m"

    def mark(self, state: str) -> str:
        """The coloured sign of a node's state."""
        sign = (_SYMBOLS if self.symbols else _LETTERS).get(state, " ")
        colours = {
            "done": ("green",),
            "cached": ("cyan",),
            "failed": ("red", "bold"),
            "resting": ("yellow",),
            "stopped": ("yellow",),
        }
        return self.paint(sign, *colours.get(state, ("dim",)))

    def spinner(self, tick: int) -> str:
        """One frame of the sign of what runs."""
        return self.paint(_SPINNER[tick % len(_SPINNER)] if self.symbols else "|/-\\"[tick % 4], "blue")

    def bar(self, part: float, width: int) -> str:
        """A progress bar of `width` columns, `part` of 1 filled."""
        full = round(max(0.0, min(1.0, part)) * width)
        if not self.symbols:
            return "#" * full + "." * (width - full)
        return self.paint("━" * full, "green") + self.paint("─" * (width - full), "dim")

    def words(self, text: str) -> str:
        """`safe` text, without arrows where only ASCII can be written."""
        return safe(text if self.symbols else text.replace("→", "->"))

    @property
    def ellipsis(self) -> str:
        """Where something was cut off."""
        return "…" if self.symbols else "..."

    @property
    def rule(self) -> str:
        """Between the name of a node and what it printed."""
        return "│" if self.symbols else "|"

    @property
    def times(self) -> str:
        """Between a name and a count."""
        return "×" if self.symbols else "x"


PLAIN = Style(colour=False, symbols=True)


def width(text: str) -> int:
    """Columns that `text` takes; colours take none, East Asian wide characters two."""
    bare = _ESCAPES.sub("", text)
    if bare.isascii():
        return len(bare)
    import unicodedata

    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in bare)


def pad(text: str, columns: int) -> str:
    """`text` followed by blanks up to `columns`."""
    return text + " " * (columns - width(text))


def fit(text: str, columns: int, style: Style = PLAIN) -> str:
    """`text` cut to `columns`, without breaking a colour."""
    if width(text) <= columns:
        return text
    room = columns - width(style.ellipsis)
    kept = []
    for piece in re.split(f"({_ESCAPES.pattern})", text):
        if piece.startswith("\x1b"):
            kept.append(piece)
            continue
        for character in piece:
            room -= width(character)
            if room < 0:
                break
            kept.append(character)
    return "".join(kept) + style.ellipsis + ("\x1b[0m" if "\x1b" in text else "")


def wrapped(text: str, columns: int) -> str:
    """`text` in lines of at most `columns`, broken between words; a word that is longer is left to the terminal.

    What belongs to a line is indented two columns further, so that lines can be told apart.
    """
    return "\n".join(part for line in text.split("\n") for part in _broken(line, columns))


def _broken(line: str, columns: int) -> list[str]:
    if width(line) <= columns:
        return [line]
    start = _START.match(line)
    assert start is not None, "nothing is a start too"
    first, *others = line[start.end() :].split(" ")
    lines = [start[0] + first]
    for word in others:
        if width(lines[-1]) + 1 + width(word) > columns:
            lines.append(f"{start[1]}  {word}")
        else:
            lines[-1] += f" {word}"
    return lines


def safe(text: str) -> str:
    """User text without escapes and control characters, which could rewrite what the terminal shows."""
    return _CONTROLS.sub("�", _ESCAPES.sub("", text))


def duration(seconds: float) -> str:
    """A time for people: `3ms`, `0.8s`, `12s`, `2m 05s`, `1h 02m`."""
    if seconds < 0.0995:
        return f"{max(0, round(seconds * 1000))}ms"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02}m"


def amount(size: int) -> str:
    """A number of bytes for people: `812 B`, `14 kB`, `1.2 MB`."""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.5 or unit == "TB":
            break
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"


def count(number: int, noun: str) -> str:
    """`1 task`, `3 tasks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
