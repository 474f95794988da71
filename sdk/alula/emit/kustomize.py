"""What a folder with a kustomization becomes, by the user's own kubectl or kustomize. Called by `alula compile`.

Nothing is run but `kubectl kustomize FOLDER` or `kustomize build FOLDER`, found beside this Python or on PATH.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from alula import errors
from alula_api.contract import codes, diagnostics

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""What kustomize calls its file."""
PLAIN = frozenset({"apiVersion", "kind", "metadata", "namespace", "resources", "openapi"})
"""Fields that leave resources as they are."""
SECONDS = 120


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


def build(folder: Path, command: list[str]) -> str:
    """The resources of `folder` as YAML, patches applied.

    Raises:
        alula.errors.UserError: kustomize refuses, in its own words.
    """
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


def ignored(file: Path) -> list[str]:
    """What of a kustomization is lost when the release beside it is read without kustomize, in words."""
    import yaml

    try:
        found: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return ["everything in it, which is not YAML"]
    if not isinstance(found, dict):
        return []
    lost = [str(field) for field in found if field not in PLAIN]
    if (file.parent / "release").is_dir():
        listed = found.get("resources")
        others = [each for each in listed if each != "release"] if isinstance(listed, list) else []
        lost += [f"resource {each}" for each in others]
    return lost


def _refusal(folder: Path, message: str) -> errors.UserError:
    file = kustomization(folder)
    return errors.UserError([diagnostics.Diagnostic(codes.Code.BAD_RESOURCE, message, str(file or folder))])
