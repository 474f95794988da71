"""`ImperativeWorkflow`: a workflow that a program puts together, call by call, where no function has its shape.

    wf = ImperativeWorkflow("nightly-train")
    rounds = wf.add_input("rounds", int, default=9)
    model = wf.add(train, rounds)
    wf.add_output("model", model)

It is open until it is first used (run, called, registered), and from then on a workflow like any other: the resource
is that of a function with the same calls. Each call is checked at once.
"""

from __future__ import annotations

import functools
import sys
import types
from collections import namedtuple
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, ParamSpec, Self, TypeVar

from alula import errors
from alula.code import places
from alula.declare import options, workflows
from alula.declare.maps import MapTask
from alula.declare.named import Named
from alula.declare.repeats import Repeat
from alula.graph import tracer
from alula.interfaces import explained
from alula.interfaces.callee import Callee
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from alula.graph.nodes import Graph
    from alula.interfaces.interface import Input, Interface, Output
    from alula_api.contract.graphs.bindings import Binding

__tracebackhide__ = True  # pytest shows the user's frames only

P = ParamSpec("P")
R = TypeVar("R")
_REQUIRED: Final = object()


@explained.explain_options
class ImperativeWorkflow(workflows.Workflow[..., Any]):
    """A workflow that grows call by call, for programs that make workflows.

    In `with wf:` calls of tasks and workflows, conditionals and `>>` belong to it as in a function with `@workflow`;
    `wf.add(task, ...)` is the same for one call.

    Args:
        name: Of the resource.
        version: Names this version of it; without it, that is the digest of what is registered.
        description: What it is for, in the resource and in Argo's UI.
        failure_policy: As of `@workflow`.
        on_failure: As of `@workflow`.
        on_exit: As of `@workflow`.
        deadline: As of `@workflow`.

    Raises:
        DefinitionError: An option has a value that it cannot take.
    """

    def __init__(
        self,
        name: str,
        *,
        version: str | None = None,
        description: str = "",
        failure_policy: workflows.FailurePolicy = "drain",
        on_failure: Callee | None = None,
        on_exit: Callee | None = None,
        deadline: options.Duration | None = None,
    ) -> None:
        given: Any = name
        self._standing = _standing_for(given, description, places.user_frame() or sys._getframe())
        super().__init__(
            self._standing,
            given if given is not None else "",
            version,
            failure_policy,
            on_failure=on_failure,
            on_exit=on_exit,
            deadline=deadline,
        )
        self._inputs: dict[str, Input] = {}
        self._outputs: dict[str, tuple[Output, Binding]] = {}
        self._tracer = tracer.Tracer(self)
        self._entered: list[tuple[Any, int]] = []

    def add_input(self, name: str, type: Any, *, default: Any = _REQUIRED, description: str = "") -> Any:
        """Add an input, and return it for calls: `rounds = wf.add_input("rounds", int, default=9)`.

        Args:
            name: Of the input.
            type: As a function's parameter would be annotated.
            default: Without it the input must be given.
            description: In the resource, in `--help` and in Argo's UI.

        Raises:
            DefinitionError: No input can have the name, the type or the default, or there is one of that name.
        """
        made = self._port("input", name, type, {} if default is _REQUIRED else {name: default}, self._inputs)
        self._inputs[name] = made._replace(description=description)
        return self._tracer.give(made)

    def add(self, target: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Add a call and return its result, as `target(...)` does in a workflow: `model = wf.add(train, rounds)`.

        Args:
            target: A task, a workflow, `map_task(...)` or `repeat(...)`, named or with overrides as anywhere.
            args: What it is called with: results of other calls, inputs, constants.
            kwargs: The same by name.

        Raises:
            DefinitionError: It is none of these, or what it is called with does not fit.
        """
        if not isinstance(target, (Callee, Named, MapTask, Repeat)):
            what = getattr(target, "__name__", type(target).__name__)
            message = f"add() takes a task, a workflow, a map_task or a repeat, and {what} is none of them"
            raise self._wrong(Code.NOT_A_TASK, message, "decorate the function with @task, or write it in `with wf:`")
        if target is self:
            raise self._wrong(Code.CYCLE, "it cannot call itself", "write repeat(step, until=..., max=...) for a loop")
        call: Callable[..., Any] = target
        with self:
            return call(*args, **kwargs)  # type: ignore[no-any-return]

    def add_output(self, name: str, value: Any, type: Any = None) -> None:
        """Add an output: `wf.add_output("model", model)`.

        Args:
            name: Of the output.
            value: A result, an input, a list of them, or a constant.
            type: As a function's result would be annotated; not needed for a whole result of a call, or an input.

        Raises:
            DefinitionError: No output can have the name or the type, or the value does not fit.
        """
        from alula.graph import fit, unfinished
        from alula.interfaces.interface import Output

        if type is None:
            known = self._known(value)
            if wrong := unfinished.problem(value):
                raise self._wrong(Code.NOT_A_TASK, *wrong)
            if known is None and not self._is_of_another(value):
                message = f"the type of the output {name} is not known from its value"
                raise self._wrong(Code.MISSING_ANNOTATION, message, f'write add_output("{name}", ..., list[int])')
            any_type = self._port("output", name, int, {}, self._outputs).type
            known = known or any_type  # of another workflow's result nothing fits, which `fit` says
        else:
            known = self._port("output", name, type, {}, self._outputs).type
        source = str(places.caller())
        with self:
            target = fit.Target(lambda: source, f"output {name}", f"the output {name}")
            self._outputs[name] = (Output(name, known), fit.fit(self._tracer.trace, value, known, target))

    def __enter__(self) -> Self:
        """What is called until the end belongs to this workflow.

        Raises:
            DefinitionError: It has been used already.
        """
        self._check_open()
        self._entered.append((tracer.active.set(self._tracer), len(self._tracer.trace.problems)))
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Raise what was found wrong meanwhile."""
        token, before = self._entered.pop()
        tracer.active.reset(token)
        found = self._tracer.trace.problems[before:]
        if found and error is None:
            raise errors.DefinitionError(found)

    @functools.cached_property
    def interface(self) -> Interface:
        """The inputs and outputs; there are no others from now on."""
        from alula.interfaces import docstrings
        from alula.interfaces.interface import Interface

        outputs = tuple(output for output, _ in self._outputs.values())
        style = ("none", "single", "named")[min(len(outputs), 2)]
        # A name that no field of Python's can have, such as `class`, is one of the resource alone.
        fields = list(self._outputs) if style == "named" else []
        result = namedtuple("Outputs", fields, rename=True) if fields else None
        description = docstrings.parse(self.function.__doc__).description
        return Interface(
            tuple(self._inputs.values()),
            outputs,
            style,
            result=result,
            description=description,
            positional=len(self._inputs),
        )

    @functools.cached_property
    def traced(self) -> tuple[Graph | None, tuple[Diagnostic, ...]]:
        """The graph of this workflow alone, and everything that is wrong with it."""
        outputs = tuple((name, binding) for name, (_, binding) in self._outputs.items())
        graph = self._tracer.end(self.interface, outputs)
        problems = [*self._tracer.trace.problems, *(each for found in self.handlers for each in found.problems())]
        return graph, tuple(problems)

    def _known(self, value: object) -> Any:
        """The type of a whole result of a task or workflow, or of an input."""
        from alula.graph.promises import Promise
        from alula_api.contract.graphs.bindings import FromInput, FromNode

        leaf = value._alula_edge.binding if isinstance(value, Promise) else None
        if isinstance(leaf, FromInput) and not leaf.path:
            return self._inputs[leaf.input].type if leaf.input in self._inputs else None
        if isinstance(leaf, FromNode) and not leaf.path:
            return self._tracer.declared(leaf)
        return None

    def _is_of_another(self, value: object) -> bool:
        """Whether it is a promise of another workflow."""
        from alula.graph.promises import Promise

        return isinstance(value, Promise) and value._alula_edge.trace is not self._tracer.trace

    def _port(self, what: str, name: Any, type: Any, default: dict[str, Any], taken: dict[str, Any]) -> Input:
        from alula.interfaces import signatures

        self._check_open()
        made = signatures.port(
            what, name, type, default, function=self._standing, subject=self.subject, source=str(places.caller())
        )
        if name in taken:
            raise self._wrong(Code.DUPLICATE_NAME, f"there is an {what} {name!r} already", "give it another name")
        return made

    def _check_open(self) -> None:
        if "interface" in self.__dict__:
            message = "it has been run, called or registered, and nothing can be added to it any more"
            raise self._wrong(Code.BAD_SOURCE, message, "add everything before its first use")

    def _wrong(self, code: Code, message: str, hint: str) -> errors.DefinitionError:
        return errors.DefinitionError([Diagnostic(code, message, str(places.caller()), self.subject, hint=hint)])


def _standing_for(name: object, description: str, frame: types.FrameType) -> types.FunctionType:
    """A function that stands where the workflow was made: files, lines and modules are asked of functions."""

    def body() -> None:
        raise AssertionError("a workflow that is put together by calls has no function to run")

    shown = name if isinstance(name, str) else "workflow"
    code = body.__code__.replace(co_filename=frame.f_code.co_filename, co_firstlineno=frame.f_lineno, co_name=shown)
    made = types.FunctionType(code, frame.f_globals, shown)
    made.__module__ = frame.f_globals.get("__name__", places.INTERACTIVE)
    made.__qualname__ = f"{frame.f_code.co_qualname}.<locals>.{shown}"  # found by the name that a module holds it under
    made.__doc__ = description
    return made
