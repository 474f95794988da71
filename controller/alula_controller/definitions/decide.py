"""What should be in the cluster for one Workflow and its launch plans. Pure: `now` is a parameter, the world was read.

Called by `reconcile`. The order of the fields of `Decision` is the order in which they are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from alula_api.argo import runs
from alula_api.contract import labels
from alula_controller import conditions, timestamps
from alula_controller.cluster import events
from alula_controller.cluster.events import Announcement
from alula_controller.conditions import Reason, Wanted
from alula_controller.definitions import children, revisions
from alula_controller.definitions.world import Body, Key, World
from alula_controller.domains.places import NoPlace

PLACE_AGAIN = 60.0  # namespaces are watched cluster-wide only
FREED_AGAIN = 30.0  # a name that another Workflow is about to give up, a template that a run still names


@dataclass(frozen=True)
class Deletion:
    """A generated object that is no longer wanted, as it was read."""

    kind: str
    namespace: str
    name: str
    uid: str
    orphan: bool = False  # leave alone what belongs to it


@dataclass(frozen=True)
class Status:
    """A status to write: to which object as read, and the merge patch of `status`."""

    body: Body
    patch: Mapping[str, Any]


@dataclass(frozen=True)
class Decision:
    """Everything to do, in this order; all of it empty when the cluster is as it should be."""

    revisions: tuple[Body, ...] = ()  # created if they are not there
    apply: tuple[Body, ...] = ()
    delete: tuple[Deletion, ...] = ()
    statuses: tuple[Status, ...] = ()
    events: tuple[Announcement, ...] = ()
    again: float | None = None
    look_at: tuple[Key, ...] = ()


@dataclass
class _Draft:
    """A decision while it is made: what each definition's `Ready` should say, and what is to be done."""

    wanted: dict[str, Wanted] = field(default_factory=dict)  # by launch plan; "" is the Workflow
    revision: dict[str, str] = field(default_factory=dict)
    create: list[Body] = field(default_factory=list)
    apply: list[Body] = field(default_factory=list)
    delete: list[Deletion] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    look_at: list[Key] = field(default_factory=list)


def decide(world: World, now: datetime) -> Decision:
    """What to write, delete and say for `world` at `now`."""
    draft = _Draft()
    if world.workflow is None:
        _without_workflow(world, draft)
    elif world.workflow["metadata"].get("deletionTimestamp"):
        _delete_crons(world, draft, "")  # the rest goes with its owner
    elif isinstance(world.place, NoPlace) or world.compiled is None:
        _without_place(world, draft)
    else:
        _with_everything(world, draft, now)
    statuses = tuple(_statuses(world, draft, timestamps.seconds(now)))
    return Decision(
        revisions=tuple(draft.create),
        apply=tuple(draft.apply),
        delete=tuple(draft.delete),
        statuses=statuses,
        events=tuple(announce(statuses)),
        again=min(draft.again, default=None),
        look_at=tuple(draft.look_at),
    )


def _without_workflow(world: World, draft: _Draft) -> None:
    """Schedules of a Workflow that is gone go too (templates go with their owner); its plans wait for it."""
    _delete_crons(world, draft, "")
    for plan in world.launch_plans:
        message = f"Workflow {world.key.name} does not exist in this namespace; the plan is compiled as soon as it does"
        draft.wanted[_name(plan)] = Wanted(False, Reason.WAITING_FOR_WORKFLOW, message, reconciling=True)


def _without_place(world: World, draft: _Draft) -> None:
    place = world.place if isinstance(world.place, NoPlace) else NoPlace(Reason.NAMESPACE_NOT_LABELLED, "")
    draft.wanted[""] = Wanted(False, place.reason, place.message, stalled=True)
    _plans_wait(world, draft, place.message)
    draft.again.append(PLACE_AGAIN)


def _plans_wait(world: World, draft: _Draft, why: str) -> None:
    for plan in world.launch_plans:
        message = f"Workflow {world.key.name} is not ready: {why}"
        draft.wanted[_name(plan)] = Wanted(False, Reason.WORKFLOW_NOT_READY, message, reconciling=True)


