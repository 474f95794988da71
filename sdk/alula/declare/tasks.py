"""`@task` and what it makes: a typed function that can be called, traced, emitted and run in a pod.

A task called outside a workflow is a call of the function with its types checked; inside a workflow that is being
traced it is a node.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, overload
from weakref import WeakValueDictionary

from alula import errors
from alula.code import places, twins
from alula.declare import options
from alula.graph.tracer import active
from alula.interfaces.callee import TASK, Callee
from alula_api.contract import names
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from typing import Self, Unpack

    from alula.declare import pod_settings
    from alula.declare.calls import PlainCall
    from alula.declare.named import Named
    from alula.declare.overrides import Overrides

__tracebackhide__ = True  # pytest shows the user's frames only

CO_COROUTINE = 0x80
"""As in `inspect`, which a pod does not load."""

P = ParamSpec("P")
R = TypeVar("R")


class Task(Callee, Generic[P, R]):
    """A typed function that runs as one step of a workflow.

    Attributes:
        name: Its name in resources and in Argo's UI: a DNS label.
        options: Retries, timeout, cache, resources, image, environment and secrets.
        base: The task that this one is with other options; None where it is no such one.
    """

    kind = TASK
    function: Callable[P, R]
    base: Task[P, R] | None = None
    overridden_at: str = ""
    """Where these other options stand."""

    def __init__(
        self,
        function: Callable[..., Any],
        name: str | None,
        given: dict[str, Any],
        namespace: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(function, namespace)
        self._given = name
        self.has_name = name is not None
        shown = name if name is not None else getattr(function, "__name__", "task")
        self.name = names.dns_label(shown if isinstance(shown, str) else "task")
        self.subject = f"task {self.name}"
        found, problems = options.check(given, str(self.source), self.subject)
        problems += _name_problems(name, str(self.source), self.subject)
        if problems:
            raise errors.DefinitionError(problems)
        self._take(found)

    def _take(self, chosen: options.TaskOptions) -> None:
        """Have these options from now on."""
        self.options = chosen
        self._plain: PlainCall | None = None
        self._version: str | None = None
        self._twin: Task[..., Any] | None = None
        cache = chosen.cache
        if cache is not None and cache.version is None:
            places.stamp(self.function)
        elif cache is not None:
            self._find_twin(f"{self._given or self.located} {cache.version}")

    def _find_twin(self, key: str) -> None:
        """One `def` that ran twice made two functions; the name and the version that are given tell them not apart."""
        other = _made.setdefault((key, id(getattr(self.function, "__code__", None))), self)
        if other is not self and not twins.alike(other.function, self.function):
            self._twin, other._twin = other, self

    @property
    def held(self) -> places.Entrypoint | None:
        """As of the task that this one is with other options: that is what another process finds."""
        return super().held if self.base is None else self.base.held

    @property
    def key(self) -> str:
        """What the cache knows it by: the name that the user gave, else the entrypoint."""
        return self._given or self.entrypoint

    @property
    def twin(self) -> Task[..., Any] | None:
        """Another one that would have the same keys in the cache, although it is another function."""
        return self._twin if self.has_name or self.held is None else None

    @property
    def node_name(self) -> str:
        """What nodes that call it are named after: the task as it was decorated."""
        return (self.base or self).name

    @property
    def version(self) -> str:
        """The cache version: the user's, or the digest of the code; empty when the task is not cached.

        Raises:
            DefinitionError: `cache=True` and the source cannot be read.
        """
        cache = self.options.cache
        if cache is None or cache.version is not None:
            return "" if cache is None or cache.version is None else cache.version
        found = self._version
        if found is None:
            from alula.code import fingerprints

            found = names.CODE_VERSION + fingerprints.version(self.function, str(self.source), self.subject)
            # At a prompt and in a notebook what the function names may be another thing at the next run.
            if not self.entrypoint.startswith(f"{places.INTERACTIVE}:"):
                self._version = found
        return found

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function with its types checked; while a workflow is traced, make a node of it."""
        tracer = active.get()
        if tracer is not None:
            return tracer.call(self, args, kwargs, sys._getframe(1), self.call_name)  # type: ignore[no-any-return]
        call = self._plain
        if call is None:
            from alula.declare import calls

            call = self._plain = calls.plain(self)
        return call(args, kwargs)  # type: ignore[no-any-return]

    def named(self, name: str) -> Named[P, R]:
        """This task, to be called as the node `name` of the workflow that is traced: `fit.named("fit-chicago")(...)`.

        `name` is lower case letters, digits and `-`, and no other node of that workflow has it.
        """
        from alula.declare.named import Named

        return Named(self, name)

    def with_overrides(self, **given: Unpack[Overrides]) -> Self:
        """This task with other options, for some of its calls: `fit.with_overrides(retries=0, cache=False)(...)`.

        Takes the options of `@task`; each replaces the decorator's wholly, so `environment={}` means none. `name` is
        that of the call's node, as with `named`.

        Raises:
            DefinitionError: An option has a value that it cannot take, or no node can have the name.
        """
        import copy

        from alula.declare import overrides

        made, base = copy.copy(self), self.base or self
        made.base = base
        made._take(overrides.merged(self.options, given, base.name, self.subject))
        made.overridden_at = str(places.caller())
        made.call_name = given.get("name") or self.call_name
        made.name = overrides.task_name(base.name, base.options, made.options)
        made.subject = f"task {made.name}"
        return made

    def __repr__(self) -> str:
        return f"<task {self.key} at {self.source}>"


