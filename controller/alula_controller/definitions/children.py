"""Generated objects: whose they are, what is stamped on them, whether the cluster has them already. Pure.

Only an allow-list of metadata is written. Labels and annotations of the definition are never copied: Argo CD would
take the children for its own and prune them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from alula_api.contract import labels
from alula_controller.cluster import resources

CRON = resources.CRONS.kind
TEMPLATE = resources.TEMPLATES.kind
REVISION = resources.REVISIONS.kind

Body = Mapping[str, Any]


def stamp(compiled: Body, workflow: Body) -> dict[str, Any]:
    """A compiled object as it is applied: named, labelled, owned."""
    metadata = workflow["metadata"]
    given = dict(compiled.get("metadata") or {})
    stamped = {**compiled, "metadata": given}
    given["namespace"] = metadata["namespace"]
    given["labels"] = {
        **(given.get("labels") or {}),
        labels.MANAGED_BY: labels.MANAGER,
        labels.WORKFLOW: metadata["name"],
    }
    given["ownerReferences"] = [owner(workflow)]
    given["annotations"] = {**(given.get("annotations") or {}), labels.COMPILED: digest(stamped)}
    return stamped


def restored(revision: Body, spec: Body, name: str = "") -> dict[str, Any]:
    """A template from a revision, for runs of it: the one that is gone while they name it, or another of the name that
    is given. It has no owner.
    """
    metadata = revision["metadata"]
    made: dict[str, Any] = {
        "apiVersion": resources.TEMPLATES.api_version,
        "kind": TEMPLATE,
        "metadata": {
            "name": name or metadata["name"].rpartition("-")[0],
            "namespace": metadata["namespace"],
            "labels": {
                name: text
                for name, text in (metadata.get("labels") or {}).items()
                if name in (labels.MANAGED_BY, labels.WORKFLOW, labels.LAUNCH_PLAN)
            },
        },
        "spec": spec,
    }
    made["metadata"]["annotations"] = {labels.COMPILED: digest(made)}
    return made


def owner(workflow: Body) -> dict[str, Any]:
    """The reference to the Workflow that what is made from it carries."""
    metadata = workflow["metadata"]
    return {
        "apiVersion": resources.WORKFLOWS.api_version,
        "kind": resources.WORKFLOWS.kind,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": False,
    }


def digest(body: Body) -> str:
    """Sixteen hexadecimal digits of an object's canonical JSON."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def ours(live: Body, uid: str) -> bool:
    """Whether an object in the cluster was made from the Workflow with this uid; a name or a label proves nothing.

    A CronWorkflow of an earlier version is not owned, so that its running runs do not go with it; it carries the uid.
    """
    metadata = live.get("metadata") or {}
    if live.get("kind") == CRON:
        return bool((metadata.get("labels") or {}).get(labels.OWNER_UID) == uid)
    return any(each.get("uid") == uid and each.get("controller") for each in metadata.get("ownerReferences") or ())


def unowned(live: Body, workflow: str) -> bool:
    """Whether a template carries our marks for this Workflow and no owner, as one that was restored does."""
    metadata = live.get("metadata") or {}
    marks = metadata.get("labels") or {}
    named = marks.get(labels.MANAGED_BY) == labels.MANAGER and marks.get(labels.WORKFLOW) == workflow
    return bool(live.get("kind") == TEMPLATE and named and not metadata.get("ownerReferences"))


def fits(wanted: Any, live: Any) -> bool:
    """Whether applying `wanted` would change nothing in `live`: all of it is there, and lists are the same.

    Fields that others added beside ours stay out of it, as they do in server-side apply.
    """
    stack = [(wanted, live, "")]
    while stack:
        here, there, path = stack.pop()
        if isinstance(here, Mapping):
            if not isinstance(there, Mapping):
                return False
            stack.extend((value, there.get(key), f"{path}/{key}") for key, value in here.items())
        elif path == "/metadata/ownerReferences":
            if not all(any(fits(each, other) for other in there or ()) for each in here):
                return False
        elif here != there or type(here) is not type(there):
            return False
    return True


def about(body: Body) -> tuple[str, str]:
    """How an object is found in `World.live`."""
    return str(body["kind"]), str(body["metadata"]["name"])
