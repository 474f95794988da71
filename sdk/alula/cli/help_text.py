"""The help of a command as text: the same layout everywhere. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from alula.cli.flags import Flag, dashed
from alula.display.styles import wrapped

COLUMNS = 100
LONGEST_NAME = 30


def page(*parts: str, columns: int = COLUMNS) -> str:
    """The parts that are not empty, a blank line between them; on a narrow terminal no word is broken."""
    text = "\n\n".join(part.rstrip("\n") for part in parts if part.strip())
    return wrapped(text, columns) if columns < COLUMNS else text


def prose(text: str, columns: int = COLUMNS) -> str:
    """A paragraph in lines of at most `columns`."""
    return "\n".join(wrap(text, columns))


def section(title: str, rows: Iterable[tuple[str, str]], columns: int = COLUMNS) -> str:
    """A title and aligned rows of name and text; "" without rows."""
    all_of_them = [*rows]
    if not all_of_them:
        return ""
    fitting = [len(name) for name, _ in all_of_them if len(name) <= LONGEST_NAME]
    width = min(max(fitting, default=LONGEST_NAME), columns // 2 - 4)
    lines = [f"{title}:"]
    for name, text in all_of_them:
        wrapped = wrap(text, columns - width - 4)
        first = f"  {name}"
        if len(name) > width or not wrapped:
            lines.append(first)
        else:
            lines.append(f"{first:<{width + 4}}{wrapped.pop(0)}")
        lines += [" " * (width + 4) + line for line in wrapped]
    return "\n".join(lines)


def flags(title: str, listed: Sequence[Flag], columns: int = COLUMNS) -> str:
    """The section of some flags."""
    return section(title, ((name(flag), description(flag)) for flag in listed), columns)


def name(flag: Flag) -> str:
    """`-q, --quiet`, `--workers N`, `--[no-]strict`."""
    long = dashed(flag.name)
    if flag.metavar:
        text = f"--{long} {flag.metavar}" + (f", --no-{long}" if flag.negatable else "")
    else:
        text = f"--[no-]{long}" if flag.negatable else f"--{long}"
    return f"-{flag.letter}, {text}" if flag.letter else text


def description(flag: Flag) -> str:
    """The help with what one must know of the default."""
    notes = [note for note in ("required" if flag.required else "", f"default: {flag.default}" if flag.default else "",
                               "may be repeated" if flag.many else "") if note]  # fmt: skip
    return " ".join(part for part in (flag.help, f"({'; '.join(notes)})" if notes else "") if part)


def wrap(text: str, columns: int) -> list[str]:
    """Lines of whole words, what is indented as it stands; `textwrap` would cost the help more than all else."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        if paragraph.startswith("  "):
            lines.append(paragraph)
            continue
        line = ""
        for word in paragraph.split():
            if line and len(line) + 1 + len(word) > max(columns, 20):
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
        if line:
            lines.append(line)
    return lines
