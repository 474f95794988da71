"""Which hosts notices may go to, and whose credentials are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from alula_controller import settings
from alula_controller.notices import credentials, hosts
from alula_controller.notices.hosts import Allowed, Target

LIST = [
    Allowed.of(text)
    for text in ("hooks.slack.com", "*.logic.azure.com", "smtp.acme.org:2525", "http://alerts.monitoring:9093")
]


@pytest.mark.parametrize(
    ("target", "takes"),
    [
        (Target("hooks.slack.com", 443), True),
        (Target("hooks.slack.com", 587), True),
        (Target("hooks.slack.com", 8443), False),
        (Target("hooks.slack.com", 443, "http"), False),
        (Target("evil-hooks.slack.com", 443), False),
        (Target("hooks.slack.com.evil.example", 443), False),
        (Target("prod-1.logic.azure.com", 443), True),
        (Target("logic.azure.com", 443), False),
        (Target("evillogic.azure.com", 443), False),
        (Target("smtp.acme.org", 2525), True),
        (Target("smtp.acme.org", 587), False),
        (Target("alerts.monitoring", 9093, "http"), True),
        (Target("alerts.monitoring", 9093), False),
        (Target("alerts.monitoring", 80, "http"), False),
        (Target("169.254.169.254", 80, "http"), False),
        (Target("localhost", 443), False),
    ],
)
def test_a_target_is_taken_by_the_list_or_not(target: Target, takes: bool) -> None:
    assert hosts.allowed(target, LIST) == takes
    assert not hosts.allowed(target, ())


@pytest.mark.parametrize(
    "text", ["", "*", "*.", "Hooks.slack.com", "http://x", "ftp://x:1", "x:0", "x:65536", "x/y", "x y"]
)
def test_what_is_no_entry_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Allowed.of(text)


def test_the_environment_names_them() -> None:
    given = {
        "ALULA_ROOTS": "s3://x",
        "ALULA_NOTICE_HOSTS": " hooks.slack.com, smtp://relay:25 ,",
        "ALULA_ARGO_UI": "https://argo.acme.org/",
    }
    found = settings.from_environment(given)
    assert found.notice_hosts == (Allowed("hooks.slack.com"), Allowed("relay", 25, "smtp"))
    assert (found.argo_ui, found.notice_secrets) == ("https://argo.acme.org", "/etc/alula/notices")
    with pytest.raises(settings.SettingsError) as caught:
        settings.from_environment({**given, "ALULA_NOTICE_HOSTS": "a b,http://x", "ALULA_ARGO_UI": "argo"})
    assert len(caught.value.problems) == 3


def test_a_credential_is_that_of_the_namespace_and_the_place(tmp_path: Path) -> None:
    (tmp_path / "a-dev.team").write_text("secret\n")
    (tmp_path / "b-dev.team").write_text("another")
    assert credentials.read(str(tmp_path), "a-dev", "team") == "secret"
    assert credentials.read(str(tmp_path), "a-dev", "other") == ""
    assert credentials.read(str(tmp_path), "a-dev", "../b-dev.team") == ""
    assert credentials.read(str(tmp_path), "..", "b-dev.team") == ""
    assert credentials.read("", "a-dev", "team") == ""
    assert credentials.read(str(tmp_path / "none"), "a-dev", "team") == ""


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * 9000, b"a\x00b", b"a\x1bb"])
def test_what_is_no_credential_is_refused_without_being_shown(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a-dev.team").write_bytes(content)
    with pytest.raises(ValueError, match=r"the credential a-dev\.team"):
        credentials.read(str(tmp_path), "a-dev", "team")
