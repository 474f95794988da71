"""Settings of the whole suite: property tests are derandomised, so that a failure on one machine is one on all."""

from __future__ import annotations

import hypothesis

hypothesis.settings.register_profile("alula", derandomize=True, deadline=None, database=None, print_blob=True)
hypothesis.settings.load_profile("alula")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name functions by their name: an address in an id would differ between the workers of one run."""
    return getattr(val, "__name__", None) if callable(val) and not isinstance(val, type) else None
