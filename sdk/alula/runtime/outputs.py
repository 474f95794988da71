"""The files that Argo reads outputs from. Called by `running` at the end of an attempt that succeeded."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from alula_api.contract import values

if TYPE_CHECKING:
    from alula_api.contract.values import Json


def write(folder: str, outputs: Mapping[str, Json]) -> None:
    """Writes one file an output, each whole or not at all, in a form that Argo does not take for a template."""
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103
    for name, value in outputs.items():
        path = f"{folder}/{name}"
        with open(f"{path}.part", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(values.argo_safe(values.dumps(value)))
        os.chmod(f"{path}.part", 0o644)  # noqa: PTH101 - whatever the umask: Argo reads it as another user
        os.replace(f"{path}.part", path)  # noqa: PTH105
