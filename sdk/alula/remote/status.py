"""What a run's object says of its state, in the terms of a local run. Pure: Argo's status in. Called by `runs`.

A task is one node or, as the compiler gives every task a retry strategy, a Retry node with a node an attempt; graphs
and holds are no tasks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from alula.progress.reports import HandlerReport, State
from alula.remote import messages
from alula.remote.outline import Outline
from alula_api.argo import nodes as argo_nodes
from alula_api.argo import runs
from alula_api.contract import jsontext, labels, lists, names
from alula_api.contract.graphs import handlers
from alula_api.contract.problems import InvalidValue

_BROKEN = ("Failed", "Error")
_STATES: dict[str, State] = {
    "Pending": "running",
    "Running": "running",
    "Succeeded": "done",
    "Failed": "failed",
    "Error": "failed",
    "Skipped": "not taken",
    "Omitted": "skipped",
}
_ATTEMPT = re.compile(r"(?P<name>.*)\((?P<number>\d+)\)")
_UNSEEN = re.compile(r'workflowtemplates\.argoproj\.io "(?P<name>[^"]+)" not found')


@dataclass(frozen=True, slots=True)
class TaskState:
    """A task that Argo has begun.

    Attributes:
        id: As the author calls it, `sub.train`.
        attempts: Attempts begun.
        waits: What its pod waits for; empty once it runs.
        seconds: From its beginning to its end; 0 while it runs.
        began: When it did, as seconds since the epoch; 0 where Argo does not say.
        failures: What failed attempts said, in their order.
        name: Argo's, which all its attempts know it by.
        succeeded: How many of its items have, where they may fail; None where it does not say so.
    """

    id: str
    state: State
    attempts: int = 1
    waits: str = ""
    seconds: float = 0.0
    failures: tuple[str, ...] = ()
    name: str = field(default="", compare=False)
    succeeded: int | None = None
    began: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class RunState:
    """A run at one moment.

    Attributes:
        phase: Argo's; empty as long as Argo has not looked at the run.
        message: Of the run, or where it has none of its own, of the whole graph.
        tasks: By id, in the order of their beginning.
        lengths: How many items each map has, by id.
        outputs: The texts of its outputs.
        held: Whether it waits to be admitted.
        hidden: Why the tasks cannot be shown; empty when they are.
        begun: Whether there is any node.
        seconds: How long it took; 0 while it is not over.
        revision: Of the definition that it follows.
        successor: The run that took its place, empty for none; None while it is not said.
        again: Whether it is itself such a run, which nothing takes the place of.
        uid: Its own; empty where it is not known.
        away: The branches, maps and repeats that were not taken.
        handlers: What the controller starts because it is over.
    """

    name: str
    phase: str
    message: str = ""
    tasks: Mapping[str, TaskState] = field(default_factory=dict)
    lengths: Mapping[str, int] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    held: bool = False
    hidden: str = ""
    begun: bool = False
    seconds: float = 0.0
    revision: str = ""
    successor: str | None = None
    again: bool = False
    uid: str = ""
    away: frozenset[str] = frozenset()
    handlers: tuple[HandlerReport, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether Argo will not touch it again."""
        return self.phase in runs.FINISHED

    @property
    def succeeded(self) -> bool:
        """Whether it ended well."""
        return self.phase == "Succeeded"

    def came_too_early(self, template: str) -> bool:
        """Whether it ended before it began because Argo had not seen its WorkflowTemplate yet."""
        found = _UNSEEN.search(self.message)
        return self.phase == "Error" and not self.begun and found is not None and found["name"] == template


