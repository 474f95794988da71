"""Any server that takes JSON. Requests are signed as https://www.standardwebhooks.com describes it, with libraries in
many languages: HMAC-SHA256 of id, timestamp and body, by the credential of the place.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from yarl import URL

from alula_api.contract import notices
from alula_api.kinds.notice_places import Webhook
from alula_controller.notices.facts import Facts
from alula_controller.notices.hosts import Target
from alula_controller.notices.services import outgoing
from alula_controller.notices.services.outgoing import Request, Unfit

PREFIX = "whsec_"
"""Of a key in base64; any other text is the key itself."""


def target(place: Webhook) -> Target:
    """Where it goes.

    Raises:
        Unfit: Its URL names no port that exists.
    """
    url = _url(place)
    return Target(str(url.host), int(url.port or 0), "" if url.scheme == "https" else "http")


def made(place: Webhook, facts: Facts, credential: str, stamp: int) -> Request:
    """The request.

    Args:
        place: It.
        facts: What to say.
        credential: The key of its signatures.
        stamp: Seconds since the epoch at which it is sent.

    Raises:
        Unfit: Its key is missing, or its template is none.
    """
    values = facts.values()
    try:
        body = notices.filled(place.template, values) if place.template is not None else values
    except ValueError as error:
        raise Unfit(f"its template {error}") from None
    content = outgoing.encoded(body)
    more = {"webhook-id": facts.key, "webhook-timestamp": str(stamp)}
    if place.signature != "Absent":
        if not credential:
            raise Unfit("there is no credential to sign with")
        more["webhook-signature"] = signature(credential, facts.key, stamp, content)
    return outgoing.posted(target(place), _url(place), content, facts.key, **more)


def signature(credential: str, key: str, stamp: int, content: bytes) -> str:
    """The value of `webhook-signature`.

    Raises:
        Unfit: What follows `whsec_` is not base64.
    """
    secret = credential.encode()
    if credential.startswith(PREFIX):
        try:
            secret = base64.b64decode(credential.removeprefix(PREFIX), validate=True)
        except (binascii.Error, ValueError):
            raise Unfit("its credential begins with whsec_ and is not base64") from None
    digest = hmac.digest(secret, f"{key}.{stamp}.".encode() + content, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def _url(place: Webhook) -> URL:
    try:
        url = URL(place.url, encoded=True)
        if not url.host or not url.port:
            raise ValueError(place.url)
    except ValueError:
        raise Unfit("its url names no port from 1 to 65535") from None
    return url
