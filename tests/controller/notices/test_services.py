"""What each service is sent, whole and byte for byte; and that no text of a run can become anything but text there."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract.notices import PLACEHOLDERS, When
from alula_api.kinds.notice_places import NoticePlace
from alula_controller.notices import facts, services
from alula_controller.notices.facts import Facts
from alula_controller.notices.services import webhook
from alula_controller.notices.services.outgoing import Mail, Request, Unfit
from tests import goldens

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
STAMP = 1_795_953_600
TEMPLATE = '{"text": "{{ message }}", "tags": ["{{event}}", "{{plan}}"], "depth": {"link": "{{link}}", "n": 1}}'
PLACES: dict[str, tuple[dict[str, Any], str]] = {
    "slack": ({"slack": {}}, "https://hooks.slack.com/services/T0/B0/secret"),
    "teams": ({"teams": {"host": "prod-12.azure.com"}}, "https://prod-12.azure.com/workflows/secret?sig=secret"),
    "email": (
        {"email": {"host": "smtp.acme.org", "sender": "alula@acme.org", "to": ["data@acme.org", "ops@acme.org"]}},
        "alula\nsecret",
    ),
    "pager-duty": ({"pagerDuty": {"severity": "critical"}}, "secret-key"),
    "webhook": ({"webhook": {"url": "https://hooks.acme.org/alula"}}, "secret"),
    "webhook-with-template": ({"webhook": {"url": "https://hooks.acme.org/a", "template": TEMPLATE}}, "secret"),
    "github": ({"github": {"repository": "acme/penguins"}}, "secret"),
}


def place(name: str) -> NoticePlace:
    return NoticePlace.model_validate({"name": "team", **PLACES[name][0]})


def said(when: str = When.FAILED, **other: Any) -> Facts:
    given: dict[str, Any] = {
        "when": when,
        "place": "team",
        "namespace": "penguins-dev",
        "project": "penguins",
        "domain": "dev",
        "plan": "nightly",
        "workflow": "penguins-train",
        "run": "lp-nightly-1795953600",
        "about": "11111111-2222-3333-4444-555555555555",
        "at": NOON,
        "since": NOON,
        "error": "train failed: ValueError: no rows (flows/penguins.py:12, attempt 3)" if when == When.FAILED else "",
        "state": "is still running" if when == When.LATE else "",
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "ui": "https://argo.acme.org",
    }
    return Facts(**(given | other))


def made(name: str, what: Facts, credential: str | None = None) -> Request | Mail:
    chosen = place(name)
    secret = PLACES[name][1] if credential is None else credential
    return services.of(chosen).made(chosen.service, what, secret, STAMP)


def shown(found: Request | Mail) -> str:
    """All that leaves, for people to review."""
    if isinstance(found, Mail):
        who = f"{found.target}, {'TLS' if found.tls else 'STARTTLS'}, as {found.user}\n\n"
        return who + found.message.as_bytes().decode("ascii").replace("\r\n", "\n")
    headers = "".join(f"{name}: {text}\n" for name, text in found.headers.items())
    return f"POST {found.url}\n{headers}\n{json.dumps(json.loads(found.body), indent=1)}\n"


@pytest.mark.parametrize("name", PLACES)
def test_what_a_service_is_sent_is_this(name: str) -> None:
    texts = [f"### {when}\n{shown(made(name, said(when)))}" for when in When]
    unrun = said(When.LATE, run="", about="2026-11-29T12:00:00Z", error="missed: no controller was there in time")
    texts.append(f"### Late, without a run\n{shown(made(name, unrun))}")
    goldens.check(Path(__file__).parent / "golden" / f"{name}.txt", "\n".join(texts))


HOSTILE = (
    'x"}, {"text": "<!channel> <https://evil.example|click> [link](https://evil.example)\r\nBcc: all@acme.org\r\n\r\n'
    "{{message}} {{= 1 }} \x00\x1b[31m \u2028 \ud800 </b><script> &amp; ${env} %s \U0001f427"
)
ANY = st.one_of(st.just(HOSTILE), st.text(max_size=300))


@given(ANY, st.sampled_from(sorted(PLACES)))
def test_no_text_of_a_run_becomes_anything_but_text(text: str, name: str) -> None:
    error = facts.cleaned(text)
    plain, found = made(name, said(error="plain")), made(name, said(error=error))
    if isinstance(found, Mail):
        read = email.message_from_bytes(found.message.as_bytes(), policy=email.policy.default)
        assert isinstance(plain, Mail) and read.keys() == plain.message.keys()
        assert all("\n" not in str(each) and "\r" not in str(each) for each in read.values())
        assert read.get_content_type() == "text/plain" and not read.is_multipart()
        return
    assert isinstance(plain, Request)
    assert shape(json.loads(found.body)) == shape(json.loads(plain.body))
    assert found.body.isascii() and (found.url, found.headers.keys()) == (plain.url, plain.headers.keys())
    assert not any("\n" in each or "\r" in each for each in found.headers.values())
    if name == "slack":
        assert "<" not in json.loads(found.body)["text"]


def shape(found: Any) -> Any:
    """Data without its texts."""
    if isinstance(found, dict):
        return {name: shape(each) for name, each in found.items()}
    if isinstance(found, list):
        return [shape(each) for each in found]
    return "" if isinstance(found, str) else found


def test_a_placeholder_in_a_value_is_not_filled_in() -> None:
    found = made("webhook-with-template", said(error="{{ key }} {{link}}"))
    assert isinstance(found, Request)
    assert json.loads(found.body)["text"].endswith("failed: {{ key }} {{link}}")


def test_a_signature_is_what_standard_webhooks_says() -> None:
    found = made("webhook", said())
    assert isinstance(found, Request)
    signed = f"{found.headers['webhook-id']}.{found.headers['webhook-timestamp']}.".encode() + found.body
    digest = hmac.new(b"secret", signed, hashlib.sha256).digest()
    assert found.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    # the example of the specification's reference library
    key, moment = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1614265330
    told = webhook.signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", moment, b'{"test": 2432232314}')
    assert told == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("name", "credential", "told"),
    [
        ("slack", "", "there is no credential for it"),
        ("slack", "http://hooks.slack.com/x", "its credential must be a URL that begins with https://"),
        ("slack", "https://evil.example/x", "its credential is a URL of another host than hooks.slack.com"),
        ("slack", "https://hooks.slack.com:8443/x", "its credential is a URL of another host than hooks.slack.com"),
        ("slack", "https://user:word@hooks.slack.com/x", "its credential must be a URL that begins with https://"),
        ("slack", "https://[", "its credential is not a URL"),
        ("slack", "https://hooks.slack.com/a b", "its credential must be a URL that begins with https://"),
        ("slack", "https://hooks.slack.com/a\nhttps://x", "its credential must be a URL that begins with https://"),
        ("teams", "https://prod-13.azure.com/x", "its credential is a URL of another host than prod-12.azure.com"),
        ("pager-duty", "", "there is no credential for it"),
        ("email", "alula", "its credential must be the user in the first line and the password in the second"),
        ("webhook", "", "there is no credential to sign with"),
        ("webhook", "whsec_?", "its credential begins with whsec_ and is not base64"),
        ("github", "", "there is no credential for it"),
    ],
)
def test_what_cannot_be_sent_says_why_without_the_credential(name: str, credential: str, told: str) -> None:
    with pytest.raises(Unfit) as caught:
        made(name, said(), credential)
    assert str(caught.value) == told


def test_an_address_that_is_signed_is_used_as_it_stands() -> None:
    signed = "https://prod-12.azure.com/workflows/a%2Fb?sp=%2Frun&sig=x%3Dy%2Bz%2b"
    found = made("teams", said(), signed)
    assert isinstance(found, Request) and str(found.url) == signed


def test_a_commit_status_needs_a_commit() -> None:
    for commit in ("", "0123", "0123456789abcdef0123456789abcdef01234567-dirty", "../../../user"):
        with pytest.raises(Unfit, match="not built from a commit"):
            made("github", said(commit=commit))


def test_a_password_does_not_travel_unencrypted() -> None:
    chosen = NoticePlace.model_validate(
        {
            "name": "m",
            "email": {"host": "relay", "port": 25, "security": "Plain", "sender": "a@acme.org", "to": ["b@acme.org"]},
        }
    )
    with pytest.raises(Unfit, match="not encrypted"):
        services.of(chosen).made(chosen.service, said(), "user\nword", STAMP)
    assert services.of(chosen).made(chosen.service, said(), "", STAMP).target.plain == "smtp"


def test_the_key_is_of_the_notice_alone() -> None:
    assert said().key == said(error="other", state="x", commit="").key
    assert said(When.LATE).key == said(When.LATE, at=NOON.replace(hour=13)).key
    others = [said(place="x"), said(When.LATE), said(about="x"), said(plan="x"), said(at=NOON.replace(hour=13))]
    assert len({said().key, *(each.key for each in others)}) == 6


def test_every_placeholder_has_a_value() -> None:
    assert said().values().keys() == PLACEHOLDERS.keys()
