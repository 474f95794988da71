"""`alula verify`: is a gitops folder sound? For CI, for hooks before a commit, and for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alula import display
from alula.cli import flags, gitops_folder
from alula.cli.command import Command
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from pathlib import Path

    from alula.gitops.snapshots import Snapshot

FORMATS = ("text", "sarif", "github", "gitlab")


def main(found: flags.Scan) -> int:
    """Check every domain; exit code 1 when anything is wrong with one."""
    from alula.cli import compile
    from alula.gitops import annotations, guards, layout, snapshots, verify

    folder = gitops_folder.root(found)
    registered = verify.history(gitops_folder.repository(folder), folder)
    checked = [snapshots.read(folder, place) for place in gitops_folder.places(folder, found)]
    problems = [
        problem
        for each in checked
        for problem in (*verify.problems(each, compile.compiled, registered), *verify.left_out(each))
    ]
    problems += [problem for each in checked if not each.problems for problem in guards.problems(folder, each.place)]
    if not problems:
        problems = verify.across(checked, layout.places(folder), compile.compiled)
    problems = list(dict.fromkeys([*problems, *(_misnamed(each) for each in layout.misnamed(folder))]))
    form = found.text("output", FORMATS[0])
    if form != FORMATS[0]:
        display.out(annotations.FORMS[form](problems))
    elif problems:
        display.diagnostics(problems)
    else:
        for each in checked:
            display.note(_sound(each))
    return 1 if problems else 0


def _misnamed(folder: Path) -> Diagnostic:
    message = f"{folder.name!r} is not a name that a namespace can have, so nothing here is looked at or synced"
    return Diagnostic(Code.BAD_NAME, message, str(folder), expected="lower case letters, digits and -")


def _sound(snapshot: Snapshot) -> str:
    """`penguins/dev: 3 workflows, 2 launch plans; release penguins 66e04d11`."""
    kinds = [each.resource["kind"] for each in snapshot.built]
    counts = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for word, kind in (("workflow", "Workflow"), ("launch plan", "LaunchPlan"))
        if (count := kinds.count(kind))
    ]
    shown = ", ".join(f"{source} {each.version}" for source, each in snapshot.releases.items())
    return f"{snapshot.place}: {', '.join(counts) or 'nothing'}{f'; release {shown}' if shown else ''}"


COMMAND = Command(
    name="verify",
    summary="check a gitops folder: locks, digests, patches, and that it compiles",
    usage="[options]",
    prose=(
        "Check that every release is as it was registered, that its digests were made for its files, that kustomize "
        "builds each domain without losing a task or an input, that the controller would compile it, and that the "
        "guards of each domain follow from its Domain. Nothing is written and no cluster is asked."
    ),
    main=main,
    closing="Exit codes: 0 sound, 1 something is wrong, 2 the command line is wrong.",
    flags={
        "options": (
            gitops_folder.REPO,
            flags.Flag("project", "NAME", "this project only"),
            flags.Flag("domain", "NAME", "these domains only"),
            flags.Flag(
                "output",
                "FORMAT",
                "text, sarif, github (annotations) or gitlab (code quality)",
                letter="o",
                choices=FORMATS,
            ),
        )
    },
)
