"""Statuses of commits on GitHub, one for each launch plan of a domain, on the commit that the code was built from."""

from __future__ import annotations

import re

from alula_api.contract.notices import When
from alula_api.kinds.notice_places import GitHub
from alula_controller.notices.facts import Facts
from alula_controller.notices.hosts import Target
from alula_controller.notices.services import outgoing
from alula_controller.notices.services.outgoing import Request, Unfit

HOST = "api.github.com"
STATES = {When.SUCCEEDED: "success", When.RECOVERED: "success", When.FAILED: "failure"}
_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")


def target(place: GitHub) -> Target:
    """Where it goes."""
    return outgoing.https(place.host or HOST)


def made(place: GitHub, facts: Facts, credential: str, stamp: int) -> Request:
    """The request.

    Raises:
        Unfit: There is no token, or the run's code has no commit.
    """
    if not credential or "\n" in credential:
        raise Unfit("there is no credential for it")
    if not _COMMIT.fullmatch(facts.commit):
        raise Unfit("the run's code was not built from a commit that is known")
    there = target(place)
    body = {
        "state": STATES.get(When(facts.when), "pending"),
        "context": f"alula/{facts.where}/{facts.plan}",
        "description": facts.title[:140],
        **({"target_url": facts.link} if facts.link else {}),
    }
    prefix = "" if there.host.startswith("api.") else "/api/v3"  # GitHub Enterprise has its API beside its pages
    path = f"{prefix}/repos/{place.repository}/statuses/{facts.commit}"
    more = {
        "Authorization": f"Bearer {credential}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    return outgoing.posted(there, outgoing.built(there, path), outgoing.encoded(body), facts.key, **more)
