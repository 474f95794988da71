"""A difference as text for people, as Markdown for the comment of a review, and as JSON. Pure.

One line a change, those that break something first; what several workflows have in common is one line. What follows
from other changes (versions that follow from content, the source commit) is not mentioned.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence

from alula.gitops.changes import Line, grouped
from alula.gitops.differences import Difference
from alula.gitops.workflow_changes import Reruns

MAX_NAMES = 5
MAX_MARKDOWN_LINES = 400
"""Of the compiled objects in a comment: forges refuse long ones."""


def text(found: Sequence[Difference], *, objects: bool) -> str:
    """For a terminal; `objects`: with the compiled objects line by line."""
    parts = [line for each in found for line in _text(each, objects=objects)]
    return "".join(f"{line}\n" for line in parts)


def _text(found: Difference, *, objects: bool) -> Iterator[str]:
    yield title(found)
    yield from (f"  {line}" for line in lines(found))
    for each in found.objects if objects else ():
        yield f"  {each.object}: +{each.added} -{each.removed}"
        yield from (f"    {line}" for line in each.lines)


def title(found: Difference) -> str:
    """`penguins/prod: penguins 66e04d11 → 7a1b2c3d, 1 breaking change`."""
    moved = [
        f"{each.source} {each.before} → {each.after}"
        if each.before and each.after
        else f"{each.source} {each.after or each.before} {'is new' if each.after else 'is removed'}"
        for each in found.releases
        if each.before != each.after
    ]
    count = len(grouped(found.breaking))
    breaking = [f"{count} breaking change{'' if count == 1 else 's'}"] if count else []
    many = len(grouped(found.changes))
    others = "other settings" if found.releases else f"{many} change{'' if many == 1 else 's'}"
    return f"{found.title}: {', '.join([*moved, *breaking]) or ('nothing changes' if found.none else others)}"


def lines(found: Difference) -> Iterator[str]:
    """One line a change, then what runs again."""
    for line in grouped(found.changes):
        yield f"{'!' if line.change.breaking else '~'} {_change(line)}"
    for subjects, reruns in _together(found):
        yield from (f"> {subjects}: {sentence}" for sentence in _reruns(reruns))


def _change(line: Line) -> str:
    each = line.change
    part = f", {each.part}" if each.part and each.subject != "domain" else f" {each.part}" if each.part else ""
    users = f" ({'; '.join(each.users)})" if each.users else ""
    return f"{_subjects(line.subjects)}{part}: {each.text}{users}"


def _subjects(subjects: Sequence[str]) -> str:
    """`workflow a`, `workflows a, b`, `20 workflows`."""
    if len(subjects) == 1:
        return subjects[0]
    word = subjects[0].rpartition(" ")[0]
    if len(subjects) > MAX_NAMES:
        return f"{len(subjects)} {word}s"
    return f"{word}s {', '.join(each.rpartition(' ')[2] for each in subjects)}"


def _together(found: Difference) -> Iterator[tuple[str, Reruns]]:
    same: dict[str, tuple[list[str], Reruns]] = {}
    for subject, each in found.reruns.items():
        same.setdefault(repr(each), ([], each))[0].append(subject)
    yield from ((_subjects(subjects), each) for subjects, each in same.values())


def _reruns(found: Reruns) -> Iterator[str]:
    if found.again:
        yield f"runs again: {', '.join(f'{name} ({why})' for name, why in found.again.items())}"
    if found.perhaps:
        yield f"runs again if what it reads comes out otherwise: {', '.join(found.perhaps)}"
    if found.cached:
        yield f"stays cached: {', '.join(found.cached)}"


def markdown(found: Sequence[Difference]) -> str:
    """For a review: what it means in sight, what it does folded."""
    return "\n".join(part for each in found for part in _markdown(each)) + "\n"


def _markdown(found: Difference) -> Iterator[str]:
    yield f"### {_escaped(title(found))}\n"
    for line in lines(found):
        sign, _, rest = line.partition(" ")
        bold = "**breaks** " if sign == "!" else ""
        yield f"- {bold}{_escaped(rest)}"
    if not found.objects:
        return
    yield f"\n<details><summary>{len(found.objects)} compiled objects change</summary>\n"
    left = MAX_MARKDOWN_LINES
    for each in found.objects:
        shown = each.lines[: max(left, 0)]
        left -= len(each.lines)
        cut = [f"... {len(each.lines) - len(shown)} more lines"] if len(shown) < len(each.lines) else []
        fence = "`" * (max((len(run) for line in shown for run in _runs(line)), default=0) + 3)
        yield f"{each.object}: +{each.added} -{each.removed}\n{fence}diff"
        yield "\n".join([*shown, *cut])
        yield f"{fence}\n"
    yield "</details>"


def _runs(line: str) -> Iterator[str]:
    """Runs of backticks, which must not end a block of code."""
    run = ""
    for character in f"{line} ":
        if character == "`":
            run += character
        elif run:
            yield run
            run = ""


def _escaped(text: str) -> str:
    """Text that Markdown takes as it stands, so that no name or value of a tenant becomes a link or a mention."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|~" else "@\u200b" if c == "@" else c for c in text)


def as_json(found: Sequence[Difference]) -> str:
    """For programs."""
    return json.dumps([_json(each) for each in found], indent=2, ensure_ascii=False) + "\n"


def _json(found: Difference) -> dict[str, object]:
    return {
        "title": found.title,
        "changed": not found.none,
        "releases": [dataclasses.asdict(each) for each in found.releases],
        "changes": [dataclasses.asdict(each) for each in found.changes],
        "reruns": {subject: dataclasses.asdict(each) for subject, each in found.reruns.items()},
        "objects": [{"object": each.object, "diff": list(each.lines)} for each in found.objects],
    }
