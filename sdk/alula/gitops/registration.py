"""A release that enters a domain: the files that it becomes there, in a working tree or as a commit.

Called by `alula register`, which has traced and compiled it.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from alula import errors
from alula.emit import digests, releases, resources
from alula.gitops import drafts, layout, release_checks, snapshots
from alula.gitops.layout import Place
from alula.gitops.repositories import Repository, problem
from alula.gitops.verify import Compile
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic


@dataclass(frozen=True)
class Entering:
    """What is registered.

    Attributes:
        place: The domain.
        source: The code repository.
        made: Its workflows and launch plans.
        block: Their code and commit.
        named: The user's name for the release; empty for none.
        keep: Whether other workflows of the release stay.
    """

    place: Place
    source: str
    made: Sequence[resources.Resource]
    block: digests.Block
    named: str = ""
    keep: bool = False

    def folder(self, root: Path) -> Path:
        """The release folder below a gitops folder."""
        return layout.source_folder(root, self.place.project, self.place.domain, self.source)

    def release(self, root: Path) -> releases.Release:
        """The release, with the blocks of digests that lie there already."""
        return releases.build(self.made, self.block, self.folder(root), named=self.named, keep=self.keep)

    def write(self, root: Path, release: releases.Release) -> dict[Path, releases.Changes]:
        """Write it, and what a new domain needs beside it; returns what changed in which folder."""
        folder = self.folder(root)
        domain = folder.parent.parent
        return {
            folder: releases.write(release, folder),
            domain: layout.write_domain(domain, self.source, self.place.namespace, self.made),
            root / layout.OPENAPI: layout.write_openapi(root),
        }


def check_commit(root: Path, entering: Entering) -> None:
    """Refuse what was not made from committed files where the Domain in git demands that.

    Raises:
        alula.errors.UserError: it does, or it cannot be read.
    """
    problems: list[Diagnostic] = []
    domain = snapshots.domain(root, entering.place, problems)
    why = release_checks.without_commit(entering.block.commit)
    if why and release_checks.demands_commit(domain):
        message = f"{entering.place} does not take it: {why}, and {release_checks.DEMAND}"
        problems.append(
            Diagnostic(Code.NOT_PROMOTABLE, message, domain.file if domain else "", hint=release_checks.COMMIT)
        )
    if problems:
        raise errors.UserError(problems)


@contextlib.contextmanager
def rehearsal(root: Path, entering: Entering) -> Iterator[Path]:
    """A gitops folder with what `root` has in the domain, to be written instead of it.

    Links are left out: through one, what is written here would reach the place that it leads to.
    """
    with tempfile.TemporaryDirectory(prefix="alula-rehearsal-") as name:
        copy = Path(name) / root.name
        for part in (entering.folder(root).parent.parent, root / layout.OPENAPI):
            if part.is_dir() and not part.is_symlink():
                shutil.copytree(part, copy / part.relative_to(root), ignore=_links)
        yield copy


def _links(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if (Path(folder) / name).is_symlink()]


def prepare(repository: Repository, entering: Entering, compile: Compile) -> drafts.Draft:
    """Work out what the commit that is checked out becomes with the release.

    Raises:
        alula.errors.UserError: nothing is committed yet, or files of the domain are not.
    """
    head = repository.head()
    if not head:
        raise problem(
            f"nothing is committed in {repository.folder} yet", hint="`alula init --gitops` and a first commit"
        )
    drafts.refuse_uncommitted(repository, entering.place)

    def change(root: Path) -> None:
        entering.write(root, entering.release(root))

    with drafts.exported(repository, head, entering.place) as export:
        return drafts.make(export, entering.place, change, compile, str(entering.place))
