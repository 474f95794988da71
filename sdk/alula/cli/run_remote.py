"""`alula run --remote`: the project's place on the cluster, its files, and the outputs of the run. Called by `run`."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alula import display, settings
from alula.cli import cluster_flags, flags, input_values, local_files, outcomes, usage
from alula.declare import tasks
from alula.progress.reports import OutputType, RunResult
from alula.progress.watchers import Watcher
from alula_api.argo import outputs
from alula_api.contract import lists, pods, references, values
from alula_api.contract.codes import Code

if TYPE_CHECKING:
    from alula.cli import targets
    from alula.local.store.place import DataRoot
    from alula.remote.connections import Connection
    from alula.remote.runs import Followed
    from alula.remote.status import RunState
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
        place = _place(cluster, found.text("store"), here.store, "/".join(cluster_flags.domain(found, here)))
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


def _place(cluster: Connection, given: str, configured: str, domain: str) -> DataRoot | None:
    """Where the domain's data lies: as its cluster says, else as the user says; None when neither does."""
    from alula.local.store.place import DataRoot

    said = cluster.store().rstrip("/")
    named = f"{given.rstrip('/')}/{domain}" if given else ""
    if said and named and named != said:
        message = f"this domain's pods read and write {said}, not {named}"
        raise usage.error(message, "leave --store out, or check --project, --domain and --context")
    store = said or named or (f"{configured.rstrip('/')}/{domain}" if "://" in configured else "")
    place = DataRoot(store)
    return place if store and place.folder is None else None


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
    shown = _with_records(followed, place)
    outcomes.show(_with_outputs(shown, state, spec, place) if state.succeeded else shown, found)
    if state.succeeded:
        return 0
    if state.tasks:
        selector = f"workflows.argoproj.io/workflow={state.name}"
        display.note(f"\nlogs: kubectl logs -n {cluster.namespace} -l {selector} -c main --prefix --tail=-1")
    return 1


def _with_records(followed: Followed, place: DataRoot | None) -> RunResult:
    """The result with what the domain's store knows of failures, where it can be read."""
    result = followed.result
    if place is None or not (result.failures or any(node.failed for node in result.nodes)):
        return result
    from alula.remote import stored_failures
    from alula_data.errors import StoreError
    from alula_data.stores import opening

    try:
        endpoint = os.environ.get(pods.Env.STORE_ENDPOINT, "")
        store = opening.open_store(place.prefix, endpoint=endpoint, policy=stored_failures.PATIENCE)
        return stored_failures.with_records(result, followed.state, store)
    except StoreError:
        return result


def _with_outputs(result: RunResult, state: RunState, spec: WorkflowSpec, place: DataRoot | None) -> RunResult:
    """The result with the values that Argo keeps; what lies in the store is read where it can be."""
    types = tuple(OutputType(each.name, each.type) for each in spec.outputs)
    known = tuple(each for each in types if each.name in state.outputs)
    for each in types:
        if each not in known:
            display.note(f"output {each.name} cannot be shown: {state.hidden or 'Argo does not have it'}")
    wire = {each.name: _value(each.name, state.outputs, place) for each in known}
    return dataclasses.replace(result, wire=wire, output_types=known, locate=place.locate if place else lambda _: None)


def _value(name: str, texts: Mapping[str, str], place: DataRoot | None) -> Any:
    try:
        return outputs.assembled(name, texts, lambda value: _loaded(name, value, place))
    except values.InvalidValue:
        return texts[name]


def _loaded(name: str, found: values.Json, place: DataRoot | None) -> values.Json:
    """What lies behind an envelope, where it can be read; a list that travels as its items is one too."""
    if not references.is_envelope(found):
        return found
    from alula.display import styles
    from alula_data.errors import StoreError

    listed = lists.read(found)
    parts = [references.stored(found)] if listed is None else listed.values()
    stored = [each for each in parts if isinstance(each, references.Stored)]
    if listed is not None and not stored:
        return listed.joined(parts) if isinstance(listed, lists.Batches) else parts  # type: ignore[arg-type]
    size = styles.amount(sum(each.size for each in stored))
    where = f"{stored[0].path()}{f' and {len(stored) - 1} more' if len(stored) > 1 else ''}"
    if place is None:
        display.note(f"output {name} ({size}) lies in the domain's store at {where}")
        return found
    try:
        return place.content().load_value(found)
    except StoreError as error:
        display.note(f"output {name} ({size}) lies at {place.prefix}/{where} and cannot be read: {error}")
        return found
