"""A cluster as a whole: what runs in it, who may do what, and how several live side by side."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from e2e.cluster import clusters, errors, processes, s3, states


def test_the_servers_are_real_and_argo_s_kinds_are_checked(cluster: clusters.Cluster) -> None:
    version = json.loads(cluster.kubectl("version", "-o", "json").stdout)
    assert version["serverVersion"]["gitVersion"].startswith("v1.")

    wrong = {"kind": "Workflow", "metadata": {"name": "wrong"}, "spec": {"entrypoint": 7}}
    refused = cluster.kubectl(
        *("apply", "-f", "-"),
        input=json.dumps({"apiVersion": "argoproj.io/v1alpha1", **wrong}),
        check=False,
    )
    assert refused.returncode != 0
    assert "spec.entrypoint" in refused.stderr


def test_a_user_may_do_what_its_rules_say_and_nothing_else(cluster: clusters.Cluster) -> None:
    cluster.namespace("users")
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]
    user = cluster.user("reader", rules, "users")

    def may(verb: str) -> str:
        question = ("auth", "can-i", verb, "configmaps", "-n", "users")
        login = f"--kubeconfig={user.kubeconfig}"
        return cluster.kubectl(*question, login, check=False).stdout.strip()

    assert (may("get"), may("delete")) == ("yes", "no")


def test_a_process_that_ended_tells_how_and_starts_again(cluster: clusters.Cluster) -> None:
    for _ in range(2):
        sleeper = cluster.spawn("sleeper", ["sleep", "600"])
        assert sleeper.poll() is None
        assert sleeper.kill() == -signal.SIGKILL
    assert cluster.spawn("sleeper", ["sleep", "600"]).terminate() == -signal.SIGTERM
    with pytest.raises(errors.ClusterError, match="no-such-program"):
        cluster.spawn("wrong", ["no-such-program"])


def test_a_bucket_belongs_to_its_account_alone(cluster: clusters.Cluster) -> None:
    obstore = pytest.importorskip("obstore")
    mine, theirs = cluster.s3.bucket("mine"), cluster.s3.bucket("theirs")

    def store(bucket: s3.Bucket, account: s3.Bucket) -> object:
        return obstore.store.S3Store(
            bucket.name,
            endpoint=bucket.endpoint,
            region=bucket.region,
            access_key_id=account.access_key,
            secret_access_key=account.secret_key,
            client_options={"allow_http": True},
            retry_config={"max_retries": 0},
        )

    obstore.put(store(mine, mine), "a/b", b"1")
    stranger = store(mine, theirs)
    with pytest.raises(obstore.exceptions.BaseError):
        obstore.get(stranger, "a/b")
    with pytest.raises(obstore.exceptions.BaseError):
        obstore.put(stranger, "a/c", b"2")
    with pytest.raises(obstore.exceptions.BaseError):
        list(obstore.list(stranger))
    root = store(mine, cluster.s3.as_root(mine))
    assert obstore.get(root, "a/b").bytes() == b"1"


OTHER = f"harness-other-{os.getpid()}"


@pytest.fixture
def other() -> Iterator[subprocess.Popen[str]]:
    """A second cluster, owned by a process of its own, in the same network addresses."""
    command = [sys.executable, "-m", "e2e.cluster", "up", "--name", OTHER]
    environment = dict(os.environ)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=processes.REPOSITORY, env=environment
    ) as owner:
        assert owner.stdout is not None
        for line in owner.stdout:
            if line.startswith("ready"):
                break
        yield owner
        owner.kill()


def test_two_clusters_side_by_side_do_not_meet_and_a_killed_owner_leaves_nothing(
    cluster: clusters.Cluster, other: subprocess.Popen[str]
) -> None:
    facts = states.running(OTHER)
    assert facts is not None

    def names(kubeconfig: str) -> list[str]:
        enter = [sys.executable, "-m", "e2e.cluster", "exec", OTHER, "--"]
        get = ["kubectl", "--kubeconfig", kubeconfig, "get", "namespaces", "-o", "name"]
        done = subprocess.run([*enter, *get], cwd=processes.REPOSITORY, capture_output=True, text=True)
        return done.stdout.split()

    cluster.namespace("only-here")
    assert "namespace/argo" in names(facts["kubeconfig"])
    assert "namespace/only-here" not in names(facts["kubeconfig"])
    assert names(str(cluster.kubeconfig)) == []

    inside = _processes_of(facts["pid"])
    assert len(inside) >= 6
    os.kill(other.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(path.exists() for path in inside):
        assert time.monotonic() < deadline, [path for path in inside if path.exists()]
        time.sleep(0.1)

    folder = pathlib.Path(facts["kubeconfig"]).parent
    assert folder.exists()
    other.wait()
    states.remove_leftovers()
    assert not folder.exists()
    assert cluster.folder.exists()


def _processes_of(pid: int) -> list[pathlib.Path]:
    """The /proc folders of all processes in the PID namespace of `pid`."""
    found = []
    wanted = pathlib.Path(f"/proc/{pid}/ns/pid").readlink()
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if (path / "ns/pid").readlink() == wanted:
                found.append(path)
        except OSError:
            continue
    return found
