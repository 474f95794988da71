"""The schedules of launch plans are ones that Argo reads: it would else take the CronWorkflow and never fire."""

from __future__ import annotations

from alula_api.contract.codes import Code
from alula_compiler import crons, engines, ir, reporting


def run(program: ir.Program, settings: engines.Engine, report: reporting.Report) -> ir.Program:
    """Report every cron line that Argo would not read."""
    for plan in program.plans:
        for line in plan.crons:
            wrong = crons.problem(line)
            if wrong:
                report.add(Code.BAD_SCHEDULE, reporting.of_plan(plan), f"{line!r}: {wrong}")
    return program
