"""What a folder with a kustomization becomes: by the user's own kubectl or kustomize, or without them by our own hand.

Nothing is run but `kubectl kustomize FOLDER` or `kustomize build FOLDER`, found beside this Python or on PATH. Where
neither is there, only what `alula register` writes counts: the files of the releases with their blocks of digests, and
plain files; what else a domain's kustomization says is named. Called by `alula compile`.
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
from alula.emit import digests, manifests
from alula_api.contract import codes, diagnostics
from alula_api.kinds import openapi

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
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
    """

    found: list[manifests.Found]
    left_out: tuple[tuple[str, Path], ...] = ()


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
        if _parsed(file).get("kind") != "Component":
            yield path
    elif path.is_dir():
        for below in sorted(path.iterdir()):
            if below.is_dir() and not below.name.startswith("."):
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
    if command is None:
        left_out: list[tuple[str, Path]] = []
        found = [*_plainly(folder, left_out, {folder.resolve()})]
        return Built(found or manifests.read([folder]), tuple(left_out))
    found = manifests.parse(_build(folder, command), folder)
    _check_digests(folder, found)
    return Built(found)


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
    blocks = _blocks(file)
    parsed = _parsed(file)
    left_out += [(field, file) for field in parsed if not _is_followed(field, parsed[field], blocks)]
    for entry in map(str, parsed.get("resources") or ()):
        path = folder / entry
        if path.is_file():
            found = manifests.ours([path])
            yield from (replace(each, resource=digests.applied([each.resource], blocks)[0]) for each in found)
        elif path.is_dir() and kustomization(path) and path.resolve() not in seen:
            seen.add(path.resolve())
            yield from _plainly(path, left_out, seen)
        else:
            left_out.append((f"resource {entry}", file))


def _is_followed(field: str, value: Any, blocks: tuple[digests.Block, ...]) -> bool:
    merge_keys = field == "components" and value == [openapi.COMPONENT]
    return field in PLAIN or merge_keys or (field == "patches" and bool(blocks))


def _blocks(file: Path) -> tuple[digests.Block, ...]:
    """The blocks of digests of a release's kustomization; none of any other."""
    text = file.read_text(encoding="utf-8", errors="replace")
    return digests.read(text, str(file)) if text.startswith("# GENERATED by alula register") else ()


def _check_digests(folder: Path, built: list[manifests.Found]) -> None:
    """Kustomize is silent about a patch that matches nothing."""
    by_name = {str(each.resource["metadata"].get("name")): each.resource for each in built if _is_workflow(each)}
    problems: list[diagnostics.Diagnostic] = []
    for release in [folder, *sorted(folder.glob("release/*/"))]:
        file = kustomization(release)
        if file is None or not (blocks := _blocks(file)):
            continue
        files = {str(each.resource["metadata"].get("name")): each for each in manifests.ours(_listed(file))
                 if _is_workflow(each)}  # fmt: skip
        problems += digests.problems(blocks, files, str(file))
        for name, each in files.items():
            if name in by_name and digests.unreached(each.resource, by_name[name], blocks):
                message = f"what kustomize builds of {folder} has neither image nor bundle of its block in {file}"
                problems.append(diagnostics.Diagnostic(codes.Code.BAD_RESOURCE, message, each.file, f"Workflow {name}"))
    if problems:
        raise errors.UserError(problems)


def _is_workflow(found: manifests.Found) -> bool:
    return found.resource["kind"] == digests.KIND and isinstance(found.resource.get("metadata"), dict)


def _listed(file: Path) -> list[Path]:
    entries = (file.parent / str(entry) for entry in _parsed(file).get("resources") or ())
    return [entry for entry in entries if entry.is_file()]


def _parsed(file: Path) -> dict[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{file}:{mark.line + 1}" if mark is not None else str(file)
        problem = getattr(error, "problem", None) or str(error)
        message = f"not YAML: {problem}"
        raise errors.UserError([diagnostics.Diagnostic(codes.Code.BAD_RESOURCE, message, place)]) from None
    return found if isinstance(found, dict) else {}


def _refusal(folder: Path, message: str) -> errors.UserError:
    file = kustomization(folder)
    return errors.UserError([diagnostics.Diagnostic(codes.Code.BAD_RESOURCE, message, str(file or folder))])
