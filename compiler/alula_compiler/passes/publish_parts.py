"""What a condition compares or a map goes over is published by the node that makes it, as an output of its own.

Argo reads parameters and never the store, and a value above the inline limit is a reference there. So each input that a
condition reads is bound to a published part: an output of the task that makes the value, or of `admit`, passed through
the graphs in between like any other value. Afterwards conditions compare scalars in their published form, and so do
their constants; text is compared by its digest. A list that a map goes over is published as its items, and what an
item of a map makes as an item of the map's list, which then needs no step that collects it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

from alula_api.contract import jsontext, lists, names
from alula_api.contract.codes import Code
from alula_api.contract.families import Schema
from alula_api.contract.graphs import calls, comparables, conditions
from alula_api.contract.graphs.bindings import Binding, Constant, FirstOf, FromInput, FromNode, Items, Leaf
from alula_api.contract.graphs.calls import BranchCall, Call, MapCall, RepeatCall, TaskCall
from alula_api.contract.graphs.comparables import Form, Part
from alula_api.contract.graphs.conditions import Compare, Condition, IsNone, Literal, Truth
from alula_api.contract.graphs.specs import GraphSpec, NodeSpec, Output, Port
from alula_api.contract.jsontext import Json
from alula_api.contract.problems import InvalidValue
from alula_compiler import problems, tables
from alula_compiler.engines import Engine
from alula_compiler.problems import Report
from alula_compiler.program import Program

Path = tuple[str, ...]


class Ask(NamedTuple):
    """The form in which a part is asked for, and of batches their size."""

    form: Form
    size: int = lists.AUTO


_SCALAR = Ask("scalar")
Place = tuple[str, str]
"""A graph and a node of it."""


def run(program: Program, engine: Engine, report: Report) -> Program:
    """Bind what conditions and maps read to published parts."""
    state = _Parts(program, report)
    for graph in program.graphs:
        for node in graph.nodes:
            if isinstance(node.call, BranchCall):
                state.publish(graph.name, node.id, node.call)
            elif isinstance(node.call, MapCall):
                state.publish_items(graph.name, node.id, node.call)
            elif isinstance(node.call, RepeatCall):
                state.publish_rounds(graph.name, node.id, node.call)
    return state.program()


class _Parts:
    """A program to which published parts are added."""

    def __init__(self, program: Program, report: Report) -> None:
        self._program, self._report = program, report
        self._types = tables.Tables(program)
        self._graphs = {graph.name: graph for graph in program.graphs}
        self._nodes = {graph.name: {node.id: node for node in graph.nodes} for graph in program.graphs}
        self._callers: dict[str, list[tuple[str, str]]] = {}
        for graph in program.graphs:
            for node in graph.nodes:
                for called in dict.fromkeys(calls.graphs(node.call)):
                    self._callers.setdefault(called, []).append((graph.name, node.id))
        self._inputs: dict[str, dict[str, Port]] = {}
        self._outputs: dict[str, dict[str, Output]] = {}
        self._given: dict[tuple[str, str], dict[str, Binding]] = {}
        self._calls: dict[tuple[str, str], Call] = {}
        self._of_tasks: dict[str, dict[str, Part]] = {}
        self._of_main: dict[str, Part] = {}

    def publish(self, graph: str, node: str, call: BranchCall) -> None:
        """Bind what the conditions of a node read."""
        written = dict(self._nodes[graph][node].inputs)
        given = self._given.setdefault((graph, node), {})
        for name, schema in call.reads:
            given[name] = self._part(graph, written[name], schema, _SCALAR, (graph, node))
        types = dict(call.reads)
        cases = tuple(dataclasses.replace(case, when=_published(case.when, types)) for case in call.cases)
        reads = tuple((name, comparables.published_type(schema)) for name, schema in call.reads)
        self._calls[graph, node] = dataclasses.replace(call, cases=cases, reads=reads)

    def publish_items(self, graph: str, node: str, call: MapCall) -> None:
        """Bind the lists of a map, and have its items publish what they make."""
        written = dict(self._nodes[graph][node].inputs)
        given = self._given.setdefault((graph, node), {})
        interface = self._types.interfaces.of(call)
        assert interface is not None, "every name leads somewhere"
        ask = Ask("items") if call.batch is None else Ask("batches", call.batch)
        for name in call.over:
            if not isinstance(written[name], Items):  # which the call puts together
                given[name] = self._part(graph, written[name], interface.inputs[name].type, ask, (graph, node))
        for output in call.outputs:
            if call.batch is not None:
                continue  # the pod of a batch publishes them all, and no other pod does
            if isinstance(call.item, TaskCall):
                part = Part(names.item_parameter(output), output, (), "item")
                self._of_tasks.setdefault(call.item.task, {})[part.name] = part
            else:
                item = interface.outputs[output]["items"]
                self._of_graph(call.item.graph, FromNode(node, output), item, Ask("item"), (graph, node))

    def publish_rounds(self, graph: str, node: str, call: RepeatCall) -> None:
        """Bind what the condition of a repeat reads: of a round what its step publishes."""
        written = dict(self._nodes[graph][node].inputs)
        given = self._given.setdefault((graph, node), {})
        watched = []
        for each in call.watched:
            read = dataclasses.replace(each, type=comparables.published_type(each.type))
            if each.output:
                leaf = FromNode(node, each.output, each.path)
                part = self._output(graph, leaf, each.type, _SCALAR, (graph, node))
                assert isinstance(part, FromNode)
                read = dataclasses.replace(read, output=part.output, path=())
            else:
                given[each.name] = self._part(graph, written[each.name], each.type, _SCALAR, (graph, node))
            watched.append(read)
        until = _published(call.until, {each.name: each.type for each in call.watched})
        found = self._repeat(graph, node)
        self._calls[graph, node] = dataclasses.replace(found, until=until, watched=tuple(watched))

    def _repeat(self, graph: str, node: str) -> RepeatCall:
        """A repeat with what was asked of it before."""
        found = self._calls.get((graph, node), self._nodes[graph][node].call)
        assert isinstance(found, RepeatCall)
        return found

    def program(self) -> Program:
        """Return the program with all that was asked for."""
        return dataclasses.replace(
            self._program,
            graphs=tuple(map(self._graph, self._program.graphs)),
            parts={task: tuple(parts.values()) for task, parts in self._of_tasks.items()},
            input_parts=tuple(self._of_main.values()),
        )

    def _graph(self, graph: GraphSpec) -> GraphSpec:
        def node(written: NodeSpec) -> NodeSpec:
            inputs = {**dict(written.inputs), **self._given.get((graph.name, written.id), {})}
            call = self._calls.get((graph.name, written.id), written.call)
            changed = dataclasses.replace(written, call=call, inputs=tuple(inputs.items()))
            lost = [name for name in written.depends() if name not in changed.depends()]
            return dataclasses.replace(changed, after=(*changed.after, *lost))

        inputs = self._inputs.get(graph.name, {})
        outputs = self._outputs.get(graph.name, {})
        return dataclasses.replace(
            graph,
            inputs=(*graph.inputs, *inputs.values()),
            outputs=(*graph.outputs, *outputs.values()),
            nodes=tuple(map(node, graph.nodes)),
        )

    def _part(self, graph: str, binding: Binding, schema: Schema, ask: Ask, asks: Place) -> Leaf:
        """The published part of what a binding stands for in a graph; recurses as deep as graphs call each other.

        `asks` is the node that reads it, for what is wrong.
        """
        assert not isinstance(binding, Items | FirstOf), "a condition and a map read one source"
        if isinstance(binding, Constant):
            return self._constant(binding, schema, ask, asks)
        if isinstance(binding, FromInput):
            return self._input(graph, binding, schema, ask, asks)
        return self._output(graph, binding, schema, ask, asks)

    def _constant(self, constant: Constant, schema: Schema, ask: Ask, asks: Place) -> Constant:
        if ask.form == "scalar":
            return Constant(jsontext.dumps(comparables.published(constant.json, schema)))
        try:
            return Constant(jsontext.dumps(_listed(constant.json, ask)))
        except InvalidValue as error:
            problem = error.problems[0]
            what = "what its items return" if ask.form == "item" else "the list that it goes over"
            self._wrong(problem.code, asks, f"{what} {problem.message}")
            return constant

    def _wrong(self, code: Code, asks: Place, message: str, hint: str = "") -> None:
        graph, node = asks
        subject = problems.of_graph(self._program, self._graphs[graph]).at(f"node {node}")
        self._report.add(code, subject, message, hint=hint)

    def _input(self, graph: str, leaf: FromInput, schema: Schema, ask: Ask, asks: Place) -> Leaf:
        name = _name(leaf.input, leaf.path, ask)
        if graph == names.MAIN:
            self._of_main[name] = Part(name, leaf.input, leaf.path, ask.form, ask.size)
            return FromInput(name)
        known = self._inputs.setdefault(graph, {})
        if name not in known:
            known[name] = Port(name, _type(schema, ask))
            for caller, node in self._callers.get(graph, ()):
                if leaf.input in calls.over(self._nodes[caller][node].call):
                    message = f"{_USES[ask.form]} an item of the list that the map {node} goes over"
                    hint = "let a task of the workflow take the item and return what is needed"
                    self._wrong(Code.UNSUPPORTED_BINDING, asks, message, hint)
                    continue
                passed = dict(self._nodes[caller][node].inputs)[leaf.input]
                given = self._part(caller, behind(passed, leaf.path), schema, ask, asks)
                self._given.setdefault((caller, node), {})[name] = given
                fed = calls.fed(self._nodes[caller][node].call).get(leaf.input)
                if fed is not None:  # in later rounds of a repeat
                    part = self._output(caller, FromNode(node, fed, leaf.path), schema, ask, asks)
                    assert isinstance(part, FromNode)
                    repeat = self._repeat(caller, node)
                    state = (*repeat.state, (name, part.output))
                    self._calls[caller, node] = dataclasses.replace(repeat, state=state)
        return FromInput(name)

    def _output(self, graph: str, leaf: FromNode, schema: Schema, ask: Ask, asks: Place) -> Leaf:
        name = _name(leaf.output, leaf.path, ask)
        call = self._nodes[graph][leaf.node].call
        if isinstance(call, MapCall):
            if ask.form in ("items", "batches") and not leaf.path:
                return leaf  # a map's list stands there as its items, or in its batches
            message = f"{_USES[ask.form]} the list that the map {leaf.node} makes, which is nowhere in one piece"
            self._wrong(Code.UNSUPPORTED_BINDING, asks, message, "let a task take the list and return what is needed")
            return Constant("null")
        for task in calls.tasks(call):
            self._of_tasks.setdefault(task, {})[name] = Part(name, leaf.output, leaf.path, ask.form, ask.size)
        if isinstance(call, RepeatCall) and name not in (repeat := self._repeat(graph, leaf.node)).outputs:
            outputs = (*repeat.outputs, name)
            self._calls[graph, leaf.node] = dataclasses.replace(repeat, outputs=outputs)
        for called in calls.graphs(call):
            self._of_graph(called, leaf, schema, ask, asks)
        return FromNode(leaf.node, name)

    def _of_graph(self, called: str, leaf: FromNode, schema: Schema, ask: Ask, asks: Place) -> None:
        """Have a graph publish a part of one of its outputs, which its caller reads so, as an output of its own."""
        name, known = _name(leaf.output, leaf.path, ask), self._outputs.setdefault(called, {})
        if name not in known:
            made = {each.name: each.binding for each in self._graphs[called].outputs}[leaf.output]
            known[name] = Output(name, _type(schema, ask), Constant("null"))  # before it recurses
            binding = self._part(called, behind(made, leaf.path), schema, ask, asks)
            known[name] = dataclasses.replace(known[name], binding=binding)


_USES = {
    "scalar": "it looks into",
    "items": "it goes over",
    "batches": "it goes over",
    "item": "its items return",
}
"""What a node does with a value of which it asks for a part."""


def _listed(value: Json, ask: Ask) -> Json:
    """A written value as a list to go over, or as an item of one."""
    match ask.form:
        case "items":
            return comparables.items(value)
        case "batches":
            return comparables.batches(value, ask.size)
        case _:
            return comparables.item(value)


def _name(source: str, path: Path, ask: Ask) -> str:
    match ask.form:
        case "item":
            assert not path, "what a graph of a map gives is whole"
            return names.item_parameter(source)
        case "items":
            return names.items_parameter(source, path)
        case "batches":
            return names.batches_parameter(source, path, ask.size)
        case _:
            return names.part_parameter(source, path)


def _type(schema: Schema, ask: Ask) -> Schema:
    return comparables.published_type(schema) if ask.form == "scalar" else schema


def behind(binding: Binding, path: Path) -> Binding:
    """Return what lies behind a path in what a binding stands for."""
    if isinstance(binding, Items) and path:
        return behind(binding.leaves[int(path[0])], path[1:])
    if isinstance(binding, Constant) and path:
        return Constant(jsontext.dumps(jsontext.select(binding.json, path)))
    if isinstance(binding, FromInput | FromNode):
        return dataclasses.replace(binding, path=(*binding.path, *path))
    return binding


def _published(condition: Condition, types: Mapping[str, Schema]) -> Condition:
    """The condition with its constants in published form."""

    def change(found: Compare | IsNone | Truth) -> Condition:
        if not isinstance(found, Compare) or not isinstance(found.right, Literal) or found.right.json is None:
            return found
        schema, _ = comparables.without_none(types[found.left.name])
        value = comparables.published(found.right.json, schema)
        assert value is None or isinstance(value, str | int | float | bool)
        return dataclasses.replace(found, right=Literal(value))

    return conditions.mapped(condition, change)
