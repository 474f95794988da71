"""What the folder of one domain holds, read once: its releases, its own plans, its guards, and what it all becomes.

Reads a working tree, or a folder that a commit was exported to; decides nothing. Whatever cannot be read is a problem
of the snapshot and not an exception, so that everything that is wrong is reported at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alula import errors
from alula.emit import digests, kustomize, lock, manifests, releases
from alula.gitops import layout
from alula.gitops.layout import Place
from alula_api.contract import codes, diagnostics
from alula_api.kinds import openapi

MAX_FILES = 20_000


@dataclass(frozen=True)
class ReleaseFolder:
    """The release of one source, as it lies there.

    Attributes:
        files: Their bytes, by name, hidden ones left out.
        listed: The lock; empty when it is none.
        blocks: The blocks of digests; empty when they cannot be read.
        found: The resources of the files that the lock lists.
    """

    folder: Path
    files: Mapping[str, bytes]
    listed: Mapping[str, str] = field(default_factory=dict)
    blocks: tuple[digests.Block, ...] = ()
    found: tuple[manifests.Found, ...] = ()

    @property
    def source(self) -> str:
        """The code repository."""
        return self.folder.name

    @property
    def version(self) -> str:
        """The version computed from the lock."""
        return lock.version(self.listed)

    def block(self, workflow: str) -> digests.Block | None:
        """The block of digests of a workflow, if there is exactly one."""
        reaching = [block for block in self.blocks if block.has(workflow)]
        return reaching[0] if len(reaching) == 1 else None

    @property
    def workflows(self) -> list[str]:
        """The names of the workflows that it has."""
        return sorted(name(each) for each in self.found if each.resource.get("kind") == digests.KIND)


@dataclass(frozen=True)
class Snapshot:
    """One domain.

    Attributes:
        place: Its project and name.
        folder: Where it was read from.
        releases: By source.
        plans: Launch plans that only this domain has.
        built: What kustomize makes of the folder, without namespaces of others; empty where it fails.
        domain: The Domain among the guards, if git holds one.
        left_out: What was not applied because there is no kustomize, with its file.
        problems: What could not be read, or is no plain file.
        live: Whether it is what a cluster has, which knows of no releases.
    """

    place: Place
    folder: Path
    releases: Mapping[str, ReleaseFolder] = field(default_factory=dict)
    plans: tuple[manifests.Found, ...] = ()
    built: tuple[manifests.Found, ...] = ()
    domain: manifests.Found | None = None
    left_out: tuple[tuple[str, Path], ...] = ()
    problems: tuple[diagnostics.Diagnostic, ...] = ()
    live: bool = False

    @property
    def with_domain(self) -> list[manifests.Found]:
        """What is compiled: what was built, and the Domain."""
        return [*self.built, *([self.domain] if self.domain else [])]


def read(root: Path, place: Place, *, build: bool = True) -> Snapshot:
    """The domain `place` of the gitops folder `root`.

    Args:
        root: The gitops folder.
        place: Which domain.
        build: Whether to ask kustomize what it becomes; without it `built` is empty.
    """
    folder = layout.domain_folder(root, place)
    problems: list[diagnostics.Diagnostic] = [*_links(folder)]
    if problems:  # nothing is followed that may lead anywhere
        return Snapshot(place, folder, problems=tuple(problems))
    found = {each.name: _release(each, problems) for each in layout.release_folders(folder)}
    plans = tuple(_all(layout.plan_files(folder), problems))
    own = domain(root, place, problems)
    problems += _ways_out(folder)
    holds = bool(found or plans)  # a new domain is empty
    made = _built(folder, problems) if build and holds and not problems else kustomize.Built([], (), ())
    return Snapshot(place, folder, found, plans, tuple(made.found), own, made.left_out, tuple(problems))


def name(found: manifests.Found) -> str:
    """The name of a resource; empty when its metadata is no object."""
    return str(part(found.resource, "metadata").get("name") or "")


def part(value: Any, field: str) -> dict[str, Any]:
    """A field that should be an object; empty when it is none."""
    found = value.get(field) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _links(folder: Path) -> Iterator[diagnostics.Diagnostic]:
    """Links and whatever else is no plain file, and too many files."""
    for above in (folder, folder.parent):
        if above.is_symlink():
            yield _link(above)
            return
    count = 0
    for place, folders, files in os.walk(folder):
        for each in sorted((*folders, *files)):
            count += 1
            path = Path(place) / each
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                yield _link(path)
        if count > MAX_FILES:
            message = f"there are more than {MAX_FILES} files below this folder"
            yield diagnostics.Diagnostic(codes.Code.BAD_REPOSITORY, message, str(folder))
            return


def _link(path: Path) -> diagnostics.Diagnostic:
    message = "it is a link, or no plain file: a gitops repository holds plain files"
    hint = "replace it by a copy: a link may lead anywhere, also out of the repository"
    return diagnostics.Diagnostic(codes.Code.BAD_REPOSITORY, message, str(path), hint=hint)


_NAMING = ("resources", "bases", "components", "generators", "transformers", "validators")
"""Fields of a kustomization that may name folders and addresses; of files, kustomize takes only those below it."""


def _ways_out(folder: Path) -> Iterator[diagnostics.Diagnostic]:
    """What kustomizations of a domain name outside of its folder, on this machine or anywhere."""
    for file in sorted(each for name in kustomize.NAMES for each in folder.rglob(name)):
        try:
            found = manifests.kustomization(file)
        except errors.UserError:
            continue  # kustomize says what is wrong with it
        for naming in _NAMING:
            listed = found.get(naming)
            for entry in map(str, listed if isinstance(listed, list) else ()):
                inline = "\n" in entry
                if inline or (naming, entry) == ("components", openapi.COMPONENT):
                    continue
                path = file.parent / entry
                if not path.exists():  # kustomize would take it for an address, and ask there
                    message = f"{naming} names {entry!r}, and there is no such file or folder"
                    yield diagnostics.Diagnostic(codes.Code.NOT_FOUND, message, str(file))
                elif not path.resolve().is_relative_to(folder.resolve()):
                    message = f"{naming} names {entry!r}, which is not in this domain's folder"
                    hint = f"copy it into the folder; {openapi.COMPONENT} alone is common to all domains"
                    yield diagnostics.Diagnostic(codes.Code.NOT_ALLOWED, message, str(file), hint=hint)


def _release(folder: Path, problems: list[diagnostics.Diagnostic]) -> ReleaseFolder:
    files = {each.name: each.read_bytes() for each in sorted(folder.glob("[!.]*")) if each.is_file()}
    listed = lock.read(folder / lock.NAME)
    blocks: tuple[digests.Block, ...] = ()
    text = files.get(releases.KUSTOMIZATION)
    if text is not None and not conflicts(text):
        try:
            place = str(folder / releases.KUSTOMIZATION)
            blocks = digests.read(text.decode("utf-8", "replace"), place)
        except errors.UserError as error:
            problems += error.diagnostics
    present = [folder / each for each in listed if each in files and not conflicts(files[each])]
    return ReleaseFolder(folder, files, listed, blocks, tuple(_all(present, problems)))


def conflicts(content: bytes) -> int:
    """The line of the first mark of a merge conflict, counted from 1; 0 without any."""
    lines = content.split(b"\n")
    marks = (each for each, line in enumerate(lines, 1) if line.startswith((b"<<<<<<< ", b">>>>>>> ")))
    return next(marks, 0)


def _all(files: Any, problems: list[diagnostics.Diagnostic]) -> Iterator[manifests.Found]:
    for file in files:
        try:
            yield from manifests.ours([file])
        except errors.UserError as error:
            problems += error.diagnostics


def domain(root: Path, place: Place, problems: list[diagnostics.Diagnostic]) -> manifests.Found | None:
    """The Domain that lies in the platform's folder of a domain; None where there is none."""
    folder = layout.guards_folder(root, place)
    if not folder.is_dir():
        return None
    links = [*_links(folder)]
    problems += links
    files = () if links else sorted(each for each in folder.rglob("*") if each.suffix in manifests.SUFFIXES)
    found = [each for each in _all(files, problems) if each.resource["kind"] == "Domain"]
    return found[0] if found else None


def _built(folder: Path, problems: list[diagnostics.Diagnostic]) -> kustomize.Built:
    try:
        return kustomize.read(folder)
    except errors.UserError as error:
        problems += error.diagnostics
    return kustomize.Built([], (), ())
