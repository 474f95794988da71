"""A task's options are ones that its pods can have: a kind that is known, an image, an environment of its own."""

from __future__ import annotations

from collections import Counter

from alula_api.contract import durations, memory, names, pods, quantities
from alula_api.contract.codes import Code
from alula_api.contract.graphs.specs import Affinity, Pod, Resources, TaskSpec
from alula_compiler import problems
from alula_compiler.argo import tasks
from alula_compiler.engines import Engine
from alula_compiler.problems import Report, Subject
from alula_compiler.program import Program


def run(program: Program, engine: Engine, report: Report) -> Program:
    """Report what no pod could be made of."""
    of_store = {pods.Env.ACCESS_KEY, pods.Env.SECRET_KEY} if program.domain.secret else set()
    whole = problems.of_program(program)
    for task in program.tasks:
        subject = whole.at(f"task {task.name}")
        if not names.is_image(task.image or program.image):
            message = f"the image cannot be {task.image or program.image}"
            report.add(Code.BAD_OPTION, subject, message, expected=names.IMAGES)
        _kind(task, subject, report)
        _resources(task, subject, report)
        _timeout(task, subject, report)
        _environment(task, of_store, subject, report)
        _growth(task, subject, report)
        _pod(task.pod or Pod(), subject, report)
    return program


def _kind(task: TaskSpec, subject: Subject, report: Report) -> None:
    if task.kind is None:
        return
    kind = tasks.KINDS.get(task.kind.name)
    if kind is None:
        hint = problems.did_you_mean(task.kind.name, list(tasks.KINDS))
        report.add(Code.BAD_OPTION, subject, f"there is no kind of task `{task.kind.name}`", hint=hint)
    elif wrong := kind.config_problem(task.kind.config):
        report.add(Code.BAD_OPTION, subject, f"the configuration of kind `{task.kind.name}`: {wrong}")


def _resources(task: TaskSpec, subject: Subject, report: Report) -> None:
    if task.resources is None:
        return
    for wrong in quantities.problems(task.resources.requests, task.resources.limits):
        message = f"the resource {wrong.name} cannot be {wrong.value}"
        report.add(Code.BAD_OPTION, subject, message, expected=wrong.expected, hint=wrong.hint)


def _growth(task: TaskSpec, subject: Subject, report: Report) -> None:
    if task.on_oom is None:
        return
    own, growth = task.resources or Resources(), task.on_oom
    what, expected, hint = memory.problem(growth.factor, growth.max, own.requests, own.limits)
    if what:
        shown = {"factor": growth.factor, "max": growth.max, "memory": "there"}[what]
        message = f"onOom cannot be {shown}" if what == "memory" else f"the {what} of onOom cannot be {shown}"
        report.add(Code.BAD_OPTION, subject, message, expected=expected, hint=hint)
    elif not task.budget.system:
        message = "onOom cannot be there: a killed attempt is a loss, and the task's system retries are 0"
        report.add(Code.BAD_OPTION, subject, message, hint="allow system retries, one for each kill")


def _timeout(task: TaskSpec, subject: Subject, report: Report) -> None:
    if task.timeout and durations.seconds(task.timeout) > durations.MAX_TIMEOUT:
        expected = f"at most {durations.MAX_TIMEOUT // 86_400} days"
        report.add(Code.BAD_OPTION, subject, f"the timeout cannot be {task.timeout}", expected=expected)


def _environment(task: TaskSpec, of_store: set[str], subject: Subject, report: Report) -> None:
    written = [each.name for each in task.env] + [each.name for each in task.secrets]
    for name, count in Counter(written).items():
        if count > 1:
            report.add(Code.DUPLICATE_NAME, subject, f"the environment variable `{name}` is set more than once")
        reserved = pods.reserved(name)
        if reserved:
            report.add(Code.BAD_NAME, subject, f"the environment variable `{name}` {reserved}")
        elif name in of_store:
            message = f"the environment variable `{name}` is set for the domain's store"
            report.add(Code.BAD_NAME, subject, message, hint="give the task's own key another name")


def _pod(pod: Pod, subject: Subject, report: Report) -> None:
    """The SDK has checked the same, but a resource may have been patched or written by hand."""
    for what, given in (("label", pod.labels), ("annotation", pod.annotations)):
        for key in given:
            if reserved := pods.reserved_label(key):
                report.add(Code.BAD_NAME, subject, f"the {what} `{key}` of the pod {reserved}")
    affinity = pod.affinity or Affinity()
    for rule in (*affinity.nodes, *affinity.preferred_nodes):
        if expected := pods.rule_problem(rule.operator, rule.values):
            message = f"the rule {rule.operator} for the node's label {rule.key} does not fit its values"
            report.add(Code.BAD_OPTION, subject, message, expected=expected)
    fixed = [mount.path for mount in pod.mounts if mount.is_fixed]
    for mount in pod.mounts:
        if expected := pods.folder_problem(mount.path) or pods.inside_problem(mount.path, fixed):
            report.add(Code.BAD_OPTION, subject, f"nothing can be mounted at {mount.path}", expected=expected)
        if [mount.secret, mount.claim, mount.config_map].count(None) != 2:
            message = f"the mount {mount.path} must have one of secret, claim and configMap"
            report.add(Code.BAD_OPTION, subject, message)