def _with_everything(world: World, draft: _Draft, now: datetime) -> None:
    compiled = world.compiled
    assert compiled is not None
    assert world.workflow is not None
    if compiled.diagnostics:
        # What was compiled last stays as it is: a bad commit breaks no schedule.
        draft.wanted[""] = Wanted(False, Reason.INVALID, _rendered(compiled.diagnostics), stalled=True)
        _plans_wait(world, draft, "it does not compile")
        return
    wanted = _stamped(compiled.objects, world)
    if not _claim(world, draft, "", wanted):
        _plans_wait(world, draft, "a name that it needs is taken")
        return
    keep = {children.about(body) for body in wanted}
    draft.wanted[""] = Wanted(True, Reason.COMPILED, _made(wanted))
    for plan in world.launch_plans:
        keep |= _launch_plan(world, draft, plan)
    _delete_unwanted(world, draft, keep)
    _delete_revisions(world, draft, now)


def _launch_plan(world: World, draft: _Draft, plan: Body) -> set[tuple[str, str]]:
    """Compile one launch plan; the objects of its that stay."""
    assert world.compiled is not None
    name = _name(plan)
    problems = world.compiled.plan_diagnostics.get(name, ())
    wanted = _stamped(world.compiled.plan_objects.get(name, ()), world)
    if problems:
        draft.wanted[name] = Wanted(False, Reason.INVALID, _rendered(problems), stalled=True)
        return {key for key, body in world.live.items() if _label(body, labels.LAUNCH_PLAN) == name}
    if not _claim(world, draft, name, wanted):
        return set()
    suspended = bool((plan.get("spec") or {}).get("suspend"))
    reason = Reason.SUSPENDED if suspended else Reason.COMPILED
    draft.wanted[name] = Wanted(True, reason, _made(wanted))
    return {children.about(body) for body in wanted}


def _stamped(objects: Iterable[Body], world: World) -> list[dict[str, Any]]:
    assert world.workflow is not None
    return [children.stamp(body, world.workflow) for body in objects]


def _claim(world: World, draft: _Draft, subject: str, wanted: list[dict[str, Any]]) -> bool:
    """Put `wanted` into the draft, revisions first, unless one of the names belongs to somebody else."""
    assert world.workflow is not None
    uid = str(world.workflow["metadata"]["uid"])
    taken = [body for body in wanted if (live := world.live.get(children.about(body))) and not children.ours(live, uid)]
    if taken:
        _refuse_taken(world, draft, subject, taken[0])
        return False
    present = {seen.name for seen in world.revisions if seen.owner == uid}
    for body in wanted:
        if body["kind"] == children.TEMPLATE:
            assert world.compiled is not None
            draft.revision[subject] = revisions.name_of(body)
            if draft.revision[subject] not in present:
                plan = world.compiled.plans[body["metadata"]["name"]]
                draft.create.append(revisions.build(body, plan, world.workflow))
        live = world.live.get(children.about(body))
        if live is None or not children.fits(body, live):
            draft.apply.append(_fenced(body, live))
    return True


def _fenced(body: dict[str, Any], live: Body | None) -> dict[str, Any]:
    """What is applied over an object holds only for the object that was read."""
    if live is None:
        return body
    return {**body, "metadata": {**body["metadata"], "uid": live["metadata"]["uid"]}}


def _refuse_taken(world: World, draft: _Draft, subject: str, body: Body) -> None:
    kind, name = children.about(body)
    live = world.live[kind, name]
    holder = _label(live, labels.WORKFLOW)
    message = f"{kind} {name} exists and was not made from this definition; delete or rename it"
    passing = bool(live["metadata"].get("deletionTimestamp"))
    if holder:
        # Made from another Workflow, or from one of this name that is gone: it goes away by itself.
        message = f"{kind} {name} was made from Workflow {holder} and is not given up yet"
        draft.look_at += [Key("Workflow", world.key.namespace, holder)] if holder != world.key.name else []
        passing = True
    draft.wanted[subject] = Wanted(False, Reason.NAME_TAKEN, message, stalled=not passing, reconciling=passing)
    draft.again.append(FREED_AGAIN / 10 if passing else FREED_AGAIN)


