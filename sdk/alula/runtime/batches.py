"""A batch: several items of a map in one pod, each a call of its own with its own process, cache entry and retries.

Called by `running` in place of a single call. The process of the pod reads and runs nothing of the items itself
(`children` says why): one child looks the batch up and reads its lists, one child an attempt calls the task, and in the
end the lists that they made are published, as one value each. What has finished is in the cache when the pod dies; of a
task without a cache the batch begins anew. Where loading the user's code has started threads, none of these processes
is a fork: what they hold of its locks they would hold for ever.

A failure of the user's code is tried again here. All others end the pod, and Argo starts it again: what the last such
attempt of a pod finds is counted as a failure of the item where items may fail.
"""

from __future__ import annotations

import gc
import heapq
import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from alula.attempt import errors, forks
from alula.attempt import failures as classes
from alula.attempt.errors import Stop, bad_input
from alula.attempt.invoke import Phase
from alula.runtime import cached_call, children, failure_records, failure_report, inputs, items, loading, logs, signals
from alula.runtime.attempts import Attempt
from alula.runtime.children import Child, Children
from alula_api.contract import failures, lists, names, pods, retries
from alula_api.contract.codes import Code
from alula_api.contract.failures import FailureRecord
from alula_api.contract.graphs import interfaces

if TYPE_CHECKING:
    from alula.declare.tasks import Task
    from alula_api.contract.values import Json

_Check: TypeAlias = Callable[[Attempt, pods.Call], None]


def unpacked(attempt: Attempt) -> str:
    """The folder of the bundle's code, fetched and unpacked by a child."""
    return str(_answer(lambda: loading.unpack(attempt.env), attempt))


def perform(attempt: Attempt, call: pods.Call, task: Task[..., Any], check: _Check) -> dict[str, Json]:
    """What is published of a batch; `check` refuses to go on after too many losses of the pod.

    Raises:
        Recorded: An item has failed for good, or the pod must start again.
    """
    uses_cache = bool(call.cache) and loading.holds_version(task, call.cache)
    plain = call if uses_cache else call._replace(cache="")
    found: Any = _answer(lambda: _begun(attempt, plain, task, check), attempt)
    if "known" in found:
        return {names.item_parameter(name): text for name, text in found["known"].items()} | _counted(
            call, found["count"]
        )
    batch = _Items(attempt, plain, task, found["rows"], found["first"])
    made = batch.run()
    if batch.tolerated:
        _record(attempt, batch.tolerated)
    return _published(attempt, plain, task, made, found["identities"])


def _answer(work: Callable[[], Json], attempt: Attempt) -> Json:
    """What a child gives, or its failure as ours; without a child where none could be forked."""
    if forks.obstacle():
        return work()

    def done() -> Json:
        try:
            return {"found": work()}
        except BaseException as error:
            return {"failure": failure_report.recorded(attempt, error).to_json()}

    found: Any = children.ask(done)
    if found is None:
        raise Stop(errors.SYSTEM, Code.TASK_KILLED, f"the process ended while {attempt.phase.value}")
    if "failure" in found:
        raise failure_report.Recorded(FailureRecord.from_json(found["failure"]))
    return found["found"]  # type: ignore[no-any-return]


def _begun(attempt: Attempt, call: pods.Call, task: Task[..., Any], check: _Check) -> dict[str, Json]:
    """What the cache knows of the whole batch, else the values of its lists, item by item."""
    if attempt.env.attempt - 1 > call.system_retries:
        check(attempt, call)
    arrivals = inputs.read(call)
    identities = {}
    if call.cache:
        identities = inputs.identities(arrivals, task, attempt.content.load_value, call.over)
        known = cached_call.recall(_memory(attempt, call, task, identities))
        if known is not None:
            texts = {name: _text(attempt, value, _schemas(task)[name]) for name, value in known.items()}
            return {"known": texts, "count": _count(attempt, call, arrivals)}
    read = inputs.load(tuple(each for each in arrivals if each.name in call.over), attempt.content.load_value)
    lengths = {name: len(value) for name, value in read.items() if isinstance(value, list)}
    if len(lengths) < len(call.over) or len(set(lengths.values())) != 1:
        raise bad_input(call.over[0], "the lists of a batch must be of one length")
    first = {each.name: each for each in arrivals}[call.over[0]].travelled
    listed = lists.read(first)
    rows: list[Json] = [dict(zip(read, row, strict=True)) for row in zip(*read.values(), strict=True)]
    return {"rows": rows, "first": getattr(listed, "start", 0), "identities": dict(identities)}


