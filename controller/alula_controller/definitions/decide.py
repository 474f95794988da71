"""What should be in the cluster for one Workflow and its launch plans. Pure: `now` is a parameter, the world was read.

Called by `reconcile`. The order of the fields of `Decision` is the order in which they are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from alula_api.contract import labels, names, triggers
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.timetables import Schedule
from alula_controller import conditions, timestamps
from alula_controller.cluster import events
from alula_controller.cluster.events import Announcement
from alula_controller.cluster.queue import QueueKey
from alula_controller.conditions import Also, Reason, Wanted
from alula_controller.definitions import children, drift, requests, revisions
from alula_controller.definitions.world import Body, World
from alula_controller.domains.places import NoPlace, Place

PLACE_AGAIN = 60.0  # namespaces are watched cluster-wide only
MAX_PATIENCE = 600.0
FREED_AGAIN = 30.0  # a name that another Workflow is about to give up, a template that a run still names
STOPPED_AGAIN = 300.0  # what the compiler was stopped at may have been the machine's trouble
CARRIED_AGAIN = 3600.0  # a revision past its retention that a run still carries


@dataclass(frozen=True)
class Deletion:
    """A generated object that is no longer wanted, as it was read."""

    kind: str
    namespace: str
    name: str
    uid: str
    orphan: bool = False  # leave alone what belongs to it


@dataclass(frozen=True)
class Mark:
    """Since when a revision is no longer in effect (None: it is again), on the object that was read."""

    namespace: str
    name: str
    uid: str
    replaced: str | None


@dataclass(frozen=True)
class Strip:
    """A patch that takes away what others added to a generated object, as it was read."""

    body: Body
    patch: Mapping[str, Any]


@dataclass(frozen=True)
class Status:
    """A status to write: to which object as read, and the merge patch of `status`."""

    body: Body
    patch: Mapping[str, Any]


@dataclass(frozen=True)
class Decision:
    """Everything to do, in this order; all of it empty when the cluster is as it should be."""

    revisions: tuple[Body, ...] = ()  # created if they are not there
    strip: tuple[Strip, ...] = ()
    apply: tuple[Body, ...] = ()
    delete: tuple[Deletion, ...] = ()
    marks: tuple[Mark, ...] = ()
    runs: tuple[Body, ...] = ()  # created if they are not there
    statuses: tuple[Status, ...] = ()
    events: tuple[Announcement, ...] = ()
    again: float | None = None
    look_at: tuple[QueueKey, ...] = ()


@dataclass
class _Draft:
    """A decision while it is made: what each definition's `Ready` should say, and what is to be done."""

    now: datetime
    wanted: dict[str, Wanted] = field(default_factory=dict)  # by launch plan; "" is the Workflow
    revision: dict[str, str] = field(default_factory=dict)
    create: list[Body] = field(default_factory=list)
    strip: list[Strip] = field(default_factory=list)
    apply: list[Body] = field(default_factory=list)
    told: list[Announcement] = field(default_factory=list)
    delete: list[Deletion] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    runs: list[Body] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    look_at: list[QueueKey] = field(default_factory=list)


def decide(world: World, now: datetime) -> Decision:
    """What to write, delete and say for `world` at `now`."""
    draft = _Draft(now)
    if world.workflow is None:
        _without_workflow(world, draft, now)
    elif world.workflow["metadata"].get("deletionTimestamp"):
        _delete_crons(world, draft, "")  # the rest goes with its owner
    elif isinstance(world.place, NoPlace) or world.compiled is None:
        _without_place(world, draft)
    else:
        _with_everything(world, draft, now)
    statuses = tuple(_statuses(world, draft, timestamps.seconds(now)))
    return Decision(
        revisions=tuple(draft.create),
        strip=tuple(draft.strip),
        apply=tuple(draft.apply),
        delete=tuple(draft.delete),
        marks=tuple(draft.marks),
        runs=tuple(draft.runs),
        statuses=statuses,
        events=(*draft.told, *announce(statuses)),
        again=min(draft.again, default=None),
        look_at=tuple(draft.look_at),
    )


