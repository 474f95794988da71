"""The outputs of a run: values as they are, files by the path where they lie. Pure but for asking where that is."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alula.display.styles import PLAIN, Style, amount, pad, safe, width
from alula.progress import run_record
from alula_api.contract import references

if TYPE_CHECKING:
    from alula.progress.reports import OutputType, RunResult

LONGEST = 2000
"""Characters of one value that are shown."""
_UNSEEN = re.compile("[\x7f-\x9f\u2028\u2029]")
"""What JSON lets stand in a text, and a terminal may take for a command or a line's end."""


def render(result: RunResult, style: Style = PLAIN, columns: int = 100) -> str:
    """One line an output: its name, its value or path. Empty for a workflow without outputs.

    A record that is longer than `columns` gets a line a field.
    """
    if not result.output_types:
        return ""
    names = [_label(output, result) for output in result.output_types]
    indent = max(map(width, names))
    lines = []
    for name, output in zip(names, result.output_types, strict=True):
        text = value(result.wire[output.name], result.locate, columns - indent - 2)
        indented = text.replace("\n", "\n" + " " * (indent + 2))
        lines.append(f"{style.paint(pad(name, indent), 'bold')}  {indented}")
    return "\n".join(lines)


def as_json(result: RunResult, encoding: str = "utf-8") -> str:
    """The whole run as one JSON object, files as their paths: for programs that read `encoding`.

    A line a node, so that it can be searched and compared by lines.
    """
    shown = result.output_types if result.ok else ()
    located = {output.name: _located(result.wire[output.name], result.locate) for output in shown}
    is_ascii = encoding.lower().replace("-", "").replace("_", "") not in ("utf8", "utf8sig")
    fields = [_field(name, value, is_ascii) for name, value in run_record.of(result, located).items()]
    return "{\n" + ",\n".join(fields) + "\n}"


def _field(name: str, value: Any, is_ascii: bool) -> str:
    def text(json_value: Any) -> str:
        made = json.dumps(json_value, ensure_ascii=is_ascii)
        return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", made)

    if isinstance(value, list) and value:
        lines = ",\n".join(f"    {text(each)}" for each in value)
        return f"  {text(name)}: [\n{lines}\n  ]"
    if isinstance(value, dict) and value and name == "outputs":
        lines = ",\n".join(f"    {text(key)}: {text(each)}" for key, each in value.items())
        return f"  {text(name)}: {{\n{lines}\n  }}"
    return f"  {text(name)}: {text(value)}"


def value(wire: Any, locate: Callable[[Any], Path | str | None], columns: int = 100) -> str:
    """One value for people."""
    if isinstance(wire, str):
        text = "\n".join(map(safe, wire.split("\n")))
    elif references.is_reference(wire):
        text = f"{_located(wire, locate)}  ({reference(wire)})"
    else:
        text = _structure(_located(wire, locate), columns)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def reference(wire: dict[str, Any]) -> str:
    """`html file, 14 kB`."""
    what = " ".join(part for part in (wire.get("format", ""), wire["type"]) if part)
    return f"{what}, {amount(wire['size'])}" if wire["size"] else what


def _structure(wire: Any, columns: int) -> str:
    text = _json(wire)
    if len(text) <= columns or not isinstance(wire, dict):
        return text
    names = max(width(safe(key)) for key in wire)
    return "\n".join(f"{pad(safe(key), names)}  {_json(item)}" for key, item in wire.items())


def _json(wire: Any) -> str:
    return safe(json.dumps(wire, ensure_ascii=False))


def _label(output: OutputType, result: RunResult) -> str:
    return "result" if len(result.output_types) == 1 and output.name == "o0" else safe(output.name)


def _located(wire: Any, locate: Callable[[Any], Path | str | None], depth: int = 0) -> Any:
    if references.is_reference(wire):
        place = locate(wire)
        return near(place) if place is not None else wire
    if depth > 100:
        return wire
    if isinstance(wire, list):
        return [_located(item, locate, depth + 1) for item in wire]
    if isinstance(wire, dict):
        return {key: _located(item, locate, depth + 1) for key, item in wire.items()}
    return wire


def near(place: Path | str) -> str:
    """A path below the working directory without it, so that it can be clicked and copied."""
    if isinstance(place, str):
        return place
    relative = os.path.relpath(place)
    return str(place) if relative.startswith("..") else relative
