"""`alula why RUN`: one look at a run on the cluster: how it ended, what failed with which words, what to do next."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from alula import display
from alula.cli import cluster_flags, flags, usage
from alula.cli.command import Command, Operands

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alula.local.store.place import DataRoot
    from alula.progress.reports import HandlerReport, NodeReport, RunResult
    from alula.remote.connections import Connection
    from alula.remote.refusals import RemoteError
    from alula.remote.status import RunState
    from alula_api.contract.diagnostics import Diagnostic

SUCCEEDED, FAILED, GOES_ON = 0, 1, 3


class Look(NamedTuple):
    """What one look at a run has found.

    Attributes:
        run: Argo's object.
        namespace: Where it is.
        state: What Argo says of it.
        result: The same as a report, with the failures' own words where they could be read.
        records: Where these lie otherwise; empty where none is missing.
    """

    run: Mapping[str, Any]
    namespace: str
    state: RunState
    result: RunResult
    records: str


def check(found: flags.Scan) -> Iterator[Diagnostic]:
    """It is about one run."""
    if len(found.rest) > 1:
        yield from usage.error("name one run").diagnostics


def main(found: flags.Scan) -> int:
    """Print what there is to know about a run; the exit code says how it ended."""
    import dataclasses

    from alula import settings
    from alula.cli import domain_data
    from alula.remote import refusals, revisions, runs, status, stored_failures
    from alula.remote.outline import Outline

    here, name = settings.load(), found.rest[0]
    with contextlib.closing(cluster_flags.connect(found, here)) as cluster:
        run = refusals.patiently(lambda: cluster.run(name), refusals.SOON, sleep=time.sleep, say=display.note)
        if run is None:
            raise _missing(cluster, name)
        there = revisions.find(cluster, run)
        outline = Outline(there.spec)
        state = status.state(run, outline)
        seen = runs.Followed(state, runs.seen(there.title, state, outline, time.time()))
        configured = "" if found.text("namespace") else here.store
        place = domain_data.place(cluster, "", configured, "/".join(cluster_flags.domain(found, here)))
        result = domain_data.with_records(seen, place)
        result = dataclasses.replace(result, handlers=tuple(_handlers(cluster, result.handlers)))
        if state.succeeded and found.on("json"):
            result = domain_data.with_outputs(result, state, there.spec, place)
        looked_up = zip(seen.result.failures, result.failures[: stored_failures.MOST], strict=False)
        unread = [after for before, after in looked_up if after is before]
        _print(Look(run, cluster.namespace, state, result, _records(state, unread, place)), found)
    return SUCCEEDED if state.succeeded else FAILED if state.finished else GOES_ON


def _print(look: Look, found: flags.Scan) -> None:
    """What is told of a run, or its record; of one that is not over there is none."""
    from alula.display import outcomes, terminals

    if not found.on("json"):
        display.out("\n\n".join(_told(look)))
    elif look.state.finished:
        display.out(outcomes.as_json(look.result, getattr(terminals.stream_of("stdout"), "encoding", None) or "ascii"))
    else:
        display.note("\n\n".join(_told(look)))


def _told(look: Look) -> Iterator[str]:
    """What is told of a run, by paragraphs."""
    from alula.display import failures, styles, summaries, terminals
    from alula.remote import runs

    state, result, terminal = look.state, look.result, terminals.detect("stdout")
    style, wide = terminal.style, terminal.width
    columns = wide if terminals.is_terminal(terminals.stream_of("stdout")) else 0
    head = styles.safe(_head(look))
    if state.hidden:  # nothing is known of its tasks, so nothing is said of them
        yield f"{head}: {styles.safe(state.phase or 'Pending')}\n{styles.safe(state.hidden)}"
    elif state.succeeded:
        yield f"{head}: {summaries.headline(result, style)}"
    elif state.finished:
        yield f"{head}\n{summaries.render(result, style, wide)}"
    else:
        yield "\n".join(
            [head, *_standing(look.run, state), *summaries.table(result.nodes, style, wide, now=time.time())]
        )
    if state.finished and (message := _message(state, result)):
        yield message
    if result.failures:
        yield failures.render(result, style, columns=columns)
    if items := failures.items(result.nodes, style):
        yield items
    if look.records:
        yield look.records
    if handlers := [_handler(each, look.namespace) for each in result.handlers]:
        yield "\n".join(handlers)
    if state.finished and not state.succeeded:
        yield "\n".join(_next(look))
    if state.tasks and not state.succeeded:
        yield f"logs, while its pods are there: {runs.logs(look.namespace, state.name)}"


def _head(look: Look) -> str:
    """`penguins-train-x7k2p of penguins-train in penguins-dev, scheduled for ..., began 2026-03-04T10:00:00Z`."""
    from alula_api.contract import labels

    began = (look.run.get("status") or {}).get("startedAt")
    facts = [
        f"{look.state.name} of {look.result.workflow} in {look.namespace}",
        str((look.run["metadata"].get("annotations") or {}).get(labels.REASON) or ""),
        f"began {began}" if began else "",
    ]
    return ", ".join(fact for fact in facts if fact)


def _standing(run: Mapping[str, Any], state: RunState) -> Iterator[str]:
    """What a run that is not over does or waits for."""
    from alula.display.styles import safe
    from alula.remote.reporting import USUAL

    because = f": {safe(state.message)}" if state.message else ""
    if not state.phase:
        yield "it is not over: Argo has not looked at it yet; does its controller run?"
    elif state.phase == "Pending":
        yield f"it is not over: it waits for Argo{because}"
    elif state.held:
        yield f"it is not over: it waits to be admitted{because}"
    elif (run.get("spec") or {}).get("suspend"):
        yield f"it is not over: what runs may finish, nothing more starts{because}"
    else:
        yield f"it is not over: it runs{because}"
    for task in state.tasks.values():
        if task.waits not in USUAL:
            yield f"{safe(task.id)} waits for its pod: {safe(task.waits)}"


def _message(state: RunState, result: RunResult) -> str:
    """Why the run ended, where that is not what a node said."""
    from alula.display.styles import safe

    own = tuple(f"{task.name.removeprefix(f'{state.name}.')} failed" for task in state.tasks.values() if task.failures)
    lines = [safe(line) for line in state.message.split("\n")]
    if state.succeeded or not state.message or state.message.startswith(("child '", *own)):
        return ""
    why = "it ended" if state.tasks or state.hidden else "it ended before anything began"
    return f"{why}: {lines[0]}" if result.failures else "\n".join([f"{why}: {lines[0]}", *lines[1:]])


def _records(state: RunState, unread: Iterable[NodeReport], place: DataRoot | None) -> str:
    """Where the records of failures are that could not be read here; empty where none is missing."""
    from alula_api.contract import failures

    for node in unread:
        task = state.tasks.get(node.id)
        if task is None or node.failure is None or not (state.uid and task.name):
            continue
        path = failures.path(state.uid, task.name, node.failure.attempt)
        where = f"{place.prefix}/{path}" if place is not None else f"{path} in the domain's store"
        return (
            "these are the words of pods, which are cut at 4 kB; the whole record of a failure, with its inputs, is in "
            f"the store unless the process was killed, and could not be read from here:\n  {where}"
        )
    return ""


def _handlers(cluster: Connection, started: Iterable[HandlerReport]) -> Iterator[HandlerReport]:
    """The runs that were started at the end of this one, and how they ended."""
    import dataclasses

    from alula.remote.refusals import RemoteError
    from alula_api.argo import runs

    for each in started:
        try:
            run = cluster.run(each.run)
        except RemoteError:
            run = None
        over = run is not None and runs.finished(run)
        yield dataclasses.replace(each, ok=run["status"].get("phase") == "Succeeded" if run and over else None)


def _handler(each: HandlerReport, namespace: str) -> str:
    from alula.display.styles import safe

    ends = {
        True: "succeeded",
        False: f"failed: `alula why {each.run} -n {namespace}`",
        None: "is not over, or not there",
    }
    return safe(f"on {each.event}: {each.workflow}, run {each.run}, {ends[each.ok]}")


def _next(look: Look) -> Iterator[str]:
    """How to run it again, and what that run need not do again."""
    from alula.display.styles import count, safe
    from alula_api.argo import runs
    from alula_api.contract import labels

    if look.state.successor:
        command = f"alula why {safe(look.state.successor)} -n {look.namespace}"
        yield f"data that it needed was lost, so it was started again: `{command}`"
        return
    nodes = [node for node in look.result.nodes if node.state != "not taken"]
    kept = sum(node.state == "cached" or (node.state == "done" and node.keeps) for node in nodes)
    cache = f"; {kept} of {count(len(nodes), 'task')} are in the cache" if kept else ""
    plan, workflow = runs.label(look.run, labels.LAUNCH_PLAN), runs.label(look.run, labels.WORKFLOW)
    if not (plan or workflow):
        yield f"to run it again, start {safe(look.result.workflow)} anew with the same inputs"
        return
    kind = "launchplans" if plan else "workflows"
    asked = f'{labels.RETRY_REQUESTED}="again after {look.state.name}"'
    yield f"to start the last failed run of {plan or workflow} again, with its inputs and as it was compiled{cache}:"
    yield f"  kubectl annotate {kind}.alula.dev {plan or workflow} -n {look.namespace} --overwrite {asked}"


def _missing(cluster: Connection, name: str) -> RemoteError:
    """There is no such run: what was likely meant."""
    from alula.remote.refusals import RemoteError, refusal
    from alula_api.contract import diagnostics
    from alula_api.contract.codes import Code

    message = f"there is no run {name} in namespace {cluster.namespace}"
    try:
        listed = [each["metadata"] for each in cluster.runs()]
    except RemoteError:
        listed = []
    listed.sort(key=lambda each: str(each.get("creationTimestamp") or ""), reverse=True)
    names = [str(each["name"]) for each in listed]
    newest = next((each for each in names if each.startswith(f"{name}-")), "")
    hint = f"its newest run is {newest}" if newest else diagnostics.did_you_mean(name, names, shown=str)
    hint = hint or "check --domain and --context; runs are deleted some time after their end"
    return refusal(message, hint, Code.NOT_FOUND)


COMMAND = Command(
    name="why",
    summary="why a run on the cluster failed, or what it waits for",
    usage="[options] RUN",
    prose=(
        "Look at a run on the cluster once: how it ended or what it waits for, each task that failed, in the order of "
        "the failures, with the user's traceback and its inputs, what did not run, the runs of handlers, and how to "
        "run it again. What it followed is read from its own revision, so none of the project's code is needed. Exact "
        "words and inputs come from the domain's store, where you may read it."
    ),
    main=main,
    closing=(
        "Exit codes: 0 the run succeeded, 1 it failed, there is none or the cluster refused,\n"
        "2 the command line is wrong, 3 it is not over."
    ),
    operands=Operands(example="alula why RUN, such as penguins-train-x7k2p"),
    check=check,
    flags={
        "options": (
            *cluster_flags.FLAGS,
            flags.Flag("json", help="print the whole run as JSON, as `alula run --json` does; nothing of one not over"),
        )
    },
)
