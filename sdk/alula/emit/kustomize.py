"""What a folder with a kustomization becomes: by the user's own kubectl or kustomize, or without them by our own hand.

Nothing is run but `kubectl kustomize FOLDER` or `kustomize build FOLDER`, found beside this Python or on PATH. Where
neither is there, only what `alula register` writes counts: the files of the releases with their blocks of digests, and
plain files; what else a domain's kustomization says is named. Called by `alula compile`, and by `alula.gitops` for each
state of a domain's folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from alula import errors
from alula.emit import digests, lock, manifests, releases
from alula_api.contract import codes, diagnostics
from alula_api.kinds import openapi

NAMES = (releases.KUSTOMIZATION, "kustomization.yml", "Kustomization")
"""What kustomize calls its file."""
PLAIN = frozenset({"apiVersion", "kind", "metadata", "namespace", "resources"})
"""Fields that leave what is compiled as it is, or that are followed here."""
SECONDS = 120


@dataclass(frozen=True)
class Built:
    """What became of a folder.

    Attributes:
        found: The resources of alula.
        left_out: What of a kustomization does not count, and its file; empty when kustomize built the folder.
        stale: Files with blocks of digests that were made for other files than lie there, as after a merge.
    """

    found: list[manifests.Found]
    left_out: tuple[tuple[str, Path], ...]
    stale: tuple[Path, ...]


def kustomization(folder: Path) -> Path | None:
    """The kustomization of a folder, if it has one."""
    return next((folder / name for name in NAMES if (folder / name).is_file()), None)


def builder() -> list[str] | None:
    """The command that builds a folder, without the folder; None where there is none."""
    for name, arguments in (("kubectl", ["kustomize"]), ("kustomize", ["build"])):
        beside = Path(sys.executable).with_name(name)
        found = str(beside) if os.access(beside, os.X_OK) else shutil.which(name)
        if found:
            return [found, *arguments]
    return None


def parts(path: Path) -> Iterator[Path]:
    """What is read apart at or below a path: folders with a kustomization that are no part of another's, and files."""
    file = kustomization(path) if path.is_dir() else None
    if file is not None:
        if manifests.kustomization(file).get("kind") != "Component":
            yield path
    elif path.is_dir():
        for below in sorted(path.iterdir()):
            if below.is_dir() and not below.is_symlink() and not below.name.startswith("."):
                yield from parts(below)
            elif below.suffix in manifests.SUFFIXES:
                yield below
    else:
        yield path


def read(folder: Path) -> Built:
    """The resources that a folder with a kustomization becomes.

    Raises:
        alula.errors.UserError: kustomize refuses it, in its own words; or a block of digests does not reach a workflow.
    """
    command = builder()
    left_out: list[tuple[str, Path]] = []
    if command is None:
        found = [*_plainly(folder, left_out, {folder.resolve()})] or manifests.read([folder])
    else:
        found = manifests.parse(_build(folder, command), folder)
    built = _workflows(found)
    problems: list[diagnostics.Diagnostic] = []
    stale: list[Path] = []
    for release in (folder, *sorted(folder.glob("release/*/"))):
        if blocks := _blocks(release):
            file, resources = release / releases.KUSTOMIZATION, _resources(release)
            problems += _problems(blocks, _workflows(resources), built, str(file))
            stale += [file] if _is_stale(blocks, resources, lock.read(release / lock.NAME)) else []
    if problems:
        raise errors.UserError(problems)
    return Built(found, tuple(left_out), tuple(stale))


def _build(folder: Path, command: list[str]) -> str:
    try:
        done = subprocess.run(
            [*command, str(folder)], capture_output=True, text=True, encoding="utf-8", check=False, timeout=SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _refusal(folder, f"{command[0]} cannot be run: {error}") from None
    if done.returncode != 0:
        said = done.stderr.strip().removeprefix("error: ").removeprefix("Error: ")
        raise _refusal(folder, f"kustomize refuses it: {said or f'exit code {done.returncode}'}")
    return done.stdout


def _plainly(folder: Path, left_out: list[tuple[str, Path]], seen: set[Path]) -> Iterator[manifests.Found]:
    """What a kustomization names, without its patches but for the blocks of digests of a release."""
    file = kustomization(folder)
    assert file is not None
    blocks = _blocks(folder)
    parsed = manifests.kustomization(file)
    left_out += [(field, file) for field in parsed if not _is_followed(field, parsed[field], blocks)]
    for entry in map(str, parsed.get("resources") or ()):
        path = folder / entry
        if path.is_file():
            found = manifests.ours([path])
            yield from (replace(each, resource=digests.applied(each.resource, blocks)) for each in found)
        elif path.is_dir() and kustomization(path) and path.resolve() not in seen:
            seen.add(path.resolve())
            yield from _plainly(path, left_out, seen)
        else:
            left_out.append((f"resource {entry}", file))


def _is_followed(field: str, value: Any, blocks: tuple[digests.Block, ...]) -> bool:
    merge_keys = field == "components" and value == [openapi.COMPONENT]
    return field in PLAIN or merge_keys or (field == "patches" and bool(blocks))


def _blocks(folder: Path) -> tuple[digests.Block, ...]:
    """The blocks of digests of a release folder; none of any other."""
    file = folder / releases.KUSTOMIZATION
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    return digests.read(text, str(file)) if text.startswith(releases.MARK) else ()


def _problems(
    blocks: tuple[digests.Block, ...],
    files: dict[str, manifests.Found],
    built: dict[str, manifests.Found],
    place: str,
) -> Iterator[diagnostics.Diagnostic]:
    """What the blocks of a release do not reach: kustomize is silent about a patch that matches nothing."""
    yield from digests.problems(blocks, files, place)
    for name, each in files.items():
        if name in built and digests.unreached(each.resource, built[name].resource, blocks):
            message = f"what kustomize builds has neither image nor bundle of its block of digests in {place}"
            yield diagnostics.Diagnostic(codes.Code.BAD_RESOURCE, message, each.file, f"Workflow {name}")


def _is_stale(blocks: tuple[digests.Block, ...], resources: list[manifests.Found], listed: dict[str, str]) -> bool:
    """Whether a block was made for other files: its checksum is not that of its lines in the lock."""
    owners = {Path(each.file).name: digests.workflow(each.resource) for each in resources}
    return any(
        block.files != lock.checksum({name: listed[name] for name in listed if block.has(owners.get(name, ""))})
        for block in blocks
    )


def _resources(release: Path) -> list[manifests.Found]:
    entries = manifests.kustomization(release / releases.KUSTOMIZATION).get("resources") or ()
    return manifests.ours(file for entry in entries if (file := release / str(entry)).is_file())


def _workflows(found: list[manifests.Found]) -> dict[str, manifests.Found]:
    """Workflows by their name; one whose metadata is no object is the compiler's to refuse."""
    return {
        str(metadata.get("name")): each
        for each in found
        if each.resource["kind"] == digests.KIND and isinstance(metadata := each.resource.get("metadata"), dict)
    }


def _refusal(folder: Path, message: str) -> errors.UserError:
    file = kustomization(folder)
    return errors.UserError([diagnostics.Diagnostic(codes.Code.BAD_RESOURCE, message, str(file or folder))])
