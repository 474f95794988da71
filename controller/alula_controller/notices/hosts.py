"""The hosts that notices may go to: the installation's list, whatever a Domain says. Read by `settings`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

ENCRYPTED_PORTS = (443, 465, 587)
"""Of an entry that names no port."""
_HOST = r"(?:\*\.)?[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?"
_ENTRY = re.compile(rf"(?:(?P<plain>http|smtp)://)?(?P<host>{_HOST})(?::(?P<port>[0-9]{{1,5}}))?")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a notice goes.

    Attributes:
        host: By its name.
        port: Of it.
        plain: `http` or `smtp` where the connection is not encrypted; else empty.
    """

    host: str
    port: int
    plain: str = ""

    def __str__(self) -> str:
        start = f"{self.plain}://" if self.plain else ""
        return f"{start}{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Allowed:
    """An entry of the list: `hooks.slack.com`, `*.logic.azure.com`, `smtp.acme.org:25`, `http://alerts.monitoring:9093`.

    Attributes:
        host: A name; one that begins with `*.` stands for all names that end so.
        port: None for `ENCRYPTED_PORTS`.
        plain: As of a `Target`; without it the connection has to be encrypted.
    """

    host: str
    port: int | None = None
    plain: str = ""

    @classmethod
    def of(cls, text: str) -> Allowed:
        """Read an entry.

        Raises:
            ValueError: It is none; says what is wrong.
        """
        found = _ENTRY.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not a host, *.suffix, host:port, http://host:port or smtp://host:port")
        port = int(found["port"]) if found["port"] else None
        if port is not None and not 1 <= port <= 65535:
            raise ValueError(f"{text!r} must have a port from 1 to 65535")
        if found["plain"] and port is None:
            raise ValueError(f"{text!r} must name its port, because it is not encrypted")
        return cls(found["host"], port, found["plain"] or "")

    def takes(self, target: Target) -> bool:
        """Whether a notice may go there."""
        suffix = self.host.removeprefix("*")
        same = target.host.endswith(suffix) if suffix != self.host else target.host == self.host
        ports = ENCRYPTED_PORTS if self.port is None else (self.port,)
        return same and target.port in ports and target.plain == self.plain


def allowed(target: Target, listed: Iterable[Allowed]) -> bool:
    """Whether any entry of the list takes the target."""
    return any(each.takes(target) for each in listed)
