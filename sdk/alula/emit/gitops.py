"""What a gitops repository holds beside releases: the merge keys for kustomize, and each domain's own kustomization.

    <repo>/openapi/                                 once for all domains, written where it is absent or older
    <repo>/<project>/<domain>/kustomization.yaml    namespace, sources, patches: written once, then the team's

Called by `alula register`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alula.emit import manifests, releases
from alula.emit.releases import KUSTOMIZATION, Changes
from alula_api.kinds import openapi, yamltext

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


def source_folder(repo: Path, project: str, domain: str, source: str) -> Path:
    """Where the release of one code repository lies."""
    return repo / project / domain / "release" / source


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

    `resources` are those of the release: one of their tasks is the example of a patch.
    """
    file = folder / KUSTOMIZATION
    entry = f"release/{source}"
    if not file.exists():
        releases.put(file, _HEAD % _example(resources) + _settings(namespace, [entry]))
        return Changes(created=(KUSTOMIZATION,))
    text = file.read_text(encoding="utf-8")
    found = manifests.kustomization(file)
    listed = found.get("resources")
    if not isinstance(listed, list) or entry in listed or not _is_as_written(text, found):
        return Changes()
    last = re.compile(rf"^- {re.escape(str(listed[-1]))}\n", re.MULTILINE)
    releases.put(file, last.sub(rf"\g<0>- {entry}\n", text, count=1))
    return Changes(changed=(KUSTOMIZATION,))


def missing(folder: Path, source: str) -> list[str]:
    """What a domain's own kustomization lacks for a source to be built, as its team would write it."""
    file = folder / KUSTOMIZATION
    found = manifests.kustomization(file)
    wanted = {"resources": f"release/{source}", "components": openapi.COMPONENT}
    return [f"{field}: [{entry}]" for field, entry in wanted.items() if entry not in (found.get(field) or ())]


def _is_as_written(text: str, found: Mapping[str, Any]) -> bool:
    """Whether nothing but comments was edited."""
    own = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    listed = [str(each) for each in found["resources"]]
    return bool(listed) and own == _settings(str(found.get("namespace", "")), listed)


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
