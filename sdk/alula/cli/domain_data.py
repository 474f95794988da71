"""The data of a domain on the cluster: where it lies, and what of it a run shows. Called by `run_remote` and `why`."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alula import display
from alula.cli import usage
from alula.progress.reports import OutputType, RunResult
from alula_api.argo import outputs
from alula_api.contract import lists, pods, references, values
from alula_api.contract.graphs import bindings

if TYPE_CHECKING:
    from alula.local.store.place import DataRoot
    from alula.remote.connections import Connection
    from alula.remote.runs import Followed
    from alula.remote.status import RunState
    from alula_api.contract.graphs.specs import WorkflowSpec


def place(cluster: Connection, given: str, configured: str, domain: str) -> DataRoot | None:
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


def with_records(followed: Followed, place: DataRoot | None) -> RunResult:
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


def with_outputs(result: RunResult, state: RunState, spec: WorkflowSpec, place: DataRoot | None) -> RunResult:
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
    except values.InvalidValue as error:
        display.note(f"output {name} cannot be shown: {error}")
        return texts[name]


def _loaded(name: str, found: values.Json, place: DataRoot | None) -> values.Json:
    """What lies behind an envelope, where it can be read; a list that travels as its items is one too."""
    if not references.is_envelope(found):
        return found
    from alula.display import styles
    from alula_data.errors import StoreError

    value = bindings.value_of(found)
    stored = [*lists.stored(value)]
    if not stored:
        return lists.plain(value)
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
