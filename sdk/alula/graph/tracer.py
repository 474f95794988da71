"""Runs a workflow's function once with promises and records every call of a task or workflow as a node.

Called by `alula.declare.workflows`. It never runs a task, and goes on after a mistake, so that one trace reports all of
them; only a promise that is used as a value ends it, because no value can be given.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from alula import errors
from alula.code import places

if TYPE_CHECKING:
    import types

    from alula.graph.nodes import Draft, Graph
    from alula.interfaces.callee import Callee
    from alula.interfaces.interface import Interface
    from alula_api.contract.graphs.bindings import Binding

__tracebackhide__ = True  # pytest shows the user's frames only

active: ContextVar[Tracer | None] = ContextVar("alula_tracer", default=None)
"""The trace that is going on in this thread; a task that is called meanwhile becomes a node of it."""


class Tracer:
    """One trace of one workflow, from the call of its function to its graph."""

    def __init__(self, workflow: Callee) -> None:
        from alula.graph import arguments, trace
        from alula_api.contract import names

        self.workflow = workflow
        self.trace = trace.Trace(workflow.subject, workflow.function)
        self._drafts: dict[str, Draft] = {}
        self._ids = names.NodeIds()
        self._arguments = arguments
        self._broken: set[int] = set()

    def call(
        self,
        target: Callee,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        frame: types.FrameType,
        named: str | None = None,
    ) -> Any:
        """Record a call as a node, by the name that it is given or that of its target; return promises of outputs."""
        from alula.graph import nodes

        call = places.Call(frame.f_code, frame.f_lasti)
        if named is None or not self._takes(named, target, call):
            named = self._ids.allocate(target.name)
        draft = nodes.Draft(len(self._drafts), named, target, call)
        self._drafts[draft.id] = draft
        try:
            interface = target.interface
        except errors.DefinitionError as error:
            if id(target) not in self._broken:
                self._broken.add(id(target))
                self.trace.problems += error.diagnostics
            return self._arguments.results(self.trace, draft, None)
        self._arguments.bind(self.trace, draft, interface, args, kwargs)
        return self._arguments.results(self.trace, draft, interface)

    def _takes(self, named: str, target: Callee, call: places.Call) -> bool:
        """Take a name that the user chose; if it cannot be had, that is a problem of the workflow."""
        from alula.graph import checks

        source = self.trace.place(call)
        problems = checks.node_name(named, target, source, self.trace.subject)
        if not problems and not self._ids.take(named):
            other = self.trace.place(self._drafts[named].call)
            problems = [checks.taken_name(named, other, source, self.trace.subject)]
        self.trace.problems += problems
        return not problems

    def run(self) -> Graph | None:
        """Trace the workflow; None when there were problems, which are then in `trace.problems`."""
        from alula.graph import body_errors, promises, results, silent_uses

        problems = self.trace.problems
        try:
            interface: Interface | None = self.workflow.interface
        except errors.DefinitionError as error:
            # The body may still be right or wrong; what uses the inputs cannot be judged.
            interface = None
            problems += error.diagnostics
        given = self._arguments.inputs(self.trace, interface)
        token = active.set(self)
        try:
            result = self.workflow.function(**given)
        except promises.PromiseUsed as used:
            problems += [item for item in used.diagnostics if item not in problems]
            return None
        except errors.DefinitionError as error:
            problems += error.diagnostics
            return None
        except Exception as error:  # whatever the user's function raises, shown as a diagnostic
            problems.append(body_errors.failed(self.trace, error))
            return None
        finally:
            active.reset(token)
            silent_uses.check(self.trace)
        if interface is None:
            return None
        outputs = results.outputs(self.trace, interface, result)
        return None if problems else self._graph(interface, outputs)

    def _graph(self, interface: Interface, outputs: tuple[tuple[str, Binding], ...]) -> Graph | None:
        from alula.graph import nodes, order

        drafts = order.sort(self.trace, self._drafts)
        if drafts is None:
            return None
        trace = self.trace
        return nodes.Graph(
            name=self.workflow.name,
            inputs=interface.inputs,
            outputs=outputs,
            nodes=tuple(
                nodes.Node(
                    id=draft.id,
                    target=draft.target,
                    bindings=draft.bindings,
                    after=tuple(trace.after.get(draft.id, ())),
                    source=trace.source(draft.call),
                )
                for draft in drafts
            ),
            source=self.workflow.source,
            output_types=interface.outputs,
        )
