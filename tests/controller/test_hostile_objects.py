"""The objects of the soak, given to what reads them: whatever they are, the answer is a value or one of our errors.

The soak gives them to a real API server, which refuses many; here nothing stands before the parts. `CORPUS` holds the
seeds at which a soak found something, for ever.
"""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from alula_api.argo import holds, nodes, runs
from alula_api.contract.codes import Code
from alula_api.contract.problems import InvalidValue
from alula_controller.cluster import client, errors
from alula_controller.cluster.watches import Seen
from alula_controller.definitions import compiler_process, revisions
from alula_controller.runs import recovery, stop, watchdog
from tests.controller import hostile_objects, scenes

ASKED = {"domain": None, "engine": {"store": "s3://b/p/d", "releases": "s3://b/p/releases"}}
CORPUS: tuple[int, ...] = (768, 871, 921, 974)
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SEEDS = [*range(300), *CORPUS]


def read(seed: int) -> dict[str, Any] | None:
    """The object of a seed as the controller's client reads it, with what the API server gives each; None where the
    client leaves it alone."""
    body = hostile_objects.generate(seed)
    body["metadata"] |= {"uid": f"uid-{seed}", "namespace": scenes.SPACE, "resourceVersion": "7", "generation": 1}
    body["metadata"]["creationTimestamp"] = "2026-11-29T10:00:00Z"
    try:
        return client.decode(json.dumps(body).encode())
    except errors.Poison:
        return None


def of_run(run: dict[str, Any]) -> None:
    """What is asked of a run before and after its admission."""
    if runs.misshapen(run):
        return
    runs.finished(run)
    stop.reason(run)
    recovery.lost(run)
    watchdog.indigestible(run, NOW)
    watchdog.foreign(run)
    watchdog.owed(run)
    try:
        found = nodes.read(run["status"])
        holds.waiting(str(run["metadata"]["name"]), found)
        stop.ending({**run, "status": {"storedWorkflowTemplateSpec": {}, **run["status"]}}, "why", "then")
    except nodes.Hidden:
        pass


def of_definition(body: dict[str, Any]) -> None:
    """What is asked of a definition: what it compiles to, and what people ask of it by annotations."""
    plans = [body] if body["kind"] == "LaunchPlan" else []
    workflow = scenes.workflow() if plans else body
    if len(json.dumps(body)) > 100_000:
        return  # the compiler's own process is ended at its limits: tests/controller/definitions
    said = compiler_process.answer({**ASKED, "workflow": workflow, "launch_plans": plans})
    codes = {code for found in said["diagnostics"].values() for code, *_ in found}
    assert Code.INTERNAL not in codes


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_a_tenant_writes_is_answered(seed: int) -> None:
    body = read(seed)
    if body is None:
        return
    Seen.of(body)
    if body["apiVersion"] == hostile_objects.ARGO and body["kind"] == "Workflow":
        of_run(body)
    elif body["kind"] in ("Workflow", "LaunchPlan"):
        of_definition(body)
    elif body["kind"] == "WorkflowRevision":
        revisions.Revision.of(body)
        with contextlib.suppress(InvalidValue):
            revisions.template_spec(body)
