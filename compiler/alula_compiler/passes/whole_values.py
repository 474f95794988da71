"""Calls of graphs pass whole values only: attribute paths and lists move into the graph that uses them.

Argo can pass a parameter on, but it cannot select in one, or build a list that may hold stored values, without
changing its bytes; the runtime in the pod can. So `score(lr=config.lr)` becomes a call with the whole `config` of a
variant of `score` whose nodes select `.lr`; an output `config.lr` of a graph becomes the whole `config`, of which its
readers select. A variant is made once for each form of call; graphs that are called with whole values stay as they are.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Iterable, Mapping

from alula_api.contract import jsontext, lists, names
from alula_api.contract.codes import Code
from alula_api.contract.graphs import calls, conditions
from alula_api.contract.graphs.bindings import (
    Binding,
    Constant,
    FirstOf,
    FromInput,
    FromNode,
    Items,
    Leaf,
    mapped,
    whole,
)
from alula_api.contract.graphs.calls import BranchCall, GraphCall, MapCall, RepeatCall, TaskCall
from alula_api.contract.graphs.specs import GraphSpec, NodeSpec, Output, Port
from alula_compiler import problems, tables
from alula_compiler.engines import Engine, Limits
from alula_compiler.problems import Report, Subject
from alula_compiler.program import Program

Path = tuple[str, ...]
_BY_NAME = operator.itemgetter(0)


@dataclasses.dataclass(frozen=True, slots=True)
class _Part:
    """The port carries a whole value, of which only what lies behind the path is meant."""

    path: Path


@dataclasses.dataclass(frozen=True, slots=True)
class _List:
    """The port stands for a list; each element has a port of its own, and perhaps a path in it."""

    paths: tuple[Path, ...]


_Shape = _Part | _List
_Shapes = tuple[tuple[str, _Shape], ...]
"""The ports, by name, that do not simply carry a whole value."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Variant:
    """A graph for one form of call, and the form of its outputs."""

    name: str
    outputs: Mapping[str, _Shape]


def run(program: Program, engine: Engine, report: Report) -> Program:
    """Make the variants; report lists in lists, which only a task could make."""
    state = _Variants(program, engine.limits, report)
    try:
        state.of(names.MAIN, ())
    except _TooMany as error:
        hint = "pass lists of one length, or collect a list in a task before it is passed on"
        report.add(Code.TOO_LARGE, problems.of_program(program), str(error), hint=hint)
        return program
    branches = {name for graph in state.made.values() for node in graph.nodes for name in calls.graphs(node.call)}
    kept = (graph for graph in state.made.values() if graph.nodes or graph.is_main or graph.name in branches)
    return dataclasses.replace(program, graphs=tuple(kept))


def element(port: str, index: int) -> str:
    """Return the name of the port for one element of a list; identifiers hold no dash, so it is free."""
    return f"{port}--{index}"


class _TooMany(Exception):
    """There are more variants than can be compiled."""


class _Variants:
    """All variants of a program's graphs, made when they are first called."""

    def __init__(self, program: Program, limits: Limits, report: Report) -> None:
        self.program, self.limits, self.report = program, limits, report
        self.ports = 0
        self.sources = tables.Tables(program).graphs
        self.names = set(self.sources)
        self.made: dict[str, GraphSpec] = {}
        self._known: dict[tuple[str, _Shapes], _Variant] = {}

    def of(self, name: str, shapes: _Shapes) -> _Variant:
        """Return the variant of a graph for a form of call; recurses as deep as graphs call each other."""
        known = self._known.get((name, shapes))
        if known is None:
            graph = self.sources[name]
            self._count(shapes)
            own = name if not shapes else self._free(name)
            known = _Rewriting(self, graph, own, dict(shapes)).variant()
            self._known[name, shapes] = known
        return known

    def _count(self, shapes: _Shapes) -> None:
        """Each variant becomes a template, each of its ports a parameter: more than there may be are not made."""
        self.ports += sum(len(shape.paths) if isinstance(shape, _List) else 1 for _, shape in shapes)
        if len(self._known) >= self.limits.templates or self.ports > self.limits.ports:
            most = f"at most {self.limits.templates} forms with {self.limits.ports:,} inputs"
            raise _TooMany(f"calls its graphs in more forms (lists of other lengths, parts of values) than {most}")

    def _free(self, name: str) -> str:
        number = 2
        while f"{name}-{number}" in self.names:
            number += 1
        self.names.add(f"{name}-{number}")
        return f"{name}-{number}"


