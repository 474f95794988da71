"""How a change of a gitops folder is shown, committed and sent: by `promote` and `rollback`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from alula import display
from alula.cli import flags, usage
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from alula.gitops.drafts import Draft
    from alula.gitops.repositories import Repository

FLAGS = (
    flags.Flag("dry_run", help="show what would be written or committed, and write nothing"),
    flags.Flag("branch", "NAME", "make the commit on a new branch, and leave what is checked out as it is"),
    flags.Flag("push", help="send the commit to the remote"),
    flags.Flag("pr", help="open a pull or merge request for the branch, by gh or glab, or print where to"),
)
MAX_TRIES = 3
"""Another command may commit meanwhile; then it is all worked out anew."""


def check(found: flags.Scan) -> Iterator[Diagnostic]:
    """A request without a branch that is pushed."""
    if found.on("pr") and not (found.text("branch") and found.on("push")):
        yield from usage.error("--pr is for a branch that is pushed", "give --branch NAME and --push too").diagnostics


def publish(
    repository: Repository, prepare: Callable[[], Draft], message: Callable[[Draft], str], found: flags.Scan
) -> int:
    """Show a change and commit it; exit code 1 when it is refused.

    Args:
        repository: The repository.
        prepare: Works the change out, from the commit that is checked out then.
        message: The commit's message.
        found: The flags.
    """
    from alula.gitops import difference_text, drafts

    if branch := found.text("branch"):
        repository.ref(branch)
    for last in range(MAX_TRIES - 1, -1, -1):
        draft = prepare()
        if draft.problems:
            display.diagnostics(draft.problems)
            if breaking := draft.difference.breaking:
                display.note("what breaks:")
                shown = [*difference_text.lines(draft.difference)][: len(breaking)]
                display.note("".join(f"  {line}\n" for line in shown).rstrip("\n"))
            display.note("refused: nothing was written")
            return 1
        if not draft.changes:
            display.note(f"{draft.difference.title}: nothing to do, all of it is there already")
            return 0
        if found.on("dry_run"):
            display.out(message(draft))
            display.note(f"would change {len(draft.changes)} files; nothing was written")
            return 0
        commit = drafts.commit(repository, draft, message(draft))
        if branch:
            repository.add_branch(branch, commit)
        elif not repository.advance(commit):
            if last:
                continue
            raise usage.error("another commit was made meanwhile, three times", "run the command again")
        break
    display.out(message(draft))
    display.note(f"committed {commit[:12]}{f' on branch {branch}' if branch else ''}")
    _send(repository, commit, message(draft), found)
    return 0


def _send(repository: Repository, commit: str, message: str, found: flags.Scan) -> None:
    """Push what was committed and open a request for it, where that is asked for."""
    from alula.gitops import forges

    branch = found.text("branch")
    if found.on("push"):
        sent = branch or repository.branch()
        if not sent:
            raise usage.error("no branch is checked out, so there is none to push to", "give --branch NAME")
        repository.push(commit, sent)
        display.note(f"pushed to {repository.remote()} {sent}")
    if found.on("pr"):
        title, _, body = message.partition("\n")
        url = repository.url(repository.remote())
        display.note(forges.request(repository.folder, url, branch, title, body.strip()))
