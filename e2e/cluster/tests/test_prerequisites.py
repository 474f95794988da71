"""Without what it needs the harness says so, once, and never passes by doing nothing."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from e2e.cluster import binaries, errors, processes

PROBE = "e2e/cluster/tests/test_process_pods.py::test_a_deadline_of_the_pod_ends_it"


def run_probe(folder: pathlib.Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs one test of the cluster on a machine that has no server binaries at all."""
    program = (
        "import pathlib, sys, pytest; from e2e.cluster import binaries;"
        "binaries.SHARED = pathlib.Path('/nonexistent'); sys.exit(pytest.main(sys.argv[1:]))"
    )
    environment = {
        **os.environ,
        **variables,
        "PATH": "/usr/bin",
        "ALULA_E2E_BIN": str(folder),
        "XDG_CACHE_HOME": str(folder),
    }
    return subprocess.run(
        [sys.executable, "-c", program, "-q", PROBE],
        cwd=processes.REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_tests_are_skipped_with_one_line_that_says_why(tmp_path: pathlib.Path) -> None:
    done = run_probe(tmp_path, ALULA_E2E="")
    assert done.returncode == 0
    assert done.stdout.count("END-TO-END TESTS SKIPPED: no cluster on this machine: no `etcd`") == 1
    assert done.stdout.count("no `etcd`") == 1


def test_required_tests_fail_instead(tmp_path: pathlib.Path) -> None:
    done = run_probe(tmp_path, ALULA_E2E="required")
    assert done.returncode == 1
    assert "ALULA_E2E=required, but no cluster on this machine: no `etcd`" in done.stdout


def test_a_damaged_archive_is_refused(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    packed = tmp_path / "bin" / "etcd.xz"
    packed.parent.mkdir()
    packed.write_bytes(b"not what it was")
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  bin/etcd.xz\n")
    with pytest.raises(errors.Unavailable, match="damaged"):
        binaries.unpack(packed)
