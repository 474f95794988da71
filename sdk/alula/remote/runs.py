"""Starts a run on a cluster and follows it to its end. Called by the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alula import display
from alula.progress.clocks import Pace, SystemClock
from alula.progress.reports import RunResult
from alula.progress.watchers import Watcher
from alula.remote import connections, refusals, status
from alula.remote.outline import Outline
from alula.remote.refusals import Unanswered, refusal
from alula.remote.reporting import Reporter
from alula_api.contract import codes, labels, values

if TYPE_CHECKING:
    from collections.abc import Callable

    from alula.remote.connections import Connection
    from alula.remote.definitions import Found
    from alula_api.contract.values import Json

POLL_SECONDS = 1.0
MOST_POLL_SECONDS = 10.0
POLL_SHARE = 20
"""A look at a large run costs the API server; looking takes at most one part in so many of the time."""
TASKS_A_SECOND = 20
"""A run of so many tasks may be looked at a second later: the way to a cluster is long for small runs too."""

UNSEEN_SECONDS = 3.0
"""After so long Argo has most likely seen a template that it had not when a run was started."""
SUCCESSOR_SECONDS = 10.0
"""A run whose data was lost is started again within so long, or not at all."""


@dataclass(frozen=True)
class Followed:
    """A run that was followed to its end.

    Attributes:
        state: As last seen.
        result: The same as a local run has it, without outputs.
    """

    state: status.RunState
    result: RunResult


def manifest(template: str, inputs: Mapping[str, Json]) -> dict[str, Json]:
    """The Argo Workflow that starts a run: a template's name, and the wire values of its inputs as Argo-safe text."""
    texts = {name: values.argo_safe(values.dumps(value)) for name, value in inputs.items()}
    return body(template, texts, "started by `alula run --remote`")


def body(template: str, texts: Mapping[str, str], reason: str) -> dict[str, Json]:
    """The Argo Workflow that starts a run of a template, with its inputs as Argo-safe text and why it was started."""
    parameters: list[Json] = [{"name": name, "value": text} for name, text in texts.items()]
    return {
        "apiVersion": connections.ARGO,
        "kind": "Workflow",
        "metadata": {
            "generateName": f"{template}-",
            "annotations": {labels.REASON: reason},
        },
        "spec": {"workflowTemplateRef": {"name": template}, "arguments": {"parameters": parameters}},
    }


def start(cluster: Connection, body: Mapping[str, Json]) -> str:
    """Create the run and say its name in one line that programs may read: `started NAME in NAMESPACE`."""
    name = str(cluster.start(body)["metadata"]["name"])
    display.note(f"started {name} in {cluster.namespace}")
    return name