def state(run: Mapping[str, Any], outline: Outline) -> RunState:
    """Read an Argo Workflow."""
    metadata, status = run["metadata"], run.get("status") or {}
    name, phase = str(metadata["name"]), str(status.get("phase") or "")
    annotations, hidden = metadata.get("annotations") or {}, ""
    try:
        nodes = argo_nodes.read(status)
    except argo_nodes.Hidden as problem:
        nodes, hidden = {}, str(problem)
    root = nodes.get(name, {})
    admit = next((node for node in nodes.values() if node.get("name") == names.argo_node_name(name, names.ADMIT)), {})
    outputs = argo_nodes.parameters(root)
    tasks, away = _tasks(nodes, f"{name}.", outline)
    return RunState(
        name,
        phase,
        str(root.get("message") or status.get("message") or ""),
        tasks,
        _lengths(nodes, f"{name}.", outline),
        {str(each["name"]): str(each.get("value", "")) for each in outputs},
        held=phase == "Running" and (admit.get("phase") in ("Pending", "Running") or not (nodes or hidden)),
        hidden=hidden,
        begun=bool(nodes or hidden),
        seconds=_seconds(status) if phase in runs.FINISHED else 0.0,
        revision=runs.label(run, labels.REVISION),
        successor=annotations.get(labels.RESTARTED_AS),
        again=labels.RESTARTED_FROM in annotations,
        uid=str(metadata.get("uid", "")),
        away=away,
        handlers=_handlers(run, phase, admitted=admit.get("phase") == "Succeeded"),
    )


def _handlers(run: Mapping[str, Any], phase: str, *, admitted: bool) -> tuple[HandlerReport, ...]:
    """What is started because a run is over: by the controller, a moment later, as runs of their own."""
    metadata = run["metadata"]
    ended = phase in runs.FINISHED and (run.get("spec") or {}).get("shutdown") != "Terminate"
    if not (ended and admitted):
        return ()
    return tuple(
        HandlerReport(
            each.event.lower(),
            each.workflow,
            handlers.run_name(str(metadata["name"]), str(metadata.get("uid", "")), each.event),
        )
        for each in handlers.from_text(str((metadata.get("annotations") or {}).get(labels.HANDLERS) or ""))
        if phase != "Succeeded" or each.event == handlers.Event.EXIT
    )


def _tasks(
    nodes: Mapping[str, Mapping[str, Any]], prefix: str, outline: Outline
) -> tuple[dict[str, TaskState], frozenset[str]]:
    """The tasks, and which branches, maps and repeats were not taken."""
    retried = {str(node["name"]): node for node in nodes.values() if node.get("type") == "Retry"}
    attempts: dict[str, dict[int, Mapping[str, Any]]] = {name: {} for name in retried}
    alone: dict[str, Mapping[str, Any]] = {}
    for node in nodes.values():
        if node.get("type") not in ("Pod", "Skipped"):
            continue
        name = str(node["name"])
        found = _ATTEMPT.fullmatch(name)
        if found is not None and found["name"] in retried:
            attempts[found["name"]][int(found["number"])] = node
        else:
            alone[name] = node
    single = {name: outline.id(name.removeprefix(prefix)) for name in alone}
    items = f".{names.ITEM}"
    empty = {
        name
        for name, id in single.items()
        if id in outline.maps and name.endswith(items) and alone[name].get("phase") == "Skipped"
    }
    read = [(_began(node), _single(single[name], node)) for name, node in alone.items() if name not in empty]
    for name, node in retried.items():
        read.append((_began(node), _retried(outline.id(name.removeprefix(prefix)), node, attempts[name])))
    known = {task.id: task for _, task in sorted(read, key=lambda each: (each[0], each[1].id))}
    return _not_taken(known, outline)


def _lengths(nodes: Mapping[str, Mapping[str, Any]], prefix: str, outline: Outline) -> dict[str, int]:
    """How many items each map has: the length of a list that its node gets."""
    found = {}
    for node in nodes.values() if outline.maps else ():
        if node.get("type") != "DAG":
            continue
        id = outline.id(str(node["name"]).removeprefix(prefix))
        given = {
            str(each.get("name")): each.get("value") for each in (node.get("inputs") or {}).get("parameters") or ()
        }
        lengths = [_length(given.get(name)) for name in outline.over(id)]
        if lengths:
            found[id] = min(lengths)
    return found


