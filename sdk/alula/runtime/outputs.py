"""Outputs on their way: inline or into the store, and the files that Argo reads them from.

Called by `running`, after the function returned or the cache knew what it would return.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alula_api.contract import references, values

if TYPE_CHECKING:
    from alula.declare.tasks import Task
    from alula.runtime.attempts import Attempt
    from alula_api.contract.values import Json

_ENTRY_ROOM = 60_000
"""Bytes that all outputs together may take in a cache entry."""


def settle(
    attempt: Attempt, task: Task[..., Any], outputs: Mapping[str, Json], *, remembered: bool = False
) -> dict[str, Json]:
    """What travels for each output: itself while it is small, else an envelope of what was put into the store.

    Args:
        attempt: knows the limit and the store.
        task: its interface names the outputs.
        outputs: the values, in normal form.
        remembered: the values come from a cache entry, where envelopes are envelopes; from the user's function the
            same shape is a value of theirs.
    """
    limit = min(attempt.place.inline_limit, _ENTRY_ROOM // max(1, len(outputs)))
    found: dict[str, Json] = {}
    for output in task.interface.outputs:
        value = outputs[output.name]
        envelope = references.is_envelope(value)
        if (remembered and envelope) or not (envelope or len(values.argo_safe(values.dumps(value))) > limit):
            found[output.name] = value
            continue
        codec = values.codec(output.type.schema)
        found[output.name] = attempt.content.save_value(codec.wire(value), codec.identity(value), 0)
    return found


def write(folder: str, outputs: Mapping[str, Json]) -> None:
    """Writes one file an output, each whole or not at all, in a form that Argo does not take for a template."""
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103
    for name, value in outputs.items():
        path = f"{folder}/{name}"
        with open(f"{path}.part", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(values.argo_safe(values.dumps(value)))
        os.chmod(f"{path}.part", 0o644)  # noqa: PTH101 - whatever the umask: Argo reads it as another user
        os.replace(f"{path}.part", path)  # noqa: PTH105
