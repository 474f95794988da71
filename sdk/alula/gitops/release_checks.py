"""Is a release folder exactly what `alula register` wrote? Pure, but for the history that a caller may look into.

Called by `verify`. A file must be the one that the lock lists, and each block of digests must have been made for the
very files that lie there: otherwise an image runs under a description that is not its own.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator

from alula.emit import digests, lock, manifests, releases
from alula.gitops import snapshots
from alula.gitops.snapshots import ReleaseFolder
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

Registered = Callable[[str, str], bytes | None]
"""The version of a file, by its path, that has a digest; None where git does not have it."""
AGAIN = "do not edit a release: change the Python source and register it, or patch it in the domain's kustomization"
SETTLE = "settle a merge by `alula register` of the merged sources"
DIRTY = "-dirty"
"""How the commit of a block of digests ends when files differed from it."""
COMMITTED = "Committed"
DEMAND = "the Domain says `source: Committed`"
COMMIT = "commit the source and register it again"
_SHOWN = 80


def problems(release: ReleaseFolder, registered: Registered) -> Iterator[Diagnostic]:
    """All that differs from what was registered."""
    conflicts = {name: line for name, data in release.files.items() if (line := snapshots.conflicts(data))}
    for name, line in conflicts.items():
        message = "a merge conflict is not settled here"
        yield Diagnostic(Code.BAD_REPOSITORY, message, f"{release.folder / name}:{line}", hint=SETTLE)
    if lock.NAME in conflicts:
        return
    if not release.listed:
        message = "it is not as `alula register` wrote it" if lock.NAME in release.files else "there is no such file"
        yield Diagnostic(Code.NOT_REGISTERED, message, str(release.folder / lock.NAME), hint=SETTLE)
        return
    yield from _files(release, registered, set(conflicts))
    if releases.KUSTOMIZATION not in conflicts:
        yield from _digests(release)


def demands_commit(domain: manifests.Found | None) -> bool:
    """Whether a domain takes only what was registered from committed files."""
    return domain is not None and snapshots.part(domain.resource, "spec").get("source") == COMMITTED


def without_commit(commit: str) -> str:
    """Why what a block of digests is for cannot be built again; empty when its commit holds all of it."""
    if not commit:
        return "no commit of its source is known"
    if not commit.endswith(DIRTY):
        return ""
    return f"it was registered from files that differ from commit {commit.removesuffix(DIRTY)[:12]}"


def uncommitted(release: ReleaseFolder, domain: manifests.Found | None) -> Iterator[Diagnostic]:
    """Blocks of digests without the commit that their domain demands."""
    if demands_commit(domain):
        for why in dict.fromkeys(filter(None, (without_commit(each.commit) for each in release.blocks))):
            place = str(release.folder / releases.KUSTOMIZATION)
            yield Diagnostic(Code.NOT_PROMOTABLE, f"{why}, and {DEMAND}", place, hint=COMMIT)


def _files(release: ReleaseFolder, registered: Registered, but: set[str]) -> Iterator[Diagnostic]:
    for name, digest in release.listed.items():
        data = release.files.get(name)
        place = str(release.folder / name)
        if data is None:
            yield Diagnostic(Code.NOT_REGISTERED, f"the lock lists it, but there is no file {name}", place, hint=AGAIN)
        elif lock.digest(data) != digest and name not in but:
            line, message = _edit(registered(place, digest), data)
            where = f"{place}:{line}" if line else place
            yield Diagnostic(Code.NOT_REGISTERED, message, where, hint=AGAIN)
    for name in release.files:
        if name not in release.listed and name not in (lock.NAME, releases.KUSTOMIZATION):
            message = "the lock does not list this file: alula register did not write it"
            yield Diagnostic(Code.NOT_REGISTERED, message, str(release.folder / name), hint=AGAIN)


def _edit(old: bytes | None, new: bytes) -> tuple[int, str]:
    """The first line that was edited, and what stood there."""
    if old is None:
        return 0, "it was edited: it is not the file that was registered"
    before, after = (each.decode("utf-8", "replace").splitlines() for each in (old, new))
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            return j1 + 1, f"it was edited: {_shown(after[j1:j2])} stands where {_shown(before[i1:i2])} was registered"
    return 0, "it was edited: the ends of its lines are not those that were registered"


def _shown(lines: list[str]) -> str:
    text = lines[0].strip() if lines else ""
    more = f" and {len(lines) - 1} more lines" if len(lines) > 1 else ""
    return f"`{text if len(text) <= _SHOWN else text[: _SHOWN - 3] + '...'}`{more}" if lines else "nothing"


def _digests(release: ReleaseFolder) -> Iterator[Diagnostic]:
    """That each block was made for these files, and that each workflow has one."""
    place = str(release.folder / releases.KUSTOMIZATION)
    if releases.KUSTOMIZATION not in release.files:
        yield Diagnostic(Code.NOT_REGISTERED, "there is no such file, so no image is known", place, hint=AGAIN)
        return
    if not release.blocks:
        return  # that it cannot be read is a problem of the snapshot
    yield from digests.problems(release.blocks, release.workflows, place)
    owners = {each.file: digests.workflow(each.resource) for each in release.found}
    of = {name: owners.get(str(release.folder / name), "") for name in release.listed}
    for block in release.blocks:
        own = {name: digest for name, digest in release.listed.items() if block.has(of[name])}
        if block.files != lock.checksum(own):
            whose = f" of {', '.join(block.workflows[:3])}" if block.workflows else ""
            message = f"the digests{whose} were made for other files than lie here"
            yield Diagnostic(Code.STALE_DIGESTS, message, place, hint=SETTLE)
    resources = sorted(release.listed)
    if release.files[releases.KUSTOMIZATION] != releases.kustomization(resources, release.blocks).encode():
        message = "it is not as `alula register` wrote it"
        yield Diagnostic(Code.NOT_REGISTERED, message, place, hint=AGAIN)
