"""`map_task`: a task or workflow that runs once for each item of a list, whose length only the run knows.

    scores = map_task(score)(files, model=model)      # score(file, model=model) for each file: a list of results
    scores = map_task(score)(files, weights)          # two lists in step
    scores = map_task(partial(score, model=model))(file=files)

Arguments by position are lists, of which each call gets an item; arguments by name are the same for all calls, and so
is what `functools.partial` binds. Where nothing is given by position, all names are lists, as Flyte has it. It takes
the task first and its arguments in a call of their own, unlike Python's `map`, because a type checker then knows the
task's parameters: it reads the first ones as lists, and the others as they are.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Concatenate, Generic, Literal, ParamSpec, TypeAlias, TypeVar, overload

from alula import errors
from alula.code import places
from alula.declare import map_options
from alula.declare.map_options import Batch
from alula.graph import unfinished
from alula.graph.tracer import active
from alula.interfaces import callee, explained
from alula.interfaces.callee import Callee
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

__tracebackhide__ = True  # pytest shows the user's frames only

_NO_LIST = (str, bytes, int, float, bool, dict, type(None))
"""What is surely meant for all calls."""

Batched: TypeAlias = int | Literal["auto"] | Batch | None
P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


@overload
def map_task(  # type: ignore[overload-overlap]
    target: Callable[P, None],
    /,
    *,
    concurrency: int | None = None,
    min_successes: int | None = None,
    min_success_ratio: float | None = None,
    batch: Batched = None,
) -> MapTask[P, None]: ...
@overload
def map_task(  # type: ignore[overload-overlap]
    target: Callable[P, tuple[A, B]],
    /,
    *,
    concurrency: int | None = None,
    min_successes: int,
    min_success_ratio: float | None = None,
    batch: Batched = None,
) -> MapTask[P, tuple[list[A | None], list[B | None]]]: ...
@overload
def map_task(  # type: ignore[overload-overlap]
    target: Callable[P, tuple[A, B]],
    /,
    *,
    concurrency: int | None = None,
    min_success_ratio: float,
    batch: Batched = None,
) -> MapTask[P, tuple[list[A | None], list[B | None]]]: ...
@overload
def map_task(  # type: ignore[overload-overlap]
    target: Callable[P, tuple[A, B]], /, *, concurrency: int | None = None, batch: Batched = None
) -> MapTask[P, tuple[list[A], list[B]]]: ...
@overload
def map_task(
    target: Callable[P, R],
    /,
    *,
    concurrency: int | None = None,
    min_successes: int,
    min_success_ratio: float | None = None,
    batch: Batched = None,
) -> MapTask[P, list[R | None]]: ...
@overload
def map_task(
    target: Callable[P, R], /, *, concurrency: int | None = None, min_success_ratio: float, batch: Batched = None
) -> MapTask[P, list[R | None]]: ...
@overload
def map_task(
    target: Callable[P, R], /, *, concurrency: int | None = None, batch: Batched = None
) -> MapTask[P, list[R]]: ...
def map_task(
    target: Callable[..., Any],
    /,
    *lists: Any,
    concurrency: int | None = None,
    min_successes: int | None = None,
    min_success_ratio: float | None = None,
    batch: Batched = None,
    **unknown: Any,
) -> MapTask[..., Any]:
    """Make a task run once for each item of a list: `map_task(score)(files, model=model)`.

    What the calls return becomes a list, in the order of the items; several outputs become as many lists. An empty list
    gives an empty list. Each item has the retries, timeout, resources and cache entry of the task. Outside a workflow
    the calls are made one after the other.

    Args:
        target: A task or a workflow, or a `functools.partial` of one.
        concurrency: How many items, or pods with a `batch` of them, may run at one time; without it as many as there
            are.
        min_successes: How many items must succeed; the results of those that fail are None. Without it and
            `min_success_ratio` all must.
        min_success_ratio: The share of the items that must, from 0.0 to 1.0; with both, both hold.
        batch: How many items a pod takes on a cluster, one after the other; `"auto"` for as many as keep the map within
            100 pods; `Batch(20, parallel=4)` for several at one time. Without it each has a pod of its own.

    Raises:
        DefinitionError: It is neither, or an option has a value that it cannot take, or a workflow is to run in
            batches.
    """
    options = map_options.checked(
        {
            "concurrency": concurrency,
            "min_successes": min_successes,
            "min_success_ratio": min_success_ratio,
            "batch": batch,
            **unknown,
        }
    )
    bound: dict[str, Any] = {}
    found: object = target
    args: tuple[Any, ...] = ()
    while isinstance(found, functools.partial):
        bound = {**found.keywords, **bound}
        args = (*found.args, *args)
        found = found.func
    if not isinstance(found, Callee):
        what, hint = getattr(found, "__name__", type(found).__name__), "decorate the function with @task"
        if begun := unfinished.begun(found):
            what, hint = begun[0].removesuffix(" itself"), "map a workflow that has it inside"
        raise _wrong(Code.NOT_A_TASK, f"map_task() takes a task or a workflow, and {what} is neither", hint)
    if lists:
        message = "map_task() takes the task alone, and its lists in a call of their own"
        raise _wrong(Code.UNKNOWN_INPUT, message, f"write {_written(found)}(items)", found)
    if batch is not None and found.kind == callee.WORKFLOW:
        message = f"batch of map_task() is for tasks: the tasks of {found.subject} have pods of their own"
        raise _wrong(Code.BAD_OPTION, message, "leave it out, or map the tasks inside the workflow", found)
    return MapTask(found, args, bound, options)


class MapTask(explained.FlyteMethods, Generic[P, R]):
    """A task or workflow, to be called with lists."""

    __slots__ = ("_args", "_bound", "_name", "_options", "_target")

    def __init__(
        self,
        target: Callee,
        args: tuple[Any, ...],
        bound: Mapping[str, Any],
        options: Mapping[str, Any],
        name: str | None = None,
    ) -> None:
        self._target, self._args, self._bound, self._options, self._name = target, args, bound, options, name

    @property
    def _alula_unfinished(self) -> tuple[str, str]:
        """It is given no lists yet."""
        return f"the map of {self._target.subject} itself", f"call it: {_written(self._target)}(items)"

    def named(self, name: str) -> MapTask[P, R]:
        """The same, to be called as the node `name` of the workflow that is traced."""
        return MapTask(self._target, self._args, self._bound, self._options, name)

    @overload
    def __call__(
        self: MapTask[Concatenate[A, Q], R], items: Sequence[A], /, *args: Q.args, **kwargs: Q.kwargs
    ) -> R: ...
    @overload
    def __call__(
        self: MapTask[Concatenate[A, B, Q], R],
        items: Sequence[A],
        others: Sequence[B],
        /,
        *args: Q.args,
        **kwargs: Q.kwargs,
    ) -> R: ...
    @overload
    def __call__(
        self: MapTask[Concatenate[A, B, C, Q], R],
        items: Sequence[A],
        others: Sequence[B],
        more: Sequence[C],
        /,
        *args: Q.args,
        **kwargs: Q.kwargs,
    ) -> R: ...
    @overload
    def __call__(self, **lists: Sequence[Any]) -> R: ...
    def __call__(self, *lists: Any, **named: Any) -> Any:  # type: ignore[misc]
        """Run it for each item; while a workflow is traced, make one node of it.

        Raises:
            ValueMismatch: Outside a workflow: there is no list, or lists are of different lengths.
        """
        over, given = self._arguments(lists, named)
        tracer = active.get()
        if tracer is not None:
            node = self._name or self._target.call_name
            return tracer.map(self._target, over, given, sys._getframe(1), node, options=self._options)
        return _called(self._target, over, given, self._options)

    def _arguments(self, lists: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
        """The inputs that are lists, and all arguments by name."""
        names = [item.name for item in self._target.interface.inputs]
        bound = {**dict(zip(names, self._args, strict=False)), **self._bound}
        if not lists:
            over = tuple(named)
            one = next((name for name in over if isinstance(named[name], _NO_LIST)), "")
            if one:
                message = f"the input {one} must be a list, as all are where none is given by position"
                hint = f"give the lists by position: {_written(self._target)}(items, {one}=...)"
                raise _wrong(Code.BAD_VALUE, message, hint, self._target)
        else:
            free = [name for name in names if name not in bound]
            if len(lists) > len(free):
                few = (
                    f"{len(free)} inputs that are not bound: {', '.join(free)}"
                    if free
                    else "no input that is not bound"
                )
                message = f"{len(lists)} lists are given, but {self._target.subject} has {few}"
                raise _wrong(Code.UNKNOWN_INPUT, message, "give the other arguments by name", self._target)
            over = tuple(free[: len(lists)])
            twice = next((name for name in named if name in over), "")
            if twice:
                message = f"the input {twice!r} is given twice, by position and by name"
                raise _wrong(Code.UNKNOWN_INPUT, message, "drop one of them", self._target)
        if not over:
            hint = f"write {_written(self._target)}(items)"
            raise _wrong(Code.MISSING_INPUT, "a map is given no list to go over", hint, self._target)
        return over, {**bound, **dict(zip(over, lists, strict=False)), **named}

    def __repr__(self) -> str:
        return f"<map of {self._target.subject}>"


def _called(target: Callee, over: tuple[str, ...], given: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    """The calls one after the other, outside a workflow."""
    from alula.graph import maps

    lists = {name: given[name] for name in over}
    for name, items in lists.items():
        if not isinstance(items, (list, tuple)):
            message = f"the input {name} must be a list of items, not {type(items).__name__}"
            raise errors.ValueMismatch(_wrong(Code.BAD_VALUE, message, "", target).diagnostics)
    problem = maps.length_problem({name: len(items) for name, items in lists.items()}, options.get("batch"))
    if problem:
        raise errors.ValueMismatch(_wrong(problem[0], problem[1], "", target).diagnostics)
    rest = {name: value for name, value in given.items() if name not in over}
    rows = zip(*lists.values(), strict=True)
    made = _tried(target, [{**dict(zip(over, row, strict=True)), **rest} for row in rows], over, options)
    style, outputs = target.interface.style, target.interface.outputs
    if style == "none":
        return None
    if style == "single":
        return made
    return target.interface.unpack([[each and each[index] for each in made] for index in range(len(outputs))])


def _tried(target: Callee, calls: list[dict[str, Any]], over: tuple[str, ...], options: Mapping[str, Any]) -> list[Any]:
    """What the calls return, None for one that fails and may; of too many failures the first is raised."""
    from alula_api.contract.graphs.calls import MapCall, TaskCall

    call, made, failed = MapCall(TaskCall(""), over, (), **options), [], []
    for each in calls:
        try:
            made.append(target(**each))
        except Exception as error:  # whatever the user's function raises
            if not call.is_tolerant:
                raise
            failed.append(error)
            made.append(None)
    if len(calls) - len(failed) < call.needed(len(calls)):
        raise failed[0]
    return made


def _written(target: Callee) -> str:
    return f"map_task({target.function.__name__})"


def _wrong(code: Code, message: str, hint: str, target: Callee | None = None) -> errors.DefinitionError:
    subject = f"the map of {target.subject}" if target is not None else ""
    return errors.DefinitionError([Diagnostic(code, message, str(places.caller()), subject, hint=hint)])
