"""Why a cached task ran after all: what differs from the last time, in words. Pure.

The parts of a node's key are kept from run to run (`history`); a key that is new differs in one of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Parts:
    """What a node's key was made of.

    Attributes:
        key: The key itself.
        task, version, interface, environment: As in the key.
        pinned: Whether the version is the user's own word rather than the digest of the code.
        inputs: The identity of each input.
        shown: A short form of each input, for people.
        origins: The node that made an input, where one did.
    """

    key: str
    task: str
    version: str
    interface: str
    environment: str
    pinned: bool
    inputs: Mapping[str, str]
    shown: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)


_DIGEST = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{56}\b")

LONG = 24
"""Characters of an input beyond which only what differs is shown."""
FAILED = "it failed the last time"
"""Why a key that is not new has no value."""


def explain(now: Parts, before: Parts | None) -> str:
    """Why a key is new, in one phrase without a full stop.

    Args:
        now: The parts of the key that was not in the cache.
        before: Those of the last run of the same node; None when there was none.
    """
    if before is None:
        return "never run before"
    changes = [*_definition(now, before), *_inputs(now, before)]
    return ", ".join(changes[:3]) + (f" and {len(changes) - 3} more changes" if len(changes) > 3 else "")


def gone(why: str = "") -> str:
    """Why a key that is not new has no value; digests in `why` are cut short."""
    return f"its cached value is lost{f': {_DIGEST.sub(_cut, why)}' if why else ''}"


def _cut(digest: re.Match[str]) -> str:
    return f"{digest[1]}..."


def _differing(old: str, new: str) -> tuple[str, str]:
    """Both texts around the place where they first differ, when they are long."""
    if max(len(old), len(new)) <= LONG:
        return old, new
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    start = max(0, same - LONG // 2)

    def around(text: str) -> str:
        end = start + LONG
        return (
            ("…" if start else "")
            + text[start:end].removesuffix("…")
            + ("…" if text[end:] or text.endswith("…") else "")
        )

    return around(old), around(new)


def _definition(now: Parts, before: Parts) -> list[str]:
    changes = []
    if now.task != before.task:
        changes.append(f"it is another task now ({before.task} → {now.task})")
    if now.version != before.version:
        both = now.pinned and before.pinned
        changes.append(f"its version changed ({before.version} → {now.version})" if both else "its code changed")
    if now.interface != before.interface:
        changes.append("its types changed")
    if now.environment != before.environment:
        changes.append("its environment changed")
    return changes


def _inputs(now: Parts, before: Parts) -> list[str]:
    changes = []
    for name, identity in now.inputs.items():
        if name not in before.inputs:
            changes.append(f"input {name} is new")
        elif before.inputs[name] != identity:
            changes.append(f"input {name} changed{_how(name, now, before)}")
    changes += [f"input {name} is gone" for name in before.inputs if name not in now.inputs]
    return changes


def _how(name: str, now: Parts, before: Parts) -> str:
    old, new = before.shown.get(name, ""), now.shown.get(name, "")
    if old and new and old != new:
        return " ({} → {})".format(*_differing(old, new))
    origin = now.origins.get(name, "")
    return f" (from {origin})" if origin else ""
