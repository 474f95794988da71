"""A task stays within what its domain allows: its resources and its time, its image, and its pool."""

from __future__ import annotations

from alula_api.contract import durations, memory, quantities
from alula_api.contract.codes import Code
from alula_api.contract.graphs.specs import Pod, TaskSpec
from alula_compiler import problems
from alula_compiler.argo import pods
from alula_compiler.engines import Engine
from alula_compiler.problems import Report, Subject
from alula_compiler.program import Domain, Program

_CHANGE = "ask for less, or have the Domain's taskLimits raised"


def run(program: Program, engine: Engine, report: Report) -> Program:
    """Report what the Domain does not allow, with its defaults in effect."""
    whole = problems.of_program(program)
    for task in program.tasks:
        subject = whole.at(f"task {task.name}")
        _resources(task, program.domain, subject, report)
        _quota(task, program.domain, subject, report)
        _timeout(task, program.domain, subject, report)
        _pod(task, program.domain, subject, report)
        _image(task.image or program.image, program.domain, subject, report)
        _pool(task.pool, program.domain, subject, report)
    return program


def _resources(task: TaskSpec, domain: Domain, subject: Subject, report: Report) -> None:
    own = task.most
    for name, most in domain.most.items():
        texts = dict.fromkeys(side[name] for side in (own.requests, own.limits) if name in side)
        if not texts and name in (quantities.CPU, memory.MEMORY):
            message = f"the task names no {name}, of which this domain allows {most}"
            report.add(Code.OVER_LIMIT, subject, message, hint=f"request {name}, or set the Domain's taskDefaults")
        elif texts and name == memory.MEMORY and name not in own.limits:
            message = f"the task names no limit of memory, of which this domain allows {most}"
            report.add(Code.OVER_LIMIT, subject, message, hint="give it one: without it a request bounds nothing")
        for text in texts:
            amount, bound = quantities.amount(text), quantities.amount(most)
            if amount is not None and bound is not None and amount > bound:
                message = f"the task takes {text} of {name}, and this domain allows {most}"
                report.add(Code.OVER_LIMIT, subject, message, expected=f"at most {most}", hint=_CHANGE)


def _quota(task: TaskSpec, domain: Domain, subject: Subject, report: Report) -> None:
    """One pod that is beyond the ResourceQuota is refused for ever, and Argo tries it for ever."""
    own = task.most
    asked = {"requests": {**own.limits, **own.requests}, "limits": own.limits}  # as Kubernetes fills in requests
    for name, hard in domain.hard.items():
        side, dot, resource = name.partition(".")
        if not dot or side not in asked:
            side, resource = "requests", name
        need = quantities.amount(asked[side].get(resource, "0")) or 0
        argos = quantities.amount(pods.EXECUTOR[side].get(resource, "0")) or 0
        most = quantities.amount(hard)
        if need and most is not None and need + argos > most:
            whole = quantities.text(resource, need + argos)
            message = f"the task's pod takes {whole} of {name}, and the domain's ResourceQuota holds {hard} in all"
            hint = "ask for less, or have the quota of the Domain's guards raised"
            report.add(Code.OVER_LIMIT, subject, f"{message}: it could never start", hint=hint)


def _timeout(task: TaskSpec, domain: Domain, subject: Subject, report: Report) -> None:
    if domain.longest is None:
        return
    if task.timeout is None:
        message = f"the task has no timeout, and this domain allows {domain.longest}"
        report.add(Code.OVER_LIMIT, subject, message, hint="give it one, or set the Domain's taskDefaults")
    elif durations.seconds(task.timeout) > durations.seconds(domain.longest):
        message = f"the timeout is {task.timeout}, and this domain allows {domain.longest}"
        report.add(Code.OVER_LIMIT, subject, message, expected=f"at most {domain.longest}", hint=_CHANGE)


def _pod(task: TaskSpec, domain: Domain, subject: Subject, report: Report) -> None:
    pod = task.pod or Pod()
    said = {
        "NodeSelector": pod.node_selector,
        "Tolerations": pod.tolerations,
        "Affinity": pod.affinity,
        "PriorityClass": pod.priority_class,
        "ServiceAccount": pod.service_account,
        "Labels": pod.labels,
        "Annotations": pod.annotations,
        "SharedMemory": pod.shared_memory,
        "Secrets": [mount for mount in pod.mounts if mount.secret],
        "Claims": [mount for mount in pod.mounts if mount.claim],
        "ConfigMaps": [mount for mount in pod.mounts if mount.config_map],
    }
    for setting in domain.forbidden:
        if said[setting]:
            message = f"the task says {setting} of its pod, which this domain forbids"
            hint = "leave it out, or have it taken from the Domain's taskLimits.forbid"
            report.add(Code.OVER_LIMIT, subject, message, hint=hint)


def _image(image: str, domain: Domain, subject: Subject, report: Report) -> None:
    if domain.images and not any(_begins(image, allowed) for allowed in domain.images):
        listed = ", ".join(domain.images)
        message = f"the image {image} is none that this domain allows"
        report.add(Code.IMAGE_NOT_ALLOWED, subject, message, expected=f"an image of {listed}")
    if domain.digests and "@sha256:" not in image:
        message = f"the image {image} has no digest"
        hint = "name it as NAME@sha256:..., as `alula register --image` takes it"
        report.add(Code.IMAGE_NOT_ALLOWED, subject, message, expected="an image by its digest", hint=hint)


def _pool(pool: str | None, domain: Domain, subject: Subject, report: Report) -> None:
    if pool is None or domain.pools is None or pool in domain.pools:
        return
    hint = problems.did_you_mean(pool, list(domain.pools)) if domain.pools else "have it named in the Domain's pools"
    report.add(Code.UNKNOWN_POOL, subject, f"the domain has no pool `{pool}`", hint=hint)


def _begins(image: str, allowed: str) -> bool:
    """Whether the name begins so, up to a part's end: `ghcr.io/acme` is not `ghcr.io/acme-evil`."""
    rest = image.removeprefix(allowed)
    return rest != image and (not rest or allowed.endswith("/") or rest[0] in "/:@")
