"""What was compiled fits into the API server's schema and into a run, and nothing in it is live that should not be.

Called by `compile`. The numbers come with what to do about them: the API server would refuse with less, or a run
would end in Error.
"""

from __future__ import annotations

from collections.abc import Iterable

from alula_api.contract import jsontext, labels
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import SMALLER
from alula_api.contract.graphs.bindings import Constant, Leaf, leaves
from alula_api.contract.graphs.specs import GraphSpec
from alula_compiler import problems
from alula_compiler.argo import texts
from alula_compiler.argo.model import ArgoProgram, Object
from alula_compiler.engines import Engine, Limits
from alula_compiler.problems import Report, Subject
from alula_compiler.program import Program


def check_before(program: Program, engine: Engine, report: Report) -> None:
    """Report what cannot fit, before anything is built of it: a text that stands once in the program, such as a
    graph's default, is written for each call."""
    limits, subject = engine.limits, problems.of_program(program)
    graphs = len(program.graphs)
    if graphs > limits.templates:
        message = f"has {graphs:,} graphs, their variants and pieces included, and must have at most {limits.templates}"
        report.add(Code.TOO_LARGE, subject, message, hint=SMALLER)
    size = sum(_least(graph) for graph in program.graphs)
    if size > limits.spec_bytes:
        message = f"the values and names in its graphs have {size:,} bytes, and the compiled spec must have at most "
        report.add(Code.TOO_LARGE, subject, f"{message}{limits.spec_bytes:,}", hint=SMALLER)


def _least(graph: GraphSpec) -> int:
    """Bytes that a graph needs at least: its ports, nodes, and what it passes to them."""
    size = sum(len(port.name) for port in graph.inputs) + sum(len(output.name) for output in graph.outputs)
    for node in graph.nodes:
        size += len(node.id)
        size += sum(len(name) + sum(map(_text, leaves(binding))) for name, binding in node.inputs)
    return size + sum(sum(map(_text, leaves(output.binding))) for output in graph.outputs)


def _text(leaf: Leaf) -> int:
    return len(leaf.text) if isinstance(leaf, Constant) else 1


def check(made: ArgoProgram, source: str, engine: Engine, report: Report) -> None:
    """Report what is too large or too long, and text that Argo would evaluate; `source` is the workflow's."""
    limits = engine.limits
    for found in made.objects:
        name = found["metadata"]["name"]
        plan = found["metadata"]["labels"].get(labels.LAUNCH_PLAN, "")
        subject = Subject(f"{found['kind']} {name}", source, plan)
        if len(name) > limits.template_name:
            message = f"the name must have at most {limits.template_name} characters, not {len(name)}"
            report.add(Code.BAD_NAME, subject, message, hint="name it explicitly")
        for stray in stray_tags(found)[:3]:
            report.add(Code.BAD_VALUE, subject, f"Argo would evaluate {stray!r}", hint="write it without `{{`")
        if found["kind"] == "WorkflowTemplate":
            _size(found["spec"], len(jsontext.encode(found["spec"]).encode()), limits, subject, report)
            size = len(jsontext.encode(made.plans[name]).encode())
            if size > limits.plan_bytes:
                message = f"the plan of the run has {size:,} bytes, and must have at most {limits.plan_bytes:,}"
                report.add(Code.TOO_LARGE, subject, message, hint=SMALLER)


def stray_tags(found: object) -> list[str]:
    """Return what Argo would evaluate in an object although no live tag of ours stands there, shortened."""
    stray: list[str] = []
    stack: list[Iterable[object]] = [(found,)]
    while stack:
        for part in stack.pop():
            if isinstance(part, str):
                if "{{" in part:
                    stray += texts.stray_tags(part)
            elif isinstance(part, dict):
                stack += (part.keys(), part.values())
            elif isinstance(part, (list, tuple)):
                stack.append(part)
    return stray


def _size(spec: Object, size: int, limits: Limits, subject: Subject, report: Report) -> None:
    templates = spec["templates"]
    if len(templates) > limits.templates:
        message = f"has {len(templates):,} templates (tasks, graphs, pieces of graphs), and must have at most "
        report.add(Code.TOO_LARGE, subject, f"{message}{limits.templates}", hint=SMALLER)
    if size > limits.spec_bytes:
        nodes = sum(len(template["dag"]["tasks"]) for template in templates if "dag" in template)
        message = f"the compiled spec has {size:,} bytes in {nodes:,} nodes, and must have at most "
        report.add(Code.TOO_LARGE, subject, f"{message}{limits.spec_bytes:,}", hint=SMALLER)
    for template in templates:
        for kind in ("inputs", "outputs"):
            count = len(template.get(kind, {}).get("parameters", ()))
            if count > limits.parameters:
                where = subject.at(f"template {template['name']}")
                message = f"has {count:,} {kind}, and must have at most {limits.parameters}"
                report.add(Code.TOO_LARGE, where, message, hint="put values that belong together into a dataclass")
