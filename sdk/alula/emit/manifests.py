"""Reads resources back from files: a release folder, a domain's folder, single YAML or JSON files.

Called by `alula compile`, and by all that reads a gitops repository. Only the kinds of alula are taken; kustomizations,
locks and other people's objects are not.
"""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alula import errors
from alula_api.contract import codes, diagnostics, names

SUFFIXES = frozenset({".yaml", ".yml"})
"""Of files in folders; a file that is named may have any."""


@dataclass(frozen=True)
class Found:
    """A resource as it stands in a file, whatever is wrong with it."""

    resource: dict[str, Any]
    file: str = ""


def read(paths: Iterable[Path]) -> list[Found]:
    """Every resource of alula in these files and folders, as it stands there.

    Raises:
        alula.errors.UserError: a file is not there, is not YAML, or none of them holds a resource.
    """
    files = [file for path in paths for file in _files(path)]
    found = ours(files)
    if not found:
        looked_at = ", ".join(str(file) for file in files) or "no files"
        message = f"no resource of alula is in {looked_at}"
        raise _problem(codes.Code.NOT_FOUND, message, hint="name a folder that `alula register` wrote")
    return found


def ours(files: Iterable[Path]) -> list[Found]:
    """Every resource of alula in these files, if there is any.

    Raises:
        alula.errors.UserError: a file is not YAML.
    """
    return [Found(resource, str(file)) for file in files for resource in _objects(file) if _is_ours(resource, file)]


def parse(text: str, folder: Path) -> list[Found]:
    """The resources of alula in what was built of a folder, each with the file below it that it comes from.

    Raises:
        alula.errors.UserError: there is none.
    """
    places: dict[tuple[Any, Any], str] = {}
    for file in _files(folder):
        with contextlib.suppress(errors.UserError):  # a patch, or something that is no resource
            for each in _objects(file):
                places.setdefault(_identity(each), str(file))
    built = [each for each in documents(text, str(folder)) if isinstance(each, dict)]
    found = [Found(each, places.get(_identity(each), str(folder))) for each in built if _is_ours(each, folder)]
    if not found:
        message = f"no resource of alula is in what kustomize builds of {folder}"
        raise _problem(codes.Code.NOT_FOUND, message, hint="name a folder that `alula register` wrote")
    return found


def _identity(resource: dict[str, Any]) -> tuple[Any, Any]:
    metadata = resource.get("metadata")
    return str(resource.get("kind")), str(metadata.get("name")) if isinstance(metadata, dict) else ""


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES)
    else:
        raise _problem(codes.Code.NOT_FOUND, f"there is no file or folder {path}")


def _objects(file: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file; what `kubectl get -o yaml` prints is a list of them in one object."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise _unreadable(file, "it is not text in UTF-8") from None
    except OSError as error:
        raise _unreadable(file, error.strerror or str(error)) from None
    try:
        parsed = _json(text, file) if file.suffix == ".json" else documents(text, str(file))
    except RecursionError:
        raise _unreadable(file, "it is nested too deep") from None
    for each in parsed:
        if isinstance(each, dict) and each.get("kind") == "List" and isinstance(each.get("items"), list):
            yield from (item for item in each["items"] if isinstance(item, dict))
        elif isinstance(each, dict):
            yield each


def _json(text: str, file: Path) -> list[Any]:
    try:
        return [json.loads(text)]
    except json.JSONDecodeError as error:
        raise _problem(
            codes.Code.BAD_RESOURCE,
            f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}",
            source=f"{file}:{error.lineno}",
        ) from None


def documents(text: str, place: str) -> list[Any]:
    """The documents of some YAML, which are not to be changed: equal texts share them.

    Raises:
        alula.errors.UserError: it is none; says where in `place`.
    """
    import yaml

    try:
        return [*_loaded(text)]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error)
        raise _problem(codes.Code.BAD_RESOURCE, f"not YAML: {problem}", source=f"{place}{line}") from None
    except (ValueError, TypeError) as error:  # such as a date that is none, or a list as a key
        raise _problem(codes.Code.BAD_RESOURCE, f"not YAML: {error}", source=place) from None


@functools.lru_cache(maxsize=1024)
def _loaded(text: str) -> tuple[Any, ...]:
    """Each file of a release is asked for several times, and is the same in several domains."""
    import yaml

    return tuple(yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def kustomization(file: Path) -> dict[str, Any]:
    """What a kustomization says; empty when it is no object.

    Raises:
        alula.errors.UserError: it is not YAML.
    """
    found = documents(file.read_text(encoding="utf-8", errors="replace"), str(file))
    return found[0] if found and isinstance(found[0], dict) else {}


def _is_ours(resource: dict[str, Any], file: Path) -> bool:
    """Whether it is of our group; then its kind must be one that there is."""
    if not str(resource.get("apiVersion", "")).startswith(f"{names.GROUP}/"):
        return False
    kind = resource.get("kind")
    if isinstance(kind, str) and kind in names.KINDS:
        return True
    hint = diagnostics.did_you_mean(str(kind), names.KINDS, f"there are {', '.join(names.KINDS)}", str)
    message = f"kind: there is no kind {kind!r} in {resource['apiVersion']}"
    raise _problem(codes.Code.BAD_RESOURCE, message, source=str(file), hint=hint)


def _unreadable(file: Path, why: str) -> errors.UserError:
    return _problem(codes.Code.BAD_RESOURCE, f"it cannot be read: {why}", source=str(file))


def _problem(code: codes.Code, message: str, *, source: str = "", hint: str = "") -> errors.UserError:
    return errors.UserError([diagnostics.Diagnostic(code, message, source=source, hint=hint)])
