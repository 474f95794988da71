"""`alula diff A B`: what lies between two states of a gitops folder, first what it means, then what it does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from alula import display
from alula.cli import flags, gitops_folder, usage
from alula.cli.command import Command, Operands
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from pathlib import Path

    from alula.gitops.layout import Place
    from alula.gitops.snapshots import Snapshot

FORMATS = ("text", "markdown", "json")


def check(found: flags.Scan) -> Iterator[Diagnostic]:
    """Too many words."""
    if len(found.rest) > 2:
        yield from usage.error(f"diff takes two states, got {len(found.rest)}", "alula diff A B").diagnostics


def main(found: flags.Scan) -> int:
    """Compare; exit code 1 where `--fail-on` says so."""
    from alula.cli import compile
    from alula.gitops import difference_text, differences, states

    folder = gitops_folder.root(found)
    repository = gitops_folder.repository(folder)
    words = [*found.rest, *("HEAD", states.WORKING_TREE)[len(found.rest) :]]
    before, after = (states.read(word, folder, repository) for word in words)
    form = found.text("output", FORMATS[0])
    objects = form != FORMATS[0] or found.on("compiled")

    def live(place: Place, own: Path) -> Snapshot:
        from alula.gitops import clusters

        state = clusters.read(found.text("context"), place, "")
        return clusters.snapshot(state, place, own)

    with states.pairs(before, after, folder, repository, live=live, project=found.text("project")) as chosen:
        compared = [
            differences.compare(one, other, title, compile.compiled if objects else None)
            for title, one, other in chosen
        ]
    changed = [each for each in compared if not each.none]
    if form == "json":
        display.out(difference_text.as_json(changed))
    elif form == "markdown":
        display.out(difference_text.markdown(changed) if changed else f"{_same(before.title, after.title)}\n")
    elif changed:
        display.out(difference_text.text(changed, objects=objects))
    else:
        display.note(_same(before.title, after.title))
    gate = found.text("fail_on")
    return int(bool(gate) and any(each.breaking if gate == "breaking" else True for each in changed))


def _same(before: str, after: str) -> str:
    return f"nothing differs between {before} and {after}"


COMMAND = Command(
    name="diff",
    summary="say what a change of a gitops folder means, and what it does",
    usage="[options] [A [B]]",
    prose=(
        "Compare two states: interfaces and who uses them, tasks, graphs, schedules, quotas, which tasks will run "
        "again and which stay cached. A and B are domains (dev, penguins/prod), commits (main, HEAD~1:prod), . for the "
        "working tree or @cluster for what the cluster has (@cluster:prod for one domain of it). Without B the "
        "working tree is meant, without both what is not committed yet."
    ),
    main=main,
    check=check,
    operands=Operands(example="alula diff A B, such as dev prod", required=False),
    closing="Lines begin with ! (a breaking change), ~ (a change) or > (what will run again).",
    flags={
        "options": (
            gitops_folder.REPO,
            flags.Flag("project", "NAME", "this project only"),
            flags.Flag("context", "NAME", "of @cluster: the kubeconfig's context instead of the current one"),
            flags.Flag("compiled", help="show the compiled Argo objects line by line too"),
            flags.Flag(
                "output",
                "FORMAT",
                "text, markdown (for a review) or json",
                default=FORMATS[0],
                letter="o",
                choices=FORMATS,
            ),
            flags.Flag("fail_on", "WHAT", "exit with 1 on breaking changes, or on any", choices=("breaking", "any")),
        )
    },
)
