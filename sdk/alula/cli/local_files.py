"""Puts the files that the user named on the command line into a store. Called when a run's inputs are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alula.cli import input_values, usage
from alula.types.files import commit_file
from alula.types.mismatches import Mismatch
from alula_api.contract import values
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from alula.types.carriers import Carrier


def commit(
    given: Mapping[str, input_values.Given], schemas: Mapping[str, dict[str, Any]], carrier: Carrier
) -> dict[str, Any]:
    """The wire values of inputs, as `inputs.read` gave them, with a reference in place of each file.

    Raises:
        UsageError: A table or a folder cannot be stored; with all such inputs.
    """
    found: dict[str, Any] = {}
    problems: list[Diagnostic] = []
    for name, value in given.items():
        try:
            found[name] = _referring(value, schemas[name], carrier)
        except Mismatch as mismatch:
            flag = f"--{name.replace('_', '-')}"
            problems += [
                Diagnostic(Code.BAD_VALUE, f"{flag}: {flaw.message}", hint=flaw.hint) for flaw in mismatch.flaws
            ]
    if problems:
        raise usage.UsageError(problems)
    return found


def _referring(given: input_values.Given, schema: dict[str, Any], carrier: Carrier) -> Any:
    if not input_values.holds_files(given):
        return given
    # Anew, because a set of files is in the order of their references.
    return values.codec(schema).normal(input_values.substitute(given, lambda file: _commit(file, carrier)))


def _commit(file: input_values.LocalFile, carrier: Carrier) -> dict[str, Any]:
    if file.type == "frame" and file.path.suffix != ".parquet":
        return _table(file, carrier)
    name = "frame.parquet" if file.type == "frame" else file.path.name
    return commit_file(file.path, carrier, type=file.type, name=name, format=file.format).to_json()


def _table(file: input_values.LocalFile, carrier: Carrier) -> dict[str, Any]:
    """A table that is not parquet yet."""
    from alula.types import frames

    separator = "\t" if file.path.suffix == ".tsv" else ","
    found: dict[str, Any] = frames.commit_text(file.path, separator, carrier)
    return found
