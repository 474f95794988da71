"""A headless browser, driven over the pipe of its debugging protocol; used by `screenshots`."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from e2e.cluster import errors, processes

Object = dict[str, Any]

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-pipe",
)


class Page:
    """One open page."""

    def __init__(self, reader: int, writer: int, deadline: float) -> None:
        self._reader = reader
        self._writer = writer
        self._deadline = deadline
        self._pending = b""
        self._number = 0
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = str(attached["sessionId"])

    def call(self, method: str, **parameters: Any) -> Object:
        """One command of the debugging protocol; events in between are passed over.

        Raises:
            ClusterError: the browser refused or is gone.
        """
        self._number += 1
        message: Object = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._writer, json.dumps(message).encode() + b"\0")
        while True:
            reply = self._receive()
            if reply.get("id") == self._number:
                if "error" in reply:
                    raise errors.ClusterError(f"browser: {method}: {reply['error']['message']}")
                result: Object = reply["result"]
                return result

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page; None where it throws."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def await_true(self, expression: str) -> None:
        """Waits until the expression is true.

        Raises:
            TimeoutError: it never was; the message has the page's text.
        """
        while self.evaluate(expression) is not True:
            if time.monotonic() > self._deadline:
                shown = self.evaluate("document.body.innerText")
                raise TimeoutError(f"the page never had {expression}; it shows: {str(shown)[:500]}")
            time.sleep(0.2)

    def _receive(self) -> Object:
        while b"\0" not in self._pending:
            received = os.read(self._reader, 1 << 16)
            if not received:
                raise errors.ClusterError("the browser has ended")
            self._pending += received
        message, _, self._pending = self._pending.partition(b"\0")
        reply: Object = json.loads(message)
        return reply


@contextlib.contextmanager
def opened(timeout: float) -> Iterator[Page]:
    """A browser with one empty page, in the caller's network, with a profile of its own.

    Raises:
        Unavailable: there is no browser on this machine.
    """
    browser = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if browser is None:
        raise errors.Unavailable("no `chromium` on PATH (run e2e/setup)")
    commands_out, commands_in = os.pipe()
    replies_out, replies_in = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # The protocol wants descriptors 3 and 4; `timeout` ends a browser that hangs.
        redirect = f'exec "$@" 3<&{commands_out} 4>&{replies_in}'
        command = [browser, *_FLAGS, f"--user-data-dir={profile}"]
        process = subprocess.Popen(
            ["timeout", "--signal=KILL", str(timeout), "bash", "-c", redirect, "browser", *command],
            env=processes.clean_environment(),
            pass_fds=[commands_out, replies_in],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands_out)
        os.close(replies_in)
        try:
            page = Page(replies_out, commands_in, time.monotonic() + timeout)
            yield page
            with contextlib.suppress(errors.ClusterError, OSError):
                page.call("Browser.close")
        finally:
            os.close(commands_in)  # the browser ends with its pipe
            os.close(replies_out)
            process.terminate()
            process.wait()
