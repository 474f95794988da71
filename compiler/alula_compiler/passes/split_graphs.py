"""Graphs with more nodes than a DAG may have become DAGs of DAGs.

A large graph is cut into pieces along a topological order; each piece of more than one node becomes a graph
`<graph>-<k>`, called by a node of the same name. What a piece reads from outside are its inputs (`<node>--<output>`,
or the name of the graph's own input), what is read of it outside are its outputs. A node that reads from a piece waits
for the whole piece, so of two ways to cut the one is taken that makes nodes wait less. Linear in nodes and edges.

Whether a node is taken cannot be said from piece to piece, so a conditional without a last branch and all that waits
for it, directly or through others, are one piece, among the last ones: nothing else waits for them.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence

from alula_api.contract import names
from alula_api.contract.codes import Code
from alula_api.contract.graphs import absences, calls
from alula_api.contract.graphs.bindings import Binding, Constant, FromInput, FromNode, Leaf, leaves, mapped, whole
from alula_api.contract.graphs.calls import GraphCall
from alula_api.contract.graphs.specs import GraphSpec, NodeSpec, Output, Port
from alula_compiler import order, problems
from alula_compiler.engines import Engine
from alula_compiler.problems import Report
from alula_compiler.program import Program

Pieces = list[list[NodeSpec]]
Before = Mapping[str, Sequence[str]]


def run(program: Program, engine: Engine, report: Report) -> Program:
    """Cut every graph that is too large; the pieces stand before the graph that they come from."""
    taken = {graph.name for graph in program.graphs}
    graphs: list[GraphSpec] = []
    for written in program.graphs:
        graph = written
        while len(graph.nodes) > engine.limits.dag_tasks:
            aside = _aside(graph)
            if (largest := max(aside, key=len, default=[])) and len(largest) > engine.limits.dag_tasks:
                _refuse(program, graph, largest, engine.limits.dag_tasks, report)
                break
            graph, inner = _cut(graph, aside, engine.limits.dag_tasks, taken)
            graphs += inner
        graphs.append(graph)
    return dataclasses.replace(program, graphs=tuple(graphs))


def _aside(graph: GraphSpec) -> Pieces:
    """The nodes that need not be taken, where others wait for them: those that hang together, in their order."""
    before = order.dependencies(graph.nodes)
    absent = absences.because((node.id, node.call, before[node.id]) for node in graph.nodes)
    joined: dict[str, str] = {}

    def last(name: str) -> str:
        while joined[name] != name:
            joined[name] = name = joined[joined[name]]
        return name

    for name in absent:
        joined[name] = name
        for source in before[name]:
            if source in absent:
                joined[last(source)] = name
    groups: dict[str, list[NodeSpec]] = {}
    for node in graph.nodes:
        if node.id in absent:
            groups.setdefault(last(node.id), []).append(node)
    return [group for group in groups.values() if len(group) > 1]


def _refuse(program: Program, graph: GraphSpec, aside: Sequence[NodeSpec], most: int, report: Report) -> None:
    first = next(node for node in aside if calls.is_optional(node.call))
    message = f"{len(aside) - 1:,} nodes wait for `{first.id}`, which has no last branch, and {most - 1} may"
    hint = "end it with .else_().then(None), or put what waits for it into a workflow of its own"
    report.add(Code.TOO_LARGE, problems.of_graph(program, graph).at(f"node {first.id}"), message, hint=hint)


def _cut(graph: GraphSpec, aside: Pieces, most: int, taken: set[str]) -> tuple[GraphSpec, list[GraphSpec]]:
    """Return the graph with pieces in place of nodes, and the pieces. The nodes must be in order."""
    last = {node.id for group in aside for node in group}
    nodes = [node for node in graph.nodes if node.id not in last]
    before = order.dependencies(graph.nodes)
    pieces: Pieces = []
    if nodes:
        # As many pieces as there must be, but of equal size.
        size = -(-len(nodes) // -(-len(nodes) // most))
        others = {node.id: before[node.id] for node in nodes}
        candidates = [_by_levels(nodes, others, size), _depth_first(nodes, others, size)]
        pieces = min(candidates, key=lambda one: _cost(others, one))
    pieces = [*pieces, *_packed(aside, most)]
    return _Assembly(graph, pieces, _names(graph, pieces, taken)).done()


def _packed(groups: Pieces, most: int) -> Pieces:
    """Groups of nodes, several in one piece as far as they fit."""
    pieces: Pieces = []
    for group in groups:
        if pieces and len(pieces[-1]) + len(group) <= most:
            pieces[-1] += group
        else:
            pieces.append([*group])
    return pieces


def _by_levels(nodes: Sequence[NodeSpec], before: Before, most: int) -> Pieces:
    """Whole levels together as far as they fit; a level that is too large alone, in pieces of equal size."""
    depth = order.levels(before)
    levels: list[list[NodeSpec]] = [[] for _ in range(1 + max(depth.values()))]
    for node in nodes:
        levels[depth[node.id]].append(node)
    pieces: Pieces = []
    is_open = False
    for level in levels:
        if len(level) > most:
            count = -(-len(level) // most)
            bounds = [index * len(level) // count for index in range(count + 1)]
            pieces += [level[start:end] for start, end in itertools.pairwise(bounds)]
            is_open = False
        elif is_open and len(pieces[-1]) + len(level) <= most:
            pieces[-1].extend(level)
        else:
            pieces.append(list(level))
            is_open = True
    return pieces


def _depth_first(nodes: Sequence[NodeSpec], before: Before, most: int) -> Pieces:
    """Each node as soon as what it needs is there, so that independent chains stay together."""
    after = order.dependents(before)
    by_id = {node.id: node for node in nodes}
    missing = {name: len(sources) for name, sources in before.items()}
    ready = [node.id for node in reversed(nodes) if not before[node.id]]
    found: list[NodeSpec] = []
    while ready:
        name = ready.pop()
        found.append(by_id[name])
        for following in reversed(after[name]):
            missing[following] -= 1
            if missing[following] == 0:
                ready.append(following)
    return [found[start : start + most] for start in range(0, len(found), most)]


def _cost(before: Before, pieces: Pieces) -> tuple[int, int]:
    """How many nodes run one after another at the most, and how many edges lead from piece to piece."""
    home = {node.id: index for index, piece in enumerate(pieces) for node in piece}
    ends: list[int] = []
    crossing = 0
    for index, piece in enumerate(pieces):
        outside = [name for node in piece for name in before[node.id] if home[name] != index]
        crossing += len(outside)
        begin = max([ends[home[name]] for name in outside], default=0)
        end: dict[str, int] = {}
        for node in piece:
            own = [end[name] for name in before[node.id] if home[name] == index]
            end[node.id] = 1 + max(own, default=begin)
        ends.append(max(end.values()))
    return max(ends), crossing


def _names(graph: GraphSpec, pieces: Pieces, taken: set[str]) -> list[str]:
    """A name for each piece: of its only node, or the next `<graph>-<k>` that is no graph's and no node's name."""
    ids = {node.id for node in graph.nodes}
    begin = names.node_id(graph.name)
    found = []
    number = 0
    for piece in pieces:
        if len(piece) == 1:
            found.append(piece[0].id)
            continue
        number += 1
        while f"{begin}-{number}" in taken or f"{begin}-{number}" in ids:
            number += 1
        found.append(f"{begin}-{number}")
        taken.add(found[-1])
    return found


def passed(node: str, output: str) -> str:
    """Return the name under which an output of a node is passed into or out of a piece."""
    return f"{node}--{output}"


class _Assembly:
    """The pieces of one graph, and the graph that calls them."""

    def __init__(self, graph: GraphSpec, pieces: Pieces, called: Sequence[str]) -> None:
        self.graph, self.pieces, self.names = graph, pieces, called
        self.home = {node.id: index for index, piece in enumerate(pieces) for node in piece}
        self.used = self._used_outside()

    def done(self) -> tuple[GraphSpec, list[GraphSpec]]:
        calls, inner = [], []
        for index, piece in enumerate(self.pieces):
            if len(piece) == 1:
                calls.append(self._alone(piece[0]))
                continue
            call, graph = self._piece(index, piece)
            calls.append(call)
            inner.append(graph)
        outputs = tuple(
            dataclasses.replace(output, binding=mapped(output.binding, self._from_parent))
            for output in self.graph.outputs
        )
        return dataclasses.replace(self.graph, nodes=tuple(calls), outputs=outputs), inner

    def _used_outside(self) -> Mapping[int, dict[tuple[str, str], None]]:
        """For each piece, the outputs of its nodes that something outside reads, in the order of first use."""
        used: dict[int, dict[tuple[str, str], None]] = {index: {} for index in range(len(self.pieces))}
        readers = [(self.home[node.id], leaf) for node in self.graph.nodes for leaf in node.reads()]
        readers += [(-1, leaf) for output in self.graph.outputs for leaf in leaves(output.binding)]
        for reader, leaf in readers:
            if isinstance(leaf, FromNode) and self.home[leaf.node] != reader:
                used[self.home[leaf.node]][leaf.node, leaf.output] = None
        return used

    def _alone(self, node: NodeSpec) -> NodeSpec:
        return node.reading(self._from_parent, self._waits(node.after))

    def _piece(self, index: int, piece: list[NodeSpec]) -> tuple[NodeSpec, GraphSpec]:
        inputs: dict[str, Binding] = {}
        after: dict[str, None] = {}
        nodes = []
        for node in piece:
            own = tuple(name for name in node.after if self.home[name] == index)
            after.update(dict.fromkeys(self._waits(name for name in node.after if self.home[name] != index)))
            nodes.append(node.reading(lambda leaf: self._from_piece(index, leaf, inputs), own))
        name = self.names[index]
        types = {port.name: port.type for port in self.graph.inputs}
        graph = GraphSpec(
            name=name,
            inputs=tuple(Port(port, types.get(port, {})) for port in inputs),
            outputs=tuple(
                Output(passed(node_id, output), {}, FromNode(node_id, output)) for node_id, output in self.used[index]
            ),
            nodes=tuple(nodes),
        )
        return NodeSpec(name, GraphCall(name), inputs=tuple(inputs.items()), after=tuple(after)), graph

    def _waits(self, nodes: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.names[self.home[name]] for name in nodes))

    def _from_parent(self, leaf: Leaf) -> Leaf:
        """The source as the calling graph has it: outputs of a piece's nodes are outputs of the piece."""
        if not isinstance(leaf, FromNode) or len(self.pieces[self.home[leaf.node]]) == 1:
            return leaf
        return FromNode(self.names[self.home[leaf.node]], passed(leaf.node, leaf.output), leaf.path)

    def _from_piece(self, index: int, leaf: Leaf, inputs: dict[str, Binding]) -> Leaf:
        """The source as the piece has it: what comes from outside is an input, which is noted in `inputs`."""
        if isinstance(leaf, Constant) or (isinstance(leaf, FromNode) and self.home[leaf.node] == index):
            return leaf
        name = leaf.input if isinstance(leaf, FromInput) else passed(leaf.node, leaf.output)
        inputs[name] = self._from_parent(whole(leaf))
        return FromInput(name, leaf.path)
