"""Which run of a launch plan the end of another run starts. Pure.

It starts one once: the new run's name follows from the plan and from the run that ended, and that run says when all
that it starts was started, because a name is free again when retention has collected the run. The first sight of a
trigger records and fires nothing: a cluster rebuilt from git must not start every plan.

A run may start others in several namespaces: those of its own domain, and of domains of its project that list its own.
Each namespace is looked at apart, and the run says in which all was started, until that holds for all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alula_api.argo import nodes, runs
from alula_api.contract import jsontext, labels, lists, names, pods, references
from alula_api.contract.problems import InvalidValue
from alula_api.contract.triggers import Trigger, named
from alula_api.kinds.launch_plans import MOST_SKIPPED
from alula_controller import timestamps
from alula_controller.cluster import resources

MAX_NAME = 63
MAX_REASON = 256
MOST_UNFINISHED = 100  # runs of a plan that are not over, beyond which the ends of another domain's start none
LONGEST_CHAIN = 1_000  # characters of the launch plans before a run
LONGEST_INLINE = 6 * pods.MAX_INLINE  # characters of an output that travels inline, each escaped at worst

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


def label_of(run: Body, trigger: Trigger) -> str:
    """How the plan of a trigger calls a run that it waits for."""
    return named(str(run["metadata"]["name"]), trigger.domain, "")


def following(run: Body, plan: Body, trigger: Trigger, own: str = "") -> dict[str, Any] | None:
    """The run of `plan` that the end of `run` starts; None for none.

    Args:
        run: that ended.
        plan: that waits for it.
        trigger: what the plan waits for.
        own: the domain of the plan; needed where `run` is of another one.

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
    if trigger.domain:
        chain = _from_elsewhere(chain, trigger.domain, own)
    if name in chain:
        raise Refused(f"the launch plans {' -> '.join((*chain, name))} wait for each other in a circle")
    given = _outputs(run, trigger)
    template = names.launch_plan_template(name)
    suffix = hashlib.sha256(f"{plan['metadata']['uid']}\n{run['metadata']['uid']}".encode()).hexdigest()[:10]
    spec: dict[str, Any] = {"workflowTemplateRef": {"name": template}}
    if given:
        spec["arguments"] = {"parameters": [{"name": name, "value": text} for name, text in given.items()]}
    how = phase.lower() if phase in runs.FINISHED else "ended"  # anybody may have written it
    notes = {
        labels.REASON: f"{label_of(run, trigger)} {how}",
        labels.TRIGGERED_BY: label_of(run, trigger),
        labels.CHAIN: ",".join(chain),
    }
    return made(plan, f"{template[: MAX_NAME - 17].rstrip('-.')}-after-{suffix}", notes, spec)


def made(plan: Body, name: str, notes: Mapping[str, str], spec: Mapping[str, Any]) -> dict[str, Any]:
    """A run of a plan, with what it says of its beginning."""
    metadata = plan["metadata"]
    marks = {labels.LAUNCH_PLAN: metadata["name"], labels.OWNER_UID: metadata["uid"]}
    return resources.run(metadata["namespace"], name, spec, notes, marks)


def answers(found: Body, wanted: Body) -> bool:
    """Whether a run that has the name of one that is wanted is that one."""
    marks = found["metadata"].get("labels") or {}
    return bool(marks.get(labels.OWNER_UID) == wanted["metadata"]["labels"][labels.OWNER_UID])


def done_in(run: Body) -> frozenset[str]:
    """The namespaces in which all that the end of a run starts was started, while there are others."""
    words = str((run["metadata"].get("annotations") or {}).get(labels.TRIGGERED_IN) or "").split()
    return frozenset(words[1:]) if words[:1] == [run["metadata"]["uid"]] else frozenset()


def done(run: Body, namespace: str, receivers: Iterable[str]) -> dict[str, Any]:
    """The patch that says of a run that all was started in a namespace.

    Args:
        run: as read.
        namespace: which.
        receivers: all in which its end starts others.
    """
    metadata = run["metadata"]
    started = {*done_in(run), namespace}
    if started.issuperset(receivers):
        gone = {"annotations": {labels.TRIGGERED_IN: None}} if done_in(run) else {}
        return {"metadata": {"uid": metadata["uid"], "labels": {labels.TRIGGERED: metadata["uid"]}, **gone}}
    held = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}  # another may be written just now
    words = " ".join((metadata["uid"], *sorted(started)))
    return {"metadata": {**held, "annotations": {labels.TRIGGERED_IN: words}}}


def skipped(plan: Body, run: str, reason: str) -> list[dict[str, str]]:
    """What the status of a plan says of the ends that started none, with this one."""
    old = ((plan.get("status") or {}).get("trigger") or {}).get("skipped") or ()
    told = {"run": run, "reason": reason[:MAX_REASON]}
    return [told, *(each for each in old if each.get("run") != run)][:MOST_SKIPPED]


def _from_elsewhere(chain: Iterable[str], domain: str, own: str) -> tuple[str, ...]:
    """The launch plans before a run, named as in another domain, without what is none: anybody there may write it."""
    found = []
    for each in chain:
        there, _, plan = each.rpartition("/")
        if names.is_dns_label(plan) and (not there or names.is_dns_label(there)):
            found.append(named(plan, there or domain, own))
    return tuple(found)


def _inline(text: str, output: str, domain: str) -> str:
    """The text of an output of another domain, written anew: there anybody may have written it.

    Raises:
        Refused: it is no value that travels inline.
    """
    if len(text) > LONGEST_INLINE:
        raise Refused(f"the output {output} is too long to be passed from {domain}")
    try:
        value = jsontext.parse(text)
        if isinstance(value, dict) and (references.STORED in value or lists.read(value) is not None):
            raise Refused(f"the output {output} is stored in {domain}, which is not read from another domain")
        return jsontext.argo_safe(jsontext.dumps(value))
    except InvalidValue as error:
        raise Refused(f"the output {output} of {domain} is no value: it {error.problems[0].message}") from None


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
        text = found[each.output]
        given[each.name] = _inline(text, each.output, trigger.domain) if trigger.domain else text
    return given
