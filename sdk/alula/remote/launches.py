"""A run of a launch plan that the cluster has, started now. Called by the command line."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING

from alula.remote import runs
from alula.remote.refusals import refusal
from alula_api.contract import events, jsontext, labels, names, timetables
from alula_api.contract.codes import Code
from alula_api.contract.jsontext import Json
from alula_api.contract.problems import InvalidValue

if TYPE_CHECKING:
    from alula.remote.connections import Connection


def compiled(cluster: Connection, plan: str) -> timetables.Schedule | None:
    """The schedule of a launch plan as it is compiled; None for one without.

    Raises:
        RemoteError: there is no such plan, or it is not compiled.
    """
    listed = cluster.metadata("launch plans' templates", "workflowtemplates", f"{labels.LAUNCH_PLAN}={plan}")
    mine = [each for each in listed if each["name"] == names.launch_plan_template(plan)]
    if not mine:
        message = f"there is no launch plan {plan} that is compiled in namespace {cluster.namespace}"
        raise refusal(message, "`kubectl get alp` lists them, with what is wrong", Code.NOT_FOUND)
    return timetables.Schedule.from_text(str((mine[0].get("annotations") or {}).get(labels.SCHEDULE) or ""))


def start(cluster: Connection, plan: str, inputs: Mapping[str, str], now: datetime.datetime) -> str:
    """Start a run, with inputs as text; its name.

    Raises:
        RemoteError: there is no such plan, or the cluster refused.
    """
    schedule = compiled(cluster, plan)
    given = dict(inputs)
    if schedule is not None and schedule.input:
        given.setdefault(schedule.input, timetables.value(schedule, now))
    texts = {name: _safe(text) for name, text in given.items()}
    body = runs.body(names.launch_plan_template(plan), texts, "started by `alula launch`")
    return str(cluster.start(body)["metadata"]["name"])


def start_by_event(cluster: Connection, plan: str, payload: Json) -> str:
    """Start a run as an event with this payload would; its name.

    Raises:
        RemoteError: there is no such plan, or the cluster refused.
    """
    compiled(cluster, plan)
    texts = {events.ARGUMENT: events.encoded(payload)}
    body = runs.body(names.launch_plan_template(plan), texts, "event given to `alula launch`")
    return str(cluster.start(body)["metadata"]["name"])


def _safe(text: str) -> str:
    """A value in the form in which nothing on the way expands it: JSON as it is, any other text as a JSON string."""
    try:
        jsontext.parse(text)
        return jsontext.argo_safe(text)
    except InvalidValue:
        return jsontext.argo_safe(jsontext.dumps(text))
