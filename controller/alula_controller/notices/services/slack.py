"""Slack's incoming webhooks. People's text stands in `plain_text`, and escaped in the one text that Slack parses."""

from __future__ import annotations

from typing import Any

from alula_api.kinds.notice_places import Slack
from alula_controller.notices.facts import Facts
from alula_controller.notices.hosts import Target
from alula_controller.notices.services import outgoing
from alula_controller.notices.services.outgoing import Request

HOST = "hooks.slack.com"


def target(place: Slack) -> Target:
    """Where it goes."""
    return outgoing.https(place.host or HOST)


def made(place: Slack, facts: Facts, credential: str, stamp: int) -> Request:
    """The request.

    Raises:
        Unfit: The credential is no address of a webhook there.
    """
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(facts.title[:150])},
        {"type": "section", "text": _plain(facts.message[:3000])},
    ]
    if facts.link:
        button = {"type": "button", "text": _plain("Open the run"), "url": facts.link}
        blocks.append({"type": "actions", "elements": [button]})
    body = {"text": _escaped(facts.title), "blocks": blocks}
    there = target(place)
    url = outgoing.secret_url(credential, there)
    return outgoing.posted(there, url, outgoing.encoded(body), facts.key)


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
