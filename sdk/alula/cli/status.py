"""`alula status`: what each domain has in git, and with `--cluster` what became of it there."""

from __future__ import annotations

from alula import display
from alula.cli import flags, gitops_folder
from alula.cli.command import Command

FORMATS = ("text", "json")


def main(found: flags.Scan) -> int:
    """Show every domain."""
    from alula.gitops import clusters, snapshots, status

    folder = gitops_folder.root(found)
    repository = gitops_folder.repository(folder)
    asked = found.on("cluster") or bool(found.text("context"))
    rows = []
    for place in gitops_folder.places(folder, found):
        snapshot = snapshots.read(folder, place)
        state = clusters.read(found.text("context"), place, found.text("argocd", "argocd")) if asked else None
        changed = bool(repository and repository.changed([repository.path(str(place))]))
        rows.append(status.describe(snapshot, changed=changed, state=state))
    if found.text("output", FORMATS[0]) == "json":
        import json

        display.out(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
    else:
        display.out("".join(map(status.text, rows)))
    return 0


COMMAND = Command(
    name="status",
    summary="show what each domain has in git, and on the cluster",
    usage="[options]",
    prose=(
        "Show the releases of each domain, what they were built from and what they define; with --cluster also whether "
        "Argo CD has synced them, whether they are compiled, what differs from git, and the last run of each."
    ),
    main=main,
    flags={
        "options": (
            gitops_folder.REPO,
            flags.Flag("project", "NAME", "this project only"),
            flags.Flag("domain", "NAME", "these domains only"),
            flags.Flag("cluster", help="ask the cluster of the kubeconfig's current context too"),
            flags.Flag("context", "NAME", "ask the cluster of this context"),
            flags.Flag("argocd", "NAMESPACE", "where Argo CD lives", default="argocd"),
            flags.Flag("output", "FORMAT", "text or json", default=FORMATS[0], letter="o", choices=FORMATS),
        )
    },
)
