"""A conditional in Argo's terms: one decision in the caller, and a DAG of which one branch runs.

The caller says which branch is taken in an argument, so that an error in the decision fails the node; the DAG's tasks
ask for their own name. Its outputs are total: they take the first branch that has outputs, and end in `null`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from alula_api.contract import names
from alula_api.contract.graphs import calls
from alula_api.contract.graphs.bindings import Constant, FromInput
from alula_api.contract.graphs.calls import BranchCall
from alula_api.contract.graphs.conditions import Read
from alula_api.contract.graphs.specs import GraphSpec, NodeSpec
from alula_compiler.argo import decisions, expressions
from alula_compiler.argo.model import Names, Object

NOTHING: Final[Object] = {"name": names.NOTHING, "suspend": {"duration": "0"}}
"""The template that takes no time and no pod."""


def dags(ordered: Sequence[GraphSpec], templates: Names) -> list[Object]:
    """Return the DAG of each form of conditional that the graphs have, and what their empty branches run."""
    graphs = {graph.name: graph for graph in ordered}
    found = {
        templates.of(node): node.call for graph in ordered for node in graph.nodes if isinstance(node.call, BranchCall)
    }
    made = [_dag(name, call, graphs, templates) for name, call in found.items()]
    if any(not graphs[name].nodes for call in found.values() for name in calls.graphs(call)):
        made.append(NOTHING)
    return made


def _dag(name: str, call: BranchCall, graphs: Mapping[str, GraphSpec], templates: Names) -> Object:
    called = [(case, graphs[graph]) for case, graph in calls.branches(call).items()]
    ports = dict.fromkeys(port.name for _, graph in called for port in graph.inputs)
    tasks = [_task(case, graph, templates) for case, graph in called]
    outputs = [
        {"name": each.name, "valueFrom": {"expression": _merged(each.name, called)}} for each in called[0][1].outputs
    ]
    taken = {"name": names.TAKEN, "valueFrom": {"expression": _TAKEN}}
    return {
        "name": name,
        "inputs": {"parameters": [{"name": each} for each in (*ports, names.TAKEN)]},
        "outputs": {"parameters": [taken, *outputs]},
        "dag": {"tasks": tasks},
    }


_TAKEN = f"inputs.parameters['{names.TAKEN}']"


def _task(case: str, graph: GraphSpec, templates: Names) -> Object:
    """The task of one branch. A branch that only gives what is there already runs nothing."""
    made: Object = {"name": case, "template": templates.graphs[graph.name] if graph.nodes else names.NOTHING}
    made["when"] = "{{=" + f"{_TAKEN} == '{case}'" + "}}"
    if graph.nodes and graph.inputs:
        passed = [{"name": port.name, "value": "{{inputs.parameters." + port.name + "}}"} for port in graph.inputs]
        made["arguments"] = {"parameters": passed}
    return made


def _merged(output: str, called: list[tuple[str, GraphSpec]]) -> str:
    terms = []
    for case, graph in called:
        if graph.nodes:
            terms.append(f"tasks['{case}']?.outputs?.parameters?.['{output}']")
            continue
        binding = next(each.binding for each in graph.outputs if each.name == output)
        assert isinstance(binding, Constant | FromInput), "a branch without nodes passes whole values on"
        terms.append(f"({_TAKEN} == '{case}' ? {expressions.term(binding, graph)} : nil)")
    return " ?? ".join([*terms, "'null'"])


# The decision


def arguments(node: NodeSpec, call: BranchCall, graph: GraphSpec) -> list[Object]:
    """Return the arguments of a conditional: what its branches get, and which of them is taken."""
    read = {name for name, _ in call.reads}
    inputs = dict(node.inputs)
    passed = [
        {"name": name, "value": expressions.argument(binding, graph)}
        for name, binding in inputs.items()
        if name not in read
    ]

    def term(read: Read) -> str:
        leaf = inputs[read.name]
        if isinstance(leaf, Constant):
            return decisions.constant(leaf)
        assert isinstance(leaf, expressions.Source)
        return expressions.term(leaf, graph)

    decision = decisions.Decision(term, dict(call.reads))
    last = calls.ELSE if call.otherwise else names.NONE_TAKEN
    chain = "".join(f"{decision.text(case.when)} ? '{case.name}' : " for case in call.cases)
    return [*passed, {"name": names.TAKEN, "value": "{{=" + f"{chain}'{last}'" + "}}"}]


def optional(graph: GraphSpec) -> frozenset[str]:
    """Return the conditionals of a graph that have no last branch."""
    return frozenset(node.id for node in graph.nodes if calls.is_optional(node.call))


def taken(node: NodeSpec, optional: Collection[str]) -> str:
    """Return the `when` of a node that waits for conditionals without a last branch; empty for all others.

    It is Skipped where none of their branches is taken. What waits for it is then Omitted, by its own predicate.
    """
    asked = [
        f"tasks['{name}'].outputs.parameters['{names.TAKEN}'] != '{names.NONE_TAKEN}'"
        for name in node.depends()
        if name in optional
    ]
    return "{{=" + " && ".join(asked) + "}}" if asked else ""
