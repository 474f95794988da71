"""Whether what Kubernetes holds a domain to is what follows from its Domain: the condition `GuardsInSync`.

`alula domain render` writes these objects into git and Argo CD applies them; nothing here writes them. To read them
the controller needs `kustomize/components/guard-rights`; without it the condition is Unknown and says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from alula_api.contract import names, quantities
from alula_api.kinds import domains, guards, reading
from alula_controller.cluster import client, errors, resources
from alula_controller.conditions import Also, Reason
from alula_controller.domains.places import Place

TYPE = "GuardsInSync"
SHOWN = 3

Body = Mapping[str, Any]
Identity = tuple[str, str]

KINDS = {each.kind: each for each in (*resources.GUARDS, resources.NAMESPACES)}
_ONLY_WANTED: tuple[Identity, ...] = (
    ("ResourceQuota", guards.QUOTA),
    ("LimitRange", guards.CONTAINERS),
    ("ConfigMap", names.POOLS),
)
"""What a Domain may ask for and need not: one that lies there unasked holds the domain to something else."""


async def look(api: client.Cluster, body: Body, place: Place) -> Also:
    """The condition of a Domain as read, in the namespace of that place."""
    domain, problems = reading.read(domains.Domain, {**body, **_HEAD})
    if domain is None:
        return Also(TYPE, "Unknown", Reason.GUARDS_UNKNOWN, "; ".join(each.message for each in problems[:SHOWN]))
    space = str(body["metadata"]["namespace"])
    made = guards.render(domain, place.project, place.domain, space)
    wanted = {(each["kind"], each["metadata"]["name"]): each for each in made if each["kind"] != "Domain"}
    asked = [*dict.fromkeys((*reversed(wanted), *_ONLY_WANTED))]  # the namespace last: it may be read anyway
    try:
        first, *others = asked
        found = [await _read(api, space, first)]  # the others would be refused as well
        found += await asyncio.gather(*(_read(api, space, each) for each in others))
    except errors.Refused as error:
        return Also(TYPE, "Unknown", Reason.GUARDS_UNKNOWN, f"the guards cannot be read: {error}")
    live = {identity: each for identity, each in zip(asked, found, strict=True) if each is not None}
    differences = [*compare(wanted, live)]
    if not differences:
        return Also(TYPE, "True", Reason.GUARDS_MATCH, f"{len(wanted)} objects follow from this Domain and are there")
    more = f", and {len(differences) - SHOWN} more" if len(differences) > SHOWN else ""
    message = f"{', '.join(differences[:SHOWN])}{more}; `alula domain render` writes what should be there"
    return Also(TYPE, "False", Reason.GUARDS_DIFFER, message)


_HEAD = {"apiVersion": names.API_VERSION, "kind": "Domain"}


async def _read(api: client.Cluster, space: str, identity: Identity) -> Body | None:
    kind, name = identity
    return await api.find(KINDS[kind].path(space if KINDS[kind].namespaced else "", name))


def compare(wanted: Mapping[Identity, Body], live: Mapping[Identity, Body]) -> Iterator[str]:
    """What is not as wanted, in words; what others add beside it is theirs."""
    for (kind, name), each in wanted.items():
        found = live.get((kind, name))
        if found is None:
            yield f"{kind} {name} is not there"
        else:
            parts = {field: value for field, value in each.items() if field not in ("apiVersion", "kind", "metadata")}
            marks = {field: each["metadata"][field] for field in ("labels", "annotations") if field in each["metadata"]}
            yield from (f"{kind} {name} differs in {path}" for path in _differing({**parts, "metadata": marks}, found))
    for kind, name in _ONLY_WANTED:
        if (kind, name) in live and (kind, name) not in wanted:
            yield f"{kind} {name} is there, and does not follow from this Domain"


def _differing(wanted: Any, found: Any, path: str = "") -> Iterator[str]:
    """The paths of what is wanted and is not so; fields that the API server adds do not count, items of lists do."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for field, value in wanted.items():
            yield from _differing(value, found.get(field), f"{path}.{field}".lstrip("."))
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for number, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _differing(one, other, f"{path}[{number}]")
    elif not _same(wanted, found):
        yield path


def _same(wanted: Any, found: Any) -> bool:
    """Whether two values mean the same: the API server leaves out what is empty, and writes 0.5 as 500m."""
    if wanted == found or (wanted in ({}, []) and not found):
        return True
    if not isinstance(wanted, str) or not isinstance(found, (str, int)):
        return False
    amount = quantities.amount(wanted)
    return amount is not None and amount == quantities.amount(str(found))
