"""Everything that can be known to be wrong with a domain from its files alone.

Called by `alula verify`, and by every command that changes a domain before it does. What a cluster would refuse is
found by the compiler that the cluster runs, with the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from alula.emit import lock, manifests
from alula.emit.manifests import Found
from alula.gitops import build_checks, release_checks
from alula.gitops.layout import Place
from alula.gitops.repositories import Repository
from alula.gitops.snapshots import Snapshot, name, part
from alula_api.contract import labels, triggers
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

Compile = Callable[[Iterable[manifests.Found]], tuple[list[dict[str, Any]], list[Diagnostic]]]
"""The compiler, which only the command line may import."""
MAX_COMMITS = 200
"""So far back the registered version of an edited file is looked for."""


def problems(snapshot: Snapshot, compile: Compile, registered: release_checks.Registered) -> list[Diagnostic]:
    """All that is wrong with a domain; of files that are not what was registered, nothing more is said."""
    found = [each for release in snapshot.releases.values() for each in release_checks.problems(release, registered)]
    found = [*snapshot.problems, *found]
    if found:
        return _each_once(found)
    found += [each for one in snapshot.releases.values() for each in release_checks.uncommitted(one, snapshot.domain)]
    found += build_checks.problems(snapshot)
    if not found:
        found += compile(snapshot.with_domain)[1]
    return _each_once(found)


def across(snapshots: Sequence[Snapshot], domains: Iterable[Place], compile: Compile) -> list[Diagnostic]:
    """What is wrong with launch plans that wait for runs of other domains, as far as git holds those too.

    Args:
        snapshots: The domains that are looked at, with nothing wrong in themselves.
        domains: All domains of the gitops folder.
        compile: The compiler.
    """
    found: list[Diagnostic] = []
    domains = list(domains)
    for project in sorted({each.place.project for each in snapshots}):
        mine = [each for each in snapshots if each.place.project == project]
        if any(_abroad(each) for each in mine):
            found += _across(mine, {each.domain for each in domains if each.project == project}, compile)
    return found


def _across(mine: Sequence[Snapshot], known: Collection[str], compile: Compile) -> Iterator[Diagnostic]:
    waits = {each.place.domain: _waits(compile(each.with_domain)[0]) for each in mine}
    for each in mine:
        place = each.place
        fires = each.domain is None or part(each.domain.resource, "spec").get("schedules") != "Disabled"
        for plan in _abroad(each):
            domain = str(part(part(plan.resource, "spec"), "trigger")["domain"])
            if fires and domain not in known:
                yield triggers.unknown_domain(name(plan), domain, place.project)._replace(source=plan.file)
            circle = triggers.circle_problem(name(plan), triggers.of_project(place.domain, waits))
            if circle is not None:
                yield circle._replace(source=plan.file)


def _abroad(snapshot: Snapshot) -> list[Found]:
    """The launch plans that wait for runs of other domains."""
    plans = (each for each in snapshot.built if each.resource.get("kind") == "LaunchPlan")
    return [each for each in plans if part(part(each.resource, "spec"), "trigger").get("domain")]


def _waits(objects: Iterable[dict[str, Any]]) -> triggers.Waits:
    """What launch plans wait for, by the objects that they become."""
    found: dict[str, tuple[str, triggers.Trigger]] = {}
    for each in objects:
        found |= triggers.compiled(str(each["metadata"]["labels"].get(labels.WORKFLOW) or ""), [each])
    return found


def _each_once(found: Sequence[Diagnostic]) -> list[Diagnostic]:
    return list(dict.fromkeys(found))


def history(repository: Repository | None, root: Path) -> release_checks.Registered:
    """Looks for the version of a file with a digest among the commits that changed it."""

    def registered(place: str, digest: str) -> bytes | None:
        if repository is None:
            return None
        path = repository.path(*Path(place).relative_to(root).parts)
        versions = (repository.contents(each.id, path) for each in repository.log(path, MAX_COMMITS))
        return next((data for data in versions if data is not None and lock.digest(data) == digest), None)

    return registered


def left_out(snapshot: Snapshot) -> Iterator[Diagnostic]:
    """What was not looked at because there is no kustomize: a check that did not happen has not passed."""
    files = dict.fromkeys(file for _, file in snapshot.left_out)
    for file in files:
        fields = ", ".join(what for what, other in snapshot.left_out if other == file)
        message = f"{fields} cannot be checked: neither kubectl nor kustomize is on PATH"
        yield Diagnostic(Code.NOT_FOUND, message, str(file), hint="install one of them")
