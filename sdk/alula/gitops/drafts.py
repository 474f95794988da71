"""A change of one domain, worked out beside the repository and checked as a whole before anything of it is written.

Called by promotion and rollback. The commit that is checked out is exported to a folder of its own, changed there and
read again; what differs between the two is the commit to make.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from alula import errors
from alula.gitops import differences, layout, snapshots, verify
from alula.gitops.differences import Difference
from alula.gitops.layout import Place
from alula.gitops.repositories import Repository, problem
from alula.gitops.snapshots import Snapshot
from alula_api.contract.diagnostics import Diagnostic


@dataclass(frozen=True)
class Draft:
    """What a domain would become.

    Attributes:
        parent: The commit that it follows.
        before: What there is.
        after: What there would be.
        changes: Files by their path in the repository; None for those that go.
        difference: What it means.
        problems: Why it cannot be.
    """

    parent: str
    before: Snapshot
    after: Snapshot
    changes: Mapping[str, bytes | None]
    difference: Difference
    problems: tuple[Diagnostic, ...]


@dataclass(frozen=True)
class Export:
    """The gitops folder as a commit has it, in a folder of its own.

    Attributes:
        repository: Where the commit is.
        commit: All 40 digits.
        root: The folder.
    """

    repository: Repository
    commit: str
    root: Path

    def shown(self, found: Diagnostic) -> Diagnostic:
        """A problem with the paths that its reader knows."""
        folder = f"{self.repository.folder.as_posix()}/".removeprefix("./")
        return Diagnostic(found.code, *(text.replace(f"{self.root}/", folder) for text in found[1:]))


@contextmanager
def exported(repository: Repository, commit: str, *places: Place) -> Iterator[Export]:
    """The gitops folder as a commit has it, with these domains, their guards and the merge keys; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="alula-gitops-") as folder:
        top = Path(folder).resolve()
        for place in places:
            names = [f"{place.project}/{place.domain}", f"{layout.PLATFORM}/{place.project}/{place.domain}"]
            repository.export(commit, [repository.path(each) for each in names], top)
        repository.export(commit, [repository.path(layout.OPENAPI)], top)
        root = top / repository.prefix
        root.mkdir(parents=True, exist_ok=True)
        yield Export(repository, commit, root)


def refuse_uncommitted(repository: Repository, *places: Place) -> None:
    """Raise when files differ from the commit: a commit is made of what git has, not of what lies there.

    Raises:
        alula.errors.UserError: with what differs.
    """
    if changed := repository.changed([repository.path(str(place)) for place in places]):
        shown = ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
        raise problem(f"{shown} differ from what is committed", hint="commit or stash them first")


def make(export: Export, place: Place, change: Callable[[Path], None], compile: verify.Compile, title: str) -> Draft:
    """Work out a change of the domain `place`.

    Args:
        export: The gitops folder; changed here.
        place: The domain.
        change: Changes files below the folder that it is given.
        compile: The compiler.
        title: What the difference is called.
    """
    root, folder = export.root, layout.domain_folder(export.root, place)
    before = snapshots.read(root, place) if folder.is_dir() else Snapshot(place, folder)
    old = _contents(root)
    change(root)
    after = snapshots.read(root, place)
    new = _contents(root)
    paths = [path for path in sorted({*old, *new}) if old.get(path) != new.get(path)]
    changes = {export.repository.path(path): new.get(path) for path in paths}
    found = [*verify.problems(after, compile, lambda path, digest: None), *verify.left_out(after)]
    problems = tuple(export.shown(each) for each in found)
    return Draft(export.commit, before, after, changes, differences.compare(before, after, title), problems)


def with_problems(draft: Draft, found: tuple[Diagnostic, ...]) -> Draft:
    """A draft that cannot be, for these reasons."""
    return replace(draft, problems=found)


def replace_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make a release folder hold exactly these files."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def _contents(root: Path) -> dict[str, bytes]:
    return {each.relative_to(root).as_posix(): each.read_bytes() for each in root.rglob("*") if each.is_file()}


def commit(repository: Repository, draft: Draft, message: str) -> str:
    """Make the commit of a draft; nothing points at it yet.

    Raises:
        alula.errors.UserError: the draft has problems.
    """
    if draft.problems:
        raise errors.UserError(draft.problems)
    return repository.make(draft.parent, draft.changes, message)
