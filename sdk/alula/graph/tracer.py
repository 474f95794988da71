"""Runs a workflow's function once with promises and records every call of a task or workflow as a node.

Called by `alula.declare.workflows`. It never runs a task, and goes on after a mistake, so that one trace tells all of
them; only a promise that is used as a value ends it, because no value can be given.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn

from alula import errors
from alula.code import places
from alula_api.contract.codes import Code

if TYPE_CHECKING:
    import types

    from alula.graph.bindings import Binding
    from alula.graph.nodes import Graph
    from alula.graph.promises import Edge, Promise
    from alula.interfaces.interface import Interface
    from alula_api.contract.diagnostics import Diagnostic

__tracebackhide__ = True  # pytest shows the user's frames only

active: ContextVar[Tracer | None] = ContextVar("alula_tracer", default=None)
"""The trace that is going on in this thread; a task that is called meanwhile becomes a node of it."""


class PromiseUsed(errors.DefinitionError):
    """A promise was used as a value; raised inside the user's workflow to end its trace."""


class Draft:
    """A node that is being recorded; its line is looked up at the end."""

    __slots__ = ("after", "bindings", "call", "id", "index", "target")

    def __init__(self, index: int, id: str, target: Any, call: places.Call) -> None:
        self.index = index
        self.id = id
        self.target = target
        self.call = call
        self.bindings: dict[str, Binding] = {}
        self.after: list[str] = []


class Tracer:
    """One trace of one workflow."""

    def __init__(self, workflow: Any) -> None:
        from alula.graph import arguments, promises
        from alula_api.contract import names

        self.workflow = workflow
        self.subject: str = workflow.subject
        self.problems: list[Diagnostic] = []
        self.drafts: list[Draft] = []
        self.by_id: dict[str, Draft] = {}
        self.lines = places.Lines()
        self._ids = names.NodeIds()
        self._arguments = arguments
        self._promises = promises
        self._broken: set[int] = set()

    # What a workflow's function does while it is traced.

    def call(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], frame: types.FrameType) -> Any:
        """Record a call as a node and return promises of its outputs."""
        place = places.Call(frame.f_code, frame.f_lasti)
        draft = Draft(len(self.drafts), self._ids.allocate(target.name), target, place)
        self.drafts.append(draft)
        self.by_id[draft.id] = draft
        try:
            interface: Interface = target.interface
        except errors.DefinitionError as error:
            if id(target) not in self._broken:
                self._broken.add(id(target))
                self.problems += error.diagnostics
            return self._arguments.results(self, draft, None)
        self._arguments.bind(self, draft, interface, args, kwargs)
        return self._arguments.results(self, draft, interface)

    def order(self, before: Any, after: Any) -> None:
        """`before >> after`: what makes `after` waits for what makes `before`."""
        first, then = self._promises.makers(self, before), self._promises.makers(self, after)
        for node in then:
            draft = self.by_id[node]
            draft.after += [name for name in first if name not in draft.after]

    def part(self, promise: Promise, key: object, *, attribute: bool) -> Promise:
        """`p.field`, `p["key"]` or `p[0]`."""
        return self._promises.part(self, promise, key, attribute)

    def used(self, promise: Promise, what: str, hint: str) -> NoReturn:
        """A promise stands where a value is needed."""
        edge: Edge = promise._alula_edge
        frame = places.user_frame()
        helper = "" if frame is None or frame.f_code is places.code(self.workflow.function) else frame.f_code.co_name
        subject = ""
        if helper:
            hint = f"decorate {helper}() with @task, or {hint}"
            subject = f"{helper}(), called {self.calling(frame)}".removesuffix(", called ")
        message = f"{edge.label} {what}, but a workflow is traced before its tasks run: it has no value yet"
        self.problem(Code.PROMISE_AS_VALUE, message, self.here(), subject=subject, hint=hint)
        raise PromiseUsed(self.problems[-1:])

    # Problems.

    def problem(
        self, code: Code, message: str, source: str, *, subject: str = "", expected: str = "", hint: str = ""
    ) -> None:
        """Note a problem and go on."""
        from alula_api.contract import diagnostics

        where = f"{self.subject}, {subject}" if subject else self.subject
        self.problems.append(diagnostics.Diagnostic(code, message, source, where, expected, hint))

    def place(self, draft: Draft) -> str:
        """file:line of a node's call."""
        return str(self.lines.source(draft.call))

    def here(self) -> str:
        """file:line of the user's code that is running."""
        return str(places.caller())

    def calling(self, frame: types.FrameType | None) -> str:
        """Where the workflow's own function is while something that it called runs: `at flows/x.py:7`."""
        body = places.code(self.workflow.function)
        while frame is not None and frame.f_code is not body:
            frame = frame.f_back
        return "" if frame is None else f"at {places.relative(frame.f_code.co_filename)}:{frame.f_lineno}"

    # The trace as a whole.

    def run(self) -> Graph | None:
        """Trace the workflow; None when there were problems, which are then in `problems`."""
        from alula.graph import body_errors, results

        try:
            interface: Interface | None = self.workflow.interface
        except errors.DefinitionError as error:
            # The body may still be right or wrong; what uses the inputs cannot be judged.
            interface = None
            self.problems += error.diagnostics
        promises = self._arguments.inputs(self, interface)
        token = active.set(self)
        try:
            result = self.workflow.function(**promises)
        except PromiseUsed as used:
            self.problems += [item for item in used.diagnostics if item not in self.problems]
            return None
        except errors.DefinitionError as error:
            self.problems += error.diagnostics
            return None
        except Exception as error:  # whatever the user's function raises, told as a diagnostic
            self.problems.append(body_errors.failed(self, error))
            return None
        finally:
            active.reset(token)
        if interface is None:
            return None
        outputs = results.outputs(self, interface, result)
        return None if self.problems else self._graph(interface, outputs)

    def _graph(self, interface: Interface, outputs: tuple[tuple[str, Binding], ...]) -> Graph | None:
        from alula.graph import nodes, order

        drafts = order.sort(self)
        if drafts is None:
            return None
        return nodes.Graph(
            name=self.workflow.name,
            inputs=interface.inputs,
            outputs=outputs,
            nodes=tuple(
                nodes.Node(draft.id, draft.target, draft.bindings, tuple(draft.after), self.lines.source(draft.call))
                for draft in drafts
            ),
            source=self.workflow.source,
            output_types=interface.outputs,
        )
