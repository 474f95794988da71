"""ControllerRevisions: the plan and the compiled spec of each revision, stored before the template that names it.
Pure.

Runs are checked and filled in against the revision they carry, not against the newest resource, so a revision stays
while a run carries it, and a few more stay for the way back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from alula_api.contract import labels
from alula_controller import timestamps
from alula_controller.cluster import resources
from alula_controller.cluster.watches import Seen
from alula_controller.definitions import children

KEPT = 5  # of each template, beside those that runs carry
YOUNGEST = timedelta(hours=1)  # a run that was just created may not carry its label yet

Body = Mapping[str, Any]


def name_of(template: Body) -> str:
    """The revision that a compiled template puts on its runs."""
    metadata = (template.get("spec") or {}).get("workflowMetadata") or {}
    return str((metadata.get("labels") or {})[labels.REVISION])


def template_of(revision: str) -> str:
    """The template that a revision is of: `<template>-<8 digits>`."""
    return revision.rpartition("-")[0]


def build(template: Body, plan: Body, workflow: Body) -> dict[str, Any]:
    """The ControllerRevision of a compiled template (before it is stamped)."""
    metadata = workflow["metadata"]
    return {
        "apiVersion": resources.REVISIONS.api_version,
        "kind": resources.REVISIONS.kind,
        "metadata": {
            "name": name_of(template),
            "namespace": metadata["namespace"],
            "labels": {
                labels.MANAGED_BY: labels.MANAGER,
                labels.WORKFLOW: metadata["name"],
            },
            "ownerReferences": [children.owner(workflow)],
        },
        "revision": int(metadata.get("generation") or 1),
        "data": {"plan": plan, "spec": template["spec"]},
    }


def superfluous(present: Iterable[Seen], current: Iterable[str], now: datetime) -> list[Seen]:
    """The revisions that nobody would miss unless a run carries them: neither current, nor young, nor among the
    newest."""
    keep = set(current)
    by_template: defaultdict[str, list[Seen]] = defaultdict(list)
    for seen in present:
        by_template[template_of(seen.name)].append(seen)
    found = []
    for group in by_template.values():
        group.sort(key=lambda seen: (seen.created, seen.name), reverse=True)
        found += [seen for seen in group[KEPT:] if seen.name not in keep and _old(seen, now)]
    return found


def _old(seen: Seen, now: datetime) -> bool:
    created = timestamps.parse(seen.created)
    return created is not None and now - created > YOUNGEST
