"""A domain's queue as the controller decides it, read from the cluster. Called by the commands `queue` and `admit`."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alula.remote.refusals import refusal
from alula_api.argo import queued
from alula_api.contract import labels, names, queue
from alula_api.contract.codes import Code
from alula_api.contract.queue import Quota, Run, Terms, Waiting

if TYPE_CHECKING:
    from alula.remote.connections import Connection


@dataclass(frozen=True)
class Seen:
    """A queue at one moment.

    Attributes:
        quota: Of the domain; None where no run waits for its turn.
        running: Runs that were let go.
        chosen: Runs that are let go now.
        waiting: The others, by rank.
        pace: Roughly the seconds between two runs that were let go lately; None while that is not known.
    """

    quota: Quota | None
    running: tuple[Run, ...] = ()
    chosen: tuple[Run, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    pace: int | None = None


def look(cluster: Connection, now: float) -> Seen:
    """Read the queue of the connection's namespace."""
    domain = cluster.domain() or {}
    quota = Quota.of(domain.get("spec") or {})
    runs = unfinished(cluster)
    running = tuple(run for run in runs if run.admitted)
    if quota is None:
        return Seen(None, running, tuple(run for run in runs if not run.admitted))
    told = (domain.get("status") or {}).get("admission") or {}
    intended = [str(each["uid"]) for each in told.get("intents") or ()]
    choice = queue.choose(runs, intended, quota, now)
    let_go = {*intended, *(run.uid for run in choice.admit)}
    starting = tuple(run for run in runs if run.uid in let_go and not run.admitted)
    return Seen(quota, running, starting, choice.waiting, told.get("pace"))


def unfinished(cluster: Connection) -> list[Run]:
    """All runs of the namespace that are not over."""
    templates = cluster.metadata("launch plans' templates", "workflowtemplates", labels.LAUNCH_PLAN)
    terms = {each["name"]: Terms.from_text((each.get("annotations") or {}).get(labels.QUEUE, "")) for each in templates}
    return [
        queued.run(each, terms.get(names.launch_plan_template(queued.plan(each)), Terms()))
        for each in cluster.metadata("runs", "workflows", queued.UNFINISHED)
    ]


def force(cluster: Connection, name: str, who: str) -> None:
    """Have a waiting run let go whatever the quota says.

    Raises:
        RemoteError: there is no such run that waits, or the user may not change it.
    """
    found = next((run for run in unfinished(cluster) if run.name == name), None)
    if found is None:
        message = f"there is no unfinished run {name} of alula's in namespace {cluster.namespace}"
        raise refusal(message, "`alula queue` lists those that wait", Code.NOT_FOUND)
    if found.admitted:
        raise refusal(f"run {name} was let go already", "`alula queue` lists those that wait", Code.BAD_VALUE)
    cluster.annotate(name, found.uid, {labels.FORCED: f"{found.uid} {who}"})


def waited(run: Run, now: float) -> str:
    """How long a run has been there, to the second."""
    return str(datetime.timedelta(seconds=round(max(0.0, now - run.created))))
