"""What a Domain's status should say. Pure; called by `reconcile`."""

from __future__ import annotations

from datetime import datetime

from alula_controller import timestamps
from alula_controller.conditions import Also, Reason, Wanted
from alula_controller.definitions import children
from alula_controller.definitions.decide import PLACE_AGAIN, Decision, Status, announce, status_of
from alula_controller.definitions.world import Body
from alula_controller.domains.places import NoPlace, Place
from alula_controller.domains.view import NAME

GUARDS_AGAIN = 300.0  # the controller is not told that one of them has changed


def decide(
    body: Body, place: Place | NoPlace, now: datetime, guards: Also | None = None, notices: Also | None = None
) -> Decision:
    """Project, domain and prefix where there is a place, else why there is none; and what is known of its guards and
    of the notices that its places got."""
    again = GUARDS_AGAIN if guards is not None else None
    if body["metadata"]["name"] != NAME:
        message = f"a namespace has one Domain and it must be called {NAME!r}; this one is not read"
        wanted = Wanted(False, Reason.WRONG_NAME, message, stalled=True)
    elif isinstance(place, NoPlace):
        wanted = Wanted(False, place.reason, place.message, stalled=True)
        again = PLACE_AGAIN
    else:
        wanted = Wanted(True, Reason.ACCEPTED, f"project {place.project}, domain {place.domain}, data in {place.store}")
    patch = status_of(body, wanted, timestamps.seconds(now), [each for each in (guards, notices) if each is not None])
    if wanted.ready and isinstance(place, Place):
        patch |= {"project": place.project, "domain": place.domain, "store": place.store}
    if children.fits(patch, body.get("status") or {}):
        return Decision(again=again)
    statuses = (Status(body, patch),)
    return Decision(statuses=statuses, events=tuple(announce(statuses)), again=again)
