"""A part of a workflow that is written in place, as the branch of a conditional: a graph of its own.

Made by `branches` of what the tracer recorded while the part was open. What it reads of the workflow around it become
its inputs, so that it is as closed as a workflow, and is one to everything that walks graphs: a callee without a
function of the user's, with the name of its workflow and of its place in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from alula.graph.traceable import Traceable
from alula.interfaces.callee import WORKFLOW
from alula.interfaces.interface import Input, Interface, Output
from alula.types.pytypes import PyType
from alula_api.contract import names, type_names
from alula_api.contract.graphs import bindings
from alula_api.contract.graphs.bindings import Binding, Constant, FromInput, FromNode, Leaf

if TYPE_CHECKING:
    from alula.code.places import Source
    from alula.graph.nodes import Graph
    from alula_api.contract.diagnostics import Diagnostic
    from alula_api.contract.schemas import Schema


class Body(Traceable):
    """One part of a workflow.

    Attributes:
        reads: The inputs, each with what it is in the graph around.
    """

    kind = WORKFLOW

    def __init__(
        self, name: str, subject: str, source: Source, reads: Mapping[str, FromInput | FromNode], graph: Graph
    ) -> None:
        self.name, self.subject, self.source = name, subject, source
        self.reads = reads
        self._graph = graph
        self.__dict__["interface"] = Interface(graph.inputs, graph.output_types, "several")

    @property
    def entrypoint(self) -> str:
        """No process asks for it: it is told what it is."""
        return self.subject

    @property
    def obstacle(self) -> str:
        """None: it is a part of a workflow that is found."""
        return ""

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Never called: it is no function."""
        raise TypeError(f"{self.subject} is a part of a workflow")

    @property
    def traced(self) -> tuple[Graph | None, tuple[Diagnostic, ...]]:
        """Its graph; what is wrong with it is told with the workflow."""
        return self._graph, ()

    @property
    def graph(self) -> Graph:
        """Its graph."""
        return self._graph

    def __repr__(self) -> str:
        return f"<{self.subject}>"


def name(*parts: str) -> str:
    """The name of a part in the resource: of its workflow and of its place in it."""
    return names.dns_label("-".join(parts))


class Ports:
    """What one node reads for all its parts: each source under one name, and none under one that is `taken`."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.names: dict[Leaf, str] = {}
        self._taken = set(taken)

    def name(self, leaf: FromInput | FromNode) -> str:
        """The name of a source: `model`, `score`, `score_accuracy`, `score_2`."""
        if leaf not in self.names:
            self.names[leaf] = self._free(leaf)
        return self.names[leaf]

    def _free(self, leaf: FromInput | FromNode) -> str:
        start = leaf.input if isinstance(leaf, FromInput) else leaf.node.rpartition("/")[2]
        parts = [start] if isinstance(leaf, FromInput) or leaf.output == "o0" else [start, leaf.output]
        found = base = identifier("_".join([*parts, *leaf.path]))
        number = 1
        while found in self._taken:
            number += 1
            found = f"{base}_{number}"
        self._taken.add(found)
        return found


class Lifting:
    """What the nodes of a part read: those of the part by their own names, all else as inputs.

    Args:
        prefix: With which the internal ids of the part's nodes begin.
        ports: Of the node that the part belongs to.
    """

    def __init__(self, prefix: str, ports: Ports) -> None:
        self._prefix, self._ports = prefix, ports
        self.reads: dict[str, FromInput | FromNode] = {}

    def leaf(self, leaf: Leaf) -> Leaf:
        """The source as the part has it."""
        if isinstance(leaf, Constant):
            return leaf
        if isinstance(leaf, FromNode) and leaf.node.startswith(self._prefix):
            return FromNode(leaf.node.removeprefix(self._prefix), leaf.output, leaf.path)
        whole = bindings.whole(leaf)
        assert not isinstance(whole, Constant)
        name = self._ports.name(whole)
        self.reads[name] = whole
        return FromInput(name, leaf.path)

    def binding(self, binding: Binding) -> Binding:
        """The same for all that a binding reads."""
        return bindings.mapped(binding, self.leaf)


def identifier(text: str) -> str:
    """An identifier as near to a text as can be."""
    found = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in text)[:50] or "value"
    return f"_{found}" if found[0].isdigit() or found in ("and", "or", "not", "is", "None", "True", "False") else found


def declared(schema: Schema) -> PyType:
    """A type that no Python value passes through."""

    def refuse(*_: object) -> NoReturn:
        raise TypeError("a part of a workflow passes values on as they are")

    return PyType(None, type_names.describe(schema), schema, refuse, refuse)


def inputs(found: Mapping[str, Schema]) -> tuple[Input, ...]:
    """The inputs of a part with these types."""
    return tuple(Input(name, declared(schema)) for name, schema in found.items())


def outputs(found: Mapping[str, Schema]) -> tuple[Output, ...]:
    """The outputs of a part with these types."""
    return tuple(Output(name, declared(schema)) for name, schema in found.items())
