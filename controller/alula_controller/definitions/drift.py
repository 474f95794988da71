"""What others changed in the spec of an object that we made. Pure; called by `decide`.

The whole spec is ours. Server-side apply puts back what was changed or removed, and leaves what was added: a hook,
`hostNetwork`, defaults of templates. So the whole spec is compared, and a merge patch takes away what is too much.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MAX_PLACES = 10

Patch = dict[str, Any]


def additions(wanted: Mapping[str, Any], live: Mapping[str, Any]) -> Patch:
    """The merge patch that removes from `live` what `wanted` does not have; empty if there is no such thing.

    What is another list, number or text is a change, which an apply puts back.
    """
    found: Patch = {}
    for key, there in live.items():
        if key not in wanted:
            found[key] = None
        elif isinstance(there, Mapping) and isinstance(wanted[key], Mapping):
            inner = additions(wanted[key], there)
            if inner:
                found[key] = inner
    return found


def places(wanted: Any, live: Any, path: str = "spec") -> Iterator[str]:
    """Where the two differ: the names of fields, never what stands in them."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        for key in dict.fromkeys((*wanted, *live)):
            if key not in wanted or key not in live:
                yield f"{path}.{key}"
            else:
                yield from places(wanted[key], live[key], f"{path}.{key}")
    elif isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(live):
        for index, (one, other) in enumerate(zip(wanted, live, strict=True)):
            yield from places(one, other, f"{path}[{index}]")
    elif wanted != live or type(wanted) is not type(live):
        yield path


def told(wanted: Any, live: Any) -> str:
    """The places as one short text."""
    found = list(places(wanted, live))
    shown = ", ".join(place[:200] for place in found[:MAX_PLACES])
    return shown + (f" and {len(found) - MAX_PLACES} more" if len(found) > MAX_PLACES else "")
