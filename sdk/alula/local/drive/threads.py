"""Runs tasks in parallel: worker threads take what is ready, the caller's thread keeps the time.

A worker goes on with what its own task made ready, so a chain never changes threads. Threads are daemons: one that is
stuck in a task past its timeout is left behind and replaced, and does not keep the process alive. No event loop is
used, so a run works inside the running loop of a notebook.
"""

from __future__ import annotations

import contextvars
import functools
import threading

from alula.local.drive.attempts import Attempt, Work
from alula.local.drive.dispatch import Dispatcher
from alula.progress.clocks import Clock

GRACE = 5.0
"""Seconds that attempts may take to clean up after an interrupt; another interrupt ends them at once."""


def drive(dispatcher: Dispatcher, work: Work, clock: Clock, workers: int) -> None:
    """Run to the end with up to `workers` attempts at a time.

    Raises:
        KeyboardInterrupt: When the user interrupts; attempts under way are interrupted where that can be done, and
            have `GRACE` seconds to clean up; the others are abandoned at once.
        BaseException: Whatever `work` or the observer raises: failures of user code must come as outcomes.
    """
    crew = _Crew(dispatcher, work, clock, workers)
    try:
        crew.watch()
    except KeyboardInterrupt:
        crew.dismiss(interrupted=True)
        raise
    except BaseException:
        crew.dismiss()
        raise
    crew.dismiss()


class _Crew:
    """Everything here is guarded by one lock, which both conditions share."""

    def __init__(self, dispatcher: Dispatcher, work: Work, clock: Clock, workers: int) -> None:
        self.dispatcher = dispatcher
        self.schedule = dispatcher.schedule
        self.work = work
        self.clock = clock
        self.workers = workers
        self.lock = threading.Lock()
        self.available = threading.Condition(self.lock)  # workers wait here for a ready step
        self.attention = threading.Condition(self.lock)  # the watching thread waits here
        self.threads = 0  # that take steps, so without those left behind
        self.idle = 0
        self.closed = False
        self.crash: BaseException | None = None
        self.alarm: float | None = None  # when the watching thread wakes up by itself
        self.under_way: set[Attempt] = set()

    def watch(self) -> None:
        """Keep the time until the run is over; runs in the caller's thread."""
        with self.lock:
            self._staff(self.schedule.ready)
            while not self.schedule.over and self.crash is None:
                self.alarm = self.dispatcher.next_due
                now = self.clock.now()
                if self.alarm is None or self.alarm > now:
                    seconds = None if self.alarm is None else self.alarm - now
                    self.clock.wait(self.attention, seconds, busy=self.schedule.running > 0)
                self._keep_time(self.clock.now())
        if self.crash is not None:
            raise self.crash

    def dismiss(self, *, interrupted: bool = False) -> None:
        """Let idle threads go, and give up what still runs."""
        with self.lock:
            self.closed = True
            self.available.notify_all()
            abandoned = [*self.under_way]
            for attempt in abandoned:
                attempt.over = True
        asked = {attempt for attempt in abandoned if interrupted and attempt.interrupt is not None}
        for attempt in abandoned:
            end = attempt.interrupt if attempt in asked else attempt.abandon
            if end is not None:
                end()
        with self.lock:
            self.attention.wait_for(lambda: not asked & self.under_way, GRACE)

    def _keep_time(self, now: float) -> None:
        self._abandon(self.dispatcher.expire(now))
        self.schedule.wake(now)
        self._abandon(self.dispatcher.abort(self.under_way, now))
        self._staff(self.schedule.ready)

    def _abandon(self, ended: list[Attempt]) -> None:
        """Leave attempts behind: the thread of one exits when it comes back, until then another may take its place."""
        for attempt in ended:
            self.under_way.discard(attempt)
            self.threads -= 1
            if attempt.abandon is not None:
                attempt.abandon()
            else:
                self.dispatcher.observer.abandoned(attempt)

    def _staff(self, steps: int) -> None:
        """See that up to `steps` more steps are taken by other threads: wake idle ones, hire while allowed."""
        if steps <= 0:
            return
        self.available.notify(min(steps, self.idle))
        for _ in range(min(steps - self.idle, self.workers - self.threads)):
            self.threads += 1
            context = contextvars.copy_context()
            threading.Thread(target=context.run, args=(self._serve,), name="alula-worker", daemon=True).start()

    def _serve(self) -> None:
        with self.lock:
            try:
                while (attempt := self._take()) is not None:
                    if not self._perform(attempt):
                        return
            except BaseException as error:
                self.crash = self.crash or error
                self.attention.notify()

    def _take(self) -> Attempt | None:
        while not self.closed:
            attempt = self.dispatcher.begin(self.clock.now())
            if attempt is not None:
                if attempt.timeout is not None:
                    attempt.ready = functools.partial(self._ready, attempt)
                if attempt.deadline is not None:
                    self._alert()
                return attempt
            self.idle += 1
            self.available.wait()
            self.idle -= 1
        return None

    def _ready(self, attempt: Attempt) -> None:
        """Called without the lock by a worker whose attempt is prepared."""
        with self.lock:
            self.dispatcher.ready(attempt, self.clock.now())
            self._alert()

    def _perform(self, attempt: Attempt) -> bool:
        """Work on `attempt` without the lock; False when this thread was given up meanwhile."""
        self.under_way.add(attempt)
        self.lock.release()
        try:
            outcome = self.work(attempt)
        finally:
            self.lock.acquire()
            self.under_way.discard(attempt)
            if self.closed:
                self.attention.notify()
        if attempt.over:
            return False
        self.dispatcher.conclude(attempt, outcome, self.clock.now())
        self._abandon(self.dispatcher.abort(self.under_way, self.clock.now()))
        self._staff(self.schedule.ready - 1)  # this thread takes one itself
        if self.schedule.over:
            self.attention.notify()
        else:
            self._alert()
        return True

    def _alert(self) -> None:
        """Wake the watching thread if something falls due before it would wake up by itself."""
        due = self.dispatcher.next_due
        if due is not None and (self.alarm is None or due < self.alarm):
            self.alarm = due
            self.attention.notify()
