"""Which runs of a definition have begun, changed their phase or ended, until its status tells of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from alula_api.argo.runs import PHASE_LABEL
from alula_controller.cluster.watches import Seen

K = TypeVar("K")

MAX_RUNS = 10  # of a definition, that are read at a time


class Noted(Generic[K]):
    """The runs that are to be read, by the definition that they are of."""

    def __init__(self) -> None:
        self._phases: dict[str, str] = {}  # of runs under way, by uid
        self._runs: dict[K, dict[str, str]] = {}  # when a run was created whose state may have changed, by name

    def clear(self) -> None:
        """Forget everything."""
        self._runs.clear()
        self._phases.clear()

    def note(self, key: K, seen: Seen, gone: bool = False) -> bool:
        """Remember a run that has begun, changed its phase or ended; whether it has."""
        phase = seen.labels.get(PHASE_LABEL, "")
        if not gone and self._phases.get(seen.uid) == phase:
            return False
        if gone:
            self._phases.pop(seen.uid, None)
        else:
            self._phases[seen.uid] = phase
        noted = self._runs.setdefault(key, {})
        noted[seen.name] = seen.created
        if len(noted) > MAX_RUNS:
            del noted[min(noted, key=lambda name: (noted[name], name))]
        return True

    def take(self, key: K) -> dict[str, str]:
        """The runs of a definition, which are forgotten."""
        return self._runs.pop(key, {})

    def put_back(self, key: K, noted: Mapping[str, str]) -> None:
        """Remember runs again that were taken and could not be told of."""
        self._runs[key] = {**noted, **self._runs.get(key, {})}
