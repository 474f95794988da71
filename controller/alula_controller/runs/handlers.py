"""What is started when a run is over: its `on_failure` and `on_exit`, each as a run of its own.

However an admitted run ended (well, by a failure, its deadline, or `alula stop`), a handler is started once: its name
follows from the run's uid. Not after `argo terminate`, which asks that nothing more happens, and not for a run that is
started again because data was lost: the one that takes its place has handlers too. What becomes of a handler is its own
run's matter. Called by `runs.reconcile`; the functions are pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from alula_api.argo import failing, holds, nodes, runs
from alula_api.contract import labels, names, queue, values
from alula_api.contract.graphs import handlers
from alula_api.contract.graphs.handlers import DONE, PENDING, Event, Handler
from alula_controller.cluster import resources
from alula_controller.cluster.access import Access
from alula_controller.conditions import Reason
from alula_controller.runs import recovery

MAX_MESSAGE: Final = 8_000


def due(run: Mapping[str, Any]) -> list[Handler]:
    """The handlers that a run that is over asks for, in their order."""
    metadata, spec = run["metadata"], run.get("spec") or {}
    admitted = holds.marks(runs.label(run, labels.ADMITTED), str(metadata["uid"]))
    if not admitted or spec.get("shutdown") == "Terminate" or recovery.lost(run):
        return []
    failed = run["status"].get("phase") != "Succeeded"
    written = str((metadata.get("annotations") or {}).get(labels.HANDLERS) or "")
    return [each for each in handlers.from_text(written) if failed or each.event == Event.EXIT]


def name(run: Mapping[str, Any], handler: Handler) -> str:
    """The name of the handler's run, which is always the same."""
    return handlers.run_name(str(run["metadata"]["name"]), str(run["metadata"]["uid"]), handler.event)


def failure(run: Mapping[str, Any]) -> dict[str, str] | None:
    """The failure of a run as its handlers get it; None for one that succeeded."""
    status, called = run["status"], str(run["metadata"]["name"])
    if status.get("phase") == "Succeeded":
        return None
    said = str(status.get("message") or "")
    try:
        first = failing.first(run, nodes.read(status))
    except nodes.Hidden:
        first = None
    if first is None or (said and not said.startswith(f"{first.path} failed")):
        return handlers.failure(called, "", said[:MAX_MESSAGE])
    return handlers.failure(called, first.path, first.message[:MAX_MESSAGE])


def body(run: Mapping[str, Any], handler: Handler, inputs: Mapping[str, str]) -> dict[str, Any]:
    """The run to create.

    Args:
        run: That is over.
        handler: Of it.
        inputs: Of the run, as its hold published them.
    """
    given = [{"name": each, "value": inputs[each]} for each in handler.inputs if each in inputs]
    if handler.failure:
        given.append({"name": handler.failure, "value": values.argo_safe(values.dumps(failure(run)))})
    metadata = run["metadata"]
    spec: dict[str, Any] = {"workflowTemplateRef": {"name": handler.workflow}}
    if given:
        spec["arguments"] = {"parameters": given}
    notes = {
        labels.REASON: f"on {handler.event.lower()} of {metadata['name']}",
        labels.PRIORITY: str(queue.MAX_PRIORITY),
        labels.HANDLES: metadata["name"],
    }
    return resources.run(metadata["namespace"], name(run, handler), spec, notes)


def published(run: Mapping[str, Any]) -> dict[str, str]:
    """The inputs of an admitted run, as its hold published them.

    Raises:
        nodes.Hidden: Its nodes cannot be reached or read.
    """
    hold = holds.find(str(run["metadata"]["name"]), nodes.read(run["status"]), names.ADMIT)
    found = nodes.parameters(hold) if hold is not None else []
    return {str(each.get("name")): str(each.get("value")) for each in found if "value" in each}


class Handlers:
    """Starts what is to run when a run is over.

    Args:
        access: the cluster.
    """

    def __init__(self, access: Access) -> None:
        self._access = access

    async def handle(self, run: Mapping[str, Any]) -> None:
        """Start the handlers of a run that is over, once."""
        if runs.label(run, labels.HANDLERS) != PENDING or not self._access.may_write():
            return
        for handler in due(run):
            await self._start(run, handler)
        marked = {"metadata": {"uid": run["metadata"]["uid"], "labels": {labels.HANDLERS: DONE}}}
        await self._access.patch_run(run, marked)

    async def _start(self, run: Mapping[str, Any], handler: Handler) -> None:
        called, template = name(run, handler), resources.TEMPLATES.path(run["metadata"]["namespace"], handler.workflow)
        try:
            given = published(run)
        except nodes.Hidden as error:
            self._access.announce(run, Reason.NOT_HANDLED, f"{called} was not started: {error}", warning=True)
            return
        if await self._access.api.find(template, metadata_only=True) is None:
            message = f"{called} was not started: there is no WorkflowTemplate {handler.workflow}"
            self._access.announce(run, Reason.NOT_HANDLED, message, warning=True)
            return
        if await self._access.start(body(run, handler, given)):
            self._access.announce(run, Reason.HANDLED, f"started {called}", warning=False)
