"""The watch over an attempt: time is up in the user's code, and at last without its help."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from alula.runtime import signals
from alula.runtime.signals import Terminated, TimedOut


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGALRM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def never(error: BaseException) -> None:
    raise AssertionError("the attempt ended in time")


def test_time_is_up_in_the_middle_of_the_users_code() -> None:
    watch = signals.Watch(0.05, never)
    watch.start()
    with pytest.raises(TimedOut):
        time.sleep(20)
    watch.stop()


def test_code_that_swallows_everything_is_ended_from_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "GRACE", 0.1)
    ended: list[BaseException] = []
    done = threading.Event()

    def overrun(error: BaseException) -> None:
        ended.append(error)
        done.set()

    watch = signals.Watch(0.5, overrun)  # not before `start` has returned, on a busy machine too
    watch.start()
    swallowed = 0
    while not done.is_set():
        try:
            time.sleep(0.02)
        except BaseException:
            swallowed += 1
    watch.stop()
    assert swallowed == 1
    assert [type(error) for error in ended] == [TimedOut]


def test_a_watch_that_was_stopped_raises_nothing_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "GRACE", 0.0)
    overruns: list[BaseException] = []
    watch = signals.Watch(0.05, overruns.append)
    watch.start()
    watch.stop()
    time.sleep(0.15)
    os.kill(os.getpid(), signal.SIGTERM)
    assert overruns == []


def test_being_asked_to_end_is_raised_once() -> None:
    watch = signals.Watch(0, never)
    watch.start()
    with pytest.raises(Terminated):
        os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)  # while the failure is reported
    watch.stop()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    watch.leave()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
