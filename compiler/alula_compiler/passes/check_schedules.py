"""The schedules of launch plans are ones that Argo reads: otherwise 4.0 and 4.1 take the CronWorkflow and never fire.

The rules are the contract's; the decorators refuse the same. A resource that was written by hand may also have an
interval, which Argo reads.
"""

from __future__ import annotations

import re

from alula_api.contract import schedules
from alula_api.contract.codes import Code
from alula_compiler import problems
from alula_compiler.engines import Engine
from alula_compiler.problems import Report
from alula_compiler.program import Program

_EVERY = re.compile(r"@every ([0-9]{1,9}(s|m|h))+")


def run(program: Program, engine: Engine, report: Report) -> Program:
    """Report every cron line that Argo would not read, or would never fire."""
    for plan in program.plans:
        for line in plan.crons:
            for wrong in problems_of(line):
                report.add(Code.BAD_SCHEDULE, problems.of_plan(plan), f"{line!r}: {wrong.message}", hint=wrong.hint)
    return program


def problems_of(line: str) -> list[schedules.Wrong]:
    """Return what is wrong with a cron line of a resource."""
    return [] if _EVERY.fullmatch(line) else schedules.line_problems(line)
