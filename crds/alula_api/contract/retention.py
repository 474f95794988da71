"""How long runs stay in the cluster after their end, and with them what they were started from.

The compiler writes it into templates for Argo, which deletes the runs; the controller keeps revisions for the longer of
the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from alula_api.contract import durations

MAX_SECONDS: Final = 3650 * 86_400


@dataclass(frozen=True, slots=True)
class Retention:
    """Seconds from the end of a run to its deletion.

    Attributes:
        succeeded: Of runs that succeeded.
        failed: Of all others.
    """

    succeeded: int = 7 * 86_400
    failed: int = 30 * 86_400

    @property
    def longest(self) -> int:
        """Seconds after which no run is there any more that ended before them."""
        return max(self.succeeded, self.failed)

    @classmethod
    def of(cls, succeeded: str | None, failed: str | None) -> Retention:
        """The retention of two durations as resources write them; the defaults where there is none.

        Raises:
            ValueError: For what is not a duration.
        """
        default = cls()
        return cls(
            default.succeeded if succeeded is None else _seconds(succeeded),
            default.failed if failed is None else _seconds(failed),
        )

    def within(self, succeeded: str | None, failed: str | None) -> Retention:
        """What a launch plan asks for, and no longer than this.

        Raises:
            ValueError: For what is not a duration.
        """
        asked = self.of(succeeded, failed)
        return Retention(
            self.succeeded if succeeded is None else min(self.succeeded, asked.succeeded),
            self.failed if failed is None else min(self.failed, asked.failed),
        )


def _seconds(text: str) -> int:
    """At least one: a run that is gone the moment it ends is one that failed, for all that anybody sees."""
    return max(1, min(int(durations.seconds(text)), MAX_SECONDS))
