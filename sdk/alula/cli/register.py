"""`alula register FILE...`: the workflows and launch plans of files as a release folder in a git repository."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from alula import display, errors
from alula.cli import flags, gitops_commit, usage
from alula.cli.command import Command, Operands
from alula_api.contract import names
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from pathlib import Path

    from alula import settings
    from alula.emit import discovery, releases, repeat, resources
    from alula.gitops.registration import Entering


def main(found: flags.Scan) -> int:
    """Write the release and say what changed."""
    from pathlib import Path

    from alula.cli import projects
    from alula.emit import assemble, digests, discovery, releases, repeat
    from alula.gitops import layout, registration
    from alula.gitops.registration import Entering

    paths = [Path(word) for word in found.rest]
    project = projects.of(paths[0], found)
    image = _image(found.text("image") or project.image, found)
    with repeat.Repeat(paths, image) as others:
        definitions = discovery.discover(paths)
        code = projects.code(paths[0], image)
        only = [str(name) for name in found.values.get("only", ())]
        if only:
            definitions = _chosen(definitions, only)
        made = assemble.assemble(definitions, code)
        _check(made, definitions, others)
    code = _with_bundle(code, project, found)
    repo = Path(found.text("repo", "gitops"))
    place = layout.Place(project.project, found.text("domain", names.FIRST_DOMAIN))
    block = digests.Block(code, _commit(project.root))
    entering = Entering(place, project.source, made, block, found.text("version"), keep=bool(only))
    registration.check_commit(repo, entering)
    if found.text("branch") or found.on("push"):
        return _commit_it(entering, repo, found)
    if found.on("dry_run"):
        return _rehearse(entering, repo)
    folder = layout.source_folder(repo, project.project, place.domain, project.source)
    release = entering.release(repo)
    is_new = not repo.exists()
    with _writing(str(folder)):
        changes = entering.write(repo, release)
    _report(release, changes, folder, repo, repo)
    for line in layout.missing(folder.parent.parent, project.source):
        display.note(f"warning: {folder.parent.parent / releases.KUSTOMIZATION} is edited and lacks {line}: add it")
    _report_next(repo, folder.parent.parent, is_new=is_new, changed=not all(each.none for each in changes.values()))
    return 0


def _rehearse(entering: Entering, repo: Path) -> int:
    """Report what would be written, and write nothing."""
    from alula.gitops import registration

    with registration.rehearsal(repo, entering) as copy:
        release = entering.release(copy)
        changes = entering.write(copy, release)
        _report(release, changes, entering.folder(copy), copy, repo)
    display.note("nothing was written")
    return 0


def _image(image: str, found: flags.Scan) -> str:
    """The image, with its digest where that is to be asked for."""
    if not image or not found.on("pin"):
        return image
    from alula.remote import image_registry

    pinned = image_registry.pinned(image)
    display.note(f"image {pinned}")
    return pinned


def _commit_it(entering: Entering, repo: Path, found: flags.Scan) -> int:
    """Make a commit of the release instead of writing it into the working tree."""
    from alula.cli import compile
    from alula.gitops import messages, registration, release_checks, repositories

    if entering.block.commit.endswith(release_checks.DIRTY):
        message = "files differ from the source commit, so what would be sent could not be built again"
        raise usage.error(message, "commit them first, or register without --branch and --push")
    repository = repositories.Repository(repo)
    return gitops_commit.publish(
        repository, lambda: registration.prepare(repository, entering, compile.compiled), messages.registration, found
    )


def _check(made: list[resources.Resource], definitions: discovery.Definitions, others: repeat.Repeat) -> None:
    """What a cluster would refuse of the resources, and whether they are the same when they are made again."""
    from alula.cli import compile
    from alula.emit import lines, manifests

    _, problems = compile.compiled(manifests.Found(resource) for resource in made)
    problems = problems or others.problems(made)
    if problems:
        raise errors.DefinitionError(lines.with_lines(problems, definitions))


def _chosen(definitions: discovery.Definitions, only: list[str]) -> discovery.Definitions:
    """The workflows of these names with their launch plans."""
    known = [each.name for each in definitions.workflows]
    problems = [
        problem
        for name in only
        if name not in known
        for problem in usage.error(
            f"--only {name}: there is no such workflow",
            usage.did_you_mean(name, known) or f"there are {', '.join(known)}",
            Code.UNKNOWN_WORKFLOW,
        ).diagnostics
    ]
    if problems:
        raise usage.UsageError(problems)
    import dataclasses

    return dataclasses.replace(
        definitions,
        workflows=tuple(each for each in definitions.workflows if each.name in only),
        launch_plans=tuple(each for each in definitions.launch_plans if each.workflow.name in only),
    )


def _with_bundle(code: resources.Code, project: settings.Settings, found: flags.Scan) -> resources.Code:
    """The code with the bundle that was asked for, written or uploaded."""
    from pathlib import Path

    from alula.emit import bundling

    if found.on("dry_run") and (found.text("bundle_out") or found.on("bundle")):
        return bundling.packed(project.root, code)[0]
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
    return code


@contextlib.contextmanager
def _writing(place: str) -> Iterator[None]:
    """A place that cannot be written is the user's to choose anew."""
    try:
        yield
    except OSError as error:
        raise usage.error(f"{error.filename or place} cannot be written: {error.strerror or error}") from None


