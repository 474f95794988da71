"""A node's message as the failure that the pod recorded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula.remote import messages
from alula_api.contract import failures
from alula_api.contract.codes import Code
from tests.remote.worlds import PREFIX, said

TRACEBACK = (
    'Traceback (most recent call last):\n  File "flows/penguins.py", line 63, in fit\n    model.fit(training)\n'
    "ValueError: max_depth must be positive\nit is -1\n"
)
RECORD = failures.FailureRecord(
    "user",
    "TASK_FAILED",
    "max_depth must be positive\nit is -1",
    "ValueError",
    TRACEBACK,
    source="flows/penguins.py:63",
)


def test_the_users_error_is_read_back_as_the_pod_told_it() -> None:
    found = messages.failure(PREFIX.format(code=91) + said(RECORD), run="r", node="fit", task="fit", attempt=1)
    assert (found.kind, found.code, found.exception) == ("user", "TASK_FAILED", "ValueError")
    assert found.message == "max_depth must be positive\nit is -1"
    assert found.traceback == TRACEBACK.rstrip()
    assert (found.source, found.node, found.attempt, found.retryable) == ("flows/penguins.py:63", "fit", 1, True)


def test_exit_code_90_was_not_worth_another_attempt() -> None:
    assert not messages.failure(PREFIX.format(code=90) + said(RECORD)).retryable


def test_the_memory_of_an_attempt_is_no_part_of_what_it_said() -> None:
    record = failures.FailureRecord("user", Code.TASK_FAILED, "no", "ValueError", source="flows/p.py:3")
    found = messages.failure(PREFIX.format(code=91) + failures.termination_message(record, "1536Mi"))
    assert (found.exception, found.message, found.source) == ("ValueError", "no", "flows/p.py:3")


def test_a_code_of_ours_is_no_exception() -> None:
    record = failures.FailureRecord("system", Code.STORE_UNAVAILABLE, "the store did not answer")
    found = messages.failure(PREFIX.format(code=91) + said(record))
    assert (found.kind, found.code, found.exception) == ("system", "STORE_UNAVAILABLE", "")
    assert found.message == "the store did not answer"
    late = failures.FailureRecord("user", Code.TASK_TIMEOUT, "it took longer than its timeout of 2s")
    found = messages.failure(PREFIX.format(code=91) + said(late))
    assert (found.kind, found.code, found.message) == ("user", "TASK_TIMEOUT", late.message)
    assert messages.failure(PREFIX.format(code=91) + "INPUT_LOST").message == Code.INPUT_LOST.sentence


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("main: OOMKilled (exit code 137)", "it used more memory than its limit allows"),
        ("main: OOMKilled (exit code 137): the task's process ended", "it used more memory than its limit allows"),
        ("main: OOMKilled (exit code 137): it ended (memory 2Gi)", "more memory than its limit of 2Gi allows"),
        ("main: Error (exit code 137)", "killed by SIGKILL"),
        ("Error (exit code 1)", "ended with exit code 1 and without a report"),
        ("pod deleted", "pod deleted"),
        ("The node was low on resource: memory.", "The node was low on resource: memory."),
        ("", "it failed without a message"),
    ],
)
def test_what_became_of_a_pod_that_could_not_report_is_told(message: str, told: str) -> None:
    found = messages.failure(message)
    assert told in found.message
    assert (found.kind, found.code) == ("system", "TASK_KILLED")


@pytest.mark.parametrize("message", ["workflow shutdown with strategy:  Terminate", "Stopped with strategy 'Stop'"])
def test_what_was_stopped_did_not_fail(message: str) -> None:
    assert messages.stopped(message)
    assert not messages.stopped("ValueError: Stopped")


@given(
    st.builds(
        failures.FailureRecord,
        kind=st.just("user"),
        code=st.just("TASK_FAILED"),
        message=st.text(st.characters(codec="utf-8"), min_size=1, max_size=80),
        exception=st.sampled_from(["ValueError", "sklearn.exceptions.NotFittedError", "K"]),
        traceback=st.sampled_from(["", TRACEBACK]),
        attempt=st.integers(1, 9),
        source=st.sampled_from(["", "flows/x.py:1", "a folder/x.py:12"]),
    )
)
def test_whatever_a_pod_reports_its_exception_and_place_are_found_again(record: failures.FailureRecord) -> None:
    found = messages.failure(PREFIX.format(code=91) + said(record))
    assert (found.exception, found.source) == (record.exception, record.source)
    assert found.traceback == record.traceback.rstrip()
    assert failures.cut(found.message) == found.message


@given(st.text(max_size=200))
def test_no_message_is_a_crash(text: str) -> None:
    for message in (text, PREFIX.format(code=91) + text):
        found = messages.failure(message)
        assert found.message or found.exception


def test_lists_of_different_lengths_are_told_without_the_words_of_argo() -> None:
    said = "x must be as long as the other lists: x has 2 and text has 3"
    found = messages.failure(f'strconv.Atoi: parsing "{said}": invalid syntax', node="weigh")
    assert (found.kind, found.code, found.message) == ("user", "BAD_VALUE", f"the input {said}")


def test_too_few_items_that_succeed_are_told_as_in_a_local_run() -> None:
    said = "only 2 of 5 items succeeded, and 3 must"
    found = messages.failure(f'strconv.Atoi: parsing "{said}": invalid syntax', node="weigh")
    assert (found.kind, found.code, found.message) == ("user", "TASK_FAILED", said)


def test_a_comparison_of_none_is_told_without_the_words_of_argo() -> None:
    said = "half is None where it is compared: ask first whether it is None"
    found = messages.failure(
        f"failed to evaluate expression: invalid operation: int({said}) (1:2)\n | (asInt(...) > 1) ? 'then' : 'else'",
        node="size",
    )
    assert (found.kind, found.code, found.message) == ("user", "BAD_VALUE", said)


def test_the_deadline_of_the_run_is_told_without_the_words_of_argo() -> None:
    found = messages.failure("Pod was active on the node longer than ... Step exceeded its deadline", node="slow")
    assert (found.kind, found.code, found.message) == ("user", "TASK_TIMEOUT", "the run took longer than its deadline")
    assert not found.retryable
