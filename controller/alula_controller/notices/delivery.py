"""Sends what is owed to one place, notice by notice: gather, send, then mark. Called by the work queue of deliveries.

What could not be sent is tried again, later each time; after a day, or after an hour where the service says that it
never takes it, it is given up: counted, said in an Event of the launch plan and kept in its status.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from alula_api.contract.notices import Choice
from alula_api.kinds.launch_plans import MOST_LOST
from alula_api.kinds.notice_places import NoticePlace
from alula_controller import conditions, logs, metrics, timestamps
from alula_controller.cluster import errors, resources
from alula_controller.cluster.access import Access
from alula_controller.cluster.queue import QueueKey
from alula_controller.conditions import Also, Reason
from alula_controller.domains.gather import Domains
from alula_controller.domains.view import DomainView
from alula_controller.notices import credentials, hosts, mailing, services
from alula_controller.notices.failures import NotTaken
from alula_controller.notices.gather import Gathered, Gatherer
from alula_controller.notices.marks import Mark
from alula_controller.notices.outbox import Outbox, Owed
from alula_controller.notices.posting import Poster
from alula_controller.notices.services.outgoing import Mail, Unfit
from alula_controller.settings import Settings

log = logging.getLogger(__name__)

GIVE_UP = timedelta(days=1)
GIVE_UP_REFUSED = timedelta(hours=1)  # so that a credential may be set right
LEAST_ATTEMPTS = 3
"""Also at a notice that is old when it is first tried, because no controller was there."""
UNSETTLED_SECONDS = 2.0
LONGEST_UNSETTLED = timedelta(minutes=5)
AGAIN_SECONDS = 1.0
MARK_ATTEMPTS = 5
LONGEST_REASON = 256
TYPE = "NoticesDelivered"

Body = Mapping[str, Any]


class Deliveries:
    """Sends notices.

    Args:
        access: the cluster.
        settings: the installation.
        domains: reads Domains.
        outbox: what is to be sent.
        choice: the workflow of a plan, and who is told of its runs.
        told: called with a namespace where what is wrong with its places has changed.
        now: the wall clock.
        poster: sends requests.
    """

    def __init__(
        self,
        access: Access,
        settings: Settings,
        domains: Domains,
        outbox: Outbox,
        *,
        choice: Callable[[str, str], tuple[str, Choice]],
        told: Callable[[str], None],
        now: Callable[[], datetime] = timestamps.now,
        poster: Poster | None = None,
    ) -> None:
        self._access = access
        self._api = access.api
        self._settings = settings
        self._domains = domains
        self._outbox = outbox
        self._choice = choice
        self._told = told
        self._now = now
        self._gatherer = Gatherer(access.api, domains, settings.argo_ui)
        self._poster = poster or Poster()

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()

    def condition(self, namespace: str, domain: DomainView) -> Also | None:
        """Whether the places of a Domain take what they are sent; None where it has none."""
        listed = ((domain.body or {}).get("spec") or {}).get("notifications") or []
        named = {str(each.get("name")) for each in listed if isinstance(each, Mapping)}
        if not named:
            return None
        wrong = [f"{place}: {said}" for place, said in self._outbox.troubles(namespace) if place in named]
        if wrong:
            return Also(TYPE, "False", Reason.NOTICES_FAIL, "; ".join(wrong))
        return Also(TYPE, "True", Reason.NOTICES_DELIVERED, "no place has refused or missed a notice lately")

    async def handle(self, key: QueueKey) -> float | None:
        """Send the next notice to a place; when to come back."""
        owed = self._outbox.first(key)
        if owed is None:
            return None
        if not self._access.may_write():
            return AGAIN_SECONDS
        if self._outbox.was_taken(key, owed):
            await self._settle(key, owed)
            return 0.0
        if (wait := self._outbox.wait(key)) > 0:
            return wait
        _, view = await self._domains.recent(key.namespace)
        place = _place(view.body, key.name)
        _, choice = self._choice(key.namespace, owed.plan)
        found = await self._gatherer.facts(key, owed, place, choice, self._now())
        if found.restarted:
            await self._settle(key, owed)
            return 0.0
        if found.unsettled and self._now() - found.facts.at < LONGEST_UNSETTLED:
            self._outbox.later(key, owed)
            return UNSETTLED_SECONDS
        kind = type(place.service).__name__ if place is not None else "unknown"
        self._outbox.began(key)
        try:
            await self._send(key, place, found)
        except NotTaken as error:
            await self._not_taken(key, owed, found, kind, error)
            return AGAIN_SECONDS
        self._outbox.took(key, owed)
        metrics.NOTICES.labels(namespace=key.namespace, service=kind, result="sent").inc()
        log.info("told %s of %s", key.name, found.facts.title, extra=logs.about(namespace=key.namespace))
        self._say(key, "")
        await self._settle(key, owed)
        return 0.0

    async def _send(self, key: QueueKey, place: NoticePlace | None, found: Gathered) -> None:
        if place is None:
            raise NotTaken("the Domain has no place of this name, or it cannot be read", for_good=True)
        service = services.of(place)
        try:
            target = service.target(place.service)
            if not hosts.allowed(target, self._settings.notice_hosts):
                raise Unfit(f"{target} is not among the hosts that the installation allows (ALULA_NOTICE_HOSTS)")
            secret = credentials.read(self._settings.notice_secrets, key.namespace, key.name)
            made = service.made(place.service, found.facts, secret, int(self._now().timestamp()))
        except (Unfit, ValueError) as error:
            raise NotTaken(str(error), for_good=True) from None
        await (mailing.send(made) if isinstance(made, Mail) else self._poster.post(made))

    async def _not_taken(self, key: QueueKey, owed: Owed, found: Gathered, kind: str, error: NotTaken) -> None:
        """Try again later, or give it up."""
        metrics.NOTICES.labels(namespace=key.namespace, service=kind, result="failed").inc()
        log.warning("%s was not told: %s", key.name, error.reason, extra=logs.about(namespace=key.namespace))
        attempts = self._outbox.failed(key, owed, error.after)
        self._say(key, error.reason)
        limit = GIVE_UP_REFUSED if error.for_good else GIVE_UP
        if self._now() - found.facts.at < limit or attempts < LEAST_ATTEMPTS:
            return
        await self._bury(key, owed, error.reason)
        metrics.NOTICES.labels(namespace=key.namespace, service=kind, result="dead").inc()
        await self._settle(key, owed)

    def _say(self, key: QueueKey, trouble: str) -> None:
        if self._outbox.trouble(key, trouble):
            self._told(key.namespace)

    async def _bury(self, key: QueueKey, owed: Owed, reason: str) -> None:
        """Record a notice that is given up in the status of its launch plan, and say so."""
        path = resources.LAUNCH_PLANS.path(key.namespace, owed.plan)
        plan = await self._api.find(path)
        if plan is None:
            return
        before = (plan.get("status") or {}).get("notices") or {}
        lost = {
            "place": owed.place,
            "when": owed.when,
            "about": owed.run or owed.about,
            "at": timestamps.seconds(self._now()),
            "reason": conditions.clip(reason, LONGEST_REASON),
        }
        said = {
            "failing": bool(before.get("failing")),
            "dead": int(before.get("dead") or 0) + 1,
            "lost": [lost, *(before.get("lost") or [])][:MOST_LOST],
        }
        await self._access.patch_status(resources.LAUNCH_PLANS, plan, {"notices": said})
        body = {**plan, "apiVersion": resources.LAUNCH_PLANS.api_version, "kind": resources.LAUNCH_PLANS.kind}
        message = f"{owed.place} was never told that {owed.run or owed.about} is {owed.when}: {reason}"
        self._access.announce(body, Reason.NOTICE_LOST, message, warning=True)

    # Marking

    async def _settle(self, key: QueueKey, owed: Owed) -> None:
        """Write down that nothing is owed any more; another place's write at the same moment is read again."""
        for attempt in range(MARK_ATTEMPTS):
            try:
                await (self._settle_run(key, owed) if owed.run else self._settle_tick(key, owed))
                break
            except errors.Conflict:
                if attempt == MARK_ATTEMPTS - 1:
                    raise
        self._outbox.done(key, owed)

    async def _settle_run(self, key: QueueKey, owed: Owed) -> None:
        path = resources.RUNS.path(key.namespace, owed.run)
        body = await self._api.find(path, metadata_only=True)
        if body is None or str(body["metadata"].get("uid")) != owed.about:
            return
        before = Mark.of(body["metadata"])
        after = before.without(owed.notice)
        if after != before:
            await self._access.patch_run(body, after.patch(body["metadata"]))

    async def _settle_tick(self, key: QueueKey, owed: Owed) -> None:
        path = resources.LAUNCH_PLANS.path(key.namespace, owed.plan)
        plan = await self._api.find(path)
        before = ((plan or {}).get("status") or {}).get("notices") or {}
        listed = before.get("owed") or []
        left = [each for each in listed if (each["place"], each["tick"]) != (owed.place, owed.about)]
        if plan is None or left == listed:
            return
        said = {"failing": bool(before.get("failing")), "owed": left}
        await self._access.patch_status(resources.LAUNCH_PLANS, plan, {"notices": said})


def _place(domain: Body | None, name: str) -> NoticePlace | None:
    """The place of that name; None where there is none, or none that can be read."""
    listed = ((domain or {}).get("spec") or {}).get("notifications")
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, Mapping) and each.get("name") == name:
            try:
                return NoticePlace.model_validate(each)
            except ValueError:
                return None
    return None
