"""What people ask of the controller about a run: an annotation, which it answers. Called by the command line.

Only it may move the hold at which a run waits, where the installation's policies are strict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alula.remote.refusals import refusal
from alula_api.argo import runs

if TYPE_CHECKING:
    from alula.remote.connections import Connection


def ask(cluster: Connection, run: str, annotation: str, why: str) -> None:
    """Set the annotation on a run that is not over.

    Raises:
        RemoteError: there is no such run, it is over, or the cluster refused.
    """
    found = cluster.run(run)
    if found is None:
        raise refusal(f"there is no run {run} in {cluster.namespace}", "check the name, --namespace and --context")
    if runs.finished(found):
        raise refusal(f"run {run} is over: {found['status'].get('phase')}")
    uid = str(found["metadata"]["uid"])
    cluster.annotate(run, uid, {annotation: why})
