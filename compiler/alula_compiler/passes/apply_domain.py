"""What the installation says takes effect where the namespace's Domain says nothing."""

from __future__ import annotations

import dataclasses

from alula_compiler.engines import Engine
from alula_compiler.problems import Report
from alula_compiler.program import Domain, Program


def run(program: Program, engine: Engine, report: Report) -> Program:
    """Choose the Secret with the pods' storage keys: the Domain's, else the installation's, else none."""
    return dataclasses.replace(program, domain=Domain(secret=program.domain.secret or engine.secret))
