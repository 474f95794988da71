"""`alula run --remote`: the project's place on the cluster, its files, and the outputs of the run. Called by `run`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alula import display, settings
from alula.cli import cluster_flags, domain_data, flags, input_values, local_files, outcomes, usage
from alula.declare import tasks
from alula.progress.watchers import Watcher
from alula_api.contract.codes import Code

if TYPE_CHECKING:
    from alula.cli import targets
    from alula.local.store.place import DataRoot
    from alula.remote.connections import Connection
    from alula.remote.runs import Followed
    from alula.types.carriers import Carrier
    from alula_api.contract.graphs.specs import WorkflowSpec

LOCAL_ONLY = ("workers", "processes", "strict", "no-cache", "overwrite-cache")
"""Options that would be ignored: how a run goes on the cluster is up to its definition."""


def run(target: targets.Target, given: Mapping[str, Any], found: flags.Scan) -> int:
    """Start a run and follow it; exit code 1 when it fails."""
    if isinstance(target.named, tasks.Task):
        raise usage.error("a task alone cannot run on the cluster", "name a workflow", Code.UNKNOWN_WORKFLOW)
    _check(found)
    here = settings.load(target.word.rpartition(":")[0])
    from alula.remote import definitions, runs

    cluster = cluster_flags.connect(found, here)
    try:
        there = definitions.find(
            cluster, target.named, here.root, synced=found.on("synced"), sleep=time.sleep, say=display.note
        )
        preset = target.preset()
        own = {name: value for name, value in given.items() if name not in preset or value != preset[name]}
        place = domain_data.place(cluster, found.text("store"), here.store, "/".join(cluster_flags.domain(found, here)))
        schemas = {item.name: item.type.schema for item in target.runs.interface.inputs}
        inputs = local_files.commit(own, schemas, _carrier(place, own))
        body = runs.manifest(there.template, inputs)
        name = runs.start(cluster, body)
        if found.on("detach"):
            display.out(name)
            return 0
        followed = runs.Follower(cluster, there, body).follow(name, lambda: _watcher(found))
        return _show(followed, there.spec, place, cluster, found)
    finally:
        cluster.close()


def _check(found: flags.Scan) -> None:
    problems = [
        problem
        for name in LOCAL_ONLY
        if found.values.get(name)
        for problem in usage.error(f"--{name} is for local runs", "leave it out with --remote").diagnostics
    ]
    if problems:
        raise usage.UsageError(problems)


def _watcher(found: flags.Scan) -> Watcher:
    if found.on("quiet"):
        return Watcher()
    from alula.display import progress

    return progress.watcher(time.monotonic, plain=found.on("plain"))


def _carrier(place: DataRoot | None, given: Mapping[str, Any]) -> Carrier:
    """Where files are uploaded to, with the user's own credentials; never opened when there is none."""
    from alula.local.store.place import DataRoot
    from alula.local.work import carriers

    if place is None and any(input_values.holds_files(value) for value in given.values()):
        raise usage.error(
            "a file can be given to a run on the cluster only through its store",
            'name the store by --store, or write store = "s3://..." under [tool.alula] in pyproject.toml',
        )
    return carriers.StoreCarrier((place or DataRoot("")).content, carriers.FrameShelf())


def _show(
    followed: Followed, spec: WorkflowSpec, place: DataRoot | None, cluster: Connection, found: flags.Scan
) -> int:
    """The outputs as a local run shows them, or what failed and where its log is."""
    state = followed.state
    shown = domain_data.with_records(followed, place)
    outcomes.show(domain_data.with_outputs(shown, state, spec, place) if state.succeeded else shown, found)
    if state.succeeded:
        return 0
    if state.tasks:
        from alula.remote import runs

        display.note(f"\nlogs: {runs.logs(cluster.namespace, state.name)}")
    return 1
