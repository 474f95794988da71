"""Writes a decision: revisions before the templates that name them, schedules away before templates, conditions last.

Called by `reconcile`. Every write can be repeated: names are deterministic, applies say what should be, deletes and
patches hold only for the object that was read. So a controller that is killed between any two of them loses nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from alula_controller import metrics
from alula_controller.cluster import client, errors, resources
from alula_controller.definitions import children
from alula_controller.definitions.decide import Decision, Deletion, Status
from alula_controller.definitions.world import Body

log = logging.getLogger(__name__)
_DELETED = (resources.TEMPLATES, resources.CRONS, resources.REVISIONS)


async def write(api: client.Cluster, decision: Decision) -> None:
    """Everything but the statuses.

    Raises:
        errors.ClusterError: from the first write that failed; those before it stand.
    """
    for body in decision.revisions:
        await _create(api, body)
    for body in decision.apply:
        await api.apply(_path(body), dict(body))
        _count(body["kind"], "apply")
    for deletion in decision.delete:
        await _delete(api, deletion)


async def write_statuses(api: client.Cluster, statuses: tuple[Status, ...]) -> None:
    """The statuses, each only on the object that was read (one that is gone needs none)."""
    for status in statuses:
        metadata = status.body["metadata"]
        path = resources.of(dict(status.body)).path(metadata["namespace"], metadata["name"], "status")
        try:
            await api.merge(path, {"metadata": {"uid": metadata["uid"]}, "status": dict(status.patch)})
        except errors.NotFound:
            continue
        _count(str(status.body["kind"]), "status")


async def _create(api: client.Cluster, body: Body) -> None:
    """Create a revision. Its name is a digest of its content, so one that is there and ours is the same."""
    metadata = body["metadata"]
    try:
        await api.create(resources.REVISIONS.path(metadata["namespace"]), dict(body))
        _count(body["kind"], "create")
        return
    except errors.Conflict:
        path = resources.REVISIONS.path(metadata["namespace"], metadata["name"])
        present = await api.find(path)
    if present is None:
        raise errors.Conflict(f"revision {metadata['name']} was being deleted")
    uid = metadata["ownerReferences"][0]["uid"]
    if children.ours({**present, "kind": children.REVISION}, uid):
        return
    if present["metadata"].get("ownerReferences"):
        raise errors.Conflict(f"revision {metadata['name']} still belongs to a Workflow that is gone")
    if present.get("data") != body["data"]:
        raise errors.Refused(f"ControllerRevision {metadata['name']} exists with another content; delete it")
    owned = {"metadata": {"uid": present["metadata"]["uid"], "ownerReferences": metadata["ownerReferences"]}}
    await api.merge(path, owned)
    _count(body["kind"], "patch")


async def _delete(api: client.Cluster, deletion: Deletion) -> None:
    resource = next(each for each in _DELETED if each.kind == deletion.kind)
    try:
        await api.delete(resource.path(deletion.namespace, deletion.name), uid=deletion.uid, orphan=deletion.orphan)
    except errors.Conflict:
        log.info("%s %s is another one by now and stays", deletion.kind, deletion.name)
        return
    _count(deletion.kind, "delete")


def _path(body: Mapping[str, Any]) -> str:
    metadata = body["metadata"]
    return resources.of(dict(body)).path(metadata["namespace"], metadata["name"])


def _count(kind: str, verb: str) -> None:
    metrics.WRITES.labels(kind=kind, verb=verb).inc()
