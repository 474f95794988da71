"""`alula domain render FOLDER`: what Kubernetes itself holds a domain to, written beside its Domain for a review."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alula import display, errors
from alula.cli import flags, usage
from alula.cli.command import Command, Operands
from alula_api.contract import codes, names

if TYPE_CHECKING:
    from pathlib import Path

    from alula.gitops.layout import Place


def main(found: flags.Scan) -> int:
    """Write the guards of each folder; with --check, exit code 1 when they are not those of its Domain."""
    from pathlib import Path

    sound = [_one(Path(word), found) for word in found.rest]
    return 0 if all(sound) else 1


def _one(folder: Path, found: flags.Scan) -> bool:
    """Whether the folder has (now) what follows from its Domain."""
    from alula.gitops import guards

    place = _place(folder, found)
    namespace = found.text("namespace", place.namespace)
    for word in (place.project, place.domain, namespace):
        if not names.is_dns_label(word):
            raise usage.error(f"{word!r} cannot name a place", "lower case letters, digits and -", codes.Code.BAD_NAME)
    try:
        files = guards.rendered(guards.read(folder / guards.DOMAIN), place, namespace)
    except errors.UserError as error:
        raise usage.UsageError(error.diagnostics) from None
    written = [] if found.on("check") else _write(folder, files)
    stale = [*guards.stale(folder, files, namespace)]
    if stale:
        display.diagnostics(stale)
    if written:
        display.note(f"wrote {', '.join(written)} in {folder} for namespace {namespace}")
    return not stale


def _place(folder: Path, found: flags.Scan) -> Place:
    """The project and the domain: as told, else the folder's last two names."""
    from alula.gitops import layout

    parts = folder.resolve().parts
    return layout.Place(found.text("project", parts[-2] if len(parts) > 2 else ""), found.text("domain", parts[-1]))


def _write(folder: Path, files: dict[str, str]) -> list[str]:
    from alula.gitops import guards

    try:
        return guards.write(folder, files)
    except OSError as error:
        raise usage.error(f"{error.filename or folder} cannot be written: {error.strerror or error}") from None


COMMAND = Command(
    name="domain render",
    summary="write what Kubernetes itself holds a domain to",
    usage="[options] FOLDER...",
    prose=(
        "Write what Kubernetes itself holds a domain to. FOLDER is platform/<project>/<domain> of a gitops repository "
        "and holds domain.yaml; from it follow the namespace with its labels, the pods' ServiceAccount and its rights, "
        "ResourceQuota, LimitRange, NetworkPolicy and the pools' ConfigMap in guards.yaml, and once a "
        "kustomization.yaml that names both. The controller never makes these objects: a review sees each of them."
    ),
    main=main,
    operands=Operands(example="alula domain render platform/penguins/prod"),
    flags={
        "options": (
            flags.Flag("check", help="write nothing; fail when the files are not those of the Domain"),
            flags.Flag("project", "NAME", "instead of the folder's last name but one"),
            flags.Flag("domain", "NAME", "instead of the folder's last name"),
            flags.Flag("namespace", "NAME", "instead of <project>-<domain>", letter="n"),
        )
    },
)
