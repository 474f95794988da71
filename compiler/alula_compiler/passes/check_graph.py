"""Graphs are finite: no circle of nodes or of graphs, no reserved name, and not more than a run holds.

Afterwards every graph's nodes stand in topological order, as written where that is one, and graphs that nothing calls
are gone.
"""

from __future__ import annotations

import dataclasses

from alula_api.contract import names
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import SMALLER
from alula_api.contract.graphs import absences, calls
from alula_api.contract.graphs.bindings import Binding, FirstOf
from alula_api.contract.graphs.specs import GraphSpec
from alula_compiler import graph_calls, order, problems
from alula_compiler.engines import Engine, Limits
from alula_compiler.problems import Report, Subject
from alula_compiler.program import Program


def run(program: Program, engine: Engine, report: Report) -> Program:
    """Report circles, reserved names and what is too large for one run; put nodes in order."""
    graphs = tuple(_graph(program, graph, report) for graph in program.graphs)
    called = graph_calls.between(graphs)
    circle = order.cycle(called)
    if circle:
        subject = problems.of_graph(program, next(graph for graph in graphs if graph.name == circle[0]))
        report.add(
            Code.CYCLE, subject, f"graphs call each other: {_shown(circle)}", hint="a static graph cannot recurse"
        )
    if circle or names.MAIN not in called:
        return program
    in_order = graph_calls.order(called)
    reached = set(in_order)
    kept = [graph for graph in graphs if graph.name in reached]
    _sizes(program, kept, in_order, engine.limits, report)
    used = {task for graph in kept for node in graph.nodes for task in calls.tasks(node.call)}
    tasks = tuple(task for task in program.tasks if task.name in used)
    return dataclasses.replace(program, graphs=tuple(kept), tasks=tasks)


def _graph(program: Program, graph: GraphSpec, report: Report) -> GraphSpec:
    subject = problems.of_graph(program, graph)
    for node in graph.nodes:
        where = subject.at(f"node {node.id}")
        if node.id == names.ADMIT:
            report.add(Code.BAD_NAME, where, f"a node must not be called `{names.ADMIT}`: that is the run's first node")
        elif not names.is_node_id(node.id):
            report.add(Code.BAD_NAME, where, "the id of a node must begin with a letter")
        for name, binding in node.inputs:
            _one_source(binding, where.at(f"input {name}"), report)
    for output in graph.outputs:
        _one_source(output.binding, subject.at(f"output {output.name}"), report)
    ordered = order.ordered(graph.nodes)
    if len(ordered) < len(graph.nodes):
        path = order.cycle(order.dependencies(graph.nodes))
        where = subject.at(f"node {path[0]}")
        report.add(Code.CYCLE, where, f"nodes wait for each other: {_shown(path)}")
        return graph
    steps = ((node.id, node.call, node.depends()) for node in ordered)
    for name, _, message in absences.problems(steps, ((each.name, each.binding) for each in graph.outputs)):
        where, hint = subject.at(f"output {name}"), "give that conditional an `otherwise`"
        report.add(Code.UNSUPPORTED_BINDING, where, message, hint=hint)
    return dataclasses.replace(graph, nodes=ordered)


def _one_source(binding: Binding, where: Subject, report: Report) -> None:
    """What is not taken has no parameters in Argo, and only the DAG of a conditional says which branch has."""
    if isinstance(binding, FirstOf):
        message = "the first of several sources cannot be compiled yet"
        report.add(Code.UNSUPPORTED_BINDING, where, message, hint="let the branches of a conditional give the value")


def _sizes(program: Program, graphs: list[GraphSpec], in_order: list[str], limits: Limits, report: Report) -> None:
    subject = problems.of_program(program)
    called = graph_calls.between(graphs)
    known = {graph.name: graph for graph in graphs}
    if graph_calls.missing(graphs):
        return
    nodes = graph_calls.nodes_in_run(known, in_order)[names.MAIN]
    if nodes > limits.run_nodes:
        report.add(
            Code.TOO_LARGE,
            subject,
            f"a run would have {nodes:,} nodes, and must have at most {limits.run_nodes:,}",
            hint=SMALLER,
        )
    levels = graph_calls.depths(called, in_order)[names.MAIN]
    if levels > limits.nesting:
        message = f"graphs call each other {levels} levels deep, and must at most {limits.nesting}"
        report.add(Code.TOO_LARGE, subject, message, hint="call the inner graphs from `main`")


def _shown(path: list[str]) -> str:
    return " -> ".join(path if len(path) <= 12 else [*path[:6], "...", *path[-5:]])
