"""Where everything lies in a gitops repository, and what is written there beside releases.

<repo>/openapi/                                 once for all domains, written where it is absent or older
<repo>/platform/<project>/<domain>/             the domain's guards, which the platform team owns
<repo>/<project>/<domain>/kustomization.yaml    namespace, sources, plans, patches: written once, then the team's
<repo>/<project>/<domain>/plans/                launch plans that only this domain has
<repo>/<project>/<domain>/release/<source>/     what one code repository registers
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alula.emit import manifests, releases
from alula.emit.releases import KUSTOMIZATION, Changes
from alula_api.contract import names
from alula_api.kinds import openapi, yamltext

RELEASES, PLANS, PLATFORM, OPENAPI = "release", "plans", "platform", openapi.FOLDER

_HEAD = """\
# This domain's own settings. `alula register` wrote this file once; it is yours to edit.
# A patch of one task leaves the others as they are; by it, a domain sets resources, retries, timeout, env,
# secrets and image of a task, defaults of inputs, schedules and suspend of launch plans. For example:
# patches:
# - patch: |
#     apiVersion: alula.dev/v1alpha1
#     kind: Workflow
#     metadata: {name: %s}
#     spec: {tasks: [{name: %s, resources: {requests: {memory: 4Gi}}}]}
# `alula compile .` shows what it becomes.
"""


@dataclass(frozen=True, order=True)
class Place:
    """A domain of a project."""

    project: str
    domain: str

    @property
    def namespace(self) -> str:
        """Where it lives on a cluster."""
        return f"{self.project}-{self.domain}"

    def __str__(self) -> str:
        return f"{self.project}/{self.domain}"


def places(root: Path) -> list[Place]:
    """Every domain of a gitops folder: `<project>/<domain>` with a kustomization or releases in it."""
    found = []
    for project in sorted(_folders(root)):
        if project.name in names.RESERVED_PROJECTS or not names.is_dns_label(project.name):
            continue
        for domain in sorted(_folders(project)):
            holds = any((domain / each).exists() for each in (KUSTOMIZATION, RELEASES, PLANS))
            if holds and names.is_dns_label(domain.name):
                found.append(Place(project.name, domain.name))
    return found


def misnamed(root: Path) -> list[Path]:
    """Folders that look like a project's or a domain's and have a name that no namespace can have."""
    found = []
    for project in sorted(_folders(root)):
        if project.name in names.RESERVED_PROJECTS:
            continue
        domains = [each for each in sorted(_folders(project)) if (each / RELEASES).is_dir()]
        wrong = [each for each in domains if not names.is_dns_label(each.name)]
        found += [project] if domains and not names.is_dns_label(project.name) else wrong
    return found


def domain_folder(root: Path, place: Place) -> Path:
    """The folder that Argo CD syncs."""
    return root / place.project / place.domain


def guards_folder(root: Path, place: Place) -> Path:
    """The folder of the platform team."""
    return root / PLATFORM / place.project / place.domain


def release_folders(domain: Path) -> list[Path]:
    """The releases of a domain's folder."""
    return sorted(_folders(domain / RELEASES))


def plan_files(domain: Path) -> list[Path]:
    """The launch plans that only this domain has; a kustomization among them is none."""
    return sorted(
        each for each in (domain / PLANS).glob("*") if each.suffix in manifests.SUFFIXES and each.name != KUSTOMIZATION
    )


def _folders(folder: Path) -> list[Path]:
    return [each for each in folder.glob("[!.]*") if each.is_dir()]


def source_folder(repo: Path, project: str, domain: str, source: str) -> Path:
    """Where the release of one code repository lies."""
    return repo / project / domain / RELEASES / source


def write_openapi(repo: Path) -> Changes:
    """Write the component with the merge keys where it is absent or older than this alula's."""
    created: list[str] = []
    changed: list[str] = []
    folder = repo / openapi.FOLDER
    if openapi.version(_text(folder / openapi.FILE_NAME) or "") > openapi.VERSION_OF_KEYS:
        return Changes()
    for name, text in ((openapi.FILE_NAME, openapi.text()), (KUSTOMIZATION, openapi.component())):
        file = folder / name
        old = _text(file)
        if old == text:
            continue
        (changed if old is not None else created).append(name)
        releases.put(file, text)
    return Changes(tuple(created), tuple(changed))


def _text(file: Path) -> str | None:
    return file.read_text(encoding="utf-8", errors="replace") if file.exists() else None


def write_domain(folder: Path, source: str, namespace: str, resources: Sequence[Mapping[str, Any]]) -> Changes:
    """Write the kustomization of a new domain; add the source to one that is still as it was written.

    `resources` are those of the release: one of their tasks is the example of a patch. Without a source the domain has
    no release yet.
    """
    file = folder / KUSTOMIZATION
    entry = f"{RELEASES}/{source}"
    if not file.exists():
        releases.put(file, _HEAD % _example(resources) + _settings(namespace, [entry] if source else []))
        return Changes(created=(KUSTOMIZATION,))
    if not source:
        return Changes()
    text = file.read_text(encoding="utf-8")
    found = manifests.kustomization(file)
    listed = found.get("resources")
    if not isinstance(listed, list) or entry in listed or not _is_as_written(text, found):
        return Changes()
    if listed:
        last, line = re.compile(rf"^- {re.escape(str(listed[-1]))}\n", re.MULTILINE), rf"\g<0>- {entry}\n"
    else:
        last, line = re.compile(r"^resources: \[\]\n", re.MULTILINE), f"resources:\n- {entry}\n"
    releases.put(file, last.sub(line, text, count=1))
    return Changes(changed=(KUSTOMIZATION,))


def missing(folder: Path, source: str) -> list[str]:
    """What a domain's own kustomization lacks for a source to be built, as its team would write it."""
    file = folder / KUSTOMIZATION
    found = manifests.kustomization(file)
    wanted = {"resources": f"{RELEASES}/{source}", "components": openapi.COMPONENT}
    return [f"{field}: [{entry}]" for field, entry in wanted.items() if entry not in (found.get(field) or ())]


def _is_as_written(text: str, found: Mapping[str, Any]) -> bool:
    """Whether nothing but comments was edited."""
    own = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    listed = [str(each) for each in found["resources"]]
    return own == _settings(str(found.get("namespace", "")), listed)


def _settings(namespace: str, sources: Sequence[str]) -> str:
    return yamltext.dump(
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": namespace,
            "resources": [*sources],
            "components": [openapi.COMPONENT],
        }
    )


def _example(resources: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """A workflow and a task of it."""
    named = ((each["metadata"]["name"], each["spec"]["tasks"]) for each in resources if each["spec"].get("tasks"))
    return next(((name, tasks[0]["name"]) for name, tasks in named), ("my-workflow", "my-task"))
