"""A repeat while its workflow is traced: what its rounds pass on, and the condition that ends them.

Called by `tracer` and by `alula.declare.repeats`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from alula import errors
from alula.code import places
from alula.graph import bodies, comparisons
from alula_api.contract import schemas
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.graphs import bindings, conditions
from alula_api.contract.graphs.bindings import FromNode
from alula_api.contract.graphs.calls import RepeatCall, Watched

if TYPE_CHECKING:
    from alula.graph.nodes import Draft
    from alula.graph.trace import Trace
    from alula.interfaces.interface import Interface
    from alula_api.contract.graphs.calls import GraphCall, TaskCall
    from alula_api.contract.graphs.conditions import Condition

NEVER = conditions.Not(conditions.Either(()))
"""Stands for a condition that was wrong."""


def state(interface: Interface) -> tuple[tuple[tuple[str, str], ...], str]:
    """Return the inputs of a step that get one of its outputs in the next round; or else what is wrong with it.

    A single result is the first input. Fields of a NamedTuple are the inputs of their names, if there is one; else, and
    of a tuple, each is the input in its place.
    """
    inputs, outputs = [each.name for each in interface.inputs], [each.name for each in interface.outputs]
    if not outputs:
        return (), "it returns nothing, so that every call would be the same"
    if not inputs:
        return (), "it takes nothing, so that every call would be the same"
    same = tuple((name, name) for name in outputs if name in inputs)
    if same and interface.style != "single":
        found = same
    elif len(outputs) > len(inputs):
        return (), f"it returns {len(outputs)} results and takes {len(inputs)}: none of them has the name of another"
    else:
        found = tuple(zip(inputs, outputs, strict=False))
    takes = {each.name: each.type.schema for each in interface.inputs}
    gives = {each.name: each.type.schema for each in interface.outputs}
    for name, output in found:
        reason = schemas.assignable(gives[output], takes[name])
        if reason is not None:
            what = "it returns" if interface.style == "single" else f"it returns as {output}"
            told = f"{what} {schemas.describe(gives[output])}, and takes {schemas.describe(takes[name])} as {name}"
            return (), told
    return found, ""


def call(step: TaskCall | GraphCall, interface: Interface, most: int, trace: Trace, draft: Draft) -> RepeatCall:
    """Return the call of a repeat, before its condition is known; what is wrong with its step is told."""
    found, message = state(interface)
    if message:
        hint = "return the next state, in the type of an argument of the step"
        trace.problem(Code.EDGE_TYPE, message, trace.place(draft.place), subject=draft.subject, hint=hint)
    return RepeatCall(step, NEVER, most, found, tuple(each.name for each in interface.outputs))


def passes_on(draft: Draft) -> bool:
    """Whether the step has a next state; what it returns is not asked for anything where it has none."""
    return isinstance(draft.call, RepeatCall) and bool(draft.call.state)


def asked(until: Callable[[Any], Any], made: Any) -> object:
    """What `until` gives for what a round makes.

    Raises:
        DefinitionError: It raised.
    """
    try:
        return until(made)
    except errors.UserError:
        raise
    except Exception as error:  # whatever the user's function raises, shown as a diagnostic
        message = f"until of repeat() raised {type(error).__name__}: {error}".replace("\n", " ")[:300]
        hint = "it is called once, before anything runs, and gives a condition: let the step return what is compared"
        raise errors.DefinitionError([Diagnostic(Code.BAD_SOURCE, message, str(places.caller()), hint=hint)]) from error


def ask(trace: Trace, draft: Draft, until: object) -> None:
    """Give a repeat the condition that ends it, and what that reads beside the rounds' outputs."""
    assert isinstance(draft.call, RepeatCall)
    found = comparisons.condition(until, trace, draft.subject)
    if found.tree is None:
        return
    ports = bodies.Ports(taken=(each.name for each in draft.called[0].interface.inputs))
    names: dict[str, str] = {}
    watched: dict[str, Watched] = {}
    for key, edge in found.operands.items():
        leaf = edge.binding
        assert isinstance(leaf, bindings.FromInput | FromNode)
        name = names[key] = ports.name(leaf)
        if isinstance(leaf, FromNode) and leaf.node == draft.id:
            watched[name] = Watched(name, edge.schema, leaf.output, leaf.path)
        else:
            watched[name] = Watched(name, edge.schema)
            draft.bindings[name] = leaf
    tree: Condition = conditions.renamed(found.tree, names.__getitem__)
    read = conditions.reads(tree)
    if not any(watched[name].output for name in read):
        message = "its condition reads nothing that the step returns, so that it never changes"
        hint = "compare what `until` is given: until=lambda state: state.loss < 0.1"
        trace.problem(Code.NOT_A_TASK, message, trace.place(draft.place), subject=draft.subject, hint=hint)
    draft.call = RepeatCall(
        draft.call.step, tree, draft.call.max, draft.call.state, draft.call.outputs, tuple(watched.values())
    )


def refuse_calls(trace: Trace, draft: Draft, made: Sequence[Draft]) -> None:
    """Say that the condition of a repeat calls what would be a node, which runs once and not in each round."""
    for each in made:
        message = f"its condition calls {each.subject}, which is a node that runs when all rounds are over"
        hint = "let the step return what is compared"
        trace.problem(Code.NOT_A_TASK, message, trace.place(each.place), subject=draft.subject, hint=hint)