_made: WeakValueDictionary[tuple[str, int], Task[..., Any]] = WeakValueDictionary()
"""The first task of each key whose version is given, and of each `def`: by the identity of its code."""


class AsyncTask(Task[P, R]):
    """A task of an `async def`: in a coroutine its call is awaited, everywhere else it gives the value.

    Type checkers know the value as the result of a call; in a coroutine, `await task.function(x)` is what they accept.
    """

    function: Callable[P, Coroutine[Any, Any, R]]  # type: ignore[assignment]


def _name_problems(name: object, source: str, subject: str) -> list[Diagnostic]:
    if name is None:
        return []
    if isinstance(name, str) and name and len(name) <= 200 and name.isprintable() and name.strip() == name:
        return []
    expected = "a text of 1 to 200 printable characters that neither begins nor ends with a space"
    return [Diagnostic(Code.BAD_NAME, f"a task cannot be called {name!r}", source, subject, expected)]


class Decorator(Protocol):
    """What `@task(...)` with options returns."""

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTask[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Task[P, R]: ...


@overload
def task(function: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTask[P, R]: ...
@overload
def task(function: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(
    *,
    name: str | None = None,
    retries: int | options.Retries = 0,
    system_retries: int | None = None,
    timeout: options.Duration | None = None,
    cache: bool | options.Cache = False,
    resources: options.Resources | None = None,
    image: str | None = None,
    pool: str | None = None,
    environment: dict[str, str] | None = None,
    secrets: list[options.Secret] | tuple[options.Secret, ...] = (),
    pod: pod_settings.Pod | None = None,
    interruptible: bool | None = None,
    on_oom: options.Growth | None = None,
) -> Decorator: ...
def task(function: Callable[..., Any] | None = None, /, *, name: str | None = None, **given: Any) -> Any:
    """Make a task of a typed function: `@task`, or `@task(retries=3, cache=True)`.

    Args:
        function: The function; its parameters and result must be annotated.
        name: Names the task; the cache then knows it by this name wherever the function moves.
        retries: Further attempts after failures of the function: a number, or `Retries`.
        system_retries: Further attempts after losses of the platform, such as a node that goes away; 3 unless
            the Domain says otherwise, 0 for a task with side effects.
        timeout: Of one attempt: a timedelta, seconds, or text such as `10m`.
        cache: True, or `Cache(version=...)`: equal inputs give the result that is there.
        resources: What the container needs.
        image: The image that holds the code, instead of the project's.
        pool: Of the domain, which limits how many tasks of all its runs are in it at a time, such as `warehouse`.
        environment: Variables of the task's process; they count for the cache.
        secrets: Variables that Secrets of the namespace fill.
        pod: Where its pod runs and what stands in it, as `Pod(node_selector={"pool": "gpu"})`; local runs leave it out.
        interruptible: Whether its pods may run on nodes that the cluster may take away at any moment, which cost less;
            the last attempt whose loss is forgiven does not. None for what the Domain says, which also names the nodes.
        on_oom: More memory for the next attempt after a kill for lack of it, as `grow(2, "16Gi")`.

    Raises:
        DefinitionError: An option has a value that it cannot take.
    """
    namespace = local_names(sys._getframe(1))

    def decorate(function: Callable[..., Any]) -> Task[..., Any]:
        plain = _undecorated(function)
        code = getattr(plain, "__code__", None)
        made = AsyncTask if code is not None and code.co_flags & CO_COROUTINE else Task
        return made(plain, name, given, namespace)

    return decorate if function is None else decorate(function)


def _undecorated(function: Any) -> Callable[..., Any]:
    """The function, where `@task` stands twice or on something that is no function: told plainly."""
    if isinstance(function, Task) or not callable(function) or isinstance(function, type):
        what = "a task already" if isinstance(function, Task) else f"{function!r}"
        message = f"@task must stand on a function, got {what}"
        raise errors.DefinitionError([Diagnostic(Code.NOT_A_TASK, message, hint="write @task once, above `def`")])
    return function  # type: ignore[no-any-return]


def local_names(frame: Any) -> dict[str, Any] | None:
    """The local names where a decorator stands inside a function, for annotations that are strings."""
    return None if frame.f_locals is frame.f_globals else dict(frame.f_locals)
