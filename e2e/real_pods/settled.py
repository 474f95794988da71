"""Pods with settings of their own, for real pods: the code reads what of them a container sees."""

import os
import pathlib

from alula import Affinity, Backoff, NodeRule, Pod, Resources, Retries, Toleration, grow, task, workflow

LINUX = NodeRule("kubernetes.io/os", "In", ["linux"])


@task(
    interruptible=True,
    resources=Resources(cpu="100m", memory="256Mi", ephemeral_storage="64Mi"),
    pod=Pod(
        node_selector={"kubernetes.io/os": "linux"},
        tolerations=[Toleration("spot", effect="NoSchedule")],
        affinity=Affinity(nodes=[LINUX], preferred_apart_from=[{"team": "none"}], apart_from=[{"team": "nobody"}]),
        service_account="reader",
        labels={"team": "birds"},
        annotations={"example.org/note": "a note with $(HOME) and {braces}"},
        shared_memory="32Mi",
        secrets={"/secrets/db": "db"},
        config_maps={"/config": "settings"},
    ),
)
def look(n: int) -> list[str]:
    """What is in the pod."""
    shared = os.statvfs("/dev/shm")
    pathlib.Path("/dev/shm/own").write_text("x" * n)
    secret = pathlib.Path("/secrets/db/password").read_text()
    common = pathlib.Path("/secrets/common/token").read_text()
    chosen = pathlib.Path("/config/colour").read_text()
    return [secret, common, chosen, f"{shared.f_blocks * shared.f_frsize >> 20}Mi"]


@task(
    retries=Retries(0, Backoff("1s", factor=1)),
    resources=Resources(cpu="100m", memory="192Mi"),
    on_oom=grow(4, "640Mi"),
)
def fill(n: int) -> str:
    """Takes more memory than its first attempt has."""
    held = bytearray(n << 20)
    held[::4096] = b"x" * len(held[::4096])
    return os.environ["ALULA_MEMORY"]


@workflow
def settle(n: int = 300) -> tuple[list[str], str]:
    """One of each."""
    return look(n), fill(n)
