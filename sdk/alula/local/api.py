"""What others call to run something here: `alula.run`, the plain call of a workflow, and `alula run`.

Checks and encodes what it is given; `run` does the rest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from alula import errors
from alula.code import hooks, tracebacks
from alula.local import handlers
from alula.local import inputs as given_inputs
from alula.local.options import Options
from alula.local.run import Inputs, Run, Target, has_lost_data
from alula.progress import reports
from alula.progress.watchers import Watcher
from alula_api.contract import diagnostics
from alula_api.contract.codes import Code

if TYPE_CHECKING:
    from alula.declare import launch_plans, tasks, workflows

R = TypeVar("R")

__tracebackhide__ = True  # pytest shows the user's frames only


def execute(target: Target, make_inputs: Inputs, options: Options, watcher: Watcher) -> reports.RunResult:
    """Run `target`; when the data behind an input was gone or damaged, once more, because what made it runs again."""
    try:
        result = Run(target, make_inputs, options, watcher).run(may_be_repeated=True)
        if has_lost_data(result):
            watcher.warned("data that an earlier run had left was gone or damaged: what made it runs again")
            result = Run(target, make_inputs, options, watcher).run()
    except KeyboardInterrupt:
        handlers.run(target, None, make_inputs, options, watcher)
        raise
    ended = handlers.run(target, result, make_inputs, options, watcher)
    return dataclasses.replace(result, handlers=ended) if ended else result


def run(
    target: workflows.Workflow[..., R] | launch_plans.LaunchPlan[R] | tasks.Task[..., R],
    inputs: Mapping[str, Any] | None = None,
    options: Options | None = None,
    /,
    **given: Any,
) -> reports.RunResult[R]:
    """Run a workflow here, in parallel where its graph allows.

    ```python
    result = alula.run(train, seed=7, workers=4)
    result.outputs["report"].path
    ```

    Args:
        target: A workflow, a launch plan, or a single task.
        inputs: Its inputs by name; also those that are called like an option.
        options: How to run it.
        given: Names of inputs are inputs; the others are options, as in `Options`.

    Raises:
        RunFailed: A task failed for good; `result` of the exception has which and why.
        ValueMismatch: An input is missing or unknown, or does not fit its type.
        DefinitionError: The workflow is wrong.
    """
    runs, planned, fixed = _resolve(target)
    known = runs.interface.by_name
    chosen = {name: value for name, value in given.items() if name not in known}
    chosen_options = _options(runs, options or Options(), chosen)
    named = {**(inputs or {}), **{name: value for name, value in given.items() if name in known}}
    given_inputs.check_fixed(runs, named, fixed)
    named = {**planned, **named}
    given_inputs.check_names(runs, named)
    watcher = Watcher()
    if chosen_options.show:
        watcher = hooks.reach(hooks.WATCH_RUN)(chosen_options.clock.now, plain=chosen_options.debuggable)
    result = execute(runs, lambda carrier: given_inputs.encode(runs, named, carrier), chosen_options, watcher)
    if not result.ok:
        __tracebackhide__ = True  # IPython asks the frame itself
        raise reports.RunFailed(result) from (tracebacks.without_ours(result.errors[0]) if result.errors else None)
    return result


def run_serially(target: Target, inputs: Mapping[str, Any]) -> Any:
    """The plain call of a workflow: one task after the other in this thread; returns what the workflow returns.

    Raises:
        BaseException: What a task raised, with a note that names its node.
        RunFailed: A task failed without an exception of its own, as at its timeout.
    """
    given_inputs.check_names(target, inputs)
    result = execute(
        target,
        lambda carrier: given_inputs.encode(target, inputs, carrier),
        Options(workers=1, records=False),
        Watcher(),
    )
    if result.ok:
        return result.value
    if not result.errors:
        raise reports.RunFailed(result)
    __tracebackhide__ = True  # IPython asks the frame itself
    error = tracebacks.without_ours(result.errors[0])
    node = result.failures[0]
    error.add_note(f"in node {node.id} of workflow {result.workflow}, called at {node.source}")
    raise error


def _resolve(target: Any) -> tuple[Target, Mapping[str, Any], Mapping[str, Any]]:
    """What runs, the inputs that a launch plan gives, and those of them that it fixes."""
    from alula.declare import launch_plans, tasks, workflows

    if isinstance(target, launch_plans.LaunchPlan):
        return target.workflow, target.values, target.fixed_inputs
    if isinstance(target, (workflows.Workflow, tasks.Task)):
        return target, {}, {}
    message = f"alula.run takes a workflow, a launch plan or a task, not {target!r}"
    raise errors.ValueMismatch(
        [diagnostics.Diagnostic(Code.NOT_A_TASK, message, hint="decorate the function with @workflow")]
    )


def _options(target: Target, options: Options, chosen: Mapping[str, Any]) -> Options:
    names = {field.name for field in dataclasses.fields(Options)}
    wrong = [name for name in chosen if name not in names]
    if wrong:
        known = [*target.interface.by_name, *sorted(names)]
        raise errors.ValueMismatch(
            diagnostics.Diagnostic(
                Code.UNKNOWN_INPUT,
                f"{name!r} is neither an input of the workflow nor an option of alula.run",
                subject=target.subject,
                hint=diagnostics.did_you_mean(name, known),
            )
            for name in wrong
        )
    return dataclasses.replace(options, **chosen) if chosen else options
