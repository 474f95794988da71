"""`fit.named("fit-chicago")(...)`: a call of a task or workflow whose node has a name of its own.

Made by the `named` of tasks and workflows. Outside a trace there are no nodes, so only the name is checked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from alula import errors
from alula.graph.tracer import active

if TYPE_CHECKING:
    from alula.interfaces.callee import Callee

__tracebackhide__ = True  # pytest shows the user's frames only

P = ParamSpec("P")
R = TypeVar("R")


class Named(Generic[P, R]):
    """A task or workflow under the name that a call of it shall have."""

    __slots__ = ("_callee", "_name")

    def __init__(self, callee: Callee, name: str) -> None:
        self._callee = callee
        self._name = name

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call it; while a workflow is traced, the node has this name.

        Raises:
            DefinitionError: No node can have the name, or (at the end of the trace) another one has it.
        """
        tracer = active.get()
        if tracer is not None:
            return tracer.call(self._callee, args, kwargs, sys._getframe(1), self._name)  # type: ignore[no-any-return]
        from alula.code import places
        from alula.graph import checks

        if problems := checks.node_name(self._name, self._callee.node_name, str(places.caller()), self._callee.subject):
            raise errors.DefinitionError(problems)
        call: Callable[..., Any] = self._callee
        return call(*args, **kwargs)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<{self._callee.subject} named {self._name}>"