def _without_workflow(world: World, draft: _Draft, now: datetime) -> None:
    """Schedules of a Workflow that is gone go too (templates go with their owner); its plans wait for it."""
    _delete_crons(world, draft, "")
    _delete_unwanted(world, draft, set())
    _restore(world, draft, set())
    _age(world, draft, set(), now)
    for plan in world.launch_plans:
        message = f"Workflow {world.key.name} does not exist in this namespace; the plan is compiled as soon as it does"
        draft.wanted[_name(plan)] = Wanted(False, Reason.WAITING_FOR_WORKFLOW, message, reconciling=True)


def _without_place(world: World, draft: _Draft) -> None:
    place = world.place if isinstance(world.place, NoPlace) else NoPlace(Reason.NAMESPACE_NOT_LABELLED, "")
    draft.wanted[""] = Wanted(False, place.reason, place.message, stalled=True)
    _plans_wait(world, draft, place.message)
    _restore(world, draft, set())
    draft.again.append(PLACE_AGAIN)


def _plans_wait(world: World, draft: _Draft, why: str) -> None:
    for plan in world.launch_plans:
        message = f"Workflow {world.key.name} is not ready: {why}"
        draft.wanted[_name(plan)] = Wanted(False, Reason.WORKFLOW_NOT_READY, message, reconciling=True)


def _with_everything(world: World, draft: _Draft, now: datetime) -> None:
    compiled = world.compiled
    assert compiled is not None
    assert world.workflow is not None
    if compiled.stopped:
        draft.wanted[""] = Wanted(False, Reason.COMPILER_STOPPED, compiled.stopped, stalled=True)
        _plans_wait(world, draft, compiled.stopped)
        _restore(world, draft, set())
        draft.again += [STOPPED_AGAIN] if compiled.passing else []
        return
    if compiled.diagnostics:
        # What was compiled last stays as it is: a bad commit breaks no schedule.
        draft.wanted[""] = Wanted(False, Reason.INVALID, _rendered(compiled.diagnostics), stalled=True)
        _plans_wait(world, draft, "it does not compile")
        _restore(world, draft, set())
        return
    wanted = _stamped(compiled.objects, world)
    if not _claim(world, draft, "", wanted):
        _plans_wait(world, draft, "a name that it needs is taken")
        _restore(world, draft, set())  # by a template of ours that was changed, as it may be
        return
    keep = {children.about(body) for body in wanted}
    draft.wanted[""] = Wanted(True, Reason.COMPILED, "; ".join((_made(wanted), *compiled.notes)))
    _answer(world, draft, "", world.workflow, wanted)
    for plan in world.launch_plans:
        keep |= _launch_plan(world, draft, plan)
    for plan in world.left_out:
        message = f"Workflow {world.key.name} has launch plans that are too many, or too large together; delete some"
        draft.wanted[_name(plan)] = Wanted(False, Reason.TOO_MANY_PLANS, message, stalled=True)
    _delete_crons(world, draft, str(world.workflow["metadata"]["uid"]))
    if world.left_out:  # what they were compiled to stays as it is
        keep |= set(world.live)
    _delete_unwanted(world, draft, keep)
    _restore(world, draft, keep)
    _age(world, draft, keep, now)


def _launch_plan(world: World, draft: _Draft, plan: Body) -> set[tuple[str, str]]:
    """Compile one launch plan; the objects of its that stay."""
    assert world.compiled is not None
    name = _name(plan)
    problems = world.compiled.plan_diagnostics.get(name, ())
    wanted = _stamped(world.compiled.plan_objects.get(name, ()), world)
    own = _own_waits(world)
    if name in own and not problems:
        problems = tuple(_wrong_trigger(world, draft, name, own))
    if problems:
        draft.wanted[name] = Wanted(False, Reason.INVALID, _rendered(problems), stalled=True)
        return {key for key, body in world.live.items() if _label(body, labels.LAUNCH_PLAN) == name}
    if not _claim(world, draft, name, wanted):
        return set()
    suspended = bool((plan.get("spec") or {}).get("suspend"))
    reason = Reason.SUSPENDED if suspended else Reason.COMPILED
    holder = requests.held(plan)
    message = f"suspended by hand: {holder}; {_made(wanted)}" if holder else _made(wanted)
    draft.wanted[name] = Wanted(True, reason, message)
    _answer(world, draft, name, plan, wanted)
    return {children.about(body) for body in wanted} | _handing_over(plan, wanted)


