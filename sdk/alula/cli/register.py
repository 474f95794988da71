"""`alula register FILE...`: the workflows and launch plans of files as a release folder in a git repository."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from alula import display
from alula.cli import flags, usage
from alula.cli.command import Command, Operands

if TYPE_CHECKING:
    from alula.emit import releases


def main(found: flags.Scan) -> int:
    """Write the release and say what changed."""
    from alula.cli import projects
    from alula.emit import assemble, bundling, discovery, releases

    paths = [Path(word) for word in found.rest]
    project = projects.of(paths[0], found)
    definitions = discovery.discover(paths)
    code = projects.code(paths[0], found.text("image"))
    if found.text("bundle_out"):
        with _writing(found.text("bundle_out")):
            code = bundling.write(project.root, code, Path(found.text("bundle_out")))
        display.note(f"wrote the bundle {found.text('bundle_out')}/{code.bundle_digest}")
    elif found.on("bundle"):
        place = f"{project.store.rstrip('/')}/{project.project}/releases"
        code = bundling.upload(project.root, code, project.store, project.project)
        display.note(f"uploaded the bundle {place}/{code.bundle_digest}")
        if "://" not in place:
            display.note("warning: that is a folder of this machine: pods read it only if it is theirs too")
    made = assemble.assemble(definitions, code, found.text("version"))
    domain = found.text("domain", "dev")
    release = releases.build(
        made,
        assemble.version_of(made),
        commit=_commit(project.root),
        project=project.project,
        namespace=f"{project.project}-{domain}",
    )
    repo = Path(found.text("repo", "gitops"))
    folder = repo / project.project / domain
    is_new = not repo.exists()
    with _writing(str(folder)):
        changes = releases.write(release, folder)
    _tell(release, changes, folder)
    _tell_next(repo, folder, changes, is_new=is_new)
    return 0


@contextlib.contextmanager
def _writing(place: str) -> Iterator[None]:
    """A place that cannot be written is the user's to choose anew."""
    try:
        yield
    except OSError as error:
        raise usage.error(f"{error.filename or place} cannot be written: {error.strerror or error}") from None


def _commit(root: Path) -> str:
    """The source commit, marked when files differ from it; empty outside git."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty", "--match", ""],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _tell(release: releases.Release, changes: releases.Changes, folder: Path) -> None:
    if changes.none:
        display.note(f"release {release.version} is in {folder} already: nothing changed")
        return
    display.note(f"release {release.version} in {folder}")
    for word, paths in (("new", changes.created), ("changed", changes.changed), ("removed", changes.removed)):
        for path in paths:
            edited = "  (somebody had edited it there)" if path in changes.edited else ""
            display.note(f"  {word:<8} {path}{edited}")
    if changes.removed:
        display.note("a release is exactly what is named: to keep what was removed, name its file too")


def _tell_next(repo: Path, folder: Path, changes: releases.Changes, *, is_new: bool) -> None:
    """What to do with it; a folder that nothing tracks is no gitops repository yet."""
    inside = any((each / ".git").exists() for each in (repo.resolve(), *repo.resolve().parents))
    if not inside:
        made = f"made the folder {repo}" if is_new else f"{repo} is there"
        display.note(f"{made}, but it is in no git repository yet: git init {repo}")
    elif is_new:
        display.note(f"made the folder {repo}")
    if not changes.none:
        display.note(f"next: review and commit it, then apply it: kubectl apply --server-side -k {folder}")


COMMAND = Command(
    name="register",
    summary="write a release of your workflows into a folder for git",
    usage="[options] FILE...",
    prose=(
        "Write the workflows and launch plans that Python files or folders define into DIR/<project>/<domain>/release. "
        "The release is exactly what is named (of a folder, all but its tests); the same sources write the same bytes. "
        "Nothing is committed: review it and commit it."
    ),
    main=main,
    operands=Operands(example="alula register FILE..., such as flows/penguins.py"),
    exclusive=(("bundle", "bundle_out"),),
    check=usage.names,
    flags={
        "options": (
            flags.Flag("repo", "DIR", "the git repository of the resources", default="gitops"),
            flags.Flag("project", "NAME", "the project", default="[tool.alula] project, else the folder's name"),
            flags.Flag("domain", "NAME", "the domain that the release enters first", default="dev"),
            flags.Flag("image", "IMAGE", "the image that holds the code", default="[tool.alula] image"),
            flags.Flag("version", "NAME", "names the release", default="the digest of what is written"),
            flags.Flag("bundle", help="upload the project's files as a code bundle, unpacked over the image in pods"),
            flags.Flag("bundle_out", "DIR", "write the bundle there instead, for CI to upload"),
            flags.Flag("store", "URL", "the root of storage that --bundle uploads to", default="[tool.alula] store"),
        )
    },
)
