"""`@workflow` and what it makes: a function that is traced into a static graph, once, on first use.

A workflow called outside a trace runs here and now, one task after the other; called inside another workflow it is a
node of it.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Literal, ParamSpec, Protocol, TypeVar, get_args, overload

from alula import errors
from alula.code import places
from alula.declare import options, tasks
from alula.graph.traceable import Traceable
from alula.graph.tracer import Tracer, active
from alula.interfaces import callee, explained
from alula.interfaces.callee import WORKFLOW, Callee
from alula_api.contract import durations, names
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic, did_you_mean

if TYPE_CHECKING:
    from alula.declare.handlers import Handler
    from alula.declare.named import Named
    from alula.graph.closures import Closure
    from alula.graph.nodes import Graph

__tracebackhide__ = True  # pytest shows the user's frames only

FailurePolicy = Literal["drain", "abort", "continue"]
"""What becomes of a run after a failure."""
P = ParamSpec("P")
R = TypeVar("R")


@explained.explain_options
class Workflow(explained.FlyteMethods, Traceable, Generic[P, R], metaclass=explained.ExplainedMethods):
    """A function that puts tasks together.

    Attributes:
        name: The name of its resource: `<end of the module>-<function>`, or what the user gave.
        version: What the user calls this version of it; empty for the digest of what is registered.
        failure_policy: What becomes of a run of it after a failure.
        on_failure: What runs after a run of it that failed.
        on_exit: What runs after every run of it.
        deadline: Seconds that a run of it may take; None for no limit.
    """

    kind = WORKFLOW

    def __init__(
        self,
        function: Callable[..., Any],
        name: str | None = None,
        version: str | None = None,
        failure_policy: FailurePolicy = "drain",
        namespace: dict[str, Any] | None = None,
        *,
        on_failure: Callee | None = None,
        on_exit: Callee | None = None,
        deadline: options.Duration | None = None,
    ) -> None:
        super().__init__(function, namespace)
        problems = name_problems(name, str(self.source), f"workflow {name}", "a workflow") if name is not None else []
        self.name = name or names.object_name(self.located.module, getattr(function, "__name__", "workflow"))
        self.subject = f"workflow {self.name}"
        self.version = version or ""
        self.failure_policy: FailurePolicy = failure_policy
        self.on_failure, self.on_exit = on_failure, on_exit
        self.deadline, late = checked_deadline(deadline, str(self.source), self.subject)
        problems += late
        problems += _handler_problems("failure", on_failure, str(self.source), self.subject)
        problems += _handler_problems("exit", on_exit, str(self.source), self.subject)
        problems += _policy_problems(failure_policy, str(self.source), self.subject)
        problems += _version_problems(version, str(self.source), self.subject)
        if problems:
            raise errors.DefinitionError(problems)

    @functools.cached_property
    def traced(self) -> tuple[Graph | None, tuple[Diagnostic, ...]]:
        """The graph of this workflow alone, and everything that is wrong with it."""
        tracer = Tracer(self)
        graph = tracer.run()
        problems = [*tracer.trace.problems, *(each for handler in self.handlers for each in handler.problems())]
        return graph, tuple(problems)

    @functools.cached_property
    def handlers(self) -> tuple[Handler, ...]:
        """The workflows that are started when a run of this one is over."""
        if self.on_failure is None and self.on_exit is None:
            return ()
        from alula.declare.handlers import Handler

        first = (Handler(self, "failure", self.on_failure),) if self.on_failure is not None else ()
        return (*first, Handler(self, "exit", self.on_exit)) if self.on_exit is not None else first

    @functools.cached_property
    def closure(self) -> Closure[Workflow[..., Any], tasks.Task[..., Any]]:
        """This workflow with all tasks and workflows that it reaches, as a resource holds them.

        Raises:
            DefinitionError: With everything that is wrong with any of them.
        """
        from alula.graph import closures

        return closures.close(self)

    @property
    def graph(self) -> Graph:
        """The static graph; tasks and sub-workflows that it reaches are checked too.

        Raises:
            DefinitionError: With everything that is wrong.
        """
        return self.closure.graphs[0]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the workflow here, one task after the other; while another workflow is traced, make a node of it."""
        tracer = active.get()
        if tracer is not None:
            return tracer.call(self, args, kwargs, sys._getframe(1))  # type: ignore[no-any-return]
        from alula.code import hooks
        from alula.declare import calls

        hooks.install()
        __tracebackhide__ = True  # IPython asks the frame itself
        return hooks.reach(hooks.RUN_WORKFLOW)(self, calls.arguments(self, args, kwargs))  # type: ignore[no-any-return]

    def named(self, name: str) -> Named[P, R]:
        """This workflow, to be called as the node `name` of the one that is traced: `train.named("train-oslo")(...)`.

        `name` is lower case letters, digits and `-`, and no other node of that workflow has it.
        """
        from alula.declare.named import Named

        return Named(self, name)

    def __repr__(self) -> str:
        return f"<workflow {self.name} at {self.source}>"


