"""PagerDuty's events, version 2. All failures of a launch plan are one incident, which its recovery resolves."""

from __future__ import annotations

from typing import Any

from alula_api.contract.notices import When
from alula_api.kinds.notice_places import PagerDuty
from alula_controller import timestamps
from alula_controller.notices.facts import Facts
from alula_controller.notices.hosts import Target
from alula_controller.notices.services import outgoing
from alula_controller.notices.services.outgoing import Request, Unfit

HOST = "events.pagerduty.com"
RESOLVING = (When.SUCCEEDED, When.RECOVERED)


def target(place: PagerDuty) -> Target:
    """Where it goes."""
    return outgoing.https(place.host or HOST)


def made(place: PagerDuty, facts: Facts, credential: str, stamp: int) -> Request:
    """The request.

    Raises:
        Unfit: There is no integration key.
    """
    if not credential:
        raise Unfit("there is no credential for it")
    there = target(place)
    body: dict[str, Any] = {
        "routing_key": credential,
        "event_action": "resolve" if facts.when in RESOLVING else "trigger",
        "dedup_key": incident(facts),
        "payload": {
            "summary": f"{facts.title}: {facts.error}"[:1024] if facts.error else facts.title,
            "source": facts.where,
            "severity": place.severity or "error",
            "timestamp": timestamps.seconds(facts.at),
            "component": facts.plan,
            "group": facts.workflow,
            "class": facts.when,
            "custom_details": {"message": facts.message, "run": facts.run, "key": facts.key},
        },
    }
    if facts.link:
        body["links"] = [{"href": facts.link, "text": "The run in Argo's UI"}]
    return outgoing.posted(there, outgoing.built(there, "/v2/enqueue"), outgoing.encoded(body), facts.key)


def incident(facts: Facts) -> str:
    """The key of the incident: of the plan for its failures, of the notice for all else."""
    about = "" if facts.when in (When.FAILED, *RESOLVING) else f"/{facts.key}"
    return f"alula/{facts.namespace}/{facts.plan}{about}"
