"""The states of a gitops folder that two words of a command line name, and which domains of them to compare.

`.` is the working tree; `dev` or `penguins/dev` is a domain in it; `@cluster` is what a cluster has; anything else is a
commit, with `:dev` one of its domains. Called by `alula diff`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from alula.gitops import drafts, layout, snapshots
from alula.gitops.layout import Place
from alula.gitops.repositories import Repository, problem
from alula.gitops.snapshots import Snapshot
from alula_api.contract.codes import Code

WORKING_TREE = "."
CLUSTER = "@cluster"

Live = Callable[[Place, Path], Snapshot]
"""Asks a cluster for a domain, whose folder in git is given too."""


@dataclass(frozen=True)
class State:
    """One side of a comparison.

    Attributes:
        title: As the user wrote it.
        commit: All 40 digits; empty for the working tree.
        domain: The domain that was named, `dev` or `penguins/dev`; empty for all.
        live: Whether it is what a cluster has.
    """

    title: str
    commit: str = ""
    domain: str = ""
    live: bool = False


def read(word: str, folder: Path, repository: Repository | None) -> State:
    """What a word names.

    Raises:
        alula.errors.UserError: nothing that there is.
    """
    if word == WORKING_TREE:
        return State("the working tree")
    if word.partition(":")[0] == CLUSTER:
        return State(word, domain=word.partition(":")[2], live=True)
    known = layout.places(folder)
    if any(word in (each.domain, str(each)) for each in known):
        return State(word, domain=word)
    if repository is None:
        domains = ", ".join(str(each) for each in known)
        raise problem(
            f"there is no domain {word}, and no git repository", hint=f"there are {domains}", code=Code.NOT_FOUND
        )
    commit, _, domain = word.partition(":")
    return State(word, repository.commit(commit), domain)


@contextmanager
def pairs(
    before: State, after: State, folder: Path, repository: Repository | None, *, live: Live, project: str = ""
) -> Iterator[list[tuple[str, Snapshot, Snapshot]]]:
    """The domains to compare, each read on both sides, with the title of its difference.

    Args:
        before: One side.
        after: The other.
        folder: The gitops folder.
        repository: Its repository, where there is one.
        live: Asks the cluster, where a side is that.
        project: Only domains of this project.
    """
    with ExitStack() as stack:
        chosen = [
            (one, other) for one, other in _chosen(before, after, folder, repository) if project in ("", one.project)
        ]
        sides = []
        for number, state in enumerate((before, after)):
            root = folder
            if state.commit and chosen:
                assert repository is not None
                wanted = dict.fromkeys(pair[number] for pair in chosen)
                root = stack.enter_context(drafts.exported(repository, state.commit, *wanted)).root
            sides.append(root)
        asks = [live if state.live else None for state in (before, after)]
        yield [
            (_title(one, other), _snapshot(sides[0], one, asks[0]), _snapshot(sides[1], other, asks[1]))
            for one, other in chosen
        ]


def _title(one: Place, other: Place) -> str:
    return str(one) if one == other else f"{one} → {other}"


def _snapshot(root: Path, place: Place, live: Live | None) -> Snapshot:
    folder = layout.domain_folder(root, place)
    if live is not None:
        return live(place, folder)
    return snapshots.read(root, place) if folder.is_dir() else Snapshot(place, folder)


def _chosen(before: State, after: State, folder: Path, repository: Repository | None) -> list[tuple[Place, Place]]:
    named = before.domain or after.domain
    if before.domain and after.domain and before.domain != after.domain:
        ones = _places(before.domain, folder)
        others = {each.project: each for each in _places(after.domain, folder)}
        found = [(each, others[each.project]) for each in ones if each.project in others]
        if "/" in before.domain and "/" in after.domain and not found:
            found = [(one, other) for one in ones for other in others.values()]
        return found
    if repository is None or before.live or after.live or not (before.commit or after.commit):
        return [(each, each) for each in layout.places(folder) if named in ("", each.domain, str(each))]
    changed = repository.differing(before.commit, after.commit)
    touched = {place for path in changed if (place := _place(path.removeprefix(repository.prefix)))}
    if any(path.startswith(repository.path(layout.OPENAPI)) for path in changed):
        touched |= set(layout.places(folder))
    return [(each, each) for each in sorted(touched) if named in ("", each.domain, str(each))]


def _places(word: str, folder: Path) -> list[Place]:
    found = [each for each in layout.places(folder) if word in (each.domain, str(each))]
    if not found:
        project, _, domain = word.rpartition("/")
        found = [
            Place(each, domain)
            for each in sorted({each.project for each in layout.places(folder)})
            if project in ("", each)
        ]
    return found


def _place(path: str) -> Place | None:
    """The domain that a file belongs to, its guards too."""
    parts = path.split("/")
    if parts[0] == layout.PLATFORM:
        parts = parts[1:]
    if len(parts) < 3 or parts[0] == layout.OPENAPI:
        return None
    return Place(parts[0], parts[1])
