"""The rows of `alula status`: per domain what git has, and beside it what the cluster made of that. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alula.emit import manifests
from alula.gitops import clusters, snapshots
from alula.gitops.clusters import ClusterState, Identity
from alula.gitops.snapshots import ReleaseFolder, Snapshot, part
from alula_api.argo import runs

WORDS = {"Workflow": "workflow", "LaunchPlan": "launch plan"}


def describe(snapshot: Snapshot, *, changed: bool, state: ClusterState | None) -> dict[str, Any]:
    """One domain as JSON.

    Args:
        snapshot: What git has.
        changed: Whether its files differ from the commit that is checked out.
        state: What the cluster has; None where none was asked.
    """
    wanted = {(str(each.resource["kind"]), snapshots.name(each)): each for each in snapshot.built}
    found: dict[str, Any] = {
        "domain": str(snapshot.place),
        "uncommitted": changed,
        "releases": [release(each) for each in snapshot.releases.values()],
        "problems": [each.message for each in snapshot.problems],
        "definitions": [definition(identity, each, state) for identity, each in wanted.items()],
    }
    if state is not None:
        status = part(state.application or {}, "status")
        found["argocd"] = {
            "sync": part(status, "sync").get("status"),
            "health": part(status, "health").get("status"),
            "revision": part(status, "sync").get("revision"),
        }
        found["onlyOnTheCluster"] = [
            f"{WORDS[kind]} {name}" for kind, name in state.definitions if (kind, name) not in wanted
        ]
    return found


def release(found: ReleaseFolder) -> dict[str, Any]:
    """One release: its version, and what its blocks of digests say that they came with."""
    builds = [{"release": each.release, "commit": each.commit, "image": each.code.image} for each in found.blocks]
    return {"source": found.source, "version": found.version, "builds": builds}


def definition(identity: Identity, wanted: manifests.Found, state: ClusterState | None) -> dict[str, Any]:
    """One workflow or launch plan."""
    kind, name = identity
    found: dict[str, Any] = {"kind": kind, "name": name, "version": part(wanted.resource, "spec").get("version")}
    if state is None:
        return found
    live = state.definitions.get(identity)
    run = state.last_run(identity)
    if run is not None:
        metadata = part(run, "metadata")
        phase = (metadata.get("labels") or {}).get(runs.PHASE_LABEL) or "Pending"
        found["lastRun"] = {"name": metadata.get("name"), "phase": phase, "at": metadata.get("creationTimestamp")}
    if live is None:
        return {**found, "state": "missing"}
    differs, why = clusters.drift(wanted.resource, live), clusters.compiled(live)
    if differs:
        return {**found, "state": "differs", "fields": differs}
    return {**found, "state": "not compiled" if why else "compiled", **({"why": why} if why else {})}


def text(found: Mapping[str, Any]) -> str:
    """One domain for people."""
    return "".join(f"{line}\n" for line in _lines(found))


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{found['domain']}{'  (files differ from the commit)' if found['uncommitted'] else ''}"
    for each in found["releases"]:
        builds = "; ".join(_build(build) for build in each["builds"])
        yield f"  release {each['source']} {each['version']}{f': {builds}' if builds else ''}"
    if "argocd" in found:
        sync = found["argocd"]
        revision = f" at {sync['revision'][:12]}" if sync["revision"] else ""
        health = f", {sync['health']}" if sync["health"] else ""
        yield f"  Argo CD: {sync['sync'] or 'no Application to see'}{revision}{health}"
    for each in found["definitions"]:
        yield f"  {_definition(each)}"
    yield from (f"  only on the cluster: {each}" for each in found.get("onlyOnTheCluster", ()))
    yield from (f"  problem: {each}" for each in found["problems"])


def _build(build: Mapping[str, str]) -> str:
    """`v2, built from 0123456789ab, penguins@sha256:aa..`; a release without a name is called by its commit."""
    commit, named = build["commit"], build["release"]
    parts = [] if named == commit else [named]
    parts += [f"built from {commit[:12]}{'-dirty' * commit.endswith('-dirty')}"] if commit else []
    return ", ".join([*parts, _short(build["image"])])


def _short(image: str) -> str:
    name, at, digest = image.partition("@sha256:")
    return f"{name}@{digest[:12]}" if at else name


def _definition(found: Mapping[str, Any]) -> str:
    parts = [f"{WORDS[found['kind']]} {found['name']} {found['version'] or ''}".rstrip()]
    if "state" in found:
        state = found["state"]
        if state == "differs":
            shown = ", ".join(found["fields"][: clusters.MAX_DRIFT])
            more = len(found["fields"]) - clusters.MAX_DRIFT
            state = f"differs from git in {shown}{f' and {more} more fields' if more > 0 else ''}"
        parts.append(f"{state}: {found['why']}" if "why" in found else state)
    if "lastRun" in found:
        run = found["lastRun"]
        parts.append(f"last run {run['name']} {run['phase']} {run['at']}")
    return ", ".join(parts)
