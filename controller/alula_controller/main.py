"""From the environment to a running loop and to an exit code. Called by `__main__`, which checks that this can be
imported."""

from __future__ import annotations

import asyncio
import logging
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
    try:
        asyncio.run(_run(chosen))
    except process.Ended as ended:
        if ended.__cause__ is None and str(ended) == "kopf":
            log.info("stopped")
            return 0
        log.error("%s ended, and with it the process", ended, exc_info=ended.__cause__)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


async def _run(chosen: settings.Settings) -> None:
    api = client.Cluster(await client.log_in())
    await process.Controller(chosen, api).run()
