"""What runs when a run of a workflow is over: `on_failure` after a failure, `on_exit` however it ended.

A handler is a task or workflow of the user's, started as a run of its own by a workflow that is made here: it has one
node, `<workflow>-on-failure` as its name, and of the handled workflow's inputs those that the handler takes. Made by
`workflows`; `alula.local.handlers` starts it here, the controller on a cluster.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from alula import errors
from alula.declare import workflows
from alula.interfaces.callee import Callee
from alula_api.contract import names, schemas
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic, closest
from alula_api.contract.graphs import handlers as contract

if TYPE_CHECKING:
    from alula.graph.nodes import Graph
    from alula.interfaces.interface import Input, Interface

Event = Literal["failure", "exit"]
EVENTS: Final[dict[Event, contract.Event]] = {"failure": contract.Event.FAILURE, "exit": contract.Event.EXIT}


@dataclass(frozen=True)
class Failure:
    """Why a run failed; what a handler gets of it.

    Attributes:
        run: The run.
        node: The task that failed first, by its path in the workflow; empty where the run itself was ended, as by
            `alula stop` or its deadline.
        message: What it said.
    """

    run: str
    node: str
    message: str


class Handler(workflows.Workflow[..., None]):
    """A workflow with one node: the handler.

    Attributes:
        event: After what it is started.
        target: The task or workflow of the user's.
        failure: The input that gets the failure; empty for none.
    """

    def __init__(self, handled: workflows.Workflow[..., Any], event: Event, target: Callee) -> None:
        super().__init__(target.function, names.dns_label(f"{handled.name}-on-{event}", names.MOST_OBJECT_NAME))
        self.handled, self.event, self.target = handled, event, target
        self.source = handled.source
        self.subject = f"on_{event} of {handled.subject}"

    @property
    def held(self) -> Any:
        """Where its workflow is found: no process asks for it."""
        return self.handled.held

    @functools.cached_property
    def interface(self) -> Interface:
        """The inputs of the handler that are given; it gives nothing."""
        from alula.interfaces.interface import Interface

        return Interface(tuple(self._given()), (), "none", description=f"Runs on {self.event} of {self.handled.name}.")

    @property
    def failure(self) -> str:
        """The input that gets the failure; empty where none does."""
        return next((item.name for item in self.target.interface.inputs if _takes_failure(item)), "")

    def _given(self) -> Iterator[Input]:
        """What is given of the handler's inputs: the others take their defaults."""
        known = self.handled.interface.by_name
        for item in self.target.interface.inputs:
            if item.name == self.failure or item.name in known:
                yield item._replace(required=True)

    @functools.cached_property
    def traced(self) -> tuple[Graph | None, tuple[Diagnostic, ...]]:
        """The graph, and why the handler cannot be one."""
        from alula.graph import nodes
        from alula_api.contract.graphs.bindings import FromInput

        problems = tuple(self.problems())
        if problems:
            return None, problems
        bindings = {item.name: FromInput(item.name) for item in self.interface.inputs}
        call = nodes.single(self.target)
        node = nodes.Node(self.target.node_name, call, (self.target,), bindings, (), self.handled.source)
        return nodes.Graph(self.name, self.interface.inputs, (), (node,), self.handled.source), ()

    def problems(self) -> Iterator[Diagnostic]:
        """What of the handler's inputs nothing gives, or not as it takes them."""
        source, subject = str(self.handled.source), self.subject
        try:
            wanted, known = self.target.interface.inputs, self.handled.interface.by_name
        except errors.DefinitionError as error:
            yield from error.diagnostics
            return
        for item in wanted:
            if item.name == self.failure:
                if self.event == "exit" and schemas.assignable({"type": "null"}, item.type.schema) is not None:
                    message = f"the input {item.name} is a Failure, and there is none when the run succeeded"
                    hint = f"write `{item.name}: Failure | None`"
                    yield Diagnostic(Code.EDGE_TYPE, message, source, subject, "", hint)
            elif item.name in known:
                reason = schemas.assignable(known[item.name].type.schema, item.type.schema)
                if reason is not None:
                    message = f"the input {item.name} of {self.target.subject} is not that of the workflow: {reason}"
                    yield Diagnostic(Code.EDGE_TYPE, message, source, subject, known[item.name].type.label)
            elif item.required:
                message = f"nothing gives the input {item.name} of {self.target.subject}"
                near = closest(item.name, known)
                hint = f"did you mean {near!r}? " if near else ""
                hint += "a handler takes inputs of the workflow, by their names, and a Failure; others need a default"
                yield Diagnostic(Code.MISSING_INPUT, message, source, subject, "", hint)


def _takes_failure(item: Input) -> bool:
    """Whether an input is a `Failure`, or one that may be None."""
    import typing

    annotation = item.type.annotation
    return annotation is Failure or Failure in typing.get_args(annotation)