class _Rewriting:
    """One graph, rewritten for one form of call."""

    def __init__(self, variants: _Variants, graph: GraphSpec, name: str, shapes: Mapping[str, _Shape]) -> None:
        self.variants, self.graph, self.name, self.shapes = variants, graph, name, shapes
        self.subject = problems.of_graph(variants.program, graph)
        # What each source that is not simply a whole value means now.
        self.inputs = {port: _meant(FromInput(port), shape) for port, shape in shapes.items()}
        self.outputs: dict[tuple[str, str], Binding] = {}
        self.gone: dict[str, tuple[str, ...]] = {}

    def variant(self) -> _Variant:
        nodes = tuple(made for node in self.graph.nodes if (made := self._node(node)) is not None)
        outputs, shapes = self._outputs()
        inputs = tuple(port for given in self.graph.inputs for port in self._ports(given))
        graph = dataclasses.replace(self.graph, name=self.name, inputs=inputs, outputs=outputs, nodes=nodes)
        self.variants.made[self.name] = graph
        return _Variant(self.name, shapes)

    def _ports(self, port: Port) -> Iterable[Port]:
        shape = self.shapes.get(port.name)
        if shape is None:
            return [port]
        if isinstance(shape, _Part):
            return [Port(port.name, {})]
        return [Port(element(port.name, index), {}) for index in range(len(shape.paths))]

    def _node(self, node: NodeSpec) -> NodeSpec | None:
        subject = self.subject.at(f"node {node.id}")
        inputs = tuple((name, self._binding(binding, subject.at(f"input {name}"))) for name, binding in node.inputs)
        if isinstance(node.call, TaskCall):
            return self._waiting(dataclasses.replace(node, inputs=inputs), node)
        if isinstance(node.call, MapCall):
            self._check_lists(inputs, subject)
            return self._waiting(self._map(node.call, node, inputs, subject), node)
        if isinstance(node.call, BranchCall):
            return self._waiting(self._branch(node.call, node, inputs, subject), node)
        if isinstance(node.call, RepeatCall):
            self._check_lists(inputs, subject)
            return self._waiting(self._repeat(node.call, node, inputs, subject), node)
        (graph,) = calls.graphs(node.call)
        called, given = self._called(graph, (*inputs, *self._defaults(graph, node)))
        for output, shape in called.outputs.items():
            self.outputs[node.id, output] = _meant(FromNode(node.id, output), shape)
        made = dataclasses.replace(node, call=GraphCall(called.name), inputs=given)
        if not self.variants.made[called.name].nodes:
            self._pass_on(made, self.variants.made[called.name])
            return None
        return self._waiting(made, node)

    def _called(
        self, graph: str, inputs: Iterable[tuple[str, Binding]], items: Iterable[str] = ()
    ) -> tuple[_Variant, tuple[tuple[str, Binding], ...]]:
        """The variant of a graph for a call with these inputs, and the whole values that it gets.

        `items` are its other inputs: for each it gets a list of one item of a map.
        """
        given: list[tuple[str, Binding]] = []
        shapes: dict[str, _Shape] = {name: _Part(lists.FIRST) for name in items}
        for name, binding in inputs:
            shape, ports = _passed(name, binding)
            given += ports
            if shape is not None:
                shapes[name] = shape
        return self.variants.of(graph, tuple(sorted(shapes.items(), key=_BY_NAME))), tuple(given)

    def _check_lists(self, inputs: Iterable[tuple[str, Binding]], subject: Subject) -> None:
        """A list of single values goes into a map as a value, which the engine puts together of whole ones."""
        for name, binding in inputs:
            if isinstance(binding, Items) and any(leaf.path for leaf in binding.leaves):
                where = subject.at(f"input {name}")
                self.variants.report.add(Code.UNSUPPORTED_BINDING, where, calls.PART_IN_LIST, hint=calls.COLLECT)

    def _map(
        self, call: MapCall, node: NodeSpec, inputs: tuple[tuple[str, Binding], ...], subject: Subject
    ) -> NodeSpec:
        """A map: a graph gets of each list that it goes over one item, and gives its outputs whole."""
        if isinstance(call.item, TaskCall):
            return dataclasses.replace(node, inputs=inputs)
        graph = call.item.graph
        over = tuple((name, binding) for name, binding in inputs if name in call.over)
        bound = [(name, binding) for name, binding in inputs if name not in call.over]
        called, given = self._called(graph, (*bound, *self._defaults(graph, node)), call.over)
        if not self.variants.made[called.name].nodes:
            message = calls.RUNS_NO_TASK.format(*calls.OF_ITEMS, graph)
            self.variants.report.add(Code.UNSUPPORTED_BINDING, subject, message, hint=calls.LEAVE_OUT.format("map"))
        self._check_outputs(graph, called, subject, "workflow")
        return dataclasses.replace(
            node, call=dataclasses.replace(call, item=GraphCall(called.name)), inputs=(*over, *given)
        )

    def _repeat(
        self, call: RepeatCall, node: NodeSpec, inputs: tuple[tuple[str, Binding], ...], subject: Subject
    ) -> NodeSpec:
        """A repeat: each round of a graph gets whole values and gives them, the first one as all others."""
        if isinstance(call.step, TaskCall):
            return dataclasses.replace(node, inputs=inputs)
        graph, state = call.step.graph, dict(call.state)
        for name, binding in inputs:
            if name in state and _passed(name, binding)[0] is not None:
                where = subject.at(f"input {name}")
                self.variants.report.add(Code.UNSUPPORTED_BINDING, where, calls.PART_OF_STATE, hint=calls.WHOLE_STATE)
        passed = [(name, binding) for name, binding in inputs if name not in call.own]
        called, given = self._called(graph, (*passed, *self._defaults(graph, node)))
        if not self.variants.made[called.name].nodes:
            message = calls.RUNS_NO_TASK.format(*calls.OF_ROUNDS, graph)
            self.variants.report.add(Code.UNSUPPORTED_BINDING, subject, message, hint=calls.LEAVE_OUT.format("repeat"))
        self._check_outputs(graph, called, subject, "workflow")
        asked = tuple((name, binding) for name, binding in inputs if name in call.own)
        made = dataclasses.replace(call, step=GraphCall(called.name))
        return dataclasses.replace(node, call=made, inputs=(*asked, *given))

    def _check_outputs(self, graph: str, called: _Variant, subject: Subject, kind: str) -> None:
        """What has several graphs of one form gives whole values."""
        if called.outputs:
            told = ", ".join(sorted(called.outputs))
            message = f"the graph {graph} gives a part of a value, or a list of single values, as {told}"
            hint = f"let a task of the {kind} make the value"
            self.variants.report.add(Code.UNSUPPORTED_BINDING, subject, message, hint=hint)

    def _branch(
        self, call: BranchCall, node: NodeSpec, inputs: tuple[tuple[str, Binding], ...], subject: Subject
    ) -> NodeSpec:
        """A conditional: each branch gets whole values, and what the conditions read keeps its path.

        All branches give their outputs whole: a part or list that one of them passes on has no form that all share.
        """
        given: dict[str, Binding] = {}
        renamed: dict[str, str] = {}
        for graph in calls.graphs(call):
            ports = {port.name for port in self.variants.sources[graph].inputs}
            called, passed = self._called(graph, [(name, binding) for name, binding in inputs if name in ports])
            given |= passed
            renamed[graph] = called.name
            self._check_outputs(graph, called, subject, "branch")
        names = {name: _free_name(name, given) for name, _ in call.reads}
        written = dict(inputs)
        given |= {names[name]: written[name] for name, _ in call.reads}
        cases = tuple(
            dataclasses.replace(case, when=conditions.renamed(case.when, names.__getitem__)) for case in call.cases
        )
        reads = tuple((names[name], schema) for name, schema in call.reads)
        made = calls.with_graphs(dataclasses.replace(call, cases=cases, reads=reads), renamed.__getitem__)
        return dataclasses.replace(node, call=made, inputs=tuple(given.items()))

    def _pass_on(self, node: NodeSpec, graph: GraphSpec) -> None:
        """A graph without nodes only passes values on, and is no node of a run: who reads it reads those."""
        ports = dict(node.inputs)
        sources: dict[str, Leaf] = {}
        for output in graph.outputs:
            read = output.binding
            passed = ports[read.input] if isinstance(read, FromInput) else read
            assert not isinstance(passed, Items | FirstOf), "ports carry whole values"
            sources[output.name] = passed
            self.outputs.setdefault((node.id, output.name), passed)
        for key, meant in self.outputs.items():
            if key[0] == node.id:
                self.outputs[key] = mapped(meant, lambda leaf: _instead(leaf, node.id, sources))
        self.gone[node.id] = self._there(node.depends())

    def _there(self, nodes: Iterable[str]) -> tuple[str, ...]:
        """The nodes, and in place of one that is gone those that it waited for."""
        return tuple(dict.fromkeys(each for name in nodes for each in self.gone.get(name, (name,))))

    def _waiting(self, made: NodeSpec, written: NodeSpec) -> NodeSpec:
        """A node that waits for all that it waited for as it was written, though it may read less."""
        made = dataclasses.replace(made, after=self._there(made.after))
        found = set(made.depends())
        lost = tuple(name for name in self._there(written.depends()) if name not in found)
        return dataclasses.replace(made, after=(*made.after, *lost)) if lost else made

    def _defaults(self, graph: str, node: NodeSpec) -> list[tuple[str, Binding]]:
        """The inputs that the call leaves to the graph's own defaults: a DAG's call must pass them all."""
        given = {name for name, _ in node.inputs}
        ports = self.variants.sources[graph].inputs
        return [(port.name, Constant(port.default)) for port in ports if port.default and port.name not in given]

    def _outputs(self) -> tuple[tuple[Output, ...], dict[str, _Shape]]:
        outputs: list[Output] = []
        shapes: dict[str, _Shape] = {}
        for output in self.graph.outputs:
            subject = self.subject.at(f"output {output.name}")
            binding = self._binding(output.binding, subject)
            shape, ports = _passed(output.name, binding)
            if shape is None or self.graph.is_main:  # what a run returns is put together where it is read
                outputs.append(dataclasses.replace(output, binding=binding))
            else:
                shapes[output.name] = shape
                outputs += [Output(name, {}, leaf) for name, leaf in ports]
        return tuple(outputs), shapes

    def _binding(self, binding: Binding, subject: Subject) -> Binding:
        if not isinstance(binding, Items | FirstOf):
            return self._leaf(binding)
        single = {leaf: meant for leaf in binding.leaves if not isinstance(meant := self._leaf(leaf), Items | FirstOf)}
        if any(leaf not in single for leaf in binding.leaves):
            message = "a list of single values must not stand inside another list of single values"
            hint = "collect the inner list in a task"
            self.variants.report.add(Code.UNSUPPORTED_BINDING, subject, message, hint=hint)
            return binding
        return mapped(binding, single.__getitem__)

    def _leaf(self, leaf: Leaf) -> Binding:
        if isinstance(leaf, Constant):
            return leaf
        if isinstance(leaf, FromInput):
            meant = self.inputs.get(leaf.input)
        else:
            meant = self.outputs.get((leaf.node, leaf.output))
        return leaf if meant is None else _behind(meant, leaf.path)


