"""Scenarios of the same cluster keep out of each other's way."""

from __future__ import annotations

import re
from pathlib import Path

SCENARIOS = Path(__file__).resolve().parents[2] / "e2e"
SHARED = {"penguins-dev", "echo-dev"}
"""Namespaces that scenarios of several modules mean to share."""
_PLACE = re.compile(r'\bplace\("([a-z0-9-]+)", "([a-z0-9-]+)"')
_REGISTERED = re.compile(r'\bregistered\(installation, [^"]*"([a-z0-9-]+)"')


def test_no_two_modules_of_scenarios_take_one_namespace_for_their_own() -> None:
    """What one of them sets there would hold for the other; which modules share a cluster depends on the workers."""
    found: dict[str, set[str]] = {}
    for path in SCENARIOS.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        taken = ["-".join(names) for names in _PLACE.findall(text)]
        taken += [f"{name}-dev" for name in _REGISTERED.findall(text)]
        for namespace in taken:
            found.setdefault(namespace, set()).add(path.name)
    assert {"conformance-dev", "queued-dev", *SHARED} <= found.keys()
    assert {namespace: modules for namespace, modules in found.items() if len(modules) > 1}.keys() <= SHARED
