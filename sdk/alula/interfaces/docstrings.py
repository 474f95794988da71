"""Docstrings to descriptions: the prose, and one line for each input. Google and NumPy style, and Sphinx fields."""

from __future__ import annotations

import re
from typing import NamedTuple

_SECTION = r"(Args|Arguments|Parameters|Inputs|Returns|Yields|Raises|Note|Notes|Example|Examples)\s*:\s*$"
_ITEM = r"\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$"
_UNDERLINE = r"\s*-{3,}\s*$"
_NUMPY = (
    r"(Parameters|Other Parameters|Attributes|Returns|Yields|Receives|Raises|Warns|Warnings|See Also|Notes|References|"
    r"Examples)\s*$"
)
_FIELD = r":param\s+(?:\S+\s+)?(\w+)\s*:\s*(.*)$"
_UNPRINTABLE = "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\ufffe\\uffff\\ud800-\\udfff]"
"""Characters that no resource may hold."""
LONGEST = 1000
"""Characters of a description that are kept; resources are bounded."""


class Docs(NamedTuple):
    """What a docstring says.

    Attributes:
        description: Its paragraphs of prose, a blank line between them.
    """

    description: str
    inputs: dict[str, str]
    returns: str


def parse(text: str | None) -> Docs:
    """Read a docstring; what has no known form is left out."""
    if text is None:
        return Docs("", {}, "")
    if text.isprintable() and ":" not in text:  # one line, as most have, says nothing of inputs
        return Docs(text.strip()[:LONGEST], {}, "")
    text = re.sub(_UNPRINTABLE, "", text)
    if not text:
        return Docs("", {}, "")
    lines = _googled(_dedent(text))
    return Docs(_prose(lines), _items(lines), _returns(lines))


def _dedent(text: str) -> list[str]:
    lines = text.expandtabs().splitlines()
    indents = [len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()]
    cut = min(indents, default=0)
    return [lines[0].strip(), *(line[cut:].rstrip() for line in lines[1:])]


def _googled(lines: list[str]) -> list[str]:
    """The lines with the sections of NumPy style in the form of Google's."""
    made: list[str] = []
    title, named = "", 0
    for index, line in enumerate(lines):
        following = lines[index + 1] if index + 1 < len(lines) else ""
        if re.match(_NUMPY, line) and re.match(_UNDERLINE, following):
            title = line.strip()
            made.append(
                "Parameters:" if title.endswith("Parameters") else "Returns:" if title == "Returns" else "Notes:"
            )
        elif not title:
            made.append(line)
        elif not line or re.match(_UNDERLINE, line):
            continue
        elif title.endswith("Parameters") and not line.startswith(" "):
            names = re.findall(r"\*{0,2}(\w+)", line.partition(":")[0])
            made += [f"    {name}:" for name in names]
            named = len(names)
        elif title == "Returns" and not line.startswith(" ") and following.startswith(" "):
            continue  # the type, or the name and the type
        elif named and title.endswith("Parameters"):
            made[-named:] = [f"{each} {line.strip()}" for each in made[-named:]]
        else:
            made.append(f"    {line}")
    return made


def _prose(lines: list[str]) -> str:
    """The paragraphs before the first section."""
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        if re.match(_SECTION, line) or re.match(r":\w+.*:", line):
            break
        if line:
            paragraphs[-1].append(line.strip())
        elif paragraphs[-1]:
            paragraphs.append([])
    return "\n\n".join(" ".join(words) for words in paragraphs if words)[:LONGEST].rstrip()


def _block(lines: list[str], names: set[str]) -> list[str]:
    """The indented lines below a section's title."""
    block: list[str] = []
    inside = False
    for line in lines:
        title = re.match(_SECTION, line)
        if title:
            inside = title[1] in names
        elif inside and line and not line.startswith(" "):
            inside = False
        elif inside:
            block.append(line)
    return block


def _items(lines: list[str]) -> dict[str, str]:
    items: dict[str, str] = {}
    block = _block(lines, {"Args", "Arguments", "Parameters", "Inputs"})
    margin = min((len(line) - len(line.lstrip()) for line in block if line), default=0)
    name = ""
    for line in block:
        found = re.match(_ITEM, line.strip()) if len(line) - len(line.lstrip()) == margin else None
        if found:
            name = found[1]
            items[name] = found[2]
        elif name and line.strip():
            items[name] = f"{items[name]} {line.strip()}".strip()
    for line in lines:
        field = re.match(_FIELD, line.strip())
        if field:
            items.setdefault(field[1], field[2])
    return {name: text[:LONGEST] for name, text in items.items()}


def _returns(lines: list[str]) -> str:
    return " ".join(line.strip() for line in _block(lines, {"Returns"}) if line.strip())[:LONGEST]