def _delete_crons(world: World, draft: _Draft, uid: str) -> None:
    """Schedules made from a Workflow of this name with another uid than `uid`. Their running runs go on."""
    for (kind, name), live in world.live.items():
        stale = _label(live, labels.WORKFLOW) == world.key.name and _label(live, labels.OWNER_UID) != uid
        if kind == children.CRON and stale and _label(live, labels.OWNER_UID):
            draft.delete.append(Deletion(kind, world.key.namespace, name, str(live["metadata"]["uid"]), orphan=True))


def _delete_unwanted(world: World, draft: _Draft, keep: set[tuple[str, str]]) -> None:
    """Generated objects that nothing asks for any more, schedules first, and no template that a run still names."""
    assert world.workflow is not None
    uid = str(world.workflow["metadata"]["uid"])
    _delete_crons(world, draft, uid)
    named = {revisions.template_of(_revision(seen)) for seen in world.runs if not _completed(seen)}
    for (kind, name), live in sorted(world.live.items()):
        if (kind, name) in keep or not children.ours(live, uid):
            continue
        if kind == children.TEMPLATE and name in named:
            draft.again.append(FREED_AGAIN)
            continue
        draft.delete.append(
            Deletion(kind, world.key.namespace, name, str(live["metadata"]["uid"]), orphan=kind == children.CRON)
        )


def _delete_revisions(world: World, draft: _Draft, now: datetime) -> None:
    assert world.workflow is not None
    uid = str(world.workflow["metadata"]["uid"])
    mine = [seen for seen in world.revisions if seen.owner == uid]
    carried = {_revision(seen) for seen in world.runs}
    for seen in revisions.superfluous(mine, draft.revision.values(), now):
        if seen.name not in carried:
            draft.delete.append(Deletion(children.REVISION, world.key.namespace, seen.name, seen.uid))


def _statuses(world: World, draft: _Draft, moment: str) -> Iterable[Status]:
    bodies = {"": world.workflow} | {_name(plan): plan for plan in world.launch_plans}
    for name, wanted in draft.wanted.items():
        body = bodies[name]
        assert body is not None
        patch = status_of(body, wanted, moment)
        if wanted.ready and world.workflow is not None and name in draft.revision:
            patch["version"] = str(world.workflow["spec"]["version"])
            patch["revision"] = draft.revision[name]
        if not children.fits(patch, body.get("status") or {}):
            yield Status(body, patch)


def status_of(body: Body, wanted: Wanted, moment: str) -> dict[str, Any]:
    """Conditions and observedGeneration for an object as read."""
    generation = int(body["metadata"].get("generation") or 1)
    previous = (body.get("status") or {}).get("conditions") or ()
    patch: dict[str, Any] = {
        "observedGeneration": generation,
        "conditions": conditions.write(previous, wanted, generation, moment),
    }
    asked = (body["metadata"].get("annotations") or {}).get(labels.RECONCILE)
    if asked:
        patch["lastHandledReconcileAt"] = str(asked)[:256]  # what the schema of the status allows
    return patch


def announce(statuses: Iterable[Status]) -> Iterable[Announcement]:
    """One for each definition whose `Ready` says something else than before."""
    for status in statuses:
        before = conditions.ready(status.body)
        after = status.patch["conditions"][0]
        if before is None or (before.get("status"), before.get("reason")) != (after["status"], after["reason"]):
            warning = after["status"] != "True"
            yield Announcement(events.regarding(status.body), after["reason"], after["message"], warning)


def _rendered(diagnostics: Iterable[Any]) -> str:
    return "\n".join(diagnostic.render() for diagnostic in diagnostics)


def _made(objects: Iterable[Body]) -> str:
    return "compiled to " + ", ".join(f"{body['kind']} {body['metadata']['name']}" for body in objects)


def _label(body: Body, key: str) -> str:
    return str(((body.get("metadata") or {}).get("labels") or {}).get(key) or "")


def _name(body: Body) -> str:
    return str(body["metadata"]["name"])


def _revision(seen: Any) -> str:
    return str(seen.labels.get(labels.REVISION) or "")


def _completed(seen: Any) -> bool:
    return bool(seen.labels.get(runs.COMPLETED_LABEL) == "true")
