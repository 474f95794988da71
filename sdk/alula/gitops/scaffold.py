"""The files that `alula init` makes: a project of code, or a gitops folder with its domains.

They come from the templates beside this module. What is there already is left alone, so that a second call adds a
domain and changes nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from alula.emit import manifests, releases
from alula.gitops import guards, layout
from alula.gitops.layout import Place
from alula.gitops.snapshots import part
from alula_api.contract import names
from alula_api.kinds import openapi, yamltext

SUFFIX = ".in"
_MARK = re.compile(r"@([A-Z_]+)@")
_PROJECTS = "platform/argocd/kustomization.yaml"
_APPLICATION_SETS = "platform/argocd/applicationsets.yaml"
_PROJECTS_HEAD = "# What Argo CD syncs. `alula init --gitops` adds a project of Argo CD for each domain.\n"


@dataclass(frozen=True)
class Scaffold:
    """What was made.

    Attributes:
        created: Files, relative to the folder.
        changed: Files that were there, and got a line more.
        missing: Files that a team edited, each with the line that it lacks.
    """

    created: tuple[str, ...]
    changed: tuple[str, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()


def code(folder: Path, project: str) -> Scaffold:
    """Make a project of code."""
    return Scaffold(tuple(_write(folder, _filled("code", {"PROJECT": project}))))


def gitops(folder: Path, places: Sequence[Place], *, url: str, branch: str, prefix: str = "") -> Scaffold:
    """Make a gitops folder with these domains, or add them to one.

    Args:
        folder: The folder.
        places: The domains.
        url: Where Argo CD finds the repository.
        branch: The branch that it follows.
        prefix: The way from the repository's root to the folder, with a slash at its end.
    """
    depth = prefix.count("/")
    values = {
        "URL": url,
        "BRANCH": branch,
        "PREFIX": prefix,
        "OWNERS": "\n".join(f"/{prefix}{each}/ @example/{each.project}" for each in places),
        **{f"{name}_SEGMENT": str(depth + n) for n, name in enumerate(("PROJECT", "DOMAIN", "GUARDS"))},
    }
    files = {path: text for path, text in _filled("gitops", values).items() if not _of_a_domain(path)}
    for place in places:
        own = {
            **values,
            "SPEC": _spec(place),
            "PROJECT": place.project,
            "DOMAIN": place.domain,
            "NAMESPACE": place.namespace,
        }
        files |= {_named(path, place): text for path, text in _filled("gitops", own).items() if _of_a_domain(path)}
    created = _write(folder, files)
    for place in places:
        created += _guards(folder, place, files, created)
    changed: list[str] = []
    missing: list[tuple[str, str]] = []
    for name in layout.write_openapi(folder).created:
        created.append(f"{openapi.FOLDER}/{name}")
    for place in places:
        if layout.write_domain(layout.domain_folder(folder, place), "", place.namespace, []).created:
            created.append(f"{place}/{releases.KUSTOMIZATION}")
    _list_projects(folder, places, created, changed, missing)
    return Scaffold(tuple(sorted(created)), tuple(changed), tuple(missing))


def _spec(place: Place) -> str:
    """What a new Domain says: where releases enter first, schedules are only compiled and run by hand."""
    return "{schedules: Disabled}" if place.domain == names.FIRST_DOMAIN else "{}"


def followed(folder: Path) -> tuple[str, str]:
    """The URL and the branch that Argo CD follows according to a gitops folder; empty where it does not say."""
    file = folder / _APPLICATION_SETS
    for each in manifests.documents(file.read_text(encoding="utf-8"), str(file)) if file.is_file() else ():
        listed = part(part(each, "spec"), "template")
        source = part(part(listed, "spec"), "source")
        if source:
            return str(source.get("repoURL") or ""), str(source.get("targetRevision") or "")
    return "", ""


def _guards(folder: Path, place: Place, files: Mapping[str, str], created: Sequence[str]) -> list[str]:
    """What follows from a Domain that was just made."""
    own = layout.guards_folder(folder, place)
    path = (own / guards.DOMAIN).relative_to(folder).as_posix()
    if path not in created:
        return []
    made = guards.rendered(guards.parsed(files[path], path), place)
    return _write(folder, {(own / name).relative_to(folder).as_posix(): text for name, text in made.items()})


def _list_projects(
    folder: Path, places: Sequence[Place], created: list[str], changed: list[str], missing: list[tuple[str, str]]
) -> None:
    """The kustomization of what Argo CD syncs: one line a domain."""
    file = folder / _PROJECTS
    wanted = [f"projects/{each.namespace}.yaml" for each in places]
    if not file.exists():
        releases.put(file, _projects(sorted(wanted)))
        created.append(_PROJECTS)
        return
    listed = manifests.kustomization(file).get("resources") or []
    lacking = [each for each in wanted if each not in listed]
    known = [each for each in listed if each != "applicationsets.yaml"]
    if lacking and file.read_text(encoding="utf-8") == _projects(known):
        releases.put(file, _projects(sorted({*known, *lacking})))
        changed.append(_PROJECTS)
    else:
        missing += [(_PROJECTS, each) for each in lacking]


def _projects(listed: Sequence[str]) -> str:
    head = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "namespace": "argocd"}
    return _PROJECTS_HEAD + yamltext.dump({**head, "resources": ["applicationsets.yaml", *listed]})


def _of_a_domain(path: str) -> bool:
    return "PROJECT/DOMAIN" in path or "NAMESPACE" in path


def _named(path: str, place: Place) -> str:
    return path.replace("PROJECT/DOMAIN", str(place)).replace("NAMESPACE", place.namespace)


def _filled(kind: str, values: Mapping[str, str]) -> dict[str, str]:
    """The templates of a kind with their marks replaced; a mark without a value stays, for files of domains."""
    root = resources.files("alula.gitops").joinpath("templates", kind)
    return {
        path.removesuffix(SUFFIX): _MARK.sub(lambda found: values.get(found[1], found[0]), text)
        for path, text in _texts(root, "")
    }


def _texts(folder: Traversable, path: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for each in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if each.is_dir():
            found += _texts(each, f"{path}{each.name}/")
        elif each.name.endswith(SUFFIX):
            found.append((f"{path}{each.name}", each.read_text(encoding="utf-8")))
    return found


def _write(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Write what is not there; returns what was written."""
    written = []
    for path, text in files.items():
        file = folder / path
        if not file.exists() and not file.is_symlink():
            releases.put(file, text)
            written.append(path)
    return written
