"""How often a task is tried again: two budgets and the waits between attempts. One rule for everybody who counts.

The compiler makes Argo's limit of it, the pod and the local runner ask it after each failure, a remote run's view shows
what is left. `retries` forgives failures of the user's code; `system_retries` forgives what no code did:
preemption, eviction, the loss of a node, a store without an answer. It counts nothing itself and knows no clock.
"""

from __future__ import annotations

from typing import Final, NamedTuple

SYSTEM_RETRIES: Final = 3
"""Unless the task or its Domain says otherwise."""
MAX_RETRIES: Final = 100
"""Of either budget."""


class Budget(NamedTuple):
    """The failures after which there is another attempt."""

    user: int = 0
    system: int = SYSTEM_RETRIES

    @property
    def limit(self) -> int:
        """Attempts after the first, of both budgets: Argo has one counter."""
        return self.user + self.system

    def allows(self, user: int, system: int) -> bool:
        """Whether an attempt may follow these numbers of failures of the user's code and of the system."""
        return user <= self.user and system <= self.system


class Backoff(NamedTuple):
    """The waits between attempts, spelled as in a resource."""

    duration: str
    """Before the second attempt, as `10s`."""
    factor: int | None = None
    """By which each further wait is longer than the one before; 1 when None."""
    cap: str | None = None
    """The longest wait."""

    def rest(self, failures: int) -> float:
        """Return the seconds to wait after a number of failures, one or more."""
        from alula_api.contract import durations

        longest = float("inf") if self.cap is None else durations.seconds(self.cap)
        try:
            wait: float = durations.seconds(self.duration) * (self.factor or 1) ** (failures - 1)
        except OverflowError:
            return longest
        return min(wait, longest)


DEFAULT_BACKOFF: Final = Backoff("5s", 2, "1m")
"""On a cluster: a store that is away for half a minute must not use up all attempts. A local run does not wait."""