def name_problems(name: object, source: str, subject: str, what: str) -> list[Diagnostic]:
    """What is wrong with the name of a workflow or launch plan, which is that of a Kubernetes object."""
    if isinstance(name, str) and names.is_dns_label(name) and len(name) <= names.MOST_OBJECT_NAME:
        if not name.startswith("lp-"):
            return []
        hint = f"write name={name.removeprefix('lp-')!r}: what begins with lp- is the template of a launch plan"
        return [Diagnostic(Code.BAD_NAME, f"{what} cannot be called {name!r}", source, subject, "", hint)]
    expected = f"lower case letters, digits and -, at most {names.MOST_OBJECT_NAME}, as in penguins-train"
    hint = ""
    if isinstance(name, str):
        near = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")[: names.MOST_OBJECT_NAME].strip("-")
        hint = f"write name={near.removeprefix('lp-')!r}" if near else ""
    return [Diagnostic(Code.BAD_NAME, f"{what} cannot be called {name!r}", source, subject, expected, hint)]


def _version_problems(version: object, source: str, subject: str) -> list[Diagnostic]:
    if version is None or (isinstance(version, str) and names.is_version(version)):
        return []
    expected = "letters, digits, -, _ and ., at most 63, as in 2026.11"
    return [Diagnostic(Code.BAD_NAME, f"a version cannot be called {version!r}", source, subject, expected)]


def checked_deadline(given: Any, source: str, subject: str) -> tuple[float | None, list[Diagnostic]]:
    """A deadline in seconds, and what is wrong with it."""
    try:
        found = None if given is None else options.seconds(given)
        if found is not None and not 1 <= found <= durations.MAX_TIMEOUT:
            raise ValueError
    except (ValueError, OverflowError):
        expected = f"a timedelta, seconds, or text such as 2h; from 1 s to {durations.MAX_TIMEOUT // 86_400} days"
        return None, [Diagnostic(Code.BAD_OPTION, f"deadline cannot be {given!r}", source, subject, expected)]
    return found, []


def _handler_problems(event: str, given: object, source: str, subject: str) -> list[Diagnostic]:
    if given is None or (isinstance(given, Callee) and given.kind in (callee.TASK, callee.WORKFLOW)):
        return []
    name = getattr(given, "__name__", "")
    hint = f"write @task above `def {name}`" if callable(given) and name else ""
    message = f"on_{event} cannot be {given!r}" if not name else f"on_{event} cannot be the function {name}"
    return [Diagnostic(Code.BAD_OPTION, message, source, subject, "a task or a workflow", hint)]


def _policy_problems(policy: object, source: str, subject: str) -> list[Diagnostic]:
    known = get_args(FailurePolicy)
    if policy in known:
        return []
    hint = did_you_mean(policy, known)
    expected = "one of " + ", ".join(map(repr, known))
    return [Diagnostic(Code.BAD_OPTION, f"failure_policy cannot be {policy!r}", source, subject, expected, hint)]


class Decorator(Protocol):
    """What `@workflow(...)` with options returns."""

    def __call__(self, function: Callable[P, R], /) -> Workflow[P, R]:
        """Make a workflow of the function."""


@overload
def workflow(function: Callable[P, R], /) -> Workflow[P, R]: ...
@overload
def workflow(
    *,
    name: str | None = None,
    version: str | None = None,
    failure_policy: FailurePolicy = "drain",
    on_failure: Callee | None = None,
    on_exit: Callee | None = None,
    deadline: options.Duration | None = None,
) -> Decorator: ...
def workflow(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    version: str | None = None,
    failure_policy: FailurePolicy = "drain",
    on_failure: Callee | None = None,
    on_exit: Callee | None = None,
    deadline: options.Duration | None = None,
    **unknown: Any,
) -> Any:
    """Make a workflow of a function that calls tasks: `@workflow`, or `@workflow(name="nightly-train")`.

    Args:
        function: The function; its parameters and result must be annotated. It runs when it is traced, with promises.
        name: Names the resource; without it, it is called after the module and the function.
        version: Names this version of it; without it, that is the digest of what is registered.
        failure_policy: What becomes of a run after a failure: with `drain` nothing new starts and what runs may finish,
            with `abort` what runs is ended too, with `continue` all runs that does not depend on what failed. That of
            the workflow that is run counts, not those of workflows that it calls.
        on_failure: A task or workflow that runs when a run has failed. It takes inputs of this workflow by their names
            and, as an `alula.Failure`, what failed; others need a default.
        on_exit: The same after every run, however it ended; there the failure may be None.
        deadline: Of a run, from its admission: a timedelta, seconds, or text such as `2h`.

    Raises:
        DefinitionError: An option has a value that it cannot take, or there is no such option.
    """
    frame = sys._getframe(1)
    namespace = tasks.local_names(frame)
    if unknown:
        from alula.interfaces import flyte_names

        known = ("name", "version", "failure_policy", "on_failure", "on_exit", "deadline")
        listed = ", ".join(known)
        source = str(places.Source(places.relative(frame.f_code.co_filename), frame.f_lineno))
        raise errors.DefinitionError(
            Diagnostic(
                Code.BAD_OPTION,
                f"a workflow has no option {option!r}",
                source,
                hint=flyte_names.option("workflow", option) or did_you_mean(option, known, f"there are {listed}"),
            )
            for option in unknown
        )

    def decorate(function: Callable[..., Any]) -> Workflow[..., Any]:
        if isinstance(function, (Workflow, tasks.Task, type)) or not callable(function):
            message = f"@workflow must stand on a function, got {function!r}"
            raise errors.DefinitionError([Diagnostic(Code.NOT_A_TASK, message, hint="write it once, above `def`")])
        return Workflow(
            function,
            name,
            version,
            failure_policy,
            namespace,
            on_failure=on_failure,
            on_exit=on_exit,
            deadline=deadline,
        )

    return decorate if function is None else decorate(function)
