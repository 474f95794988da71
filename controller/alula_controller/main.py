"""From the environment to a running loop and to an exit code. Called by `__main__`, which checks that this can be
imported."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Mapping

from alula_controller import logs, process, settings
from alula_controller.cluster import client

log = logging.getLogger(__name__)


def start(environment: Mapping[str, str]) -> int:
    """Run until stopped; the exit code."""
    try:
        chosen = settings.from_environment(environment)
    except settings.SettingsError as error:
        sys.stderr.write("".join(f"alula_controller: {problem}\n" for problem in error.problems))
        return 2
    logs.configure(chosen.log_format, chosen.log_level)
    # Not `asyncio.run`, which waits for whatever threads still wait for.
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(_run(chosen))
    except process.Ended as ended:
        log.error("%s ended, and with it the process", ended, exc_info=ended.__cause__)
        return 1
    log.info("stopped")
    return 0


async def _run(chosen: settings.Settings) -> None:
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    api = client.Cluster(await client.log_in())
    await process.Controller(chosen, api).run(stop)
