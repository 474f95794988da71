"""Reads resources back from files: a release folder, a domain's folder, single YAML or JSON files.

Called by `alula compile`. Only the kinds of alula are taken; kustomizations, locks and other people's objects are not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from alula import errors
from alula_api import kinds
from alula_api.contract import codes, diagnostics

GROUP = "alula.dev/"


def read(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Every resource of alula in these files and folders, as it stands there.

    Raises:
        alula.errors.UserError: a file is not there, is not YAML, or none of them holds a resource.
    """
    files = [file for path in paths for file in _files(path)]
    found = [resource for file in files for resource in _objects(file) if _is_ours(resource)]
    if not found:
        names = ", ".join(str(file) for file in files) or "no files"
        message = f"no resource of alula is in {names}"
        raise _problem(codes.Code.NOT_FOUND, message, hint="name a folder that `alula register` wrote")
    return found


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.suffix in {".yaml", ".yml"})
    else:
        raise _problem(codes.Code.NOT_FOUND, f"there is no file or folder {path}")


def _objects(file: Path) -> Iterator[dict[str, Any]]:
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".json":
        parsed = [json.loads(text)]
    else:
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            parsed = [*yaml.load_all(text, loader)]
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f":{mark.line + 1}" if mark is not None else ""
            problem = getattr(error, "problem", None) or str(error)
            raise _problem(codes.Code.BAD_RESOURCE, f"not YAML: {problem}", source=f"{file}{line}") from None
    yield from (each for each in parsed if isinstance(each, dict))


def _is_ours(resource: dict[str, Any]) -> bool:
    return str(resource.get("apiVersion", "")).startswith(GROUP) and resource.get("kind") in kinds.KINDS


def _problem(code: codes.Code, message: str, *, source: str = "", hint: str = "") -> errors.UserError:
    return errors.UserError([diagnostics.Diagnostic(code, message, source=source, hint=hint)])
