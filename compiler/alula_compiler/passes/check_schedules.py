"""The schedules of launch plans are ones that the controller's scheduler reads, and that fire at all.

The rules are the contract's; the decorators refuse the same. A time zone is looked up where the resource is read.
"""

from __future__ import annotations

from collections.abc import Iterator

from alula_api.contract import durations, names, schedules, schemas, timetables
from alula_api.contract.codes import Code
from alula_api.contract.graphs import specs
from alula_api.contract.schedules import Wrong
from alula_api.contract.timetables import Form
from alula_compiler import problems
from alula_compiler.engines import Engine
from alula_compiler.problems import Report
from alula_compiler.program import LaunchPlan, Program


def run(program: Program, engine: Engine, report: Report) -> Program:
    """Report everything in a schedule that could not be followed, or would never fire."""
    for plan in program.plans:
        if plan.schedule is None:
            continue
        subject = problems.of_plan(plan)
        for wrong in timetable_problems(plan.schedule, engine.least_interval):
            report.add(Code.BAD_SCHEDULE, subject, wrong.message, hint=wrong.hint)
        if plan.schedule.input is not None:
            _input(program, plan, plan.schedule.input, report)
    return program


def timetable_problems(schedule: specs.Schedule, least: int) -> Iterator[Wrong]:
    """What is wrong with the times of a schedule."""
    if not schedule.cron and schedule.every is None:
        yield Wrong("a schedule needs a cron line or an interval", 'write cron: ["0 2 * * *"], or every: 15m')
    for line in schedule.cron:
        for wrong in schedules.line_problems(line):
            yield Wrong(f"{line!r}: {wrong.message}", wrong.hint)
    if schedule.every is not None and (problem := schedules.interval_problem(schedule.every, least)):
        yield problem
    yield from _bounds(schedule)


def _bounds(schedule: specs.Schedule) -> Iterator[Wrong]:
    moments = []
    for name, text in (("starts", schedule.starts), ("ends", schedule.ends)):
        found = timetables.moment(text) if text is not None else None
        moments.append(found)
        if text is not None and found is None:
            yield Wrong(f"{name}: {text!r} is no instant", "write it as 2026-11-29T02:00:00Z")
    starts, ends = moments
    if starts is not None and ends is not None and starts >= ends:
        yield Wrong(f"starts {schedule.starts} must come before ends {schedule.ends}", "it would never fire")
    if schedule.jitter is not None and durations.seconds(schedule.jitter) > schedules.MAX_JITTER:
        yield Wrong(f"jitter {schedule.jitter} must be a day or less")
    if schedule.within is not None and schedule.catch_up in (None, "None"):
        yield Wrong("within says for how long missed times are caught up with, and none are", "add catchUp: Last")


def _input(program: Program, plan: LaunchPlan, name: str, report: Report) -> None:
    """The scheduled time fits into the input, and nothing else fixes it."""
    subject = problems.of_plan(plan)
    main = program.graph(names.MAIN)
    ports = {port.name: port for port in main.inputs} if main else {}
    if name not in ports:
        message = f"workflow {program.name} has no input `{name}` for the scheduled time"
        report.add(Code.UNKNOWN_INPUT, subject, message, hint=problems.did_you_mean(name, list(ports)))
        return
    if any(name == fixed for fixed, _ in plan.fixed):
        message = f"input `{name}` is fixed, and the scheduled time cannot be put there"
        report.add(Code.FIXED_INPUT, subject, message, hint="drop it from `fixedInputs`, or from the schedule")
    if schemas.family(ports[name].type) not in tuple(Form):
        message = f"input `{name}` ({schemas.describe(ports[name].type)}) cannot hold the scheduled time"
        report.add(Code.BAD_SCHEDULE, subject, message, hint="make it a datetime, a date or a str")