def _count(attempt: Attempt, call: pods.Call, arrivals: Sequence[inputs.Arrival]) -> int:
    """How many items a batch has, read only where the list does not say it on its way."""
    (first,) = (each for each in arrivals if each.name == call.over[0])
    listed = lists.read(first.travelled)
    if listed is not None:
        return lists.length(listed)
    read = inputs.load((first,), attempt.content.load_value)[first.name]
    if not isinstance(read, list):
        raise bad_input(first.name, "what a batch goes over must be a list")
    return len(read)


def _counted(call: pods.Call, succeeded: int) -> dict[str, Json]:
    """What else is published of a batch: where items may fail, how many of them succeeded."""
    return {names.SUCCEEDED: succeeded} if call.failing == pods.TOLERATE else {}


def _memory(attempt: Attempt, call: pods.Call, task: Task[..., Any], identities: dict[str, str]) -> Any:
    return cached_call.memory_of(attempt, call, identities, _schemas(task), call.over)


def _schemas(task: Task[..., Any], *, tolerant: bool = False) -> dict[str, dict[str, Any]]:
    """The types of the lists that a batch makes."""
    single = cached_call.schemas_of(task).items()
    return {name: interfaces.list_of(interfaces.or_none(each) if tolerant else each) for name, each in single}


def _text(attempt: Attempt, value: Json, schema: dict[str, Any]) -> str:
    """A list in the form in which it is published: as one item of the list of the batches."""
    from alula.attempt import parts
    from alula_api.contract import references

    stored = references.stored(value) if references.is_envelope(value) else None
    return lists.item(stored) if stored else parts.item(value, schema, lambda: attempt.content)[0]


def _published(
    attempt: Attempt, call: pods.Call, task: Task[..., Any], made: list[Any], identities: dict[str, str]
) -> dict[str, Json]:
    """The lists of a batch that is over, and how many of its items succeeded; from here on nothing is forked."""
    from alula.attempt import parts

    attempt.phase = Phase.OUTPUTS
    tolerant, failed = call.failing == pods.TOLERATE, sum(each is None for each in made)
    found: dict[str, Json] = {}
    kept: dict[str, Json] = {}
    for name, schema in _schemas(task, tolerant=tolerant).items():
        listed: list[Json] = [each and each[name] for each in made]
        found[names.item_parameter(name)], kept[name] = parts.item(listed, schema, lambda: attempt.content)
    if call.cache and not failed:
        standing = cached_call.keep(_memory(attempt, call, task, identities), kept)
        if standing is not kept:
            found = {names.item_parameter(name): _text(attempt, standing[name], _schemas(task)[name]) for name in kept}
    return found | _counted(call, len(made) - failed)


def _record(attempt: Attempt, failed: dict[int, FailureRecord]) -> None:
    """Leave why items failed that may; the batch is worth more than that."""
    from alula_data.errors import StoreError

    try:
        env = attempt.env
        failure_records.write_items(attempt.store, env.run_uid, env.node, env.attempt, dict(sorted(failed.items())))
    except StoreError as problem:
        logs.line(f"the failures of items could not be recorded in the store: {problem}")


@dataclass(frozen=True)
class _Item:
    """An item that waits or runs: its place in the batch, and which attempt it is, from 1."""

    place: int
    number: int = 1


