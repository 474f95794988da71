"""Which releases a domain had before, and what it becomes when it gets them back. Called by `alula rollback`.

The releases alone go back: what the domain's team wrote since, its patches and plans, stays and is checked with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alula.gitops import drafts, layout
from alula.gitops.layout import Place
from alula.gitops.repositories import Repository, problem
from alula.gitops.verify import Compile
from alula_api.contract.codes import Code

MAX_TAKEN_BACK = 100


@dataclass(frozen=True)
class Back:
    """Where releases go back to.

    Attributes:
        commit: The commit that has them.
        sources: Whose releases; all that the commit has when empty.
        taken_back: The commits that are undone, newest first.
    """

    commit: str
    sources: tuple[str, ...]
    taken_back: tuple[str, ...]


def find(repository: Repository, place: Place, source: str = "", to: str = "") -> Back:
    """What a rollback of `place` goes back to.

    Args:
        repository: The repository.
        place: The domain.
        source: Only the release of this code repository.
        to: The commit to go back to; the one before the last change of a release when empty.

    Raises:
        alula.errors.UserError: the history has nothing to go back to.
    """
    path = repository.path(str(place), layout.RELEASES, *([source] if source else []))
    if to:
        commit = repository.commit(to)
        taken = tuple(each.id for each in repository.log(path, MAX_TAKEN_BACK, f"{commit}..HEAD"))
        return Back(commit, (source,) if source else (), taken)
    history = repository.log(path, 1)
    if not history:
        raise problem(f"no commit has changed {path}", hint=_shallow(repository), code=Code.NOT_FOUND)
    last = history[0].id
    before = repository.parent(last)
    if not before:
        message = f"{last[:12]} is the first commit that is known here: there is nothing to go back to"
        raise problem(message, hint=_shallow(repository), code=Code.NOT_FOUND)
    changed = [
        each.removeprefix(f"{path}/") for each in repository.differing(before, last) if each.startswith(f"{path}/")
    ]
    sources = (source,) if source else tuple(sorted({each.partition("/")[0] for each in changed}))
    return Back(before, sources, (last,))


def _shallow(repository: Repository) -> str:
    return "this clone is shallow: git fetch --unshallow, or fetch-depth: 0 in CI" if repository.is_shallow() else ""


def prepare(repository: Repository, place: Place, back: Back, compile: Compile) -> drafts.Draft:
    """Work out what the commit that is checked out becomes.

    Raises:
        alula.errors.UserError: files are not committed, or the commit has no such release.
    """
    head = repository.head()
    drafts.refuse_uncommitted(repository, place)
    with (
        drafts.exported(repository, back.commit, place) as old,
        drafts.exported(repository, head, place) as export,
    ):
        folders = {each.name: each for each in layout.release_folders(layout.domain_folder(old.root, place))}
        wanted = back.sources or tuple(folders)
        missing = [each for each in wanted if each not in folders]
        if missing or not wanted:
            which = ", ".join(missing) or "any source"
            raise problem(f"{place} had no release of {which} in {back.commit[:12]}", code=Code.NOT_FOUND)

        def change(root: Path) -> None:
            _restore(root, place, [folders[each] for each in wanted])

        return drafts.make(export, place, change, compile, f"{place} as in {back.commit[:12]}")


def _restore(root: Path, place: Place, folders: list[Path]) -> None:
    domain = layout.domain_folder(root, place)
    for folder in folders:
        files = {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}
        drafts.replace_folder(domain / layout.RELEASES / folder.name, files)
        layout.write_domain(domain, folder.name, place.namespace, [])
