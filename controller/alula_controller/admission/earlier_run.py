"""Keys to look up all at once: those that an earlier run of the same revision and inputs came to. Called by `gather`.

Along a chain a key is known once the result before it is, so a walk of the cache costs a round trip to the store for
each task. A run that succeeded has all results in its nodes: walked with these in place of the cache it gives all keys.
They are guesses. Each is looked up before the walk of the cache reaches it, and that walk makes its own keys of what
the cache holds; so a run whose nodes are forged, or older than the cache, costs lookups and nothing else.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping
from typing import Any

from alula_api.argo import nodes, runs
from alula_api.argo.nodes import Node, Nodes
from alula_api.contract import keys, labels, lists, names, values
from alula_api.contract.graphs import plans
from alula_api.contract.graphs.bindings import Value, wire_of
from alula_api.contract.graphs.walks import TooLarge
from alula_api.contract.keys import CacheEntry
from alula_api.contract.values import Json
from alula_controller.admission.cache_walk import CacheWalk, Wanted
from alula_controller.cluster import client, errors, resources

log = logging.getLogger(__name__)

SUCCEEDED = "Succeeded"
MAX_LISTED = 20
"""Earlier runs of which the metadata is read; of these the newest is read whole."""
_DIGITS = 32


def inputs_digest(inputs: Mapping[str, Value]) -> str:
    """The value of the label by which runs with the same inputs are found."""
    return keys.digest({name: wire_of(value) for name, value in inputs.items()})[:_DIGITS]


async def read(
    api: client.Cluster, run: Mapping[str, Any], inputs: Mapping[str, Value]
) -> tuple[str, Mapping[str, Any]]:
    """The name and the status of the newest run that succeeded with the revision of `run` and these inputs.

    Both are empty where there is none, or where none can be read: it would only save time.
    """
    namespace, revision = run["metadata"]["namespace"], runs.label(run, labels.REVISION)
    wanted = {labels.REVISION: revision, labels.INPUTS: inputs_digest(inputs), runs.PHASE_LABEL: SUCCEEDED}
    selector = ",".join(f"{name}={value}" for name, value in wanted.items())
    try:
        listed = await api.list(resources.RUNS.path(namespace), labels=selector, metadata_only=True, most=MAX_LISTED)
        found = max(listed.items, key=lambda each: str(each["metadata"].get("creationTimestamp")), default=None)
        body = found and await api.find(resources.RUNS.path(namespace, found["metadata"]["name"]))
    except errors.ClusterError as error:
        log.info("no earlier run was read: %s", error)
        return "", {}
    status = (body or {}).get("status")
    if not found or not isinstance(status, Mapping):
        return "", {}
    return str(found["metadata"]["name"]), status


def guesses(
    plan: plans.Plan, inputs: Mapping[str, Value], name: str, status: Mapping[str, Any], most: int
) -> dict[str, Wanted]:
    """At most `most` keys that a run of this plan, inputs, name and status came to, with what their entries must hold.

    What its nodes do not say, as they do not of batches, is not guessed, nor is what comes after it.
    """
    try:
        made = nodes.read(status)
    except nodes.Hidden:
        return {}
    found: dict[str, Wanted] = {}
    try:
        walk = CacheWalk(plan, inputs)
        while len(found) < most and (wanted := walk.wanted()):
            found |= {each.key: each for each in itertools.islice(wanted, most - len(found))}
            entries = {each.key: _entry(each, _node(made, name, each.path)) for each in wanted}
            known = {key: entry for key, entry in entries.items() if entry is not None}
            lists_of = {key: entry.parts for key, entry in known.items()}
            walk.answer({key: entry.outputs for key, entry in known.items()}, lists_of=lists_of)
    except TooLarge:
        return found
    return found


def _node(made: Nodes, run: str, path: str) -> Node:
    return made.get(nodes.id_of(run, names.argo_path(path))) or {}


def _entry(wanted: Wanted, node: Node) -> CacheEntry | None:
    """What a task's node says that it made, held to what is asked of an entry of the cache; None if that is nothing."""
    texts = {str(each.get("name")): each.get("value") for each in nodes.parameters(node)}
    try:
        outputs = {name: _parsed(texts.pop(name, None)) for name in wanted.outputs}
        entry = CacheEntry(wanted.key, "", outputs, "", "", "")
        checked = CacheEntry.from_text(entry.to_text(), dict(wanted.outputs))
    except values.InvalidValue:
        return None
    parts = {name: part for name, text in texts.items() if (part := _list(text)) is not None}
    return checked._replace(parts=parts)


def _parsed(text: Any) -> Json:
    if not isinstance(text, str) or len(text) > keys.MOST_ENTRY:
        raise values.InvalidValue([values.Problem("$", "is no output of a node")])
    return values.parse(text)


def _list(text: Any) -> Json | None:
    """A list in the form in which maps go over it; None if the text is none."""
    try:
        found = lists.read(_parsed(text))
    except values.InvalidValue:
        return None
    return None if found is None else found.to_json()
