"""Every edge fits, every constant has its type; constants, defaults and launch plans' values come out in normal form.

The SDK has checked the same when the workflow was traced, but a resource may have been patched or written by hand.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from alula_api.contract import givens, names, references, schemas, values
from alula_api.contract.codes import Code
from alula_api.contract.families import Schema
from alula_api.contract.graphs import calls, comparables, conditions, interfaces
from alula_api.contract.graphs.bindings import Binding, Constant, FirstOf, FromInput, FromNode, Items, Leaf, mapped
from alula_api.contract.graphs.calls import BranchCall, RepeatCall
from alula_api.contract.graphs.specs import GraphSpec, NodeSpec, Port
from alula_compiler import problems, tables
from alula_compiler.engines import Engine
from alula_compiler.problems import Report, Subject
from alula_compiler.program import LaunchPlan, Program


def run(program: Program, engine: Engine, report: Report) -> Program:
    """Report what does not fit; return the program with every written value in the wire form of its type."""
    known = tables.Tables(program)
    whole = problems.of_program(program)
    tasks = []
    for task in program.tasks:
        subject = whole.at(f"task {task.name}")
        tasks.append(dataclasses.replace(task, inputs=tuple(_port(port, subject, report) for port in task.inputs)))
    graphs = tuple(_Graph(program, graph, known, report).checked() for graph in program.graphs)
    main = next((graph for graph in program.graphs if graph.name == names.MAIN), None)
    types = {port.name: port.type for port in main.inputs} if main else {}
    plans = tuple(_plan(plan, types, report) for plan in program.plans)
    return dataclasses.replace(program, tasks=tuple(tasks), graphs=graphs, plans=plans)


class _Graph:
    """The edges of one graph."""

    def __init__(self, program: Program, graph: GraphSpec, known: tables.Tables, report: Report) -> None:
        self.graph, self.known, self.report = graph, known, report
        self.subject = problems.of_graph(program, graph)
        self.nodes = {node.id: node for node in graph.nodes}
        self.inputs = {port.name: port.type for port in graph.inputs}

    def checked(self) -> GraphSpec:
        inputs = tuple(_port(port, self.subject, self.report) for port in self.graph.inputs)
        nodes = tuple(self._node(node) for node in self.graph.nodes)
        outputs = []
        for output in self.graph.outputs:
            subject = self.subject.at(f"output {output.name}")
            binding = self._binding(output.binding, output.type, subject)
            outputs.append(dataclasses.replace(output, binding=binding))
        return dataclasses.replace(self.graph, inputs=inputs, nodes=nodes, outputs=tuple(outputs))

    def _node(self, node: NodeSpec) -> NodeSpec:
        interface = self.known.interfaces.of(node.call)
        if interface is None or not node.inputs:
            return node
        subject = self.subject.at(f"node {node.id}")
        bindings = []
        for name, binding in node.inputs:
            port = interface.inputs.get(name)
            checked = binding if port is None else self._binding(binding, port.type, subject.at(f"input {name}"))
            bindings.append((name, checked))
        self._conditions(node, dict(bindings), subject)
        return dataclasses.replace(node, inputs=tuple(bindings))

    def _conditions(self, node: NodeSpec, inputs: Mapping[str, Binding], subject: Subject) -> None:
        """What a condition compares: of one kind, and read as what it is, because it is published by its own type."""
        types = dict(calls.reads(node.call))
        asked = []
        if isinstance(node.call, BranchCall):
            self._branches(node.call, subject)
            asked = [(f"case {case.name}", case.when) for case in node.call.cases]
        if isinstance(node.call, RepeatCall):
            self._rounds(node.call, subject)
            asked = [("until", node.call.until)]
        for place, condition in asked:
            for message in conditions.problems(condition, types):
                self.report.add(Code.EDGE_TYPE, subject.at(place), message)
        for name in calls.deciding(node.call) if asked else ():
            schema = types[name]
            binding = inputs.get(name)
            where = subject.at(f"input {name}")
            if isinstance(binding, Items | FirstOf):
                self.report.add(Code.UNSUPPORTED_BINDING, where, "a condition must read one source")
            elif isinstance(binding, FromInput | FromNode):
                source = self._behind(binding)
                if source is not None and comparables.kind(source) != comparables.kind(schema):
                    message = f"{_name(binding)} is {schemas.describe(source)}"
                    self.report.add(Code.EDGE_TYPE, where, message, expected=schemas.describe(schema))

    def _rounds(self, call: RepeatCall, subject: Subject) -> None:
        """What a round makes fits the next one, and the condition reads of it what is there."""
        step = self.known.interfaces.of(call.step)
        if step is None:
            return
        for name, output in call.state:
            if name not in step.inputs or output not in step.outputs:
                continue
            target = step.inputs[name].type
            reason = schemas.assignable(step.outputs[output], target)
            if reason is not None:
                message = f"`{name}` of the next round gets the output `{output}`: {reason}"
                self.report.add(Code.EDGE_TYPE, subject, message, expected=schemas.describe(target))
        for each in call.watched:
            if each.output not in step.outputs:
                continue
            where, source = subject.at(f"read {each.name}"), step.outputs[each.output]
            found = schemas.at(source, each.path)
            if isinstance(found, values.Problem):
                message = f"output `{each.output}` is {schemas.describe(source)}: {found}"
                self.report.add(Code.EDGE_TYPE, where, message)
            elif comparables.kind(found) != comparables.kind(each.type):
                message = f"output `{each.output}`, `.{'.'.join(each.path)}`, is {schemas.describe(found)}"
                self.report.add(Code.EDGE_TYPE, where, message, expected=schemas.describe(each.type))

    def _branches(self, call: BranchCall, subject: Subject) -> None:
        """All branches give the same outputs, of one type."""
        names = list(calls.branches(call))
        if len(names) < len(call.cases) + bool(call.otherwise):
            self.report.add(
                Code.BAD_NAME, subject, f"a case must not be called `{calls.ELSE}`: that is the last branch"
            )
        given = {
            name: {output.name: output.type for output in self.known.graphs[graph].outputs}
            for name, graph in calls.branches(call).items()
        }
        first = interfaces.agreed(given.values())
        for name, outputs in given.items():
            if set(outputs) != set(first):
                told = ", ".join(f"`{each}`" for each in outputs) or "none"
                expected = ", ".join(f"`{each}`" for each in first) or "none"
                message = f"branch {name} gives other outputs than the first one: {told}"
                self.report.add(Code.EDGE_TYPE, subject, message, expected=expected)
                continue
            for output, schema in outputs.items():
                if schemas.family(schema) == "never":  # as of a branch that fails
                    continue
                if schemas.assignable(schema, first[output]) or schemas.assignable(first[output], schema):
                    message = f"branch {name} gives `{output}` as {schemas.describe(schema)}"
                    self.report.add(Code.EDGE_TYPE, subject, message, expected=schemas.describe(first[output]))

    def _behind(self, leaf: FromInput | FromNode) -> Schema | None:
        source = self._type(leaf)
        found = schemas.at(source, leaf.path) if source is not None else None
        return None if isinstance(found, values.Problem) else found

    def _binding(self, binding: Binding, target: Schema, subject: Subject) -> Binding:
        if not isinstance(binding, Items):
            return mapped(binding, lambda leaf: self._leaf(leaf, target, subject))
        elements = schemas.items(target, len(binding.leaves))
        if elements is None:
            message = f"a list of {len(binding.leaves)} is given"
            self.report.add(Code.EDGE_TYPE, subject, message, expected=schemas.describe(target))
            return binding
        pairs = enumerate(zip(binding.leaves, elements, strict=True))
        return Items(tuple(self._leaf(leaf, type_, subject.at(f"item {index}")) for index, (leaf, type_) in pairs))

    def _leaf(self, leaf: Leaf, target: Schema, subject: Subject) -> Leaf:
        if isinstance(leaf, Constant):
            return Constant(_normal(leaf.text, target, subject, self.report, Code.BAD_VALUE))
        source = self._type(leaf)
        if source is None:
            return leaf
        if leaf.path:
            behind = schemas.at(source, leaf.path)
            if isinstance(behind, values.Problem):
                message = f"{_name(leaf)} is {schemas.describe(source)}: {behind}"
                self.report.add(Code.EDGE_TYPE, subject, message)
                return leaf
            source = behind
        reason = schemas.assignable(source, target)
        if reason is not None:
            self.report.add(Code.EDGE_TYPE, subject, f"{_name(leaf)}: {reason}", expected=schemas.describe(target))
        return leaf

    def _type(self, leaf: FromInput | FromNode) -> Schema | None:
        """The type of a source; None where `resolve` has already said that there is none."""
        if isinstance(leaf, FromInput):
            return self.inputs.get(leaf.input)
        node = self.nodes.get(leaf.node)
        interface = self.known.interfaces.of(node.call) if node else None
        return interface.outputs.get(leaf.output) if interface else None


def _name(leaf: FromInput | FromNode) -> str:
    start = f"input `{leaf.input}`" if isinstance(leaf, FromInput) else f"output `{leaf.output}` of `{leaf.node}`"
    return f"{start}, `.{'.'.join(leaf.path)}`" if leaf.path else start


def _port(port: Port, subject: Subject, report: Report) -> Port:
    if port.default is None:
        return port
    where = subject.at(f"input {port.name}")
    return dataclasses.replace(port, default=_normal(port.default, port.type, where, report, Code.BAD_DEFAULT))


def _plan(plan: LaunchPlan, types: dict[str, Schema], report: Report) -> LaunchPlan:
    subject = problems.of_plan(plan)

    def normal(given: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        return tuple((name, one(name, text)) for name, text in given)

    def one(name: str, text: str) -> str:
        if name not in types:
            return text
        try:
            return values.dumps(givens.written(text, types[name]))
        except values.InvalidValue as error:
            _explain(error, types[name], subject.at(f"input {name}"), report, Code.BAD_VALUE)
            return text

    return dataclasses.replace(plan, inputs=normal(plan.inputs), fixed=normal(plan.fixed))


def _normal(text: str, schema: Schema, subject: Subject, report: Report, code: Code) -> str:
    """Return the value's one wire form; report what does not fit and return the text as it is."""
    try:
        value = values.parse(text)
        if references.is_envelope(value):
            raise values.InvalidValue(givens.ENVELOPE)
        return values.codec(schema).wire(value)
    except values.InvalidValue as error:
        _explain(error, schema, subject, report, code)
        return text


def _explain(error: values.InvalidValue, schema: Schema, subject: Subject, report: Report, code: Code) -> None:
    what = "the default" if code is Code.BAD_DEFAULT else "the value"
    for problem in error.problems:
        where = f", at {problem.path[1:].lstrip('.')}," if problem.path != "$" else ""
        report.add(code, subject, f"{what}{where} {problem.message}", expected=schemas.describe(schema))
