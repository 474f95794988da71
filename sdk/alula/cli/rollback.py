"""`alula rollback --domain DOMAIN`: one commit by which a domain gets back the releases that it had before."""

from __future__ import annotations

from collections.abc import Iterator

from alula.cli import flags, gitops_commit, gitops_folder, usage
from alula.cli.command import Command
from alula_api.contract.diagnostics import Diagnostic


def check(found: flags.Scan) -> Iterator[Diagnostic]:
    """A domain that is not named."""
    yield from gitops_commit.check(found)
    if not found.text("domain"):
        yield from usage.error("--domain DOMAIN is missing", "alula rollback --domain prod").diagnostics


def main(found: flags.Scan) -> int:
    """Work it out, check it, show it, and commit it."""
    from alula.cli import compile
    from alula.gitops import drafts, messages, repositories, rollback

    repository = repositories.Repository(gitops_folder.root(found))
    place = gitops_folder.place(repository.folder, found, found.text("domain"))
    back = rollback.find(repository, place, found.text("source"), found.text("to"))

    def draft() -> drafts.Draft:
        return rollback.prepare(repository, place, back, compile.compiled)

    def message(made: drafts.Draft) -> str:
        return messages.rollback(made, place, back.taken_back, back.commit)

    return gitops_commit.publish(repository, draft, message, found)


COMMAND = Command(
    name="rollback",
    summary="commit the releases that a domain had before",
    usage="[options] --domain DOMAIN",
    prose=(
        "Give a domain back the releases that it had before the last commit that changed them, or as they were in a "
        "commit. It is a new commit, with the same checks as a promotion; patches and plans of the domain stay."
    ),
    main=main,
    check=check,
    flags={
        "options": (
            flags.Flag("domain", "NAME", "the domain", required=True),
            flags.Flag("to", "COMMIT", "the releases as they were then", default="before their last change"),
            flags.Flag("source", "NAME", "only the release of this code repository", default="what changed last"),
            gitops_folder.REPO,
            gitops_folder.PROJECT,
        ),
        "the commit": gitops_commit.FLAGS,
    },
)
