"""Our own writes as the watches bring them back."""

from __future__ import annotations

import pytest

from alula_controller.cluster import echoes
from alula_controller.cluster.echoes import Echoes


def body(uid: str, version: str) -> dict[str, object]:
    return {"metadata": {"uid": uid, "resourceVersion": version}}


def test_an_echo_is_the_version_that_was_written_last_and_no_other() -> None:
    written = Echoes()
    written.note(body("a", "1"))
    written.note(body("a", "3"))
    assert written.is_one("a", "3")
    assert not written.is_one("a", "1"), "whatever came between is not known"
    assert not written.is_one("a", "4")
    assert not written.is_one("b", "3")


def test_what_carries_no_version_is_never_an_echo() -> None:
    written = Echoes()
    written.note({})
    written.note(body("a", ""))
    assert not written.is_one("a", "")
    assert not written.is_one("", "")


def test_of_too_many_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(echoes, "MOST", 2)
    written = Echoes()
    for uid in ("a", "b", "a", "c"):
        written.note(body(uid, "1"))
    assert [written.is_one(uid, "1") for uid in "abc"] == [True, False, True]
