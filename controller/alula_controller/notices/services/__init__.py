"""The services that are told: one module each, with `target` (where it goes) and `made` (what is sent there). Pure.

To add one: a member of `kinds.notice_places.NoticePlace`, a module here, its line in `_SERVICES`, and its goldens.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from alula_api.kinds import notice_places
from alula_controller.notices.facts import Facts
from alula_controller.notices.hosts import Target
from alula_controller.notices.services import email, github, pagerduty, slack, teams, webhook
from alula_controller.notices.services.outgoing import Mail, Request


class Service(Protocol):
    """What a module here holds."""

    def target(self, place: Any) -> Target:
        """Where a notice for the place goes."""

    def made(self, place: Any, facts: Facts, credential: str, stamp: int) -> Request | Mail:
        """What is sent; `stamp` is the moment in seconds since the epoch.

        Raises:
            Unfit: Nothing can be sent as things stand.
        """


_SERVICES: Final[dict[type, Service]] = {
    notice_places.Slack: slack,
    notice_places.Teams: teams,
    notice_places.Email: email,
    notice_places.PagerDuty: pagerduty,
    notice_places.Webhook: webhook,
    notice_places.GitHub: github,
}


def of(place: notice_places.NoticePlace) -> Service:
    """The service of a place."""
    return _SERVICES[type(place.service)]
