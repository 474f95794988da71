"""Whether a workflow that is run here is larger than a cluster takes: one warning. Called by `alula run`.

Limits of size are the compiler's. It is asked only where the workflow may come near them, because it takes longer to
load than a small workflow takes to run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alula import display, errors
from alula_api.contract.codes import Code
from alula_api.contract.graphs.bindings import Constant, leaves

if TYPE_CHECKING:
    from alula.declare.workflows import Workflow
    from alula_api.contract.diagnostics import Diagnostic

MAX_SURE_BYTES = 50_000
MAX_SURE_CALLS = 1_000
MAX_SURE_WORKFLOWS = 30
_OF_NODE, _OF_TASK = 200, 1_500
"""Bytes of compiled text, roughly: only a workflow that is far below every limit is not compiled."""


def warn(workflow: Workflow[..., Any]) -> None:
    """Print the first thing that is too large for a cluster, if there is one."""
    if not _may_be_large(workflow):
        return
    found = next((each for each in problems(workflow) if each.code is Code.TOO_LARGE), None)
    if found is not None:
        display.note(f"warning: a cluster would refuse this workflow: {found.message}\n  hint: {found.hint}")


def _may_be_large(workflow: Workflow[..., Any]) -> bool:
    closure = workflow.closure
    nodes = [node for graph in closure.graphs for node in graph.nodes]
    bound = [binding for node in nodes for binding in node.bindings.values()]
    bound += [binding for graph in closure.graphs for _, binding in graph.outputs]
    texts = sum(len(leaf.text) for binding in bound for leaf in leaves(binding) if isinstance(leaf, Constant))
    if texts + _OF_NODE * len(nodes) + _OF_TASK * len(closure.tasks) > MAX_SURE_BYTES:
        return True
    if len(closure.workflows) > MAX_SURE_WORKFLOWS:
        return True
    calls = {id(each): 0 for each in closure.workflows}
    for _ in calls:  # as often as workflows can lie in each other
        for each, graph in zip(closure.workflows, closure.graphs, strict=True):
            calls[id(each)] = sum(1 + sum(calls.get(id(called), 0) for called in node.called) for node in graph.nodes)
    return calls[id(workflow)] > MAX_SURE_CALLS


def problems(workflow: Workflow[..., Any]) -> list[Diagnostic]:
    """Return what the compiler says of a workflow."""
    from alula.cli import compile
    from alula.emit import assemble, discovery, manifests, resources

    try:
        made = assemble.assemble(discovery.Definitions((workflow,), ()), resources.Code("image"))
    except errors.UserError as error:
        return list(error.diagnostics)
    return compile.compiled(manifests.Found(each) for each in made)[1]
