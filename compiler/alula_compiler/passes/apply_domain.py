"""What the namespace's Domain says takes the place of what the installation says."""

from __future__ import annotations

import dataclasses

from alula_compiler import engines, problems
from alula_compiler import program as ir


def run(program: ir.Program, settings: engines.Engine, report: problems.Report) -> ir.Program:
    """Choose the Secret with the pods' storage keys: the Domain's, else the installation's, else none."""
    return dataclasses.replace(program, storage=ir.Storage(secret=program.domain.secret or settings.secret))
