"""What the controller reads of a Domain object, once. Called where definitions and runs are gathered.

What the compiler takes of a Domain it reads itself from `body`, with the kinds' own checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from alula_api.contract.queue import Quota
from alula_api.contract.retention import Retention

NAME: Final = "domain"
"""A namespace has one."""


@dataclass(frozen=True)
class DomainView:
    """A Domain; one that is not there says nothing.

    Attributes:
        root: Which of the installation's roots keeps its data; empty leaves it to the installation.
        secret: The Secret with the pods' keys to the store; empty for none.
        fill: Whether cached tasks are filled in before a run starts.
        retention: How long runs are kept after their end.
        quota: What its queue allows; None where no run waits for its turn.
        suspended: Whether nothing starts in it.
        schedules: Whether the schedules of its launch plans start runs.
        trusted: The domains of its project whose runs may start some of its launch plans.
        body: The object as read, if there is one.
    """

    root: str = ""
    secret: str = ""
    fill: bool = True
    retention: Retention = field(default_factory=Retention)
    body: Mapping[str, Any] | None = None
    quota: Quota | None = None
    suspended: bool = False
    schedules: bool = True
    trusted: tuple[str, ...] = ()

    @property
    def fires(self) -> bool:
        """Whether its launch plans start runs by themselves."""
        return self.schedules and not self.suspended

    @classmethod
    def of(cls, body: Mapping[str, Any] | None) -> DomainView:
        """The view of a Domain as read."""
        spec = (body or {}).get("spec") or {}
        storage = spec.get("storage") or {}
        root, secret = str(storage.get("root") or ""), str(storage.get("secret") or "")
        retention = _retention(spec.get("retention") or {})
        fill, fires = spec.get("fill") != "Disabled", spec.get("schedules") != "Disabled"
        trusted = tuple(map(str, (spec.get("triggers") or {}).get("from") or ()))
        return cls(root, secret, fill, retention, body, Quota.of(spec), bool(spec.get("suspend")), fires, trusted)


def _retention(given: Mapping[str, Any]) -> Retention:
    try:
        return Retention.of(given.get("succeeded"), given.get("failed"))
    except ValueError:
        return Retention()  # the API server refuses such a Domain
