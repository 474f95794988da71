"""Writes a decision: revisions before the templates that name them, schedules away before templates, conditions last.

Called by `reconcile`. Every write can be repeated: names are deterministic, applies say what should be, deletes and
patches hold only for the object that was read. So a controller that is killed between any two of them loses nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from alula_api.contract import labels
from alula_controller import metrics
from alula_controller.cluster import client, errors, resources
from alula_controller.cluster.access import Access
from alula_controller.definitions import children
from alula_controller.definitions.decide import Decision, Deletion, Mark, Status, Strip
from alula_controller.definitions.world import Body

Wrote = Callable[[Body], None]

log = logging.getLogger(__name__)
_DELETED = (resources.TEMPLATES, resources.BINDINGS, resources.CRONS, resources.REVISIONS)


def _ignored(answer: Body) -> None:
    """For callers that do not need what was written."""


async def write(access: Access, decision: Decision, wrote: Wrote = _ignored) -> dict[str, errors.ClusterError]:
    """Everything but the statuses; what the API server refused, by launch plan ("" is the Workflow).

    What is refused of one definition spoils no other: nothing more is written of it, and all of the others.

    Args:
        access: the cluster.
        decision: what to write.
        wrote: called with each object as the API server returned it, where it is exactly as the decision wanted.

    Raises:
        errors.ClusterError: from a write that failed for another reason; those before it stand.
    """
    api = access.api
    refused: dict[str, errors.ClusterError] = {}

    async def attempt(subject: str, write: Callable[[], Awaitable[object]]) -> None:
        if subject not in refused:
            try:
                await write()
            except (errors.Refused, errors.Poison) as error:
                refused[subject] = error

    for body in decision.revisions:
        await attempt(_subject(body), partial(_create, api, body, wrote))
    for strip in decision.strip:
        await attempt(_subject(strip.body), partial(_strip, api, strip))
    for body in decision.apply:
        await attempt(_subject(body), partial(_apply, api, body, wrote))
    for deletion in decision.delete:
        await attempt("", partial(_delete, api, deletion))
    for mark in decision.marks:
        await attempt("", partial(_mark, api, mark))
    for body in decision.runs:
        await attempt(_subject(body), partial(access.start, body))
    return refused


def _subject(body: Body) -> str:
    """The launch plan that an object is made from."""
    return str((body["metadata"].get("labels") or {}).get(labels.LAUNCH_PLAN) or "")


async def _strip(api: client.Cluster, strip: Strip) -> None:
    await api.merge(_path(strip.body), dict(strip.patch))
    _count(strip.body["kind"], "patch")


async def _apply(api: client.Cluster, body: Body, wrote: Wrote) -> None:
    answer = await api.apply(_path(body), dict(body))
    if answer.get("spec") == body["spec"] and children.fits(body, answer):
        wrote(answer)
    _count(body["kind"], "apply")


async def write_statuses(api: client.Cluster, statuses: tuple[Status, ...], wrote: Wrote = _ignored) -> None:
    """The statuses, each only on the object that was read (one that is gone needs none).

    Args:
        api: the cluster.
        statuses: what to write.
        wrote: called with each object as the API server returned it, where nothing but the status has changed.

    Raises:
        errors.ClusterError: the first refusal; the other statuses are written nevertheless.
    """
    first: errors.ClusterError | None = None
    for status in statuses:
        metadata = status.body["metadata"]
        path = resources.of(dict(status.body)).path(metadata["namespace"], metadata["name"], "status")
        try:
            answer = await api.merge(path, {"metadata": {"uid": metadata["uid"]}, "status": dict(status.patch)})
        except errors.NotFound:
            continue
        except errors.Refused as error:
            first = first or error
            continue
        if _said(answer) == _said(status.body) and children.fits(status.patch, answer.get("status") or {}):
            wrote(answer)
        _count(str(status.body["kind"]), "status")
    if first is not None:
        raise first


def _said(body: Body) -> tuple[Any, ...]:
    """All that others say in a definition; its generation stands for its spec."""
    metadata = body["metadata"]
    return tuple(metadata.get(name) for name in ("uid", "generation", "labels", "annotations", "deletionTimestamp"))


async def _create(api: client.Cluster, body: Body, wrote: Wrote) -> None:
    """Create a revision, or take over one of the same content that an older Workflow of this name left."""
    metadata = body["metadata"]
    try:
        answer = await api.create(resources.REVISIONS.path(metadata["namespace"]), dict(body))
        if children.fits(body, answer):
            wrote(answer)
        _count(body["kind"], "create")
        return
    except errors.Conflict:
        path = resources.REVISIONS.path(metadata["namespace"], metadata["name"])
        present = await api.find(path)
    if present is None:
        raise errors.Conflict(f"revision {metadata['name']} was being deleted")
    if present["spec"] != body["spec"]:
        raise errors.Refused(f"WorkflowRevision {metadata['name']} exists with another content; delete it")
    if not children.fits(metadata["labels"], present["metadata"].get("labels") or {}):
        await api.merge(path, {"metadata": {"uid": present["metadata"]["uid"], "labels": metadata["labels"]}})
        _count(body["kind"], "patch")


async def _mark(api: client.Cluster, mark: Mark) -> None:
    annotations = {labels.REPLACED: mark.replaced}
    path = resources.REVISIONS.path(mark.namespace, mark.name)
    try:
        await api.merge(path, {"metadata": {"uid": mark.uid, "annotations": annotations}})
    except errors.NotFound:
        return
    _count(resources.REVISIONS.kind, "patch")


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
