"""The queue before `admit`: how many runs of a domain and of a launch plan may be under way. Pure; a step of
`decide`.

Today every run is admitted at once. Quotas, priorities, fair share and the ledger in `Domain.status.admission`
(holds.md, "Queue" and "Exactly once") come in here, and only here: the step sees the run and its Domain, and answers
whether to go on, and what to tell those who wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Turn:
    """Whether it is the run's turn; otherwise when to look again, and what its status should say meanwhile."""

    now: bool
    again: float = 0.0
    message: str = ""


def admit_now(run: Mapping[str, Any], domain: Mapping[str, Any] | None) -> Turn:
    """It is always a run's turn, for no domain has a quota yet."""
    del run, domain
    return Turn(True)
