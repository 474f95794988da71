"""What launch plans wait for beside their schedules is something that can come, and that they do not bring about."""

from __future__ import annotations

from alula_api.contract import events, names, triggers
from alula_api.contract.codes import Code
from alula_api.contract.graphs import specs
from alula_api.contract.problems import InvalidValue
from alula_api.contract.triggers import When
from alula_compiler import problems
from alula_compiler.engines import Engine
from alula_compiler.problems import Report, Subject
from alula_compiler.program import LaunchPlan, Program


def run(program: Program, engine: Engine, report: Report) -> Program:
    """Report what is wrong with triggers."""
    for plan in program.plans:
        if plan.trigger is not None:
            subject = problems.of_plan(plan)
            _what(plan, plan.trigger, subject, report)
            if plan.trigger.domain:
                _elsewhere(program, plan.trigger, plan.trigger.domain, subject, report)
            if plan.trigger.event is not None:
                _event(plan.trigger.event, subject, report)
            _inputs(program, plan, plan.trigger, subject, report)
    return program


def _what(plan: LaunchPlan, trigger: specs.Trigger, subject: Subject, report: Report) -> None:
    after = [each for each in (trigger.launch_plan, trigger.workflow) if each]
    if not after and not trigger.release and trigger.event is None:
        message = "a trigger waits for nothing"
        hint = "name a launchPlan, a workflow or an event, or write release: true"
        report.add(Code.BAD_TRIGGER, subject, message, hint=hint)
    if trigger.event is not None and (after or trigger.release or trigger.inputs):
        message = "a trigger waits for events or for something else"
        report.add(Code.BAD_TRIGGER, subject, message, hint="keep `event`, or what stands beside it")
    if len(after) > 1:
        message = "a trigger waits for runs of a launch plan or of a workflow"
        report.add(Code.BAD_TRIGGER, subject, message, hint="name one of them")
    if not trigger.domain and (trigger.launch_plan == plan.name or trigger.workflow == plan.workflow):
        message = f"launch plan {plan.name} waits for its own runs, so it would never stop"
        report.add(Code.BAD_TRIGGER, subject, message, hint="name another launch plan or workflow")


def _elsewhere(program: Program, trigger: specs.Trigger, domain: str, subject: Subject, report: Report) -> None:
    """Runs of another domain: only of one that is listed, and no stored data of theirs."""
    if not (trigger.launch_plan or trigger.workflow) or trigger.release or trigger.event is not None:
        message = "`trigger.domain` says whose runs of a launch plan or workflow are waited for, and nothing else"
        report.add(Code.BAD_TRIGGER, subject, message, hint="drop domain, or name a launchPlan or a workflow alone")
        return
    if program.domain.trusted is not None and (wrong := triggers.unlisted(domain, program.domain.trusted)):
        report.add(Code.BAD_TRIGGER, subject, wrong[0], hint=wrong[1])
    main = program.graph(names.MAIN)
    types = {port.name: port.type for port in main.inputs} if main else {}
    for each in trigger.inputs:
        if each.name in types and (wrong := triggers.not_inline(each.name, types[each.name], domain)):
            report.add(Code.BAD_TRIGGER, subject, wrong[0], hint=wrong[1])


def _event(event: specs.TriggerEvent, subject: Subject, report: Report) -> None:
    if event.delivery and event.delivery_header:
        message = "an event that is sent twice is known by a part of its payload or by a header"
        report.add(Code.BAD_TRIGGER, subject, message, hint="keep delivery or deliveryHeader")
    for each in event.where:
        for text in each.values:
            try:
                events.wanted(text)
            except InvalidValue as error:
                message = f"a value that {each.path} is compared with {error.problems[0].message}"
                report.add(Code.BAD_TRIGGER, subject, message)


def _inputs(program: Program, plan: LaunchPlan, trigger: specs.Trigger, subject: Subject, report: Report) -> None:
    main = program.graph(names.MAIN)
    ports = main.inputs if main else ()
    known = [port.name for port in ports]
    fixed = {name for name, _ in plan.fixed}
    if trigger.inputs and (trigger.when or When.SUCCEEDED) != When.SUCCEEDED:
        message = "a run that failed has no outputs, so none can be passed"
        report.add(Code.BAD_TRIGGER, subject, message, hint="drop inputs, or write when: Succeeded")
    if trigger.inputs and trigger.release:
        message = "a release has no outputs, so none can be passed"
        report.add(Code.BAD_TRIGGER, subject, message, hint="drop inputs, or release")
    mapped = [each.name for each in trigger.inputs]
    mapped += [each.name for each in trigger.event.inputs] if trigger.event else []
    for name in mapped:
        if name not in known:
            message = f"workflow {program.name} has no input `{name}`"
            report.add(Code.UNKNOWN_INPUT, subject, message, hint=problems.did_you_mean(name, known))
        elif name in fixed:
            what = "a part of an event" if trigger.event else "an output"
            message = f"input `{name}` is fixed, and {what} cannot be put there"
            report.add(Code.FIXED_INPUT, subject, message, hint="drop it from `fixedInputs`, or from the trigger")
    given = {*fixed, *(name for name, _ in plan.inputs), *mapped}
    for port in ports:
        if port.default is None and port.name not in given:
            message = f"input `{port.name}` must be given, because the trigger starts runs without asking for it"
            report.add(Code.MISSING_INPUT, subject, message)
