"""What the environment says of an attempt: where it runs, and where code and data lie.

Read once by `running`; nothing else of the runtime looks at the environment.
"""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from typing import NamedTuple

from alula_api.contract import pods


class AttemptEnv(NamedTuple):
    """Where an attempt runs."""

    run: str
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


_TERMINATION_LOG = "/dev/termination-log"


def read(environment: Mapping[str, str]) -> AttemptEnv:
    """The variables that `environment` holds; raises ValueError for what is not usable."""
    out = environment.get(pods.Env.OUT) or pods.OUT_DIR
    # Kubernetes mounts the file; where there is none, no message is read.
    log = environment.get(pods.Env.TERMINATION_LOG) or (
        _TERMINATION_LOG if os.path.exists(_TERMINATION_LOG) else ""  # noqa: PTH110 (pathlib is not loaded yet)
    )
    return AttemptEnv(
        run=environment.get(pods.Env.RUN, ""),
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
