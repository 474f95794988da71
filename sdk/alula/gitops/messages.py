"""The messages of the commits that alula makes: what changes, in the words of `alula diff`, and whence. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from alula.gitops import difference_text
from alula.gitops.drafts import Draft
from alula.gitops.layout import Place

MAX_LINES = 60
MAX_NAMES = 3


def promotion(draft: Draft, source: Place, target: Place, workflows: Collection[str], runs: Sequence[str] = ()) -> str:
    """Of a promotion."""
    what = ", ".join([*workflows][:MAX_NAMES]) + (" and more" if len(workflows) > MAX_NAMES else "")
    moved = [each for each in draft.difference.releases if each.before != each.after]
    versions = ", ".join(f"{each.source} {each.after}" for each in moved) if not workflows else what
    head = f"Promote {target.project} from {source.domain} to {target.domain}{f': {versions}' if versions else ''}"
    ends = [f"Promoted-From: {source}@{draft.parent}", *(f"Succeeded-Run: {run}" for run in runs)]
    return _message(head, [*_built(draft), *difference_text.lines(draft.difference)], ends)


def registration(draft: Draft) -> str:
    """Of a release that enters a domain."""
    place = draft.after.place
    versions = ", ".join(
        f"{each.source} {each.after}" for each in draft.difference.releases if each.before != each.after
    )
    head = f"Register {versions or 'other digests'} in {place}"
    return _message(head, [*_built(draft), *difference_text.lines(draft.difference)], [])


def rollback(draft: Draft, place: Place, taken_back: Iterable[str], restored: str) -> str:
    """Of a rollback."""
    versions = ", ".join(
        f"{each.source} {each.after}" for each in draft.difference.releases if each.before != each.after
    )
    head = f"Roll back {place.project} in {place.domain}{f' to {versions}' if versions else ''}"
    ends = [*(f"Takes-Back: {each}" for each in taken_back), f"Restored-From: {restored}"]
    return _message(head, [*difference_text.lines(draft.difference)], ends)


def _built(draft: Draft) -> list[str]:
    """Which builds the target then runs."""
    found = []
    for source, release in draft.after.releases.items():
        for block in release.blocks:
            names = f" ({len(block.workflows)} workflows)" if block.workflows else ""
            built = f", built from {block.commit}" if block.commit else ""
            found.append(f"{source}{names}: release {block.release}{built}")
    return found


def _message(head: str, lines: Sequence[str], ends: Sequence[str]) -> str:
    shown = [*lines[:MAX_LINES]]
    if len(lines) > MAX_LINES:
        shown.append(f"and {len(lines) - MAX_LINES} more changes")
    return "\n\n".join(filter(None, (head, "\n".join(shown), "\n".join(ends)))) + "\n"
