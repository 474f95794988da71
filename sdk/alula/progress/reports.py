"""What comes of a run: one value a node, and the run's own. Rendered by `alula.display`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, Literal

from alula import errors

if TYPE_CHECKING:
    from alula_api.contract.failures import FailureRecord
    from alula_api.contract.values import Json

State = Literal["waiting", "running", "resting", "done", "cached", "failed", "not taken", "skipped", "stopped"]
"""`not taken`: a conditional went another way; `skipped`: the run failed before; `stopped`: it was interrupted."""
ENDS: Final[frozenset[State]] = frozenset({"done", "cached", "failed", "not taken", "skipped", "stopped"})
"""States after which nothing more happens to a node."""


@dataclass(slots=True)
class NodeReport:
    """One node as the run sees it now; a finished run hands out reports that no longer change.

    Attributes:
        id: The path of node ids, as Argo shows it: `sub.train`.
        task: The task's name.
        source: Where the node is called, as `flows/penguins.py:44`.
        attempts: Attempts begun.
        most_attempts: Attempts allowed.
        began: When the first attempt began, on the run's clock.
        seconds: From the first attempt's beginning to the last one's end, rests included.
        cacheable: Whether the cache is asked.
        keeps: Whether its result stays in the cache, so that a new run does not make it again.
        why: Why a cached task ran after all, for people; "" when there is nothing to say.
        failure: Of the last failed attempt.
        items: How many items the map has in which it lies, the innermost one; 0 outside of maps.
        stands_for: How many items it is: on a cluster a batch of them is one pod, and one node.
        first: The index of the first of these; None where the id has it.
        tolerated: Whether it may fail without the run doing so.
        failed: How many of the items that it stands for have failed, and may.
        failed_items: Why, by their indices, where that is known.
        prints: The file that keeps what the last attempt that printed something has printed; "" when there is none.
    """

    id: str
    task: str
    source: str = ""
    state: State = "waiting"
    attempts: int = 0
    most_attempts: int = 1
    began: float = 0.0
    seconds: float = 0.0
    cacheable: bool = False
    keeps: bool = False
    why: str = ""
    failure: FailureRecord | None = None
    items: int = 0
    stands_for: int = 1
    first: int | None = None
    tolerated: bool = False
    failed: int = 0
    failed_items: Mapping[int, FailureRecord] = field(default_factory=dict)
    prints: str = ""


@dataclass(frozen=True, slots=True)
class OutputType:
    """One output of the workflow, as the display needs it."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HandlerReport:
    """What was started when the run was over.

    Attributes:
        event: After what: `failure`, or `exit`.
        workflow: What was started.
        run: Its run; "" where another part starts it, as the controller does on a cluster.
        ok: Whether it succeeded; None where that is not known here.
    """

    event: str
    workflow: str
    run: str = ""
    ok: bool | None = None


if TYPE_CHECKING:
    from typing_extensions import TypeVar  # for type checkers alone: a plain `RunResult` needs no argument

    R = TypeVar("R", default=Any)
else:
    from typing import TypeVar

    R = TypeVar("R")


@dataclass(frozen=True, repr=False)
class RunResult(Generic[R]):
    """A finished local run.

    Attributes:
        run: Its id.
        workflow: The workflow's name.
        ok: Whether every node came to its end.
        nodes: One report a node, in the graph's order.
        seconds: How long it took.
        dir: The folder of the run's own records; None when the store is not a folder.
        wire: The outputs as JSON; files and frames are references.
        warnings: What the user should know, in order.
        maps: How many items each map has that began, by its id.
        repeats: The repeats that the workflow has, by their general ids: `each(i).improve`.
        idle: Why maps and repeats, outside of others, never began: `not taken` or `skipped`.
        handlers: What was started when it was over.
        message: Why it failed where no node did: it was refused, stopped, or past its deadline.
        errors: The exceptions of the tasks that failed; of those in processes of their own, a text with the traceback.
    """

    run: str
    workflow: str
    ok: bool
    nodes: tuple[NodeReport, ...]
    seconds: float
    dir: Path | None = None
    wire: Mapping[str, Json] = field(default_factory=dict)
    output_types: tuple[OutputType, ...] = ()
    warnings: tuple[str, ...] = ()
    maps: Mapping[str, int] = field(default_factory=dict)
    repeats: frozenset[str] = frozenset()
    idle: Mapping[str, State] = field(default_factory=dict)
    handlers: tuple[HandlerReport, ...] = ()
    message: str = ""
    decode: Callable[[], Mapping[str, Any]] = field(default=dict, repr=False, compare=False)
    locate: Callable[[Json], Path | str | None] = field(default=lambda _: None, repr=False, compare=False)
    unpack: Callable[[list[Any]], Any] = field(default=tuple, repr=False, compare=False)
    errors: tuple[BaseException, ...] = field(default=(), repr=False, compare=False)

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The workflow's outputs as Python values, each call anew.

        Raises:
            RunFailed: The run failed, so there are none.
        """
        if not self.ok:
            raise RunFailed(self)
        return self.decode()

    @property
    def value(self) -> R:
        """What the workflow returns: its output, or all of them as a tuple or NamedTuple.

        Raises:
            RunFailed: The run failed, so there is none.
        """
        return self.unpack(list(self.outputs.values()))  # type: ignore[no-any-return]

    @property
    def failures(self) -> tuple[NodeReport, ...]:
        """The nodes that failed, in the order in which they did: the first one is why the run failed.

        Those that may fail come last.
        """
        failed = (node for node in self.nodes if node.state == "failed")
        return tuple(sorted(failed, key=lambda node: (node.tolerated, node.began + node.seconds)))

    def __repr__(self) -> str:
        tasks = "1 task" if len(self.nodes) == 1 else f"{len(self.nodes)} tasks"
        return f"<run {self.run} {'succeeded' if self.ok else 'failed'}: {tasks}>"

    def node(self, id: str) -> NodeReport:
        """The report of one node.

        Raises:
            KeyError: There is no such node.
        """
        for node in self.nodes:
            if node.id == id:
                return node
        from alula_api.contract import diagnostics

        near = diagnostics.did_you_mean(id, (node.id for node in self.nodes))
        raise KeyError(f"no node {id!r}" + (f"; {near}" if near else ""))


class RaisedElsewhere(errors.AlulaError):
    """The exception of a task in a process of its own, as a text with its traceback."""

    def __str__(self) -> str:
        return f"in a process of its own\n{self.args[0].rstrip()}"


class RunFailed(errors.AlulaError):
    """A local run failed; `result` has what ran and what did not."""

    __module__ = "alula"

    def __init__(self, result: RunResult) -> None:
        self.result = result
        super().__init__(result)

    def __str__(self) -> str:
        first = [f"{node.id}: {_headline(node)}" for node in self.result.failures[:5]]
        more = len(self.result.failures) - len(first)
        return f"{self.result.workflow} failed: " + "; ".join(first) + (f"; and {more} more" if more else "")

    def _render_traceback_(self) -> list[str]:
        """What IPython and Jupyter show: where the user's code failed, and what the run says."""
        from alula.code import tracebacks

        cause = self.__cause__
        return [*([tracebacks.user_traceback(cause)] if cause is not None else []), str(self)]


def _headline(node: NodeReport) -> str:
    record = node.failure
    if record is None:
        return "failed"
    return f"{record.exception}: {record.message}" if record.exception else record.message
