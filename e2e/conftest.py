"""Fixtures of the end-to-end tests: one cluster a session or worker, and tests inside its network.

A test that asks for `cluster` (process pods) or `real_cluster` (kubelet and containerd) runs, with
all of its fixtures, inside that cluster's network. Where the machine lacks something, all these
tests are skipped with one line that says what; with `ALULA_E2E=required` they fail instead.
`e2e.sharing` divides the tests between workers (`-n 2`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeVar

import pytest

from e2e import installing, sharing
from e2e.cluster import clusters, errors, processes, starting

CLUSTERS = pytest.StashKey[dict[str, clusters.Cluster]]()
NETWORK = pytest.StashKey[contextlib.ExitStack]()
FAILED = pytest.StashKey[list[str]]()
NOTES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[CLUSTERS] = {}
    config.stash[NETWORK] = contextlib.ExitStack()
    config.stash[FAILED] = []
    config.stash[NOTES] = []


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[clusters.Cluster]:
    """A cluster whose pods are local processes: real API server, Argo and S3."""
    yield from _running(request.config, "cluster", starting.start)


@pytest.fixture(scope="session")
def real_cluster(request: pytest.FixtureRequest) -> Iterator[clusters.RealCluster]:
    """A cluster with a node: kubelet and containerd run its pods."""
    yield from _running(request.config, "real_cluster", starting.start_real)


@pytest.fixture(scope="session")
def building_cluster(request: pytest.FixtureRequest, real_cluster: clusters.RealCluster) -> clusters.RealCluster:
    """The cluster with a node, for tests that build images for it."""
    try:
        real_cluster.require_base_image()
    except errors.Unavailable as error:
        _miss(request.config, "TESTS THAT BUILD IMAGES", str(error))
    return real_cluster


@pytest.fixture(scope="session")
def installation(cluster: clusters.Cluster) -> installing.Installation:
    """alula installed on the process-pod cluster: CRDs, rights, and the controller as a process."""
    return installing.Installation(cluster)


@pytest.fixture
def web_ui(request: pytest.FixtureRequest, cluster: clusters.Cluster) -> str:
    """The address of Argo's web UI; a server built without it skips the test even where tests are required."""
    try:
        return cluster.web_ui()
    except errors.Unavailable as error:
        _skip(request.config, "PICTURES OF ARGO'S WEB UI", str(error))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = sharing.places((item.nodeid, getattr(item, "fixturenames", [])) for item in items)
    items.sort(key=lambda item: places[sharing.unit(item.nodeid)])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> sharing.Units:
    return sharing.Units(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Enters the network of the cluster that the test asks for, before its fixtures are made."""
    names = getattr(item, "fixturenames", [])
    wanted = next((name for name in ("real_cluster", "cluster") if name in names), None)
    _enter(item.config, wanted)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    if outcome.get_result().failed:  # type: ignore[attr-defined]
        item.config.stash[FAILED].append(item.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hands a worker's notes to the process that prints them."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["notes"] = session.config.stash[NOTES]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[NOTES].extend(getattr(node, "workeroutput", {}).get("notes", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints each note once; what is missing on the machine is not repeated for every test that was skipped for it."""
    notes = list(dict.fromkeys(config.stash[NOTES]))
    for note in notes:
        terminalreporter.write_sep("=", note, red=True, bold=True)
    reasons = [str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", [])]
    if all(any(reason.removeprefix("Skipped: ") in note for note in notes) for reason in reasons):
        terminalreporter.reportchars = terminalreporter.reportchars.replace("s", "")


SomeCluster = TypeVar("SomeCluster", bound=clusters.Cluster)


def _running(config: pytest.Config, kind: str, start: Callable[[str], SomeCluster]) -> Iterator[SomeCluster]:
    try:
        started = start(kind.replace("_", "-"))
    except errors.Unavailable as error:
        _miss(config, "END-TO-END TESTS", f"no cluster on this machine: {error}")
    removed = {name: os.environ.pop(name) for name in processes.MISLEADING if name in os.environ}
    config.stash[CLUSTERS][kind] = started
    _enter(config, kind)
    try:
        yield started
    finally:
        _enter(config, None)
        del config.stash[CLUSTERS][kind]
        os.environ.update(removed)
        kept = started.stop(keep_logs=bool(config.stash[FAILED]))
        if kept is not None:
            config.stash[NOTES].append(f"logs of {kind}: {kept}")


def _miss(config: pytest.Config, what: str, reason: str) -> NoReturn:
    """Skips a test that lacks something, or fails it where tests are required."""
    if os.environ.get("ALULA_E2E") == "required":
        pytest.fail(f"ALULA_E2E=required, but {reason}", pytrace=False)
    _skip(config, what, reason)


def _skip(config: pytest.Config, what: str, reason: str) -> NoReturn:
    """Skips a test with a line of its own at the end of the session."""
    config.stash[NOTES].append(f"{what} SKIPPED: {reason}")
    pytest.skip(reason)


def _enter(config: pytest.Config, kind: str | None) -> None:
    """Moves the test's thread into a cluster's network, or home; not into one yet to be started."""
    config.stash[NETWORK].close()
    running = config.stash[CLUSTERS].get(kind or "")
    if running is not None:
        config.stash[NETWORK].enter_context(running.entered())