class Follower:
    """Follows a run, and whatever takes its place, to the end.

    A run that Argo ended because it had not yet seen the template is started anew, once; one that the controller
    started again because data was lost is followed on.

    Args:
        cluster: The connection.
        found: The definition that the run was started from.
        body: What it was started with.
        clock: Stands in for the real time in tests.
    """

    def __init__(self, cluster: Connection, found: Found, body: Mapping[str, Json], clock: Pace | None = None) -> None:
        self._cluster = cluster
        self._found = found
        self._body = body
        self._clock = clock or SystemClock()
        self._outline = Outline(found.spec, found.sources)
        self._cost = 0.0  # seconds that the last look took

    def follow(self, name: str, watcher: Callable[[], Watcher]) -> Followed:
        """Follow the run of this name; `watcher` makes who sees its tasks, one for each run.

        Raises:
            RemoteError: the run was deleted, or the cluster gave no answer for too long, while the run goes on.
            KeyboardInterrupt: after saying that the run goes on.
        """
        anew = False
        while True:
            seen = watcher()
            followed = self._one(name, seen)
            if followed.state.came_too_early(self._found.template) and not anew:
                anew = True
                display.note(f"Argo had not yet seen the template {self._found.template}: starting the run anew")
                self._clock.sleep(UNSEEN_SECONDS)
                name = start(self._cluster, self._body)
                continue
            seen.end(followed.result)
            successor = self._successor(followed)
            if not successor:
                return followed
            display.note("data that the run needed was lost, so the controller started it again")
            display.note(f"started {successor} in {self._cluster.namespace}")
            name = successor

    def _one(self, name: str, watcher: Watcher) -> Followed:
        clock, title = self._clock, self._found.title
        reporter = Reporter(name, title, self._outline, watcher=watcher, say=display.note, now=clock.now())
        compared = False
        try:
            while True:
                state = self._look(name)
                if state.revision and not compared:
                    compared = True
                    self._compare(state, watcher)
                reporter.see(state, clock.now())
                if state.finished:
                    return Followed(state, _result(title, state, reporter, self._outline))
                clock.sleep(self._pause(len(state.tasks)))
        except KeyboardInterrupt:
            watcher.close()
            display.note(f"{name} goes on without you: {_places(self._cluster, name)}")
            raise
        finally:
            watcher.close()

    def _pause(self, tasks: int) -> float:
        """Seconds until the next look at a run of so many tasks, by what the last look took."""
        most = min(MOST_POLL_SECONDS, POLL_SECONDS + tasks / TASKS_A_SECOND)
        return min(most, max(POLL_SECONDS, POLL_SHARE * self._cost))

    def _compare(self, state: status.RunState, watcher: Watcher) -> None:
        """Argo may have taken the template as it was a moment before it was changed."""
        if self._found.revision and state.revision != self._found.revision:
            watcher.warned(
                f"the run follows revision {state.revision}, which Argo still had; the newest is {self._found.revision}"
            )

    def _look(self, name: str) -> status.RunState:
        """The run as it is now; waits while the cluster does not answer."""
        try:
            run = refusals.patiently(lambda: self._ask(name), refusals.LONG, sleep=self._clock.sleep, say=display.note)
        except Unanswered as error:
            message = f"{error.diagnostics[0].message}; the run goes on"
            raise refusal(message, _places(self._cluster, name)) from error
        if run is None:
            message = f"run {name} was deleted while it was followed"
            raise refusal(message, "Argo's archive may still have it, if there is one", codes.Code.RUN_STOPPED)
        return status.state(run, self._outline)

    def _ask(self, name: str) -> dict[str, Any] | None:
        began = self._clock.now()
        run = self._cluster.run(name)
        self._cost = self._clock.now() - began
        return run

    def _successor(self, followed: Followed) -> str:
        """The run that takes the place of one whose data was lost; empty for none."""
        failures = [node.failure for node in followed.result.failures if node.failure is not None]
        lost = any(failure.code == codes.Code.INPUT_LOST for failure in failures)
        if followed.state.phase != "Failed" or not lost or followed.state.again:
            return ""
        waited = 0.0
        while waited <= SUCCESSOR_SECONDS:
            state = self._look(followed.state.name)
            if state.successor is not None:
                return state.successor
            self._clock.sleep(POLL_SECONDS)
            waited += POLL_SECONDS
        return ""


def seen(title: str, state: status.RunState, outline: Outline, now: float) -> RunResult:
    """What one look at a run says of it, over or not, without its outputs; times are Argo's."""
    reporter = Reporter(state.name, title, outline, watcher=Watcher(), say=lambda text: None, now=now)
    reporter.see(state, now)
    for report in reporter.nodes:
        report.began = state.tasks[report.id].began if report.id in state.tasks else report.began
    return _result(title, state, reporter, outline)


def _result(title: str, state: status.RunState, reporter: Reporter, outline: Outline) -> RunResult:
    """What came of a run, without its outputs."""
    return RunResult(
        state.name,
        title,
        state.succeeded,
        reporter.nodes,
        state.seconds,
        maps={id: state.lengths[id] for id in sorted(state.lengths, key=outline.place)},
        repeats=frozenset(outline.repeats),
        idle=outline.idle((*state.lengths, *state.tasks), state.away),
        handlers=state.handlers,
        warnings=(state.hidden,) if state.hidden else (),
        message="" if state.succeeded else state.message,
    )


def _places(cluster: Connection, name: str) -> str:
    """Where people see a run."""
    seen = f"see it by `alula why {name} -n {cluster.namespace}`"
    found = link(cluster.namespace, name)
    return f"{seen} or at {found}" if found else seen


def logs(namespace: str, name: str) -> str:
    """The command that prints what a run's tasks printed."""
    return f"kubectl logs -n {namespace} -l workflows.argoproj.io/workflow={name} -c main --prefix --tail=-1"


def link(namespace: str, name: str, environment: Mapping[str, str] | None = None) -> str:
    """The page of a run in Argo's UI, where `ARGO_SERVER` says (as for Argo's own command line) that there is one."""
    variables = os.environ if environment is None else environment
    server = variables.get("ARGO_SERVER", "")
    if not server:
        return ""
    scheme = "http" if variables.get("ARGO_SECURE", "").lower() == "false" else "https"
    base = "/".join(part for part in (variables.get("ARGO_BASE_HREF", "").strip("/"), "workflows") if part)
    return f"{scheme}://{server}/{base}/{namespace}/{name}"
