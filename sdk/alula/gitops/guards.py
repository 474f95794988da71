"""The files of a domain's guards: written beside its Domain, and compared with it.

Called by `alula domain render`, `alula init --gitops` and `alula verify`. What follows from a Domain is said by
`alula_api.kinds.guards`; here are the files that hold it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from alula import errors
from alula.emit import manifests, releases
from alula.gitops import layout
from alula.gitops.layout import Place
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_api.kinds import domains, guards, reading, yamltext

DOMAIN, GUARDS, KUSTOMIZATION = "domain.yaml", "guards.yaml", releases.KUSTOMIZATION
_HEAD = f"# Made by `alula domain render` of {DOMAIN}; change that and render again.\n"
_OWN = "# `alula domain render` wrote this file once; add what the domain needs beside its guards, as secrets.\n"


def read(file: Path) -> domains.Domain:
    """The one Domain that a file holds.

    Raises:
        alula.errors.UserError: there is none, several, or one that makes no sense.
    """
    found = [each.resource for each in manifests.ours([file]) if each.resource["kind"] == "Domain"]
    if len(found) != 1:
        message = f"{file} holds {len(found)} Domains"
        raise errors.UserError([Diagnostic(Code.BAD_RESOURCE, message, hint="write one Domain called domain")])
    return _checked(found[0], str(file))


def parsed(text: str, source: str) -> domains.Domain:
    """The Domain of a text that holds one."""
    return _checked(manifests.documents(text, source)[0], source)


def _checked(resource: Mapping[str, Any], source: str) -> domains.Domain:
    model, problems = reading.read(domains.Domain, resource)
    if model is None:
        raise errors.UserError([problem._replace(source=source) for problem in problems])
    return model


def rendered(domain: domains.Domain, place: Place, namespace: str = "") -> dict[str, str]:
    """The files beside a Domain, by their names."""
    space = namespace or place.namespace
    made = [each for each in guards.render(domain, place.project, place.domain, space) if each["kind"] != "Domain"]
    kustomization: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": space,
        "resources": [GUARDS, DOMAIN],
    }
    return {GUARDS: _HEAD + yamltext.dump_all(made), KUSTOMIZATION: _OWN + yamltext.dump_all([kustomization])}


def write(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Write what was rendered; a kustomization that is there is its team's. Returns what was written."""
    new = [name for name in files if name != KUSTOMIZATION or not (folder / name).exists()]
    for name in new:
        releases.put(folder / name, files[name])
    return new


def stale(folder: Path, files: Mapping[str, str], namespace: str) -> Iterator[Diagnostic]:
    """How the files of a folder differ from what its Domain says."""
    if _text(folder / GUARDS) != files[GUARDS]:
        message = f"the guards are not those of {DOMAIN}"
        yield Diagnostic(Code.STALE_GUARDS, message, str(folder / GUARDS), hint=f"run `alula domain render {folder}`")
    own = folder / KUSTOMIZATION
    if not own.is_file():
        message = "there is no such file, so Argo CD applies none of the guards"
        yield Diagnostic(Code.STALE_GUARDS, message, str(own), hint=f"run `alula domain render {folder}`")
        return
    found = manifests.kustomization(own)
    listed = found.get("resources") or ()
    for each in (GUARDS, DOMAIN):
        if each not in listed:
            message = f"it leaves {each} out, so Argo CD does not apply it"
            yield Diagnostic(Code.STALE_GUARDS, message, str(own), hint=f"add {each} under resources")
    if found.get("namespace") != namespace:
        message = f"it is for the namespace {found.get('namespace')}, and this folder is for {namespace}"
        yield Diagnostic(Code.STALE_GUARDS, message, str(own), hint=f"namespace: {namespace}")


def problems(root: Path, place: Place) -> list[Diagnostic]:
    """What is wrong with a domain's guards in git; nothing where the platform team keeps them elsewhere."""
    folder = layout.guards_folder(root, place)
    if not folder.is_dir():
        return []
    if not (folder / DOMAIN).is_file():
        message = f"there is no {DOMAIN}, from which the guards follow"
        return [Diagnostic(Code.STALE_GUARDS, message, str(folder), hint=f"write one Domain called domain in {DOMAIN}")]
    try:
        return [*stale(folder, rendered(read(folder / DOMAIN), place), place.namespace)]
    except errors.UserError as error:
        return [*error.diagnostics]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
