"""Whose failure it is, by what was raised and how far the attempt had come."""

from __future__ import annotations

import pytest

from alula import NonRecoverable
from alula.attempt import failures
from alula.attempt.errors import Stop, bad_input
from alula.attempt.invoke import Phase
from alula_api.contract import failures as contract
from alula_api.contract.codes import Code
from alula_data.errors import Damaged, Denied, NotFound, StoreError, Unavailable

OURS, THEIRS = "file:///data/p/d", "s3://elsewhere/folder"


def behind(error: Exception) -> Exception:
    wrapped = ValueError("a library's own words")
    wrapped.__cause__ = error
    return wrapped


LOST = ("system", "INPUT_LOST", False)
USERS = ("user", "TASK_FAILED", True)
TABLE: list[tuple[Phase, BaseException, tuple[str, str, bool]]] = [
    (Phase.FUNCTION, ValueError("x"), USERS),
    (Phase.FUNCTION, NonRecoverable("x"), ("user", "TASK_FAILED", False)),
    (Phase.FUNCTION, NotFound(OURS, "cas/x"), LOST),
    (Phase.FUNCTION, Damaged(OURS, "cas/x"), LOST),
    (Phase.FUNCTION, behind(NotFound(OURS, "cas/x")), LOST),
    (Phase.FUNCTION, Unavailable(OURS, "cas/x"), ("system", "STORE_UNAVAILABLE", True)),
    (Phase.FUNCTION, Denied(OURS, "cas/x"), ("system", "STORE_DENIED", True)),
    (Phase.FUNCTION, NotFound(THEIRS, "x"), USERS),
    (Phase.FUNCTION, Unavailable(THEIRS, "x"), USERS),
    (Phase.FUNCTION, behind(Unavailable(THEIRS, "x")), USERS),
    (Phase.INPUTS, NotFound(OURS, "cas/x"), LOST),
    (Phase.INPUTS, StoreError(OURS, "cas/x"), ("system", "STORE_ERROR", True)),
    (Phase.INPUTS, bad_input("x", "no such part"), ("user", "BAD_VALUE", False)),
    (Phase.INPUTS, RuntimeError("x"), ("system", "INTERNAL", True)),
    (Phase.OUTPUTS, NotFound(OURS, "cas/x"), ("system", "NOT_FOUND", True)),
    (Phase.OUTPUTS, Damaged(OURS, "cas/x"), ("system", "DAMAGED", True)),
    (Phase.OUTPUTS, Unavailable(OURS, "cas/x"), ("system", "STORE_UNAVAILABLE", True)),
    (Phase.OUTPUTS, OSError("x"), USERS),
    (Phase.LOADING, ImportError("x"), ("user", "BAD_SOURCE", False)),
    (Phase.LOADING, OSError("x"), ("user", "BAD_SOURCE", True)),
    (Phase.STARTING, Stop("system", Code.BAD_ENGINE, "x"), ("system", "BAD_ENGINE", False)),
]


@pytest.mark.parametrize(("phase", "error", "expected"), TABLE, ids=lambda value: getattr(value, "name", None))
def test_a_failure_has_one_class(phase: Phase, error: BaseException, expected: tuple[str, str, bool]) -> None:
    found = failures.classify(error, phase, lambda url: url == OURS)
    assert contract.kind_of(found.code) == found.kind, "so the cluster's messages say the same"
    assert (found.kind, found.code, found.retryable) == expected


def test_a_chain_of_causes_without_end_is_given_up() -> None:
    one, other = ValueError("a"), ValueError("b")
    one.__cause__, other.__cause__ = other, one
    assert failures.classify(one, Phase.FUNCTION, lambda url: True).kind == "user"


def test_the_stores_keys_are_in_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-key")
    finding = failures.classify(ValueError("signed with canary-key"), Phase.FUNCTION, lambda url: False)
    made = failures.record(finding, run="r", node="n", attempt=1, task="t", source="f.py:1", inputs={}, secrets=())
    assert made.message == "signed with ***"
    assert "canary" not in made.traceback
