"""Workflows of Microsoft Teams that take webhook requests: an Adaptive Card.

Its TextBlocks render Markdown, so people's text stands in RichTextBlocks, which do not.
"""

from __future__ import annotations

from typing import Any

from alula_api.kinds.notice_places import Teams
from alula_controller.notices.facts import Facts
from alula_controller.notices.hosts import Target
from alula_controller.notices.services import outgoing
from alula_controller.notices.services.outgoing import Request


def target(place: Teams) -> Target:
    """Where it goes."""
    return outgoing.https(place.host)


def made(place: Teams, facts: Facts, credential: str, stamp: int) -> Request:
    """The request.

    Raises:
        Unfit: The credential is no address of a workflow there.
    """
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [_text(facts.title, weight="Bolder", size="Medium"), _text(facts.message)],
    }
    if facts.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open the run", "url": facts.link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    body = {"type": "message", "attachments": [attachment]}
    there = target(place)
    url = outgoing.secret_url(credential, there)
    return outgoing.posted(there, url, outgoing.encoded(body), facts.key)


def _text(text: str, **look: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **look}]}
