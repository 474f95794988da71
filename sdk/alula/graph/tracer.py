"""Runs a workflow's function once with promises and records every call of a task or workflow as a node.

Called by `alula.declare.workflows`. It never runs a task, and goes on after a mistake, so that one trace reports all of
them; only a promise that is used as a value ends it, because no value can be given.
"""

from __future__ import annotations

from contextvars import ContextVar
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from alula import errors
from alula.code import places

if TYPE_CHECKING:
    import types
    from collections.abc import Callable, Mapping

    from alula.graph.nodes import Draft, Graph
    from alula.graph.promises import Promise
    from alula.interfaces.callee import Callee
    from alula.interfaces.interface import Input, Interface
    from alula.types.pytypes import PyType
    from alula_api.contract.graphs.bindings import Binding, FromInput, FromNode
    from alula_api.contract.graphs.calls import Call
    from alula_api.contract.schemas import Schema

__tracebackhide__ = True  # pytest shows the user's frames only

active: ContextVar[Tracer | None] = ContextVar("alula_tracer", default=None)
"""The trace that is going on in this thread; a task that is called meanwhile becomes a node of it."""


class Tracer:
    """One trace of one workflow, from the call of its function to its graph."""

    def __init__(self, workflow: Callee) -> None:
        from alula.graph import (
            arguments,
            comparisons,  # noqa: F401 - gives promises their comparisons
            scopes,
            trace,
        )

        self.workflow = workflow
        self.trace = trace.Trace(workflow.subject, workflow.function)
        self.scopes = [scopes.Scope("")]
        self._arguments = arguments
        self._given: dict[str, Promise] = {}
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

        draft = self._draft(target, nodes.single(target), target.subject, frame, named)
        return self._bound(draft, self._interface(target), args, kwargs)

    def map(
        self,
        target: Callee,
        over: tuple[str, ...],
        given: dict[str, Any],
        frame: types.FrameType,
        named: str | None = None,
        *,
        options: Mapping[str, Any],
    ) -> Any:
        """Record a map of a target over some of its inputs, as `call` does one call; `options` are of `MapCall`."""
        from alula.graph import maps, nodes
        from alula_api.contract.graphs.calls import MapCall

        found = self._interface(target)
        outputs = tuple(output.name for output in found.outputs) if found is not None else ()
        call = MapCall(nodes.single(target), over, outputs, **options)
        draft = self._draft(target, call, f"the map of {target.subject}", frame, named)
        interface = maps.interface(found, over, tolerant=call.is_tolerant) if found is not None else None
        result = self._bound(draft, interface, (), given)
        maps.check(self.trace, draft, call)
        return result

    def repeat(
        self,
        target: Callee,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        frame: types.FrameType,
        named: str | None = None,
        *,
        until: Callable[[Any], Any],
        most: int,
    ) -> Any:
        """Record a repeat of a target, as `call` does one call; `until` is asked for its condition."""
        from alula.graph import nodes, repeats

        found = self._interface(target)
        draft = self._draft(target, nodes.single(target), f"the repeat of {target.subject}", frame, named)
        if found is not None:
            draft.call = repeats.call(nodes.single(target), found, most, self.trace, draft)
        result = self._bound(draft, found, args, kwargs)
        if found is None or not repeats.passes_on(draft):
            return result
        drafts = self.scopes[-1].drafts
        count = len(drafts)
        condition = repeats.asked(until, result)
        if len(drafts) > count:
            repeats.refuse_calls(self.trace, draft, list(drafts.values())[count:])
        else:
            repeats.ask(self.trace, draft, condition)
        return result

    def _draft(self, target: Callee, call: Call, subject: str, frame: types.FrameType, named: str | None) -> Draft:
        from alula.graph import nodes

        place, scope = _place(frame), self.scopes[-1]
        if named is None or not self.takes(named, target.node_name, place):
            named = scope.ids.allocate(target.node_name)
        node = scope.prefix + named
        draft = scope.drafts[node] = nodes.Draft(len(scope.drafts), node, call, (target,), place, subject=subject)
        return draft

    def _bound(self, draft: Draft, interface: Interface | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Give a node its arguments; return the promises of its outputs."""
        if interface is not None:
            self._arguments.bind(self.trace, draft, interface, args, kwargs)
        return self._arguments.results(self.trace, draft, interface)

    def _interface(self, target: Callee) -> Interface | None:
        """The interface of a target; None where it has none, which is told once."""
        try:
            return target.interface
        except errors.DefinitionError as error:
            if id(target) not in self._broken:
                self._broken.add(id(target))
                self.trace.problems += error.diagnostics
            return None

    def takes(self, named: str, usual: str, place: places.Call) -> bool:
        """Take a name that the user chose; if it cannot be had, that is a problem of the workflow."""
        from alula.graph import checks

        source, scope = self.trace.place(place), self.scopes[-1]
        problems = checks.node_name(named, usual, source, self.trace.subject)
        if not problems and not scope.ids.take(named):
            other = scope.drafts.get(scope.prefix + named)
            before = self.trace.place(other.place) if other is not None else "a conditional"
            problems = [checks.taken_name(named, before, source, self.trace.subject)]
        self.trace.problems += problems
        return not problems

    def type_of(self, leaf: FromInput | FromNode) -> Schema:
        """The type of what a leaf reads, as a whole: an input of the workflow, or an output of a node."""
        from alula_api.contract.graphs import bindings

        if isinstance(leaf, bindings.FromInput):
            return self._given[leaf.input]._alula_edge.schema
        prefix = leaf.node[: leaf.node.rfind("/") + 1]
        scope = next(scope for scope in reversed(self.scopes) if scope.prefix == prefix)
        return scope.drafts[leaf.node].outputs[leaf.output]

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
        given = self._given = self._arguments.inputs(self.trace, interface)
        token = active.set(self)
        try:
            result = self.workflow.function(**given)
            if type(result) is CoroutineType:  # of an async workflow, which is among the problems
                result.close()
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
        for composite in self.scopes[0].composites:
            composite.end()
        if interface is None:
            return None
        outputs = results.outputs(self.trace, interface, result)
        return None if problems else self._graph(interface, outputs)

    def give(self, item: Input) -> Promise:
        """Add an input to a workflow that has no function, and return the promise of its value."""
        from alula.interfaces.interface import Interface

        self._given |= self._arguments.inputs(self.trace, Interface((item,), (), "none"))
        return self._given[item.name]

    def declared(self, leaf: FromNode) -> PyType | None:
        """The declared type of what a call of one task or workflow returns; None for what has no declaration."""
        from alula.graph import nodes

        draft = self.scopes[0].drafts.get(leaf.node)
        if draft is None or len(draft.called) != 1 or draft.call != nodes.single(draft.called[0]):
            return None
        interface = self._interface(draft.called[0])
        found = interface.outputs if interface is not None else ()
        return next((output.type for output in found if output.name == leaf.output), None)

    def end(self, interface: Interface, outputs: tuple[tuple[str, Binding], ...]) -> Graph | None:
        """The graph of a workflow that has no function; None when there were problems."""
        for composite in self.scopes[0].composites:
            composite.end()
        return None if self.trace.problems else self._graph(interface, outputs)

    def _graph(self, interface: Interface, outputs: tuple[tuple[str, Binding], ...]) -> Graph | None:
        from alula.graph import nodes

        ordered = self.scopes[0].nodes(self.trace)
        if ordered is None:
            return None
        return nodes.Graph(
            name=self.workflow.name,
            inputs=interface.inputs,
            outputs=outputs,
            nodes=ordered,
            source=self.workflow.source,
            output_types=interface.outputs,
        )


def _place(frame: types.FrameType) -> places.Call:
    """Where the user's code makes a call: above what of ours makes it for them."""
    found = frame
    while places.ours(found.f_code.co_filename) and found.f_back is not None:
        found = found.f_back
    return places.Call(found.f_code, found.f_lasti)
