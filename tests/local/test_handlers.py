"""What the handlers of a local run get; `e2e/main_road/test_phases.py` has the same on a cluster."""

from __future__ import annotations

import threading

import pytest

import alula
from alula import Failure, task, workflow

SEEN: list[Failure | None] = []
OVER = threading.Event()


@task
def keep(why: Failure | None) -> None:
    """In this process, as the runs here have threads."""
    SEEN.append(why)


@task
def rest(*, fails: bool) -> None:
    """At work until the run is over, or failing."""
    if fails:
        raise ValueError("{{=1+1}} \x07 é")
    OVER.wait(60)


@workflow(on_exit=keep, deadline="1s")
def late(fails: bool) -> None:
    """Longer than its deadline, or failing before."""
    rest(fails=fails)


@pytest.mark.parametrize(
    ("fails", "node", "message"),
    [
        (False, "", "the run took longer than its deadline of 1s"),
        (True, "rest", "ValueError: { {=1+1} } \ufffd é (tests/local/test_handlers.py:"),
    ],
)
def test_a_handler_gets_the_task_that_failed_first_and_none_where_the_deadline_ended_the_run(
    fails: bool, node: str, message: str
) -> None:
    SEEN.clear()
    OVER.clear()
    before = threading.active_count()
    with pytest.raises(alula.RunFailed) as caught:
        alula.run(late, fails=fails, threads=True, records=False)
    OVER.set()
    while threading.active_count() > before:  # beside a thread no other test can fork
        OVER.wait(0)
    (why,) = SEEN
    assert why is not None
    assert (why.run, why.node) == (caught.value.result.run, node)
    assert why.message.startswith(message)
    assert node or why.message == message


@task
def empty() -> None:
    """Fails and says nothing."""
    raise ValueError


@workflow(on_failure=keep)
def silent() -> None:
    """Without a deadline."""
    empty()


def test_a_handler_gets_the_task_and_the_exception_of_a_failure_that_says_nothing() -> None:
    SEEN.clear()
    with pytest.raises(alula.RunFailed):
        alula.run(silent, workers=1, records=False)
    (why,) = SEEN
    assert why is not None
    assert why.node == "empty"
    assert why.message.startswith("ValueError (tests/local/test_handlers.py:")