def _own_waits(world: World) -> triggers.Waits:
    """What the launch plans of this Workflow wait for, as they are compiled now."""
    assert world.compiled is not None
    return triggers.compiled(
        world.key.name, (body for bodies in world.compiled.plan_objects.values() for body in bodies)
    )


def _wrong_trigger(world: World, draft: _Draft, plan: str, own: triggers.Waits) -> Iterator[Diagnostic]:
    """What is wrong with what a launch plan waits for, as far as others make it so."""
    assert world.compiled is not None
    assert isinstance(world.place, Place)
    domain, subject = own[plan][1].domain, f"launch plan {plan}"
    if domain and world.domain.schedules:
        if world.domain.body is None and (wrong := triggers.unlisted(domain, ())):  # else the compiler has seen to it
            yield Diagnostic(Code.BAD_TRIGGER, wrong[0], subject=subject, hint=wrong[1])
        elif domain not in world.domains:
            draft.again.append(PLACE_AGAIN)
            yield triggers.unknown_domain(plan, domain, world.place.project)
    others = {name: each for name, each in world.waits.items() if name not in world.compiled.plan_objects}
    if circular := triggers.circle_problem(
        plan, {**others, **triggers.of_project(world.place.domain, {world.place.domain: own})}
    ):
        yield circular


def _handing_over(plan: Body, wanted: Iterable[Body]) -> set[tuple[str, str]]:
    """The CronWorkflow of an earlier version, which fires until the scheduler has recorded how far it came."""
    scheduled = any(_annotation(body, labels.SCHEDULE) for body in wanted)
    taken_over = (plan.get("status") or {}).get("schedule")
    return {(children.CRON, names.launch_plan_template(_name(plan)))} if scheduled and not taken_over else set()


def _answer(world: World, draft: _Draft, subject: str, body: Body | None, wanted: Iterable[Body]) -> None:
    """Start what a definition that is ready asks for."""
    assert body is not None
    found = next((each for each in wanted if each["kind"] == children.TEMPLATE), None)
    if found is None:
        return
    template = _name(found)
    run = requests.run(body, template, Schedule.from_text(_annotation(found, labels.SCHEDULE)), draft.now)
    draft.runs += [run] if run is not None else []
    failed = world.failed.get(subject)
    if failed is None or not requests.pending(body, requests.RETRY):
        return
    revision = revisions.carried_by(failed)
    if revision in ("", draft.revision[subject]):
        draft.runs.append(requests.retry(body, failed, template))
    else:
        _retry_replaced(world, draft, body, failed)


def _retry_replaced(world: World, draft: _Draft, body: Body, failed: Body) -> None:
    """Start the failed run again as it was compiled then, from a template that stays for as long as it runs."""
    revision = revisions.carried_by(failed)
    stored, name = world.stored.get(revision), revisions.template_for(revision)
    live = world.live.get((children.TEMPLATE, name))
    if stored is None or (live is not None and not _may_take(world, live)):
        why = f"its revision {revision} is gone" if stored is None else f"the name {name} is taken"
        message = f"run {failed['metadata']['name']} cannot be started again: {why}; start a new run"
        draft.told.append(Announcement(events.regarding(body), Reason.NOT_STARTED_AGAIN, message, warning=True))
        return
    _write(world, draft, children.restored(stored.body, stored.spec, name), live)
    draft.runs.append(requests.retry(body, failed, name, stored.spec))


def _stamped(objects: Iterable[Body], world: World) -> list[dict[str, Any]]:
    assert world.workflow is not None
    return [children.stamp(body, world.workflow) for body in objects]


