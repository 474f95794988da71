"""What the controller reads of a Domain object, once. Called where definitions and runs are gathered.

What the compiler takes of a Domain it reads itself from `body`, with the kinds' own checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

NAME: Final = "domain"
"""A namespace has one."""


@dataclass(frozen=True)
class DomainView:
    """A Domain; one that is not there says nothing.

    Attributes:
        root: Which of the installation's roots keeps its data; empty leaves it to the installation.
        secret: The Secret with the pods' keys to the store; empty for none.
        fill: Whether cached tasks are filled in before a run starts.
        body: The object as read, if there is one.
    """

    root: str = ""
    secret: str = ""
    fill: bool = True
    body: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, body: Mapping[str, Any] | None) -> DomainView:
        """The view of a Domain as read."""
        spec = (body or {}).get("spec") or {}
        storage = spec.get("storage") or {}
        root, secret = str(storage.get("root") or ""), str(storage.get("secret") or "")
        return cls(root, secret, spec.get("fill") != "off", body)
