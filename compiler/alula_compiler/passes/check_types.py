"""Every edge fits, every constant has its type; constants, defaults and launch plans' values come out in normal form.

The SDK has checked the same when the workflow was traced, but a resource may have been patched or written by hand.
"""

from __future__ import annotations

import dataclasses

from alula_api.contract import givens, references, schemas, values
from alula_api.contract.codes import Code
from alula_compiler import engines, problems, tables
from alula_compiler import program as ir


def run(program: ir.Program, settings: engines.Engine, report: problems.Report) -> ir.Program:
    """Report what does not fit; return the program with every written value in the wire form of its type."""
    known = tables.Tables(program)
    whole = problems.of_program(program)
    tasks = []
    for task in program.tasks:
        place = whole.at(f"task {task.name}", task.source)
        tasks.append(dataclasses.replace(task, inputs=tuple(_port(port, place, report) for port in task.inputs)))
    graphs = tuple(_Graph(program, graph, known, report).checked() for graph in program.graphs)
    main = next((graph for graph in program.graphs if graph.name == ir.MAIN), None)
    types = {port.name: port.type for port in main.inputs} if main else {}
    plans = tuple(_plan(plan, types, report) for plan in program.plans)
    return dataclasses.replace(program, tasks=tuple(tasks), graphs=graphs, plans=plans)


class _Graph:
    """The edges of one graph."""

    def __init__(self, program: ir.Program, graph: ir.Graph, known: tables.Tables, report: problems.Report) -> None:
        self.graph, self.known, self.report = graph, known, report
        self.place = problems.of_graph(program, graph)
        self.nodes = {node.id: node for node in graph.nodes}
        self.inputs = {port.name: port.type for port in graph.inputs}

    def checked(self) -> ir.Graph:
        inputs = tuple(_port(port, self.place, self.report) for port in self.graph.inputs)
        nodes = tuple(self._node(node) for node in self.graph.nodes)
        outputs = []
        for output in self.graph.outputs:
            place = self.place.at(f"output {output.name}")
            binding = self._binding(output.binding, output.type, place)
            outputs.append(dataclasses.replace(output, binding=binding))
        return dataclasses.replace(self.graph, inputs=inputs, nodes=nodes, outputs=tuple(outputs))

    def _node(self, node: ir.Node) -> ir.Node:
        interface = self.known.interface(node)
        if interface is None or not node.inputs:
            return node
        place = self.place.at(f"node {node.id}", node.source)
        bindings = []
        for name, binding in node.inputs:
            port = interface.inputs.get(name)
            checked = binding if port is None else self._binding(binding, port.type, place.at(f"input {name}"))
            bindings.append((name, checked))
        return dataclasses.replace(node, inputs=tuple(bindings))

    def _binding(self, binding: ir.Binding, target: ir.Schema, place: problems.Place) -> ir.Binding:
        if not isinstance(binding, ir.Items):
            return self._leaf(binding, target, place)
        elements = schemas.items(target, len(binding.leaves))
        if elements is None:
            message = f"a list of {len(binding.leaves)} is given"
            self.report.add(Code.EDGE_TYPE, place, message, expected=schemas.describe(target))
            return binding
        pairs = enumerate(zip(binding.leaves, elements, strict=True))
        return ir.Items(tuple(self._leaf(leaf, type_, place.at(f"item {index}")) for index, (leaf, type_) in pairs))

    def _leaf(self, leaf: ir.Leaf, target: ir.Schema, place: problems.Place) -> ir.Leaf:
        if isinstance(leaf, ir.Constant):
            return ir.Constant(_normal(leaf.text, target, place, self.report, Code.BAD_VALUE))
        source = self._type(leaf)
        if source is None:
            return leaf
        if leaf.path:
            behind = schemas.at(source, leaf.path)
            if isinstance(behind, values.Problem):
                message = f"{_name(leaf)} is {schemas.describe(source)}: {behind}"
                self.report.add(Code.EDGE_TYPE, place, message)
                return leaf
            source = behind
        reason = schemas.assignable(source, target)
        if reason is not None:
            self.report.add(Code.EDGE_TYPE, place, f"{_name(leaf)}: {reason}", expected=schemas.describe(target))
        return leaf

    def _type(self, leaf: ir.FromInput | ir.FromNode) -> ir.Schema | None:
        """The type of a source; None where `resolve` has already said that there is none."""
        if isinstance(leaf, ir.FromInput):
            return self.inputs.get(leaf.input)
        node = self.nodes.get(leaf.node)
        interface = self.known.interface(node) if node else None
        return interface.outputs.get(leaf.output) if interface else None


def _name(leaf: ir.FromInput | ir.FromNode) -> str:
    start = f"input `{leaf.input}`" if isinstance(leaf, ir.FromInput) else f"output `{leaf.output}` of `{leaf.node}`"
    return f"{start}, `.{'.'.join(leaf.path)}`" if leaf.path else start


def _port(port: ir.Port, place: problems.Place, report: problems.Report) -> ir.Port:
    if port.default is None:
        return port
    where = place.at(f"input {port.name}")
    return dataclasses.replace(port, default=_normal(port.default, port.type, where, report, Code.BAD_DEFAULT))


def _plan(plan: ir.LaunchPlan, types: dict[str, ir.Schema], report: problems.Report) -> ir.LaunchPlan:
    place = problems.of_plan(plan)

    def normal(given: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        return tuple((name, one(name, text)) for name, text in given)

    def one(name: str, text: str) -> str:
        if name not in types:
            return text
        try:
            return values.dumps(givens.written(text, types[name]))
        except values.InvalidValue as error:
            _tell(error, types[name], place.at(f"input {name}"), report, Code.BAD_VALUE)
            return text

    return dataclasses.replace(plan, inputs=normal(plan.inputs), fixed=normal(plan.fixed))


def _normal(text: str, schema: ir.Schema, place: problems.Place, report: problems.Report, code: Code) -> str:
    """Return the value's one wire form; report what does not fit and return the text as it is."""
    try:
        return _wire(values.parse(text), schema)
    except values.InvalidValue as error:
        _tell(error, schema, place, report, code)
        return text


def _tell(
    error: values.InvalidValue, schema: ir.Schema, place: problems.Place, report: problems.Report, code: Code
) -> None:
    what = "the default" if code is Code.BAD_DEFAULT else "the value"
    for problem in error.problems:
        where = f", at {problem.path[1:].lstrip('.')}," if problem.path != "$" else ""
        report.add(code, place, f"{what}{where} {problem.message}", expected=schemas.describe(schema))


def _wire(value: values.Json, schema: ir.Schema) -> str:
    """Return the wire form; a value that a pod would take for the envelope of a stored one is refused."""
    if references.is_envelope(value):
        raise values.InvalidValue(givens.ENVELOPE)
    return values.codec(schema).wire(value)
