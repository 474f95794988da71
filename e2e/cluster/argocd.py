"""Argo CD in a cluster: its four servers, a redis, and a git server to sync from; started by the scenarios of gitops.

Two clocks decide how soon a commit is seen without a webhook, and both are short here: how often the controller looks
at an Application, and how long the repo server remembers which commit a branch ends with.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import pathlib
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from e2e.cluster import binaries, clusters, control_plane, errors, processes

Object = dict[str, Any]

NAMESPACE = "argocd"
API = "argoproj.io/v1alpha1"
GIT_PORT, SERVER_PORT, WEBHOOK_PORT = 7080, 8090, 7000
URL = f"http://127.0.0.1:{GIT_PORT}"
_SECRET = "hush"
# Of `password`, by `argocd account bcrypt`; nothing outside of the cluster's network can reach the server.
_PASSWORD = "$2a$10$rRyBsGSHK6.uc8fntPwVIuLVHgsAhAX7TcdrqW/RADU0uh7CaChLa"
_REDIS = ["--redis", "127.0.0.1:6379"]
_REPO = ["--repo-server", "127.0.0.1:8981", "--repo-server-plaintext"]


class ArgoCD:
    """Argo CD on one cluster.

    Args:
        cluster: The cluster.
        settings: Keys of its ConfigMap.
        repositories: The folder of bare repositories that its git server serves, where another Argo CD has it.
    """

    def __init__(
        self,
        cluster: clusters.Cluster,
        settings: Mapping[str, str] | None = None,
        repositories: pathlib.Path | None = None,
    ) -> None:
        self.cluster = cluster
        self.folder = cluster.folder / "argocd"
        self.repositories = repositories or self.folder / "git"
        for each in ("git", "tls", "ssh", "home", "tmp"):
            (self.folder / each).mkdir(parents=True, exist_ok=True)
        (self.folder / "ssh" / "ssh_known_hosts").touch()
        self._configure(settings or {})
        self.processes = {name: cluster.spawn(f"argocd-{name}", *how) for name, how in self._commands().items()}
        needed = [*self.processes.values()]
        control_plane.await_ready("argo cd", needed, self._is_ready, 180)

    def _configure(self, settings: Mapping[str, str]) -> None:
        crds = binaries.manifests("argo-cd")
        self.cluster.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(crds))
        self.cluster.await_crds("applications.argoproj.io", "applicationsets.argoproj.io", "appprojects.argoproj.io")
        self.cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        part = {"app.kubernetes.io/part-of": "argocd"}
        secrets = {
            "server.secretkey": "a long text that cannot be guessed",
            "admin.password": _PASSWORD,
            "admin.passwordMtime": "2026-01-01T00:00:00Z",
            "webhook.github.secret": _SECRET,
        }
        self.cluster.apply(
            [
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm", "labels": part},
                 "data": dict(settings)},
                {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "argocd-secret", "labels": part},
                 "data": {name: base64.b64encode(text.encode()).decode() for name, text in secrets.items()}},
            ],
            NAMESPACE,
        )  # fmt: skip

    def configure(self, data: Mapping[str, str]) -> None:
        """Set keys of Argo CD's ConfigMap; in force within a second."""
        self.cluster.api.patch("v1", "ConfigMap", "argocd-cm", NAMESPACE, {"data": dict(data)})

    def kill(self, *names: str) -> None:
        """End servers of it as a failure of their node would."""
        for name in names:
            self.processes[name].kill()

    def start(self, *names: str) -> None:
        """Start servers again that were killed."""
        commands = self._commands()
        self.processes |= {name: self.cluster.spawn(f"argocd-{name}", *commands[name]) for name in names}

    def _commands(self) -> dict[str, tuple[list[str], dict[str, str]]]:
        return {name: (argv, environment) for name, argv, environment in self._servers()}

    def _servers(self) -> Iterable[tuple[str, list[str], dict[str, str]]]:
        binary = binaries.find("argocd")[0]
        config = ["--kubeconfig", str(self.cluster.kubeconfig), "--namespace", NAMESPACE]
        environment = {
            "ARGOCD_FAKE_IN_CLUSTER": "true",
            "ARGOCD_GPG_ENABLED": "false",
            "ARGOCD_TLS_DATA_PATH": str(self.folder / "tls"),
            "ARGOCD_SSH_DATA_PATH": str(self.folder / "ssh"),
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "PATH": f"{pathlib.Path(binaries.find('kustomize')[0]).parent}:/usr/local/bin:/usr/bin:/bin",
            "GOMAXPROCS": "2",
        }
        redis = shutil.which("redis-server")
        if redis is None:
            raise errors.Unavailable("no `redis-server` on PATH; `make e2e-setup` installs it")
        yield "redis", [redis, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"], {}
        yield "git", [sys.executable, "-m", "e2e.cluster.git_server", str(GIT_PORT), str(self.repositories)], {}
        for name, flags in {
            "repo-server": [*_REDIS, "--disable-tls", "--address", "127.0.0.1", "--port", "8981",
                            "--metrics-port", "8984", "--revision-cache-expiration", "3s"],
            "application-controller": [*_REDIS, *_REPO, *config, "--metrics-port", "8982", "--app-resync", "10",
                                       "--app-resync-jitter", "0", "--repo-error-grace-period-seconds", "0"],
            "applicationset-controller": ["--argocd-repo-server", "127.0.0.1:8981", "--repo-server-plaintext", *config,
                                          "--metrics-addr", ":8985", "--probe-addr", ":8986",
                                          "--webhook-addr", f"127.0.0.1:{WEBHOOK_PORT}"],
            "server": [*_REDIS, *_REPO, *config, "--insecure", "--address", "127.0.0.1", "--port", str(SERVER_PORT),
                       "--metrics-port", "8983"],
        }.items():  # fmt: skip
            argv = [binary, *flags, "--loglevel", "warn"]
            yield name, argv, {**processes.SERVER, **environment, "ARGOCD_BINARY_NAME": f"argocd-{name}"}

    def _is_ready(self) -> bool:
        addresses = [f"http://127.0.0.1:{port}/healthz" for port in (SERVER_PORT, 8984, 8982)]
        return all(_status(each) == 200 for each in addresses) and _status(self._webhook(WEBHOOK_PORT), b"{}") == 400

    # Repositories

    def repository(self, name: str) -> str:
        """Make an empty bare repository; returns its URL."""
        path = self.repositories / f"{name}.git"
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)], check=True)
        subprocess.run(["git", "-C", str(path), "config", "http.receivepack", "true"], check=True)
        return self.url(name)

    def url(self, name: str) -> str:
        """Where Argo CD finds a repository."""
        return f"{URL}/{name}.git"

    def announce(self, name: str, before: str, after: str, files: Iterable[str]) -> None:
        """Tell Argo CD of a push, as GitHub's webhook does."""
        body = json.dumps(
            {
                "ref": "refs/heads/main",
                "before": before,
                "after": after,
                "repository": {"html_url": f"{URL}/{name}", "default_branch": "main"},
                "commits": [{"id": after, "added": [], "removed": [], "modified": [*files]}],
            }
        ).encode()
        signature = hmac.new(_SECRET.encode(), body, hashlib.sha256).hexdigest()
        for port in (SERVER_PORT, WEBHOOK_PORT):
            headers = {"X-GitHub-Event": "push", "X-Hub-Signature-256": f"sha256={signature}"}
            assert _status(self._webhook(port), body, headers) == 200

    def _webhook(self, port: int) -> str:
        return f"http://127.0.0.1:{port}/api/webhook"

    # Applications

    def application(self, name: str) -> Object | None:
        """An Application, if there is one."""
        found = self.cluster.api.list(API, "Application", NAMESPACE)
        return next((each for each in found if each["metadata"]["name"] == name), None)

    def wait(self, name: str, is_so: Callable[[Object], bool], what: str, timeout: float = 180) -> Object:
        """Wait until something is so of an Application."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.application(name)
            if found is not None and is_so(found):
                return found
            if time.monotonic() > deadline:
                shown = json.dumps(_short((found or {}).get("status", {})), indent=1)[:8000]
                raise TimeoutError(f"Application {name} is not {what} after {timeout:g} s: {shown}")
            time.sleep(0.1)

    def synced(self, name: str, commit: str, health: str = "Healthy", timeout: float = 180) -> Object:
        """Wait until an Application has a commit and its health."""

        def is_so(found: Object) -> bool:
            sync = found.get("status", {}).get("sync", {})
            state = (sync.get("status"), sync.get("revision"), found["status"].get("health", {}).get("status"))
            return state == ("Synced", commit, health)

        return self.wait(name, is_so, f"Synced and {health} at {commit[:12]}", timeout)

    def refresh(self, name: str, *, hard: bool = False) -> None:
        """Ask for a look at git now; `hard`: without what Argo CD remembers."""
        patch = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard" if hard else "normal"}}}
        self.cluster.api.patch(API, "Application", name, NAMESPACE, patch)


def _short(status: Object) -> Object:
    """Of an Application's status what explains why it is not as it should be."""
    told = {key: status.get(key) for key in ("sync", "health", "conditions")}
    operation = status.get("operationState") or {}
    well = {"Healthy", None}
    return told | {
        "operation": {key: operation.get(key) for key in ("phase", "message", "startedAt", "finishedAt")},
        "resources": [
            each
            for each in status.get("resources", ())
            if each.get("status") != "Synced" or (each.get("health") or {}).get("status") not in well
        ],
    }


def _status(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> int:
    """The status of an answer; 0 when there is none."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json", **(headers or {})})
    try:
        with opener.open(request, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return int(error.code)
    except OSError:
        return 0
