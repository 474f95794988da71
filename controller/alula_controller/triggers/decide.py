"""Which run of a launch plan the end of another run starts. Pure.

It starts one once: the new run's name follows from the plan and from the run that ended, and that run says when all
that it starts was started, because a name is free again when retention has collected the run. The first sight of a
trigger records and fires nothing: a cluster rebuilt from git must not start every plan.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alula_api.argo import nodes, runs
from alula_api.contract import labels, names
from alula_api.contract.triggers import Trigger
from alula_controller import timestamps
from alula_controller.cluster import resources

MAX_NAME = 63
LONGEST_CHAIN = 1_000  # characters of the launch plans before a run

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Refused(Exception):
    """Why the end of a run starts none of a plan that waits for it."""

    reason: str


def since(plan: Body, trigger: Trigger) -> datetime | None:
    """From when on ended runs count for a plan; None for one whose trigger was never looked at."""
    found = (plan.get("status") or {}).get("trigger") or {}
    return timestamps.parse(str(found.get("since") or "")) if found.get("digest") == trigger.digest() else None


def ended(run: Body) -> datetime | None:
    """When a run ended."""
    return timestamps.parse(str((run.get("status") or {}).get("finishedAt") or ""))


def following(run: Body, plan: Body, trigger: Trigger) -> dict[str, Any] | None:
    """The run of `plan` that the end of `run` starts; None for none.

    Raises:
        Refused: there ought to be one and cannot.
        nodes.Hidden: the run's outputs are needed and cannot be reached or read.
    """
    phase, moment, began = str((run.get("status") or {}).get("phase") or ""), ended(run), since(plan, trigger)
    if trigger.suspended or not trigger.follows(run["metadata"].get("labels") or {}) or not trigger.wants(phase):
        return None
    if runs.label(run, labels.OUTCOME) or began is None or moment is None or moment < began:
        return None
    name, chain = str(plan["metadata"]["name"]), _chain(run)
    if name in chain:
        raise Refused(f"the launch plans {' -> '.join((*chain, name))} wait for each other in a circle")
    given = _outputs(run, trigger)
    template = names.launch_plan_template(name)
    suffix = hashlib.sha256(f"{plan['metadata']['uid']}\n{run['metadata']['uid']}".encode()).hexdigest()[:10]
    spec: dict[str, Any] = {"workflowTemplateRef": {"name": template}}
    if given:
        spec["arguments"] = {"parameters": [{"name": name, "value": text} for name, text in given.items()]}
    notes = {
        labels.REASON: f"{run['metadata']['name']} {phase.lower()}",
        labels.TRIGGERED_BY: str(run["metadata"]["name"]),
        labels.CHAIN: ",".join(chain),
    }
    return made(plan, f"{template[: MAX_NAME - 17].rstrip('-.')}-after-{suffix}", notes, spec)


def made(plan: Body, name: str, notes: Mapping[str, str], spec: Mapping[str, Any]) -> dict[str, Any]:
    """A run of a plan, with what it says of its beginning."""
    metadata = plan["metadata"]
    return {
        "apiVersion": resources.RUNS.api_version,
        "kind": resources.RUNS.kind,
        "metadata": {
            "name": name,
            "namespace": metadata["namespace"],
            "labels": {labels.LAUNCH_PLAN: metadata["name"], labels.OWNER_UID: metadata["uid"]},
            "annotations": dict(notes),
        },
        "spec": dict(spec),
    }


def answers(found: Body, wanted: Body) -> bool:
    """Whether a run that has the name of one that is wanted is that one."""
    marks = found["metadata"].get("labels") or {}
    return bool(marks.get(labels.OWNER_UID) == wanted["metadata"]["labels"][labels.OWNER_UID])


def _chain(run: Body) -> tuple[str, ...]:
    """The launch plans whose runs led to this one, itself included."""
    before = str((run["metadata"].get("annotations") or {}).get(labels.CHAIN) or "")[:LONGEST_CHAIN]
    return tuple(filter(None, (*before.split(","), runs.label(run, labels.LAUNCH_PLAN))))


def _outputs(run: Body, trigger: Trigger) -> dict[str, str]:
    """The texts for the inputs of the new run, which are those of the outputs: they are safe for Argo."""
    if not trigger.inputs:
        return {}
    root = nodes.read(run["status"]).get(str(run["metadata"]["name"])) or {}
    found = {str(each["name"]): str(each["value"]) for each in nodes.parameters(root) if "value" in each}
    given = {}
    for each in trigger.inputs:
        if each.output not in found:
            raise Refused(f"{run['metadata']['name']} has no output {each.output}")
        if names.path_parameter(each.output) in found:
            raise Refused(f"the output {each.output} is a part of a value or a list of several, which cannot be passed")
        given[each.name] = found[each.output]
    return given
