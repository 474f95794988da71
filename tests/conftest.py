"""Settings of the whole suite: property tests are derandomised, so that a failure on one machine is one on all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import hypothesis
import pytest

from tests.runtime import zygote as zygotes

hypothesis.settings.register_profile("alula", derandomize=True, deadline=None, database=None, print_blob=True)
hypothesis.settings.load_profile("alula")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name functions by their name: an address in an id would differ between the workers of one run."""
    return getattr(val, "__name__", None) if callable(val) and not isinstance(val, type) else None


@pytest.fixture(scope="session")
def zygote() -> Iterator[subprocess.Popen[str]]:
    """The process that forks the attempts of pods, one a session."""
    command = [sys.executable, zygotes.__file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin
        process.stdin.close()