def _commit(root: Path) -> str:
    """The source commit, marked when files differ from it; empty outside git."""
    import subprocess

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


def _report(
    release: releases.Release, changes: Mapping[Path, releases.Changes], folder: Path, repo: Path, shown: Path
) -> None:
    """What changed, each file by its path in the repository, which is called `shown`."""
    place = shown / folder.relative_to(repo)
    if all(each.none for each in changes.values()):
        display.note(f"release {release.name} is in {place} already: nothing changed")
        return
    display.note(f"release {release.name} in {place}")
    for word in ("created", "changed", "removed"):
        for place, each in changes.items():
            for name in getattr(each, word):
                edited = "  (edited by hand since it was written)" if name in each.edited else ""
                display.note(f"  {'new' if word == 'created' else word:<8} {(place / name).relative_to(repo)}{edited}")
    if changes[folder].removed:
        display.note("a release is exactly what is named: to keep what was removed, name its file too")


def _report_next(repo: Path, domain: Path, *, is_new: bool, changed: bool) -> None:
    """What to do with it; a folder that nothing tracks is no gitops repository yet."""
    inside = any((each / ".git").exists() for each in (repo.resolve(), *repo.resolve().parents))
    if not inside:
        made = f"made the folder {repo}" if is_new else f"{repo} is there"
        display.note(f"{made}, but it is in no git repository yet: git init {repo}")
    elif is_new:
        display.note(f"made the folder {repo}")
    if changed:
        display.note(f"next: review and commit it, then apply it: kubectl apply --server-side -k {domain}")


def check(found: flags.Scan) -> Iterator[Diagnostic]:
    """What cannot be committed so, and what cannot stand in a comment or label."""
    yield from gitops_commit.check(found)
    if found.values.get("version") and not names.is_version(found.text("version")):
        message = f"--version must be letters, digits, -, _ and ., at most 63, not {found.text('version')!r}"
        yield from usage.error(message).diagnostics


COMMAND = Command(
    name="register",
    summary="write a release of your workflows into a folder for git",
    usage="[options] FILE...",
    prose=(
        "Write the workflows and launch plans that Python files or folders define into "
        "DIR/<project>/<domain>/release/<source>. The release is exactly what is named (of a folder, all but its "
        "tests); the same sources write the same bytes. Nothing is committed (review it and commit it) unless "
        "--branch or --push is given."
    ),
    main=main,
    operands=Operands(example="alula register FILE..., such as flows/penguins.py"),
    exclusive=(("bundle", "bundle_out"),),
    check=check,
    flags={
        "options": (
            flags.Flag("repo", "DIR", "the git repository of the resources", default="gitops"),
            flags.Flag("project", "NAME", "the project", default="[tool.alula] project, else the folder's name"),
            flags.Flag("domain", "NAME", "the domain that the release enters first", default=names.FIRST_DOMAIN),
            flags.Flag("image", "IMAGE", "the image that holds the code", default="[tool.alula] image"),
            flags.Flag("pin", help="ask the image's registry for its digest, and register that"),
            flags.Flag("version", "NAME", "names the release", default="the source commit"),
            flags.Flag("only", "WORKFLOW", "write this workflow and leave the others with their digests", many=True),
            flags.Flag("bundle", help="upload the project's files as a code bundle, unpacked over the image in pods"),
            flags.Flag("bundle_out", "DIR", "write the bundle there instead, for CI to upload"),
            flags.Flag("store", "URL", "the root of storage that --bundle uploads to", default="[tool.alula] store"),
        ),
        "the commit": gitops_commit.FLAGS,
    },
)