def _claim(world: World, draft: _Draft, subject: str, wanted: list[dict[str, Any]]) -> bool:
    """Put `wanted` into the draft, revisions first, unless one of the names belongs to another owner."""
    assert world.workflow is not None
    uid = str(world.workflow["metadata"]["uid"])
    taken = [body for body in wanted if (live := world.live.get(children.about(body))) and not _may_take(world, live)]
    if taken:
        _refuse_taken(world, draft, subject, taken[0])
        return False
    present = {seen.name for seen in world.revisions if seen.workflow_uid == uid}
    for body in wanted:
        if body["kind"] == children.TEMPLATE:
            assert world.compiled is not None
            draft.revision[subject] = revisions.name_of(body)
            if draft.revision[subject] not in present:
                plan = world.compiled.plans[body["metadata"]["name"]]
                draft.create.append(revisions.build(body, plan, world.workflow))
        _write(world, draft, body, world.live.get(children.about(body)))
    return True


def _write(world: World, draft: _Draft, body: dict[str, Any], live: Body | None) -> None:
    """Make the object in the cluster what it should be, the whole of its spec, and say so if it was changed."""
    spec = (live or {}).get("spec") or {}
    if live is None or not children.fits(body, live):
        draft.apply.append(_fenced(body, live))
    if live is None:
        return
    if more := drift.additions(body["spec"], spec):
        metadata = {key: live["metadata"][key] for key in ("uid", "resourceVersion")}
        draft.strip.append(Strip(body, {"metadata": metadata, "spec": more}))
    if spec != body["spec"] and _annotation(live, labels.COMPILED) == _annotation(body, labels.COMPILED):
        about = world.workflow or {**live, "apiVersion": body["apiVersion"], "kind": body["kind"]}
        told = drift.told(body["spec"], spec)
        message = f"{body['kind']} {_name(body)} was changed by others and is as compiled again: {told}"
        draft.told.append(Announcement(events.regarding(about), Reason.REVERTED, message, warning=True))


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
        draft.look_at += [QueueKey(world.key.namespace, holder, "Workflow")] if holder != world.key.name else []
        passing = True
    draft.wanted[subject] = Wanted(False, Reason.NAME_TAKEN, message, stalled=not passing, reconciling=passing)
    draft.again.append(_patience(world, draft, subject, FREED_AGAIN / 10 if passing else FREED_AGAIN))


def _patience(world: World, draft: _Draft, subject: str, least: float) -> float:
    """When to look again at a name that is taken: the longer it has been, the later."""
    bodies = {"": world.workflow} | {_name(plan): plan for plan in world.launch_plans}
    before = conditions.ready(bodies.get(subject) or {}) or {}
    since = timestamps.parse(str(before.get("lastTransitionTime") or ""))
    if before.get("reason") != Reason.NAME_TAKEN or since is None:
        return least
    return max(least, min(MAX_PATIENCE, (draft.now - since).total_seconds() / 2))


def _delete_crons(world: World, draft: _Draft, uid: str) -> None:
    """Schedules made from a Workflow of this name with another uid than `uid`. Their running runs go on."""
    for (kind, name), live in world.live.items():
        stale = _label(live, labels.WORKFLOW) == world.key.name and _label(live, labels.OWNER_UID) != uid
        if kind == children.CRON and stale and _label(live, labels.OWNER_UID):
            draft.delete.append(Deletion(kind, world.key.namespace, name, str(live["metadata"]["uid"]), orphan=True))


def _may_take(world: World, live: Body) -> bool:
    """Whether an object is ours to write: made from this very Workflow, or a template without an owner because it was
    restored from its revision, of which it is then an exact copy."""
    if world.workflow is not None and children.ours(live, str(world.workflow["metadata"]["uid"])):
        return True
    stored = world.stored.get(revisions.name_of(live))
    return bool(stored and children.unowned(live, world.key.name) and live.get("spec") == stored.spec)


def _named(world: World) -> dict[str, str]:
    """The templates that unfinished runs name, each with the newest revision of it that they carry."""
    created = {seen.name: seen.created for seen in world.revisions}
    carried = _carried(world) & created.keys()
    return {revisions.template_of(name): name for name in sorted(carried, key=lambda name: (created[name], name))}