def _length(text: object) -> int:
    try:
        listed = lists.read(jsontext.parse(str(text)))
    except InvalidValue:
        return 0
    return lists.length(listed) if listed is not None else 0


def _not_taken(known: dict[str, TaskState], outline: Outline) -> tuple[dict[str, TaskState], frozenset[str]]:
    """What lies in branches that are not taken, in place of their own nodes, and what waits for them alone.

    Rounds that were not needed are left out, as in a local run; so are maps and repeats that did not begin.
    """
    found: dict[str, TaskState] = {}
    away: set[str] = set()
    states = {task.state for task in known.values()}
    spreads = "not taken" in states and states.isdisjoint({"failed", "stopped"})
    for id, task in known.items():
        if task.state in ("not taken", "skipped") and outline.is_round(id):
            continue
        is_away = task.state == "not taken" or (task.state == "skipped" and spreads)
        if task.state in ("not taken", "skipped") and (id in outline.maps or id in outline.repeats):
            away.update([id] if is_away else [])
        elif task.state == "not taken" and outline.expected(id) is None:
            away.add(id)
            found |= {each: TaskState(each, "not taken", 0) for each in outline.inside(id)}
        elif task.state == "skipped" and spreads:
            found[id] = TaskState(id, "not taken", 0)
        else:
            found[id] = task
    return found, frozenset(away)


def _began(node: Mapping[str, Any]) -> str:
    return str(node.get("startedAt") or "")


def _single(id: str, node: Mapping[str, Any]) -> TaskState:
    if (node.get("memoizationStatus") or {}).get("hit"):
        return TaskState(id, "cached")
    failed = (_message(node),) if node.get("phase") in _BROKEN else ()
    state, waits, name = _state(node, failed), _waits(node), str(node["name"])
    return TaskState(id, state, 1, waits, _seconds(node), failed, name, _succeeded(node), _moment(node))


def _retried(id: str, node: Mapping[str, Any], attempts: Mapping[int, Mapping[str, Any]]) -> TaskState:
    inner = [attempts[number] for number in sorted(attempts)]
    failed = tuple(_message(each) for each in inner if each.get("phase") in _BROKEN)
    if not failed and node.get("phase") in _BROKEN:
        failed = (_message(node),)
    found = _state(node, failed)
    last = inner[-1] if inner else node
    if found == "running" and last.get("phase") in _BROKEN and not messages.final(_message(last)):
        found = "resting"
    waits = _waits(last) if found == "running" else ""
    name = str(node["name"])
    return TaskState(id, found, len(inner), waits, _seconds(node), failed, name, _succeeded(node), _moment(node))


def _succeeded(node: Mapping[str, Any]) -> int | None:
    """What a pod of several items says of how many have succeeded."""
    found = {str(each["name"]): str(each.get("value", "")) for each in argo_nodes.parameters(node)}
    text = found.get(names.SUCCEEDED, "")
    return int(text) if text.isascii() and text.isdecimal() else None


def _state(node: Mapping[str, Any], failed: tuple[str, ...]) -> State:
    found = _STATES.get(str(node.get("phase") or "Pending"), "running")
    return "stopped" if found == "failed" and failed and messages.stopped(failed[-1]) else found


def _waits(node: Mapping[str, Any]) -> str:
    return _message(node) or "a pod" if node.get("phase") in (None, "", "Pending") else ""


def _message(node: Mapping[str, Any]) -> str:
    return str(node.get("message") or "")


def _seconds(node: Mapping[str, Any]) -> float:
    """Between the two times that Argo writes, which are whole seconds."""
    began, ended = _time(node.get("startedAt")), _time(node.get("finishedAt"))
    return max(0.0, (ended - began).total_seconds()) if began and ended else 0.0


def _moment(node: Mapping[str, Any]) -> float:
    began = _time(node.get("startedAt"))
    return began.timestamp() if began else 0.0


def _time(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
