"""A run that is over as plain JSON for programs: what `alula run --json` prints and the store keeps as `run.json`.

One shape for runs here and on a cluster, described in docs/running.md. Keys stand in the order in which they stand
here. Within a `VERSION` keys may be added; none is renamed, removed or given another meaning. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from alula_api.contract.codes import Code
from alula_api.contract.graphs import outlines

if TYPE_CHECKING:
    from alula.progress.reports import NodeReport, RunResult, State
    from alula_api.contract.failures import FailureRecord
    from alula_api.contract.values import Json

VERSION: Final = 1
_BY_GRAVITY: Final[tuple[State, ...]] = ("failed", "stopped", "skipped", "done", "cached", "not taken")
"""An item in which several tasks run is what the first of these says that one of them is."""
_COUNTED: Final[tuple[State, ...]] = ("done", "cached", "failed", "not taken", "skipped", "stopped")
_OVER: Final[frozenset[State]] = frozenset({"done", "cached", "failed", "not taken"})
_OF_OTHERS: Final[dict[State, State]] = {"waiting": "skipped", "resting": "failed", "running": "stopped"}
"""What becomes of nodes that had not come to their end."""
_IDLE: Final[frozenset[State]] = frozenset({"cached", "not taken", "skipped", "waiting"})
"""States of nodes whose code was not called."""
_INSIDE = re.compile(r"\((?P<index>[0-9]+)\)|\.round-(?P<round>[0-9]+)(?=\.|$)")
_REFUSED = re.compile(r"(?:error )?(?P<code>[A-Z][A-Z_]+): (?P<message>.+)", re.DOTALL)


def of(result: RunResult, outputs: Mapping[str, Json]) -> dict[str, Json]:
    """The record; `outputs` are those of the run as they are to be shown."""
    repeats: dict[str, int] = {}
    nodes: list[Json] = [_node(node, result.repeats, repeats) for node in result.nodes]
    return {
        "v": VERSION,
        "run": result.run,
        "workflow": result.workflow,
        "ok": result.ok,
        "seconds": round(result.seconds, 3),
        "counts": _counts((_state(node), 1) for node in result.nodes),
        "error": None if result.ok else _why(result),
        "outputs": dict(outputs),
        "nodes": nodes,
        "maps": _maps(result),
        "repeats": [{"id": id, "rounds": rounds} for id, rounds in repeats.items()],
        "idle": [{"id": id, "state": state} for id, state in result.idle.items()],
        "handlers": [
            {"event": each.event, "workflow": each.workflow, "run": each.run, "ok": each.ok} for each in result.handlers
        ],
        "warnings": list(result.warnings),
    }


def _node(node: NodeReport, repeats: frozenset[str], rounds: dict[str, int]) -> dict[str, Json]:
    """One node; `rounds` gets those of the repeats in which it lies."""
    state = _state(node)
    found: dict[str, Json] = {"id": node.id, "task": node.task, "state": state}
    found |= _inside(node, repeats, rounds)
    if node.source:
        found["source"] = node.source
    found["attempts"] = 0 if state in _IDLE else node.attempts
    found["seconds"] = round(node.seconds, 3)
    if node.why:
        found["why"] = node.why
    if state == "failed":
        found["tolerated"] = node.tolerated
        found["error"] = _error(node)
    if node.failed:
        found["failed"] = node.failed
        found["failed_items"] = [
            {"index": index, "error": _told(record)} for index, record in node.failed_items.items()
        ]
    return found


def _inside(node: NodeReport, repeats: frozenset[str], rounds: dict[str, int]) -> dict[str, Json]:
    """The innermost map and the innermost repeat in which a node lies, and where in them."""
    found: dict[str, Json] = {}
    for match in _INSIDE.finditer(node.id):
        whole = node.id[: match.start()]
        if match["index"]:
            found |= {"map": whole, "index": int(match["index"])}
        elif repeats and outlines.general(whole) in repeats:
            number = int(match["round"])
            found |= {"repeat": whole, "round": number}
            rounds[whole] = max(rounds.get(whole, 0), number)
    if node.first is not None:
        found |= {"index": node.first, "items": node.stands_for}
    return found


def _error(node: NodeReport) -> dict[str, Json]:
    record = node.failure
    if record is None:
        return {"code": str(Code.TASK_FAILED), "message": "it failed without a message"}
    return _told(record)


def _told(record: FailureRecord) -> dict[str, Json]:
    return {
        "code": record.code,
        "message": record.message,
        "exception": record.exception,
        "kind": record.kind,
        "source": record.source,
        "attempt": record.attempt,
        "retryable": record.retryable,
        "inputs": dict(record.inputs),
        "traceback": record.traceback,
    }


def _why(result: RunResult) -> dict[str, Json]:
    """The first failure, or what the run itself says where no node failed."""
    failed = next((node for node in result.failures if not node.tolerated), None)
    if failed is not None:
        found = _error(failed)
        return {
            "code": found["code"],
            "message": found["message"],
            "node": failed.id,
            "source": found.get("source") or failed.source,
        }
    said = _REFUSED.match(result.message)
    if said is not None and said["code"] in Code.__members__:
        return {"code": said["code"], "message": said["message"], "node": "", "source": ""}
    return {"code": str(Code.RUN_STOPPED), "message": result.message, "node": "", "source": ""}


def _maps(result: RunResult) -> list[Json]:
    """Each map that began, with how far it came; in the order of the nodes."""
    items: dict[str, dict[str, tuple[State, int, int]]] = {}
    totals = dict(result.maps)
    for node in result.nodes:
        state = _state(node)
        for match in _INSIDE.finditer(node.id):
            if not match["index"]:
                continue
            whole, weight = node.id[: match.start()], node.stands_for if match.end() == len(node.id) else 1
            of_map = items.setdefault(whole, {})
            known = of_map.get(match["index"])
            graver = known is None or _BY_GRAVITY.index(state) < _BY_GRAVITY.index(known[0])
            if graver:
                of_map[match["index"]] = (state, weight - node.failed, node.failed)
    found: list[Json] = []
    for id in [*totals, *(each for each in items if each not in totals)]:
        seen = [part for state, good, lost in items.get(id, {}).values() for part in ((state, good), ("failed", lost))]
        total = max(totals.get(id, 0), sum(weight for _, weight in seen))
        unseen = total - sum(weight for _, weight in seen)
        rest: State = "done" if result.ok and all(state in _OVER for state, _ in seen) else "skipped"
        counted = [*seen, (rest, unseen)]  # of an item without a task nothing is seen
        over = sum(weight for state, weight in counted if state in _OVER)
        counts = _counts(counted)
        found.append({"id": id, "items": total, "progress": f"{over}/{total}", "counts": counts})
    return found


def _state(node: NodeReport) -> State:
    return _OF_OTHERS.get(node.state, node.state)


def _counts(found: Iterable[tuple[State, int]]) -> dict[str, Json]:
    numbers = dict.fromkeys(_COUNTED, 0)
    for state, number in found:
        numbers[state] += number
    return {state: number for state, number in numbers.items() if number}
