"""Whom launch plans have told of their runs is a place of the domain, and what they ask for can come."""

from __future__ import annotations

from alula_api.contract import durations, notices
from alula_api.contract.codes import Code
from alula_api.contract.graphs.specs import Notification
from alula_api.contract.notices import When
from alula_compiler import problems
from alula_compiler.engines import Engine
from alula_compiler.problems import Report, Subject
from alula_compiler.program import LaunchPlan, Program


def run(program: Program, engine: Engine, report: Report) -> Program:
    """Report what is wrong with notifications."""
    for plan in program.plans:
        subject = problems.of_plan(plan)
        for each in plan.notifications:
            _place(program, each, subject, report)
            _moments(plan, each, subject.at(f"place {each.place}"), report)
    return program


def _place(program: Program, given: Notification, subject: Subject, report: Report) -> None:
    known = program.domain.places
    if known is None:
        return
    if given.place not in known:
        hint = (
            problems.did_you_mean(given.place, list(known)) if known else "have it named in the Domain's notifications"
        )
        report.add(Code.UNKNOWN_PLACE, subject, f"the domain has no place `{given.place}` for notices", hint=hint)
        return
    template = known[given.place]
    if template is not None and (problem := notices.template_problem(template)):
        message = f"the template of the domain's place `{given.place}` {problem}"
        report.add(Code.BAD_NOTICE, subject, message, hint="have it set right in the Domain's notifications")


def _moments(plan: LaunchPlan, given: Notification, subject: Subject, report: Report) -> None:
    for when, name, text in (
        (When.LATE, "lateAfter", given.late_after),
        (When.QUEUED, "queuedFor", given.queued_for),
    ):
        if (when in given.when) != (text is not None):
            message = f"`{name}` and `{when}` go together"
            hint = f"write {name}: 1h beside it" if text is None else f"name {when} in `when`, or drop {name}"
            report.add(Code.BAD_NOTICE, subject, message, hint=hint)
        elif text is not None and durations.seconds(text) < 1:
            report.add(Code.BAD_NOTICE, subject, f"`{name}` is {text}", expected="a second or more")
    if When.LATE in given.when and plan.schedule is None:
        message = "only the runs of a schedule can be late, and the launch plan has none"
        report.add(Code.BAD_NOTICE, subject, message, hint="give it a schedule, or drop Late")
