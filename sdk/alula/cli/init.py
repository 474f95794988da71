"""`alula init`: a new project of code, or with `--gitops` a repository that Argo CD syncs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from alula import display, errors
from alula.cli import flags, usage
from alula.cli.command import Command, Operands
from alula_api.contract import names
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from pathlib import Path

    from alula.gitops.scaffold import Scaffold

DOMAINS = ("dev", "prod")
URL = "https://git.example.org/data/gitops.git"
BRANCH = "main"


def check(found: flags.Scan) -> Iterator[Diagnostic]:
    """Too many folders, and what is for a gitops folder only."""
    if len(found.rest) > 1:
        yield from usage.error(f"init makes one folder, got {len(found.rest)}", "alula init DIR").diagnostics
    for flag in ("domain", "url", "branch"):
        if found.text(flag) and not found.on("gitops"):
            yield from usage.error(f"--{flag} is for a gitops folder", "give --gitops too").diagnostics
    if any(character in found.text("url") for character in "\n\r\"' {}#"):
        yield from usage.error(f"--url cannot be {found.text('url')!r}", URL).diagnostics


def main(found: flags.Scan) -> int:
    """Make the files that are not there."""
    from pathlib import Path

    from alula.gitops import scaffold

    folder = Path(found.rest[0]) if found.rest else Path()
    try:
        made = _gitops(folder, found) if found.on("gitops") else scaffold.code(folder, _project(folder, found))
    except OSError as error:
        raise usage.error(f"{error.filename or folder} cannot be written: {error.strerror or error}") from None
    _report(folder, made)
    if not made.created and not made.changed:
        display.note(f"all files are in {folder} already: nothing was written")
    elif found.on("gitops"):
        display.note("next: give the URL to --url if it is not yours yet, commit, and let Argo CD know:")
        display.note(f"  kubectl apply -k {folder / 'platform/argocd'}")
    else:
        display.note("next: alula run flows/greetings.py --name you")
    return 0


def _gitops(folder: Path, found: flags.Scan) -> Scaffold:
    from alula.gitops import layout, repositories, scaffold

    project = _project(folder.resolve().parent if folder.name == "gitops" else folder, found)
    domains = [str(each) for each in found.values.get("domain", ())] or [*DOMAINS]
    places = [layout.Place(project, each) for each in dict.fromkeys(domains)]
    known = scaffold.followed(folder)
    url, branch, prefix = found.text("url") or known[0], found.text("branch") or known[1], ""
    with contextlib.suppress(errors.UserError):
        there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.is_dir())
        repository = repositories.Repository(there)
        below = folder.absolute().relative_to(there).as_posix()
        prefix = repository.prefix + ("" if below == "." else f"{below}/")
        if prefix:
            display.note(f"in the repository {repository.root}, so Argo CD's paths begin with {prefix}")
        branch = branch or repository.branch()
        url = url or repository.url(repository.remote())
    return scaffold.gitops(folder, places, url=url or URL, branch=branch or BRANCH, prefix=prefix)


def _project(folder: Path, found: flags.Scan) -> str:
    return found.text("project") or names.dns_label(folder.resolve().name or "project")


def _report(folder: Path, made: Scaffold) -> None:
    for path in made.created:
        display.note(f"  new      {folder / path}")
    for path in made.changed:
        display.note(f"  changed  {folder / path}")
    for path, line in made.missing:
        display.note(f"warning: {folder / path} is edited and lacks {line} under resources: add it")


COMMAND = Command(
    name="init",
    summary="make a new project, or with --gitops a repository that Argo CD syncs",
    usage="[options] [DIR]",
    prose=(
        "Make a project of code in DIR (default: here): pyproject.toml, a flow, a test, a Dockerfile and CI. With "
        "--gitops make the repository of what runs: domains with their guards, Argo CD's ApplicationSets and projects, "
        "and CI that reviews. Files that are there are left alone; called again with another --domain it adds that."
    ),
    main=main,
    check=check,
    operands=Operands(example="alula init DIR", required=False),
    flags={
        "options": (
            flags.Flag("gitops", help="make a gitops folder"),
            flags.Flag("project", "NAME", "the project", default="the folder's name"),
            flags.Flag("domain", "NAME", "a domain of the gitops folder", default="dev and prod", many=True),
            flags.Flag("url", "URL", "where Argo CD finds the gitops repository", default="its remote"),
            flags.Flag("branch", "NAME", "the branch that Argo CD follows", default="the one checked out, else main"),
        )
    },
)
