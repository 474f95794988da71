"""`alula promote --from DOMAIN --to DOMAIN [WORKFLOW...]`: one commit by which a domain gets another one's releases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from alula.cli import flags, gitops_commit, gitops_folder, usage
from alula.cli.command import Command, Operands
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from alula.gitops.layout import Place
    from alula.gitops.repositories import Repository


def check(found: flags.Scan) -> Iterator[Diagnostic]:
    """Domains that are not named, or that are one."""
    from alula import settings

    yield from gitops_commit.check(found)
    for flag in ("from", "to"):
        if not found.text(flag):
            yield from usage.error(f"--{flag} DOMAIN is missing", "alula promote --from dev --to prod").diagnostics
        else:
            yield from settings.name_problems("domain", found.text(flag), f"--{flag}")
    if found.text("from") and found.text("from") == found.text("to"):
        yield from usage.error("--from and --to are the same domain").diagnostics


def main(found: flags.Scan) -> int:
    """Work it out, check it, show it, and commit it."""
    from alula.cli import compile
    from alula.gitops import drafts, messages, promotion, repositories

    repository = repositories.Repository(gitops_folder.root(found))
    source = gitops_folder.place(repository.folder, found, found.text("from"))
    target = gitops_folder.place(repository.folder, found, found.text("to"))
    sources = [str(each) for each in found.values.get("source", ())]

    def draft() -> drafts.Draft:
        return promotion.prepare(repository, source, target, compile.compiled, workflows=found.rest, sources=sources)

    runs = _required(repository, source, found)

    def message(made: drafts.Draft) -> str:
        return messages.promotion(made, source, target, found.rest, runs)

    return gitops_commit.publish(repository, draft, message, found)


def _required(repository: Repository, source: Place, found: flags.Scan) -> list[str]:
    """What the cluster must say of the source: that it is healthy, that runs have succeeded; returns those.

    Raises:
        alula.errors.UserError: it does not.
    """
    if not found.on("require_healthy") and not found.values.get("require_run"):
        return []
    from alula import errors
    from alula.gitops import clusters, drafts, snapshots

    head = repository.head()
    with drafts.exported(repository, head, source) as export:
        snapshot = snapshots.read(export.root, source)
    state = clusters.read(found.text("context"), source, found.text("argocd", "argocd"))
    problems = [*clusters.unhealthy(state, snapshot, repository, head)] if found.on("require_healthy") else []
    runs = []
    for plan in found.values.get("require_run", ()):
        run, why = clusters.succeeded(state, snapshot, str(plan))
        runs.append(run)
        problems += why
    if problems:
        raise errors.UserError(problems)
    return runs


COMMAND = Command(
    name="promote",
    summary="commit the releases of one domain to another",
    usage="[options] --from DOMAIN --to DOMAIN [WORKFLOW...]",
    prose=(
        "Copy the releases of a domain, or some of its workflows with their launch plans and digests, to another "
        "domain and make one commit. Patches and plans of the target stay as they are. What the target could not run "
        "is refused, and nothing is written then."
    ),
    main=main,
    check=check,
    operands=Operands(example="a workflow", required=False),
    flags={
        "options": (
            flags.Flag("from", "DOMAIN", "the domain whose releases are taken", required=True),
            flags.Flag("to", "DOMAIN", "the domain that gets them", required=True),
            flags.Flag("source", "NAME", "only the release of this code repository", many=True),
            gitops_folder.REPO,
            gitops_folder.PROJECT,
        ),
        "what the cluster must say": (
            flags.Flag("require_healthy", help="refuse unless Argo CD shows the source Synced and Healthy"),
            flags.Flag("require_run", "PLAN", "refuse unless a run of this plan succeeded as released", many=True),
            flags.Flag("context", "NAME", "the kubeconfig's context instead of the current one"),
            flags.Flag("argocd", "NAMESPACE", "where Argo CD lives", default="argocd"),
        ),
        "the commit": gitops_commit.FLAGS,
    },
)
