"""What a condition compares or a map goes over is published by the node that makes it, as an output of its own.

Argo reads parameters and never the store, and a value above the inline limit is a reference there. So each input that a
condition reads is bound to a published part: an output of the task that makes the value, or of `admit`, passed through
the graphs in between like any other value. Afterwards conditions compare scalars in their published form, and so do
their constants; text is compared by its digest. A list that a map goes over is published as its items, and what an
item of a map makes as an item of the map's list, which then needs no step that collects it. What a mapped workflow
decides by its own item is published as a list of that part of each item, of which each item gets its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

from alula_api.contract import families, jsontext, lists, names
from alula_api.contract.codes import Code
from alula_api.contract.families import Schema
from alula_api.contract.graphs import calls, comparables, conditions, interfaces
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
    """The form in which a part is asked for, of batches their size, and of a part of each item where it lies in one."""

    form: Form
    size: int = lists.AUTO
    each: tuple[Path, ...] = ()

    def of_each(self, path: Path) -> Ask:
        """What is asked for of a list, where this is asked for of what lies at a path in each item."""
        return self._replace(each=(path, *self.each))

    @property
    def of_one(self) -> tuple[Path, Ask]:
        """The reverse."""
        return self.each[0], self._replace(each=self.each[1:])


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
                if _may_be_list(item):
                    self._change_map(graph, node, of_lists=(*self._map(graph, node).of_lists, output))
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

    def _map(self, graph: str, node: str) -> MapCall:
        """A map, likewise."""
        found = self._calls.get((graph, node), self._nodes[graph][node].call)
        assert isinstance(found, MapCall)
        return found

    def _change_map(self, graph: str, node: str, **changed: Any) -> None:
        self._calls[graph, node] = dataclasses.replace(self._map(graph, node), **changed)

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
        try:
            return Constant(jsontext.dumps(_written(constant.json, schema, ask)))
        except InvalidValue as error:
            problem = error.problems[0]
            what = _READS[ask.form]
            self._wrong(problem.code, asks, f"{what} {problem.message}")
            return constant

    def _wrong(self, code: Code, asks: Place, message: str, hint: str = "") -> None:
        graph, node = asks
        subject = problems.of_graph(self._program, self._graphs[graph]).at(f"node {node}")
        self._report.add(code, subject, message, hint=hint)

    def _input(self, graph: str, leaf: FromInput, schema: Schema, ask: Ask, asks: Place) -> Leaf:
        name = _name(leaf.input, leaf.path, ask)
        if graph == names.MAIN:
            self._of_main[name] = Part(name, leaf.input, leaf.path, ask.form, ask.size, ask.each)
            return FromInput(name)
        known = self._inputs.setdefault(graph, {})
        if name not in known:
            known[name] = Port(name, _type(schema, ask))
            for caller, node in self._callers.get(graph, ()):
                passed = dict(self._nodes[caller][node].inputs)[leaf.input]
                if leaf.input in calls.over(self._nodes[caller][node].call):
                    given = self._own(caller, passed, schema, ask.of_each(leaf.path[1:]), asks)
                    self._along(caller, node, name, given)
                    continue
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

    def _own(self, caller: str, passed: Binding, schema: Schema, ask: Ask, asks: Place) -> Binding:
        """What is asked for of each item of a list that a map goes over."""
        if not isinstance(passed, Items):
            return self._part(caller, passed, schema, ask, asks)
        path, one = ask.of_one  # the call puts it together
        return Items(tuple(self._part(caller, behind(leaf, path), schema, one, asks) for leaf in passed.leaves))

    def _along(self, graph: str, node: str, name: str, given: Binding) -> None:
        """Have a map give each item its own one of a list of published parts, as an input of a name."""
        self._given.setdefault((graph, node), {})[name] = given
        self._change_map(graph, node, along=(*self._map(graph, node).along, name))

    def _output(self, graph: str, leaf: FromNode, schema: Schema, ask: Ask, asks: Place) -> Leaf:
        name = _name(leaf.output, leaf.path, ask)
        call = self._nodes[graph][leaf.node].call
        if isinstance(call, MapCall):
            if ask.form in ("items", "batches") and not leaf.path and not ask.each:
                return leaf  # a map's list stands there as its items, or in its batches
            if ask.form == "item" and not leaf.path and not ask.each:
                as_items = dict.fromkeys((*self._map(graph, leaf.node).as_items, leaf.output))
                self._change_map(graph, leaf.node, as_items=tuple(as_items))
                return FromNode(leaf.node, name)
            if ask.each and not leaf.path and call.batch is None:
                return self._output_of_items(graph, leaf, schema, ask, asks)
            message = calls.IN_NO_PIECE.format(calls.USES[ask.form], leaf.node)
            self._wrong(Code.UNSUPPORTED_BINDING, asks, message, calls.TAKE_LIST)
            return Constant("null")
        for task in calls.tasks(call):
            self._of_task(task, Part(name, leaf.output, leaf.path, ask.form, ask.size, ask.each))
        if isinstance(call, RepeatCall) and name not in (repeat := self._repeat(graph, leaf.node)).outputs:
            outputs = (*repeat.outputs, name)
            self._calls[graph, leaf.node] = dataclasses.replace(repeat, outputs=outputs)
        for called in calls.graphs(call):
            self._of_graph(called, leaf, schema, ask, asks)
        return FromNode(leaf.node, name)

    def _output_of_items(self, graph: str, leaf: FromNode, schema: Schema, ask: Ask, asks: Place) -> FromNode:
        """A part of each item that a map makes: its items publish it, and the engine puts it together."""
        found = self._map(graph, leaf.node)
        path, one = ask.of_one
        name, own = _name(leaf.output, (), ask), _name(leaf.output, path, one)
        if isinstance(found.item, TaskCall):
            self._of_task(found.item.task, Part(own, leaf.output, path, one.form, one.size, one.each))
        else:
            self._of_graph(found.item.graph, FromNode(leaf.node, leaf.output, path), schema, one, asks)
        if name not in dict(found.parts):
            self._change_map(graph, leaf.node, parts=(*found.parts, (name, own)))
        return FromNode(leaf.node, name)

    def _of_task(self, task: str, part: Part) -> None:
        """Have a task publish a part of one of its outputs."""
        self._of_tasks.setdefault(task, {})[part.name] = part

    def _of_graph(self, called: str, leaf: FromNode, schema: Schema, ask: Ask, asks: Place) -> None:
        """Have a graph publish a part of one of its outputs, which its caller reads so, as an output of its own."""
        name, known = _name(leaf.output, leaf.path, ask), self._outputs.setdefault(called, {})
        if name not in known:
            made = {each.name: each.binding for each in self._graphs[called].outputs}[leaf.output]
            known[name] = Output(name, _type(schema, ask), Constant("null"))  # before it recurses
            binding = self._part(called, behind(made, leaf.path), schema, ask, asks)
            known[name] = dataclasses.replace(known[name], binding=binding)


_NO_LISTS = ("record", "dict", "object", "map", "file", "frame", "directory")


def _may_be_list(schema: Schema) -> bool:
    """Whether a value of a type may be a list that a map made."""
    return not comparables.kind(schema) and families.family(comparables.without_none(schema)[0]) not in _NO_LISTS


_READS = {
    "scalar": "what it compares",
    "items": "the list that it goes over",
    "batches": "the list that it goes over",
    "item": "what its items return",
}
"""What is asked for of a written value."""


def _written(value: Json, schema: Schema, ask: Ask) -> Json:
    """What is published of a written value; the type is that of what is asked for."""
    if ask.each:
        path, one = ask.of_one
        return comparables.listed_parts(value, {}, path, lambda inner, _: _written(inner, schema, one))
    return comparables.of_each(value, schema, (), Part("", "", (), ask.form, ask.size))


def _name(source: str, path: Path, ask: Ask) -> str:
    if ask.each:
        inside, one = ask.of_one
        return names.each_parameter(_name(source, inside, one), source, path)
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
    if ask.each:
        return interfaces.list_of(_type(schema, ask.of_one[1]))
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
