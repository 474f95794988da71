"""Exit codes of the runtime in the pod. Argo's retry expressions are compiled for these; 64 is Argo's own."""

from __future__ import annotations

from typing import Final

OK: Final = 0
FATAL: Final = 90
"""Never tried again: not retryable, or the user's share of attempts is used up."""
RETRYABLE: Final = 91
"""Tried again while attempts are left."""
INPUT_LOST: Final = 92
"""Never tried again: data of ours that the task needs is gone or damaged. A code of its own: in a
message any text may stand."""
FINAL: Final = (FATAL, INPUT_LOST)
"""No other attempt follows."""