class _Items:
    """The items of a batch, as many at one time as it says."""

    def __init__(self, attempt: Attempt, call: pods.Call, task: Task[..., Any], rows: list[Any], first: int) -> None:
        self._attempt, self._call, self._task, self._rows, self._first = attempt, call, task, rows, first
        self._made: list[dict[str, Json] | None] = [None] * len(rows)
        self._waiting = deque(_Item(place) for place in range(len(rows)))
        self._resting: list[tuple[float, int, _Item]] = []
        self._running: dict[int, _Item] = {}
        self._ended = 0
        self._bad: FailureRecord | None = None
        self._obstacle = ""
        self.tolerated: dict[int, FailureRecord] = {}
        """Why items have failed that may, by their indices."""

    def run(self) -> list[dict[str, Json] | None]:
        """The outputs of each item, None for one that failed and may.

        Raises:
            Recorded: One failed that may not.
        """
        self._attempt.phase = Phase.FUNCTION
        self._obstacle = forks.obstacle()
        if self._obstacle:
            logs.line(f"each item starts an interpreter of its own, which takes longer: {self._obstacle}")
        gc.freeze()  # what is there belongs to all: a child that looks through it would copy it
        with Children() as running:
            while self._waiting or self._resting or running.running:
                self._start(running)
                for child, answer in running.ended(self._rest(running)):
                    self._end(self._running.pop(child.pid), child, answer)
        if self._bad is not None:
            raise failure_report.Recorded(self._bad)
        return self._made

    def _start(self, running: Children) -> None:
        now = time.monotonic()
        while self._resting and self._resting[0][0] <= now:
            self._waiting.appendleft(heapq.heappop(self._resting)[2])
        while self._waiting and len(running.running) < self._call.parallel:
            item = self._waiting.popleft()
            timeout = self._attempt.env.timeout
            child = running.start(Child(self._work(item), timeout and timeout + 2 * signals.GRACE))
            self._running[child.pid] = item

    def _work(self, item: _Item) -> Callable[[], Json] | list[str]:
        """One attempt at an item, for a process of its own."""
        question = items.Question(self._call, self._rows[item.place], item.number, self._folder(item))
        if self._obstacle:
            return items.command(self._attempt, question)
        return lambda: items.tried(self._attempt, question, self._task)

    def _rest(self, running: Children) -> float | None:
        """Seconds until an item may be tried again; None while there is none that could."""
        if not self._resting or len(running.running) >= self._call.parallel:
            return None
        return max(0.0, self._resting[0][0] - time.monotonic())

    def _end(self, item: _Item, child: Child, answer: Json | None) -> None:
        shutil.rmtree(self._folder(item), ignore_errors=True)
        found: Any = answer
        if found is not None and "outputs" in found:
            self._made[item.place] = found["outputs"]
            self._over(item, "cached" if found["cached"] else "done")
            return
        record = FailureRecord.from_json(found["failure"]) if found is not None else self._lost(item, child)
        again = record.kind == failures.USER and record.retryable and item.number <= self._call.retries
        if again and not self._stops:
            wait = self._backoff().rest(item.number)
            self._tell(item, f"{record.code}, attempt {item.number}, is tried again in {wait:g} s")
            heapq.heappush(self._resting, (time.monotonic() + wait, item.place, replace(item, number=item.number + 1)))
            return
        last = self._attempt.env.attempt > self._call.system_retries
        final = record.kind == failures.USER or last
        self._over(item, f"failed: {record.message.partition(chr(10))[0]}")
        if self._call.failing == pods.TOLERATE and final and record.code != Code.INPUT_LOST:
            self.tolerated[self._first + item.place] = record
            return
        if self._bad is None or (record.kind == failures.USER and self._bad.kind != failures.USER):
            self._bad = self._of_pod(item, record)
        if self._stops:
            self._waiting.clear()
            self._resting.clear()

    @property
    def _stops(self) -> bool:
        """Whether nothing new begins."""
        if self._bad is None:
            return False
        return self._call.failing == pods.STOP or self._bad.kind != failures.USER

    def _of_pod(self, item: _Item, record: FailureRecord) -> FailureRecord:
        """The record as that of the pod: of the user's code nothing is left to try."""
        tries = f", attempt {item.number}" if item.number > 1 else ""
        message = f"item {self._first + item.place}{tries}: {record.message}"
        env, final = self._attempt.env, record.kind == failures.USER
        return replace(
            record, message=message, node=env.node, attempt=env.attempt, retryable=record.retryable and not final
        )

    def _over(self, item: _Item, how: str) -> None:
        self._ended += 1
        self._tell(item, f"{how}, {self._ended}/{len(self._rows)}")

    def _tell(self, item: _Item, text: str) -> None:
        logs.line(f"item {self._first + item.place}: {text}")

    def _backoff(self) -> retries.Backoff:
        duration, factor, cap = self._call.backoff
        if not duration:
            return retries.DEFAULT_BACKOFF
        return retries.Backoff(duration, int(factor) if factor else None, cap or None)

    def _folder(self, item: _Item) -> str:
        return f"{os.path.abspath(self._attempt.env.work)}/{pods.SCRATCH}/{item.place}-{item.number}"  # noqa: PTH100

    def _lost(self, item: _Item, child: Child) -> FailureRecord:
        """The record of an attempt whose process has said nothing."""
        env = self._attempt.env
        if child.is_overdue:
            finding = classes.overdue(env.timeout)
        else:
            finding = classes.killed(f"the process of the item {child.how}: killed, out of memory, or crashed")
        return classes.record(
            finding, run=env.run, node=env.node, attempt=item.number, task=self._call.task,
            source=str(self._task.source), inputs=self._rows[item.place],
            secrets=[secret.name for secret in self._task.options.secrets],
        )  # fmt: skip
