"""The gitops folder and its domains, as the flags of a command name them. Called by the commands that work on one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from alula import errors
from alula.cli import flags, usage
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

    from alula.gitops.layout import Place
    from alula.gitops.repositories import Repository

REPO = flags.Flag("repo", "DIR", "the gitops folder", default="gitops where there is one, else .")
PROJECT = flags.Flag("project", "NAME", "the project", default="the only one")


def root(found: flags.Scan) -> Path:
    """The gitops folder."""
    from pathlib import Path

    given = found.text("repo")
    return Path(given) if given else Path("gitops") if Path("gitops").is_dir() else Path()


def repository(folder: Path) -> Repository | None:
    """The git repository of a folder, where there is one."""
    from alula.gitops import repositories

    try:
        return repositories.Repository(folder)
    except errors.UserError:
        return None


def places(folder: Path, found: flags.Scan) -> list[Place]:
    """The domains that `--project` and `--domain` leave over.

    Raises:
        UsageError: there is none.
    """
    from alula.gitops import layout

    known = layout.places(folder)
    project, domain = found.text("project"), found.text("domain")
    chosen = [each for each in known if project in ("", each.project) and domain in ("", each.domain)]
    if chosen:
        return chosen
    if not known:
        message = f"{folder} holds no domain: there is no folder <project>/<domain> with a release in it"
        raise usage.error(message, "`alula register` writes one; --repo names another folder", Code.NOT_FOUND)
    raise _unknown("/".join(filter(None, (project, domain))), [str(each) for each in known])


def place(folder: Path, found: flags.Scan, domain: str) -> Place:
    """The domain of a name, in the project that is named or the only one.

    Raises:
        UsageError: there are several projects, and none is named.
    """
    from alula.gitops import layout

    projects = sorted({each.project for each in layout.places(folder)})
    project = found.text("project")
    if not project and len(projects) != 1:
        message = f"{folder} holds {len(projects)} projects: say which"
        raise usage.error(message, f"--project {' | '.join(projects)}" if projects else "")
    return layout.Place(project or projects[0], domain)


def _unknown(word: str, known: Sequence[str]) -> usage.UsageError:
    hint = did_you_mean(word, known, f"there are {', '.join(known)}", str)
    return usage.error(f"there is no domain {word}", hint, Code.NOT_FOUND)
