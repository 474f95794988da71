"""The folder that an attempt starts in: empty, writable, its own. A pod and a laptop enter it before the task's code.

The rest of a pod's file system is read-only, so what programs write to by themselves has to lead here as well.
"""

from __future__ import annotations

import os
import sys

from alula_api.contract import pods


def enter(folder: str, *, home: bool) -> None:
    """Make the folder and start in it.

    Args:
        folder: absolute; may exist.
        home: whether it is the home folder too. A developer's own stays, because credentials lie in it.
    """
    temporary, cache = f"{folder}/tmp", f"{folder}/.cache"  # noqa: S108
    leads = {pods.Env.TEMPORARY: temporary}
    if home:
        leads |= {pods.Env.HOME: folder, pods.Env.CACHE_HOME: cache}
    for made in leads.values():
        os.makedirs(made, exist_ok=True)  # noqa: PTH103 (pathlib is not loaded yet)
    os.environ.update(leads)
    if "tempfile" in sys.modules:
        vars(sys.modules["tempfile"])["tempdir"] = None  # it remembers where the last one was
    os.chdir(folder)
