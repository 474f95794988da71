"""Which scenarios stay together on one worker, and in which order workers take them; used by `e2e.conftest`.

Each worker has clusters of its own, so scenarios of different workers never meet. A file's scenarios stay together and
in order, because some build on what those before them did. Knows the names of files only; starts nothing.
"""

from __future__ import annotations

import pathlib
from collections.abc import Collection, Iterable
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

ROOT = pathlib.Path(__file__).parents[1]
REAL_PODS = "real pods"
GITOPS = "e2e/gitops"

# What takes longest comes first, so that no worker is left with it at the end.
LONGEST = (
    GITOPS,
    "e2e/main_road/test_conformance.py",
    "e2e/main_road/test_penguins.py",
    "e2e/main_road/test_failures.py",
    "e2e/controller/test_thirty_runs.py",
    "e2e/main_road/test_hostile_text.py",
    "e2e/controller/test_runs.py",
)


def unit(nodeid: str) -> str:
    """What a scenario is scheduled with: its file, or all that share what is slow to start: real pods, or Argo CD."""
    path = nodeid.partition("::")[0]
    if "real_pods" in path:
        return REAL_PODS
    return GITOPS if path.startswith(GITOPS) else path


def places(scenarios: Iterable[tuple[str, Collection[str]]]) -> dict[str, tuple[int, int, str]]:
    """The place of each unit in the one queue that all workers take units from, by the fixtures of its scenarios.

    On each worker the bare servers come before those with our controller on them: it answers the holds of every run on
    its cluster, which scenarios of the bare engine answer themselves.
    """
    installed: dict[str, bool] = {}
    for nodeid, fixtures in scenarios:
        own = unit(nodeid)
        installed[own] = installed.get(own, False) or "installation" in fixtures
    found = {}
    for own, is_installed in installed.items():
        stage = 0 if own == REAL_PODS else 1 + is_installed
        found[own] = (stage, LONGEST.index(own) if own in LONGEST else len(LONGEST), own)
    return found


class Units(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out units in the order of their places; a worker gets another when it has nearly finished what it has."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)
