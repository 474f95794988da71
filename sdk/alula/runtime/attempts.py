"""One attempt: what the environment says of it, what is known of it so far, and the store, opened on first use.

Made by `running`, which fills it in as it goes; `failure_report` reads from it how far the attempt came. Nothing else
of the runtime looks at the environment.
"""

from __future__ import annotations

import os.path
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from alula.attempt import errors
from alula.attempt.errors import Stop
from alula.attempt.invoke import Phase
from alula_api.contract import pods
from alula_api.contract.codes import Code

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from alula.declare.tasks import Task
    from alula_api.contract.references import Reference
    from alula_api.contract.values import Json
    from alula_data.content import Content
    from alula_data.stores.protocols import Store

_TERMINATION_LOG = "/dev/termination-log"


class AttemptEnv(NamedTuple):
    """Where an attempt runs."""

    run: str
    run_uid: str
    """Of this run and no other of its name, ever; the name where the environment has none."""
    node: str
    attempt: int
    """From 1."""
    store: str
    """URL of the domain's prefix; empty when none is configured."""
    endpoint: str
    releases: str
    bundle: str
    """Digest of the code bundle, empty when the code is in the image."""
    inline_limit: int
    out: str
    """Folder for the outputs."""
    work: str
    """Folder for code and fetched inputs: the one in which `out` lies."""
    termination_log: str
    """File for the termination message, empty where Kubernetes mounts none."""
    timeout: float
    """Seconds after which the attempt is over, 0 without a timeout."""
    memory: str = ""
    """The container's, where it grows from attempt to attempt."""


class Attempt:
    """One attempt at one task; a carrier for the values of its task too."""

    def __init__(self, env: AttemptEnv) -> None:
        self.env = env
        self.phase = Phase.STARTING
        self.call: pods.Call | None = None
        self.task: Task[..., Any] | None = None
        self.inputs: Mapping[str, Json] = {}
        self.root = ""
        """Folder of the user's code, from which places in it are named."""

    @cached_property
    def store(self) -> Store:
        """The domain's prefix."""
        from alula_data.stores import opening

        if not self.env.store:
            raise Stop(errors.SYSTEM, Code.BAD_ENGINE, f"the environment has no {pods.Env.STORE}")
        return opening.open_store(self.env.store, endpoint=self.env.endpoint)

    @cached_property
    def content(self) -> Content:
        """The domain's files and large values."""
        from alula_data.content import Content

        return Content(self.store, work=f"{self.env.work}/in", in_pod=True)

    def uses(self, url: str) -> bool:
        """Whether `url` is the domain's prefix."""
        return "store" in self.__dict__ and self.store.url == url

    def commit_file(self, path: Path, *, type: str, name: str = "", format: str = "") -> Reference:
        """See `alula.types.carriers`."""
        return self.content.commit_file(path, type=type, name=name, format=format)

    def fetch(self, reference: Reference) -> Path:
        """See `alula.types.carriers`."""
        return self.content.fetch(reference)


def read(environment: Mapping[str, str]) -> AttemptEnv:
    """The variables that `environment` holds; raises ValueError for what is not usable."""
    out = environment.get(pods.Env.OUT) or pods.OUT_DIR
    # Kubernetes mounts the file; where there is none, no message is read.
    log = environment.get(pods.Env.TERMINATION_LOG) or (
        _TERMINATION_LOG if os.path.exists(_TERMINATION_LOG) else ""  # noqa: PTH110 (pathlib is not loaded yet)
    )
    return AttemptEnv(
        run=environment.get(pods.Env.RUN, ""),
        run_uid=environment.get(pods.Env.RUN_UID) or environment.get(pods.Env.RUN, ""),
        node=environment.get(pods.Env.NODE, ""),
        attempt=_number(environment, pods.Env.ATTEMPT, 0) + 1,
        store=environment.get(pods.Env.STORE, ""),
        endpoint=environment.get(pods.Env.STORE_ENDPOINT, ""),
        releases=environment.get(pods.Env.RELEASES, ""),
        bundle=environment.get(pods.Env.BUNDLE, ""),
        inline_limit=_number(environment, pods.Env.INLINE_LIMIT, pods.MAX_INLINE),
        out=out,
        work=os.path.dirname(out.rstrip("/")) or ".",  # noqa: PTH120
        termination_log=log,
        timeout=_seconds(environment.get(pods.Env.TIMEOUT, "")),
        memory=environment.get(pods.Env.MEMORY, ""),
    )


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"{name} must be a number, not {text[:80]!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text or 0)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e9:
        raise ValueError(f"{pods.Env.TIMEOUT} must be a number of seconds, not {text[:80]!r}")
    return seconds
