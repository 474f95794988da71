"""A map while its workflow is traced: the interface of its node, and what is known of its lists.

Called by `tracer` and by `alula.declare.maps`. To everything else a map's node is one whose target takes lists.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from alula.interfaces.interface import Input, Interface, Output
from alula.types import scalars, sequences, unions
from alula.types.pytypes import PyType
from alula_api.contract import lists
from alula_api.contract.codes import Code
from alula_api.contract.graphs import interfaces
from alula_api.contract.graphs.bindings import Constant, Items

if TYPE_CHECKING:
    from alula.graph.nodes import Draft
    from alula.graph.trace import Trace
    from alula_api.contract.graphs.calls import MapCall


def interface(item: Interface, over: Collection[str], *, tolerant: bool = False) -> Interface:
    """What a map of something with the interface `item` takes and gives: lists of what it goes over and of outputs.

    Where it is `tolerant` of failing items, their outputs are None.
    """
    inputs = tuple(
        Input(each.name, _list(each.type), description=each.description) if each.name in over else each
        for each in item.inputs
    )
    made = [(each, _or_none(each.type) if tolerant else each.type) for each in item.outputs]
    outputs = tuple(Output(each.name, _list(kind), each.description) for each, kind in made)
    return Interface(inputs, outputs, item.style, result=item.result, description=item.description)


def _or_none(item: PyType) -> PyType:
    """`T | None`, likewise."""
    found = unions.union(Any, (item, scalars.NONE))
    found.schema = interfaces.or_none(item.schema)
    return found


def _list(item: PyType) -> PyType:
    """`list[T]`; what the type of the items refers to stands at the root of the whole."""
    found = sequences.sequence(list, list, item)
    found.schema = interfaces.list_of(item.schema)
    return found


def check(trace: Trace, draft: Draft, call: MapCall) -> None:
    """Report lists that are written in the workflow and that no map can go over."""
    lengths = {}
    for name in call.over:
        binding = draft.bindings.get(name)
        if isinstance(binding, Items):
            lengths[name] = len(binding.leaves)
        elif isinstance(binding, Constant) and isinstance(value := binding.json, list):
            lengths[name] = len(value)
    problem = length_problem(lengths, call.batch)
    if problem:
        code, message = problem
        trace.problem(code, message, trace.place(draft.place), subject=f"node {draft.id}")
    elif lengths and call.min_successes is not None and call.min_successes > min(lengths.values()):
        message = f"{call.min_successes} items must succeed, and its lists have {min(lengths.values())}"
        trace.problem(Code.BAD_VALUE, message, trace.place(draft.place), subject=f"node {draft.id}")


def length_problem(lengths: Mapping[str, int], batch: int | None) -> tuple[Code, str] | None:
    """What is wrong with lists of these lengths, if anything is; `batch` is the map's."""
    for name, count in lengths.items():
        problem = lists.too_many(count, batch)
        if problem is not None:
            return Code.TOO_LARGE, f"the input {name} {problem.problems[0].message}"
    if len(set(lengths.values())) > 1:
        return Code.BAD_VALUE, f"the input {next(iter(lengths))} {lists.unequal(lengths).problems[0].message}"
    return None