def _free_name(name: str, taken: Mapping[str, Binding]) -> str:
    """A name that no port of a branch has, for what a condition reads."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    return found


def _instead(leaf: Leaf, node: str, sources: Mapping[str, Leaf]) -> Leaf:
    """What stands behind an output of a node that is gone."""
    if not isinstance(leaf, FromNode) or leaf.node != node:
        return leaf
    found = _behind(sources[leaf.output], leaf.path)
    assert not isinstance(found, Items | FirstOf), "a part of a whole value is one"
    return found


def _meant(source: FromInput | FromNode, shape: _Shape) -> Binding:
    """What a reader of a port gets, in terms of the ports that carry whole values."""
    if isinstance(shape, _Part):
        return dataclasses.replace(source, path=shape.path)
    if isinstance(source, FromInput):
        return Items(tuple(FromInput(element(source.input, index), path) for index, path in enumerate(shape.paths)))
    return Items(
        tuple(FromNode(source.node, element(source.output, index), path) for index, path in enumerate(shape.paths))
    )


def _behind(meant: Binding, path: Path) -> Binding:
    """Follow a path, which `check_types` has found to exist."""
    if isinstance(meant, Items) and path:
        return _behind(meant.leaves[int(path[0])], path[1:])
    if isinstance(meant, Constant) and path:
        return Constant(jsontext.dumps(jsontext.select(meant.json, path)))
    return dataclasses.replace(meant, path=meant.path + path) if isinstance(meant, FromInput | FromNode) else meant


def _passed(name: str, binding: Binding) -> tuple[_Shape | None, list[tuple[str, Leaf]]]:
    """The form in which a binding passes into or out of a graph, None for a whole value; and whole values for ports."""
    if isinstance(binding, Items):
        ports = [(element(name, index), whole(leaf)) for index, leaf in enumerate(binding.leaves)]
        return _List(tuple(leaf.path for leaf in binding.leaves)), ports
    assert not isinstance(binding, FirstOf), "only an output of a conditional has several sources"
    return _Part(binding.path) if binding.path else None, [(name, whole(binding))]
