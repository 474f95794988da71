"""What the commands that emit take from settings and options. Called by `register` and `compile`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from alula import errors, settings
from alula.cli import flags
from alula.emit.resources import Code
from alula_api.contract import codes, diagnostics


def of(path: Path, given: flags.Scan) -> settings.Settings:
    """The settings of the project that `path` belongs to, overruled by `--project` and `--store`."""
    found = settings.load(path)
    return replace(found, project=given.text("project", found.project), store=given.text("store", found.store))


def code(path: Path, image: str = "") -> Code:
    """What the pods run: the given image, else the project's.

    Raises:
        alula.errors.SettingsError: neither is there.
    """
    chosen = image or settings.load(path).image
    if not chosen:
        message = "no image is set: pods must know which one holds the code"
        hint = 'write image = "registry.example.org/project:1.0" under [tool.alula] in pyproject.toml, or give --image'
        raise errors.SettingsError([diagnostics.Diagnostic(codes.Code.BAD_OPTION, message, hint=hint)])
    return Code(chosen)
