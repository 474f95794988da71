"""Who moves bytes for values that are references: implemented by `alula_data.content.Content` and by the local runner.

Codecs get a carrier with every value and use it for files and frames only. This module knows no store.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

Snapshot: TypeAlias = Callable[[Any], Callable[[], Any]]
"""Given an object, makes what gives an equal one at each call; none shares what can be changed with another."""

if TYPE_CHECKING:
    from pathlib import Path

    from alula_api.contract.references import Reference


def same(value: object) -> Callable[[], Any]:
    """The snapshot of what does not change."""
    return lambda: value


class Carrier(Protocol):
    """Commits what a task made and fetches what it needs."""

    def commit_file(self, path: Path, *, type: str, name: str = "", format: str = "") -> Reference:
        """Store the file (or, for the type `directory`, the folder) at `path`; all of it or nothing."""

    def fetch(self, reference: Reference) -> Path:
        """A local path to the verified content; for a directory, the folder. Callers must not write to it."""


class Keeper(Protocol):
    """A carrier that may also keep an object in this process instead of storing it.

    The local runner offers this for frames between tasks that are not cached; such references never leave the process.
    """

    def keep(
        self, value: object, *, type: str, name: str = "", format: str = "", snapshot: Snapshot = same
    ) -> Reference | None:
        """A reference to `value` as it is now, or None where it must be stored; raises what `snapshot` raises."""

    def kept(self, reference: Reference) -> object | None:
        """The object behind a reference that `keep` made; None for any other."""


class Probe:
    """The carrier of a plain call: objects stay in memory, checked as they are where they are stored."""

    def __init__(self) -> None:
        self._kept: list[Callable[[], Any]] = []

    def keep(
        self, value: object, *, type: str, name: str = "", format: str = "", snapshot: Snapshot = same
    ) -> Reference:
        """Remember `value` as it is now; raises what `snapshot` raises."""
        from alula_api.contract import references

        self._kept.append(snapshot(value))
        digest = f"{len(self._kept) - 1:064x}"
        return references.Reference(type=type, digest=digest, size=0, name=name, format=format)

    def kept(self, reference: Reference) -> object | None:
        """What `keep` remembered."""
        made: object = self._kept[int(reference.digest, 16)]()
        return made

    def commit_file(self, path: Path, *, type: str, name: str = "", format: str = "") -> Reference:
        """Never reached: `keep` is asked first."""
        raise NotImplementedError

    def fetch(self, reference: Reference) -> Path:
        """Never reached: `kept` is asked first."""
        raise NotImplementedError


class Refusal:
    """The carrier of constants and defaults, which cannot hold files: a release must mean the same everywhere."""

    def keep(
        self, value: object, *, type: str, name: str = "", format: str = "", snapshot: Snapshot = same
    ) -> Reference:
        """Refuse."""
        from alula.types.mismatches import Mismatch

        message = f"a {type} cannot be written into a definition, which must mean the same everywhere"
        raise Mismatch(message, "make it an input of the workflow, or make it in a task")

    def kept(self, reference: Reference) -> object | None:
        """Nothing was kept."""
        return None

    def commit_file(self, path: Path, *, type: str, name: str = "", format: str = "") -> Reference:
        """Never reached: `keep` is asked first."""
        raise NotImplementedError

    def fetch(self, reference: Reference) -> Path:
        """Never reached: `kept` is asked first."""
        raise NotImplementedError


REFUSAL = Refusal()


def keeping(carrier: Carrier) -> Keeper | None:
    """The carrier as a keeper, where it is one."""
    return cast("Keeper", carrier) if hasattr(carrier, "keep") else None
