"""What the controller and the process of its compiler say to each other, and how it ends; imports neither of them."""

from __future__ import annotations

import struct
from typing import Final

HEADER: Final = struct.Struct(">Q?")
"""Before each text of JSON: its bytes, and whether another one may follow."""
OUT_OF_MEMORY: Final = 71
"""Exit code of a process that met its limit."""
