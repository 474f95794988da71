"""A workflow with everything that it reaches: what one resource holds. Checked as a whole, walked without recursion.

Made once a workflow, as its `closure`: the local runner, emission and the command line read it there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from alula import errors
from alula.graph.traceable import Traceable
from alula.interfaces import callee
from alula.interfaces.callee import Callee
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from alula.graph.nodes import Graph, Node


W = TypeVar("W", bound=Traceable)
T = TypeVar("T", bound=Callee)


@dataclass(frozen=True)
class Closure(Generic[W, T]):
    """All that a workflow needs, each once, in the order of first use.

    Attributes:
        workflows: The workflow itself and those that it calls, directly or not.
        graphs: Their graphs, in the same order.
        tasks: The tasks of all graphs.
    """

    workflows: tuple[W, ...]
    graphs: tuple[Graph, ...]
    tasks: tuple[T, ...]


def close(workflow: W) -> Closure[W, Any]:
    """Trace a workflow and all that it reaches.

    Raises:
        DefinitionError: With everything that is wrong with any of them.
    """
    workflows: dict[int, W] = {id(workflow): workflow}
    tasks: dict[int, Callee] = {}
    problems: list[Diagnostic] = []
    graphs: list[Graph] = []
    waiting = [workflow]
    for current in waiting:
        graph, found = current.traced
        problems += found
        if graph is None:
            continue
        graphs.append(graph)
        problems += _absences(current, graph)
        for node in graph.nodes:
            for target in node.called:
                if target.kind == callee.TASK:
                    tasks.setdefault(id(target), target)
                elif id(target) not in workflows:
                    workflows[id(target)] = cast("W", target)
                    waiting.append(cast("W", target))
    from alula.graph import checks, value_forms  # not before a workflow is checked: a pod only imports it

    problems += checks.own_names(list(workflows.values())[1:])
    problems += checks.same_names(list(tasks.values()), workflow.subject)
    problems += checks.same_names(list(workflows.values()), workflow.subject)
    problems += checks.same_keys(list(tasks.values()), workflow.subject)
    if len(graphs) == len(workflows):
        problems += _circle(workflow, {id(one): graph for one, graph in zip(workflows.values(), graphs, strict=True)})
        if not problems:
            nested = value_forms.ValueForms(
                dict(zip(workflows, graphs, strict=True)), {key: each.subject for key, each in workflows.items()}
            )
            nested.look(id(workflow))
            problems += nested.problems
    if problems:
        raise errors.DefinitionError(dict.fromkeys(problems))
    distinct = {task.name: task for task in reversed(tasks.values())}
    return Closure(tuple(workflows.values()), tuple(graphs), tuple(distinct[name] for name in _names(tasks)))


def _absences(workflow: Callee, graph: Graph) -> Iterator[Diagnostic]:
    """Results that need not be there: where the conditional in front of them goes no way, there is nothing to give."""
    from alula_api.contract.graphs import absences

    nodes = {node.id: node for node in graph.nodes}
    steps = ((node.id, node.call, node.depends()) for node in graph.nodes)
    for output, made, message in absences.problems(steps, graph.outputs):
        where = f"{workflow.subject}, " + ("its result" if len(graph.outputs) == 1 else f"output {output}")
        hint = "end it with .else_().then(None), after which what waits for it runs, or make the value in its branch"
        yield Diagnostic(Code.UNSUPPORTED_BINDING, message, str(nodes[made].source), where, "", hint)


def _names(tasks: dict[int, Callee]) -> list[str]:
    return list(dict.fromkeys(task.name for task in tasks.values()))


def _circle(root: Callee, graphs: dict[int, Graph]) -> list[Diagnostic]:
    """A workflow that calls itself, directly or through others, has no static graph."""
    done: set[int] = set()
    path: list[tuple[Callee, Iterator[tuple[Node, Callee]]]] = [(root, _called(graphs[id(root)]))]
    open_: dict[int, int] = {id(root): 0}
    while path:
        current, nodes = path[-1]
        found = next(((node, each) for node, each in nodes if id(each) in graphs and id(each) not in done), None)
        if found is None:
            path.pop()
            del open_[id(current)]
            done.add(id(current))
            continue
        node, target = found
        if id(target) in open_:
            names = " -> ".join([*(step.name for step, _ in path[open_[id(target)] :]), target.name])
            hint = "a static graph has no recursion: call a task that loops, or unroll the calls"
            message = f"the workflow calls itself: {names}"
            return [Diagnostic(Code.CYCLE, message, str(node.source), current.subject, "", hint)]
        open_[id(target)] = len(path)
        path.append((target, _called(graphs[id(target)])))
    return []


def _called(graph: Graph) -> Iterator[tuple[Node, Callee]]:
    return ((node, target) for node in graph.nodes for target in node.called)
