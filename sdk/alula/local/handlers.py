"""What runs when a local run is over: `on_failure` and `on_exit` of its workflow, each as a run of its own.

Called by `api`. What becomes of a handler does not change the run: of one that fails the watcher is warned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alula.attempt import failures as findings
from alula.code import hooks
from alula.declare.workflows import Workflow
from alula.local import inputs as given_inputs
from alula.local.run import Inputs, Run, Target
from alula.progress.reports import HandlerReport
from alula.progress.watchers import Watcher
from alula_api.contract import failures
from alula_api.contract.graphs import handlers

if TYPE_CHECKING:
    from alula.declare.handlers import Handler
    from alula.local.options import Options
    from alula.progress.reports import RunResult
    from alula.types.carriers import Carrier
    from alula_api.contract.values import Json

INTERRUPTED = "the run was interrupted"


def run(
    target: Target, result: RunResult[Any] | None, make_inputs: Inputs, options: Options, watcher: Watcher
) -> tuple[HandlerReport, ...]:
    """Run what a workflow names for the end of its runs, and tell what became of it.

    Args:
        target: What has run.
        result: What came of it; None where the user interrupted it.
        make_inputs: Makes the wire values of its inputs.
        options: How it was run.
        watcher: Of the run; a handler has one of its own kind.
    """
    if not isinstance(target, Workflow):
        return ()
    return tuple(
        _run(handler, _failure(target, result), make_inputs, options, watcher)
        for handler in target.handlers
        if result is None or not result.ok or handler.event == "exit"
    )


def _failure(target: Target, result: RunResult[Any] | None) -> Json:
    """The failure as a handler gets it, as it does on a cluster; None after a success."""
    if result is None:
        return handlers.failure(target.name, "", INTERRUPTED)
    if result.ok:
        return None
    first, limit = result.failures[0], target.deadline if isinstance(target, Workflow) else None
    late = None if limit is None else findings.late(limit).message
    if late is not None and first.failure is not None and first.failure.message == late:
        return handlers.failure(result.run, "", late)
    said = failures.termination_message(first.failure) if first.failure is not None else ""
    return handlers.failure(result.run, first.id, said)


def _run(handler: Handler, failure: Json, make_inputs: Inputs, options: Options, watcher: Watcher) -> HandlerReport:
    def made(carrier: Carrier) -> dict[str, Json]:
        given = given_inputs.with_defaults(make_inputs(carrier), handler.handled.interface.inputs)
        own = {name: given[name] for name in handler.interface.by_name if name in given}
        return {**own, handler.failure: failure} if handler.failure else own

    seen = Watcher()
    if type(watcher) is not Watcher:
        seen = hooks.reach(hooks.WATCH_RUN)(options.clock.now, plain=options.debuggable)
    ended = Run(handler, made, options, seen).run()
    if not ended.ok:
        watcher.warned(f"{handler.subject} failed: {ended.failures[0].id}")
    return HandlerReport(handler.event, handler.name, ended.run, ended.ok)
