"""Is what a domain becomes still what its releases say? Pure.

Called by `verify`. A patch may set what tasks need, defaults and schedules; to kustomize it may as well remove a task,
or add one that has nothing but the memory that was meant for another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alula.emit import manifests, releases
from alula.gitops import snapshots
from alula.gitops.snapshots import Snapshot, name
from alula_api.contract import labels
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic, did_you_mean

PARTS = {"inputs": "input", "outputs": "output", "tasks": "task", "graphs": "graph", "nodes": "node"}
"""Lists of a Workflow whose items no patch may add or remove, and what an item is called."""
MERGE_KEYS = "does the domain's kustomization name the component ../../openapi, before others?"
_SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
OF_ARGO_CD = ("argocd.argoproj.io/tracking-id", "argocd.argoproj.io/compare-options")
_OF_THE_CLUSTER = ("ownerReferences", "finalizers", "uid", "resourceVersion", "generation", "managedFields")


def problems(snapshot: Snapshot) -> Iterator[Diagnostic]:
    """Parts that got lost or were added, resources that are missing, and what does not belong into a domain."""
    built = {_identity(each): each for each in snapshot.built}
    files = [each for release in snapshot.releases.values() for each in release.found]
    for each in (*files, *snapshot.plans):
        found = built.get(_identity(each))
        if found is None:
            listed = str(snapshot.folder / releases.KUSTOMIZATION)
            message = f"what kustomize builds lacks {' '.join(_identity(each))}"
            hint = f"is its folder named under resources in {listed}?"
            yield Diagnostic(Code.PATCH_MISFIT, message, each.file, hint=hint)
        elif each.resource.get("kind") == "Workflow":
            yield from _parts(each, found, snapshot)
    for each in snapshot.built:
        yield from _stranger(each, snapshot)
    yield from _twice((*files, *snapshot.plans))


def _identity(found: manifests.Found) -> tuple[str, str]:
    return str(found.resource.get("kind")), name(found)


def _parts(file: manifests.Found, built: manifests.Found, snapshot: Snapshot) -> Iterator[Diagnostic]:
    place = str(snapshot.folder / releases.KUSTOMIZATION)
    for subject, what, lost in _differences(file.resource.get("spec"), built.resource.get("spec"), ""):
        where = f"Workflow {name(file)}{subject}"
        if lost:
            message = f"the patches of this domain lose {what}"
            yield Diagnostic(Code.PATCH_MISFIT, message, place, where, hint=MERGE_KEYS)
        else:
            message = f"a patch of this domain is for {what}, which the release has not"
            yield Diagnostic(Code.PATCH_MISFIT, message, place, where, hint=_near(what, file.resource.get("spec")))


def _differences(file: Any, built: Any, subject: str) -> Iterator[tuple[str, str, bool]]:
    """What of the lists with names differs, outermost first: where, what, and whether it is lost or was added."""
    if not isinstance(file, dict) or not isinstance(built, dict):
        return
    for field, word in PARTS.items():
        one, other = _named(file.get(field)), _named(built.get(field))
        yield from ((subject, f"the {word} {each}", True) for each in one if each not in other)
        yield from ((subject, f"the {word} {each}", False) for each in other if each not in one)
        for each in one:
            if each in other:
                yield from _differences(one[each], other[each], f"{subject}, {word} {each}")


def _named(listed: Any) -> dict[str, Mapping[str, Any]]:
    items = listed if isinstance(listed, list) else []
    return {str(each.get("name", each.get("id"))): each for each in items if isinstance(each, dict)}


def _near(what: str, spec: Any) -> str:
    word, _, wanted = what.removeprefix("the ").partition(" ")
    known = _named(snapshots.part({"spec": spec}, "spec").get(next(k for k, v in PARTS.items() if v == word)))
    return did_you_mean(wanted, known, "remove it from the domain's patches", str)


def _stranger(found: manifests.Found, snapshot: Snapshot) -> Iterator[Diagnostic]:
    """What Argo CD's project of the domain refuses, and what only a cluster or a controller may write."""
    kind, subject = str(found.resource.get("kind")), " ".join(_identity(found))
    if kind not in ("Workflow", "LaunchPlan"):
        message = f"a {kind} is the platform team's, and Argo CD takes none from the folder of a domain"
        hint = f"move it to platform/{snapshot.place}"
        yield Diagnostic(Code.NOT_ALLOWED, message, found.file, subject, hint=hint)
    metadata = snapshots.part(found.resource, "metadata")
    namespace = metadata.get("namespace")
    if namespace is not None and namespace != snapshot.place.namespace:
        message = f"it is for the namespace {namespace}, and this folder is for {snapshot.place.namespace}"
        where = str(snapshot.folder / releases.KUSTOMIZATION)
        yield Diagnostic(Code.NOT_ALLOWED, message, where, subject, hint=f"namespace: {snapshot.place.namespace}")
    forged = [each for each in _OF_THE_CLUSTER if each in metadata] + ["status"] * ("status" in found.resource)
    annotations = snapshots.part(metadata, "annotations")
    forged += [each for each in (*OF_ARGO_CD, *labels.OF_THE_CLUSTER) if each in annotations]
    for each in forged:
        message = f"{each} is not for git: the cluster or its controllers write it"
        yield Diagnostic(Code.NOT_ALLOWED, message, found.file, subject, hint="remove it")
    options = str(annotations.get(_SYNC_OPTIONS, ""))
    if "Force=true" in options or "Replace=true" in options:
        message = f"{_SYNC_OPTIONS}: {options} makes Argo CD delete what it should change"
        yield Diagnostic(Code.NOT_ALLOWED, message, found.file, subject, hint="remove it")


def _twice(found: tuple[manifests.Found, ...]) -> Iterator[Diagnostic]:
    first: dict[tuple[str, str], manifests.Found] = {}
    for each in found:
        other = first.setdefault(_identity(each), each)
        if other is not each:
            message = f"two files of this domain hold {' '.join(_identity(each))}"
            yield Diagnostic(Code.DUPLICATE_NAME, message, each.file, expected=f"one; the other is {other.file}")
