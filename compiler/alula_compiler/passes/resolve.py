"""Every name leads somewhere: tasks, graphs, nodes, inputs, outputs, and the inputs of launch plans.

Later passes look names up without asking, so nothing that this pass refuses may reach them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from alula_api.contract import names
from alula_api.contract.codes import Code
from alula_api.contract.graphs import calls
from alula_api.contract.graphs.bindings import Binding, FromInput, FromNode, leaves
from alula_api.contract.graphs.calls import GraphCall, MapCall, RepeatCall, TaskCall
from alula_api.contract.graphs.interfaces import Interface
from alula_api.contract.graphs.specs import GraphSpec, NodeSpec
from alula_compiler import problems, tables
from alula_compiler.engines import Engine
from alula_compiler.problems import Report, Subject
from alula_compiler.program import LaunchPlan, Program


def run(program: Program, engine: Engine, report: Report) -> Program:
    """Report every name that leads nowhere, with the nearest one that does."""
    known = tables.Tables(program)
    whole = problems.of_program(program)
    if names.MAIN not in known.graphs:
        hint = problems.did_you_mean(names.MAIN, list(known.graphs))
        report.add(Code.UNKNOWN_GRAPH, whole, "there is no graph `main`, with which a run starts", hint=hint)
    for graph in program.graphs:
        _Graph(program, graph, known, report).check()
    for plan in program.plans:
        _plan(program, plan, report)
    return program


class _Graph:
    """The names inside one graph."""

    def __init__(self, program: Program, graph: GraphSpec, known: tables.Tables, report: Report) -> None:
        self.graph, self.known, self.report = graph, known, report
        self.subject = problems.of_graph(program, graph)
        self.nodes = {node.id: node for node in graph.nodes}
        self.inputs = {port.name for port in graph.inputs}

    def check(self) -> None:
        for node in self.graph.nodes:
            subject = self.subject.at(f"node {node.id}")
            self._target(node, subject)
            for name, binding in node.inputs:
                self._binding(binding, subject.at(f"input {name}"))
            for after in node.after:
                if after not in self.nodes:
                    self._unknown_node(after, subject)
        for output in self.graph.outputs:
            self._binding(output.binding, self.subject.at(f"output {output.name}"))

    def _target(self, node: NodeSpec, subject: Subject) -> None:
        interface = self.known.interfaces.of(node.call)
        if interface is None:
            self._missing("task", Code.UNKNOWN_TASK, calls.tasks(node.call), self.known.tasks, subject)
            self._missing("graph", Code.UNKNOWN_GRAPH, calls.graphs(node.call), self.known.graphs, subject)
            return
        what = calls.described(node.call)
        if isinstance(node.call, MapCall):
            self._map(node, node.call, subject)
        if isinstance(node.call, RepeatCall):
            self._repeat(node.call, subject)
        given = {name for name, _ in node.inputs}
        for name, _ in node.inputs:
            if name not in interface.inputs:
                hint = problems.did_you_mean(name, list(interface.inputs))
                self.report.add(Code.UNKNOWN_INPUT, subject, f"{what} has no input `{name}`", hint=hint)
        for name, port in interface.inputs.items():
            if name not in given and port.default is None:
                self.report.add(Code.MISSING_INPUT, subject, f"input `{name}` of {what} must be given")

    def _map(self, node: NodeSpec, call: MapCall, subject: Subject) -> None:
        """A map's lists and outputs are ones that its item has; a list has no default."""
        item = self.known.interfaces.of(call.item)
        if item is None:
            return
        for name in call.over:
            if name not in item.inputs:
                hint = problems.did_you_mean(name, list(item.inputs))
                message = f"it goes over `{name}`, and {calls.described(call.item)} has no such input"
                self.report.add(Code.UNKNOWN_INPUT, subject, message, hint=hint)
        self._outputs(call.item, call.outputs, item, subject)
        if call.batch is not None and isinstance(call.item, GraphCall):
            hint = "leave it out, or map the tasks inside the graph"
            message = "`batch` is for tasks: those of a graph have pods of their own"
            self.report.add(Code.BAD_VALUE, subject, message, hint=hint)
        if call.batch is None and call.parallel != 1:
            message = "`parallel` says how many items of a batch run at one time, and there is no `batch`"
            self.report.add(Code.BAD_VALUE, subject, message, hint="give a `batch` too, or use `concurrency`")

    def _repeat(self, call: RepeatCall, subject: Subject) -> None:
        """What a repeat passes from round to round is of its step; what only its condition reads is not."""
        step = self.known.interfaces.of(call.step)
        if step is None:
            return
        for name, _ in call.state:
            if name not in step.inputs:
                hint = problems.did_you_mean(name, list(step.inputs))
                message = f"it feeds `{name}`, and {calls.described(call.step)} has no such input"
                self.report.add(Code.UNKNOWN_INPUT, subject, message, hint=hint)
        for name in call.own:
            if name in step.inputs:
                message = f"its condition reads `{name}`, which is an input of {calls.described(call.step)} too"
                self.report.add(Code.BAD_NAME, subject, message, hint="give what the condition reads another name")
        self._outputs(call.step, call.outputs, step, subject)

    def _outputs(
        self, run: TaskCall | GraphCall, outputs: Iterable[str], interface: Interface, subject: Subject
    ) -> None:
        for name in outputs:
            if name not in interface.outputs:
                hint = problems.did_you_mean(name, list(interface.outputs))
                message = f"{calls.described(run)} has no output `{name}`"
                self.report.add(Code.UNKNOWN_OUTPUT, subject, message, hint=hint)

    def _missing(
        self, kind: str, code: Code, called: Iterable[str], known: Mapping[str, object], subject: Subject
    ) -> None:
        for name in called:
            if name not in known:
                hint = problems.did_you_mean(name, list(known))
                self.report.add(code, subject, f"there is no {kind} `{name}`", hint=hint)

    def _binding(self, binding: Binding, subject: Subject) -> None:
        for leaf in leaves(binding):
            if isinstance(leaf, FromInput) and leaf.input not in self.inputs:
                hint = problems.did_you_mean(leaf.input, sorted(self.inputs))
                self.report.add(Code.UNKNOWN_INPUT, subject, f"there is no input `{leaf.input}`", hint=hint)
            if isinstance(leaf, FromNode):
                self._source(leaf, subject)

    def _source(self, leaf: FromNode, subject: Subject) -> None:
        node = self.nodes.get(leaf.node)
        if node is None:
            self._unknown_node(leaf.node, subject)
            return
        interface = self.known.interfaces.of(node.call)
        if interface is not None and leaf.output not in interface.outputs:
            hint = problems.did_you_mean(leaf.output, list(interface.outputs))
            message = f"node `{leaf.node}` has no output `{leaf.output}`"
            self.report.add(Code.UNKNOWN_OUTPUT, subject, message, hint=hint)

    def _unknown_node(self, name: str, subject: Subject) -> None:
        hint = problems.did_you_mean(name, list(self.nodes))
        self.report.add(Code.UNKNOWN_NODE, subject, f"there is no node `{name}`", hint=hint)


def _plan(program: Program, plan: LaunchPlan, report: Report) -> None:
    subject = problems.of_plan(plan)
    if plan.workflow != program.name:
        message = f"is of workflow `{plan.workflow}`, not of `{program.name}`"
        report.add(Code.UNKNOWN_WORKFLOW, subject, message, hint=problems.did_you_mean(plan.workflow, [program.name]))
        return
    main = program.graph(names.MAIN)
    ports = {port.name: port for port in main.inputs} if main else {}
    given = Counter(name for name, _ in (*plan.inputs, *plan.fixed))
    for name, count in given.items():
        if name not in ports:
            hint = problems.did_you_mean(name, list(ports))
            message = f"workflow {program.name} has no input `{name}`"
            report.add(Code.UNKNOWN_INPUT, subject, message, hint=hint)
        elif count > 1:
            report.add(
                Code.FIXED_INPUT, subject, f"input `{name}` must be in `inputs` or in `fixedInputs`, not in both"
            )
    if plan.schedule is not None:
        for name, port in ports.items():
            if name not in given and port.default is None and name != plan.schedule.input:
                message = f"input `{name}` must be given, because the schedule starts runs without asking for it"
                report.add(Code.MISSING_INPUT, subject, message)