def _carried(world: World) -> set[str]:
    """The revisions of unfinished runs."""
    return {seen.labels.get(labels.REVISION) or "" for seen in world.unfinished} - {""}


def _delete_unwanted(world: World, draft: _Draft, keep: set[tuple[str, str]]) -> None:
    """Generated objects that nothing asks for any more, schedules first, and no template that a run still names."""
    named = {*_named(world), *map(revisions.template_for, _carried(world))}
    for (kind, name), live in sorted(world.live.items()):
        if (kind, name) in keep or not _may_take(world, live):
            continue
        if kind == children.TEMPLATE and name in named:
            draft.again.append(FREED_AGAIN)
            continue
        draft.delete.append(
            Deletion(kind, world.key.namespace, name, str(live["metadata"]["uid"]), orphan=kind == children.CRON)
        )


def _restore(world: World, draft: _Draft, keep: set[tuple[str, str]]) -> None:
    """Apply the templates again that unfinished runs name and that are gone; they have no owner."""
    for template, name in _named(world).items():
        stored, live = world.stored.get(name), world.live.get((children.TEMPLATE, template))
        if stored is None or (children.TEMPLATE, template) in keep:
            continue
        if live is None or children.unowned(live, world.key.name):
            _write(world, draft, children.restored(stored.body, stored.spec), live)
            draft.again.append(FREED_AGAIN)


def _age(world: World, draft: _Draft, keep: set[tuple[str, str]], now: datetime) -> None:
    """Mark the revisions that are not in effect any more, or are again; collect those that are needed no more."""
    effective = set(draft.revision.values())
    # A plan that does not compile any more keeps its last template, and so its last revision.
    unwritten = keep - {children.about(body) for body in draft.apply}
    effective |= {revisions.name_of(world.live[about]) for about in unwritten if about in world.live}
    for seen in world.revisions:
        if seen.name in effective:
            if seen.replaced:
                draft.marks.append(Mark(world.key.namespace, seen.name, seen.uid, None))
            continue
        left = seen.left(world.retention, now)
        if not seen.replaced:
            draft.marks.append(Mark(world.key.namespace, seen.name, seen.uid, timestamps.seconds(now)))
        elif left <= timedelta() and seen.name not in world.carried:
            draft.delete.append(Deletion(children.REVISION, world.key.namespace, seen.name, seen.uid))
            continue
        draft.again.append(max(left.total_seconds(), CARRIED_AGAIN))


def _statuses(world: World, draft: _Draft, moment: str) -> Iterable[Status]:
    bodies = {"": world.workflow} | {_name(plan): plan for plan in (*world.launch_plans, *world.left_out)}
    for name, wanted in draft.wanted.items():
        body = bodies[name]
        assert body is not None
        patch = status_of(body, wanted, moment)
        patch |= requests.answered(body, now=wanted.ready)
        if wanted.ready and world.workflow is not None and name in draft.revision:
            patch["version"] = str(world.workflow["spec"]["version"])
            patch["revision"] = draft.revision[name]
        if not children.fits(patch, body.get("status") or {}):
            yield Status(body, patch)


def status_of(body: Body, wanted: Wanted, moment: str, also: Iterable[Also] = ()) -> dict[str, Any]:
    """Conditions and observedGeneration for an object as read."""
    generation = int(body["metadata"].get("generation") or 1)
    previous = (body.get("status") or {}).get("conditions") or ()
    patch: dict[str, Any] = {
        "observedGeneration": generation,
        "conditions": conditions.write(previous, wanted, generation, moment, also),
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


def _annotation(body: Body, key: str) -> str:
    return str(((body.get("metadata") or {}).get("annotations") or {}).get(key) or "")


def _label(body: Body, key: str) -> str:
    return str(((body.get("metadata") or {}).get("labels") or {}).get(key) or "")


def _name(body: Body) -> str:
    return str(body["metadata"]["name"])
