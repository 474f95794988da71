"""A cluster that is a web server in this process, and a kubeconfig that names it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alula.remote import connections
from tests.remote import servers


@pytest.fixture
def server() -> Iterator[servers.Server]:
    made = servers.Server()
    listening = servers.serve(made)
    yield made
    made.over.set()
    listening.shutdown()
    listening.server_close()


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where KUBECONFIG points; there is nothing yet."""
    path = tmp_path / "kubeconfig"
    monkeypatch.setenv("KUBECONFIG", str(path))
    for name in ("KUBERNETES_SERVICE_HOST", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ARGO_SERVER"):
        monkeypatch.delenv(name, raising=False)
    return path


@pytest.fixture
def cluster(server: servers.Server, config: Path) -> Iterator[connections.Connection]:
    """A connection to the server, with a token."""
    servers.kubeconfig(config, server.host, {"token": "secret-token"})
    made = connections.Connection(namespace=servers.NAMESPACE)
    yield made
    made.close()


class Clock:
    """Time that passes when there is a sleep."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()
