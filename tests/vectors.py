"""The golden vectors of the contract, for the tests of every package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PATH = Path(__file__).parent / "contract" / "vectors.json"
VECTORS: dict[str, Any] = json.loads(PATH.read_text(encoding="ascii"))
VALUES: list[dict[str, Any]] = VECTORS["values"]
REFUSED: list[dict[str, Any]] = VECTORS["refused"]
ENVELOPE_LIKE = "any JSON that looks like an envelope"
"""A value that never travels inline: between tasks it is stored, and written into a resource or a run it is refused."""
INLINE = [case for case in VALUES if case["name"] != ENVELOPE_LIKE]
"""Those that may be written into a resource or a run's arguments."""
KEYS: list[dict[str, Any]] = VECTORS["keys"]


def name(case: dict[str, Any]) -> str:
    """What a parametrized test calls a vector."""
    return str(case.get("name") or case.get("task") or case)
