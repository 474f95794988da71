"""What a domain gets of another one's releases: all of a release, or some of its workflows with their digests.

Called by `alula promote`. The files are the same bytes in both domains; what the target itself says (patches, plans,
guards) is left alone, and checked against what comes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from alula import errors
from alula.emit import manifests, releases
from alula.gitops import drafts, layout, release_checks, snapshots
from alula.gitops.layout import Place
from alula.gitops.repositories import Repository, problem
from alula.gitops.snapshots import ReleaseFolder, Snapshot
from alula.gitops.verify import Compile
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic, did_you_mean


def prepare(
    repository: Repository,
    source: Place,
    target: Place,
    compile: Compile,
    *,
    workflows: Collection[str] = (),
    sources: Collection[str] = (),
) -> drafts.Draft:
    """Work out what the commit that is checked out becomes when `target` gets what `source` has.

    Args:
        repository: The repository.
        source: The domain whose releases are taken.
        target: The domain that they enter.
        compile: The compiler.
        workflows: Only these, each with its launch plans; all when empty.
        sources: Only the releases of these code repositories; all when empty.

    Raises:
        alula.errors.UserError: there is nothing to take, files are not committed, or the source is not sound.
    """
    head = repository.head()
    if not head:
        raise problem(f"nothing is committed in {repository.folder} yet", hint="commit what was registered")
    drafts.refuse_uncommitted(repository, source, target)
    with drafts.exported(repository, head, source, target) as export:
        taken = snapshots.read(export.root, source, build=False)
        chosen = _chosen(taken, workflows, sources, layout.domain_folder(export.root, target))
        found = [*taken.problems]
        found += [each for release in chosen for each in release_checks.problems(release, lambda path, digest: None)]
        found += [each for release in chosen for each in foreign(release.found, source)]
        found += [each for release in chosen for each in _dirty(release, workflows)]

        def change(root: Path) -> None:
            _take(root, target, chosen, workflows)

        draft = drafts.make(export, target, change, compile, f"{source} → {target}")
        own = tuple(map(export.shown, found))
    # What is wrong with the source would be wrong with the target too, at another place.
    return drafts.with_problems(draft, own) if own else draft


def _chosen(taken: Snapshot, workflows: Collection[str], sources: Collection[str], target: Path) -> list[ReleaseFolder]:
    """The releases to take from."""
    if not taken.releases:
        raise problem(f"{taken.place} has no release", hint="register it, and commit it", code=Code.NOT_FOUND)
    if unknown := [each for each in sources if each not in taken.releases]:
        raise _unknown("source", unknown, taken.releases, taken.place)
    found = [each for name, each in taken.releases.items() if not sources or name in sources]
    if not workflows:
        return found
    known = {each for release in found for each in release.workflows}
    there = {file.stem.removeprefix("workflow-") for file in target.glob(f"{layout.RELEASES}/*/workflow-*.yaml")}
    if unknown := [each for each in workflows if each not in known | there]:
        raise _unknown("workflow", unknown, known, taken.place)
    return [each for each in found if not set(workflows).isdisjoint(each.workflows) or _had(each, workflows, target)]


def _had(release: ReleaseFolder, workflows: Iterable[str], target: Path) -> bool:
    """Whether the target has workflows of a release that the source has no more."""
    folder = target / layout.RELEASES / release.source
    return any((folder / f"workflow-{each}.yaml").exists() for each in workflows)


def _unknown(what: str, names: Sequence[str], known: Iterable[str], place: Place) -> errors.UserError:
    listed = sorted(known)
    found = []
    for name in names:
        hint = did_you_mean(name, listed, f"there are {', '.join(listed)}", str)
        code = Code.UNKNOWN_WORKFLOW if what == "workflow" else Code.NOT_FOUND
        found.append(Diagnostic(code, f"{place} has no {what} {name}", hint=hint))
    return errors.UserError(found)


def _take(root: Path, target: Place, chosen: Sequence[ReleaseFolder], workflows: Collection[str]) -> None:
    folder = layout.domain_folder(root, target)
    for release in chosen:
        own = folder / layout.RELEASES / release.source
        files: Mapping[str, bytes] = release.files
        if workflows:
            partial = releases.merged(own, release.folder, workflows)
            files = {name: text.encode() for name, text in partial.files.items()}
        drafts.replace_folder(own, files)
        layout.write_domain(folder, release.source, target.namespace, [each.resource for each in release.found])


def _dirty(release: ReleaseFolder, workflows: Collection[str]) -> Iterator[Diagnostic]:
    """Builds of files that differed from their commit: they cannot be made again."""
    for block in release.blocks:
        taken = not workflows or any(block.has(each) for each in workflows)
        if taken and block.commit and (why := release_checks.without_commit(block.commit)):
            place = str(release.folder / releases.KUSTOMIZATION)
            yield Diagnostic(Code.NOT_PROMOTABLE, why, place, hint=release_checks.COMMIT)


_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'\\]*")


def foreign(found: Iterable[manifests.Found], source: Place) -> Iterator[Diagnostic]:
    """Values that name the place where the source domain keeps its data: no other domain may rely on that."""
    inside = f"/{source.project}/{source.domain}/"
    for each in found:
        for path, value in _texts(each.resource.get("spec"), "spec"):
            for uri in _URI.findall(value):
                if inside in f"{uri}/":
                    subject = f"{each.resource['kind']} {snapshots.name(each)}, {path}"
                    message = f"{uri} lies in the data of {source}"
                    hint = "make it an input that each domain's launch plan gives"
                    yield Diagnostic(Code.NOT_PROMOTABLE, message, each.file, subject, hint=hint)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(each, f"{path}.{key}")
    elif isinstance(value, list):
        for place, each in enumerate(value):
            named = each.get("name", each.get("id", place)) if isinstance(each, dict) else place
            yield from _texts(each, f"{path}[{named}]")
