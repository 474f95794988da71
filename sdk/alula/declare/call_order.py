"""`order`: calls of a workflow one after the other, for those whose results nothing uses."""

from __future__ import annotations

from alula import errors
from alula.code import places
from alula.graph import promises
from alula.graph.tracer import active
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

__tracebackhide__ = True  # pytest shows the user's frames only


def order(first: object, *then: object) -> None:
    """Let calls run one after the other in a workflow: `order(load(), [check(), clean()], publish())`.

    The same as `a >> b >> c`, which type checkers do not take where a task returns nothing.

    Args:
        first: The result of a call in the workflow that is traced, or a list of such results.
        then: Each waits for the one before it.

    Raises:
        DefinitionError: It stands outside a workflow, or something is no result of a call.
    """
    tracer = active.get()
    if tracer is None:
        message = "order() stands in a workflow: it orders the nodes of its graph"
        hint = "call the tasks one after the other"
        raise errors.DefinitionError([Diagnostic(Code.NOT_A_TASK, message, str(places.caller()), hint=hint)])
    before = first
    for after in then:
        promises.in_order(tracer.trace, before, after)
        before = after
