"""Structured logs on stderr: what happened to which object, never an object's body.

Called once by `__main__`. Loggers are the standard library's; fields travel as `extra={"fields": {...}}` or by `about`.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

from alula_api.contract import log_lines

_TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for `record`."""
        fields = getattr(record, "fields", None) or {}
        traceback = self.formatException(record.exc_info) if record.exc_info else ""
        level = record.levelname.lower()
        return log_lines.line(record.created, level, record.name, record.getMessage(), fields, traceback=traceback)


class TextLines(logging.Formatter):
    """A line for people, with what it is about in brackets behind the message."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line for `record`, without a traceback."""
        fields = getattr(record, "fields", None) or {}
        said = ", ".join(f"{name}={value}" for name, value in fields.items())
        return super().formatMessage(record) + (f" ({said})" if said else "")


def about(**fields: object) -> dict[str, Any]:
    """The `extra` that puts `fields` into the line."""
    return {"fields": fields}


def configure(form: str, level: str) -> None:
    """Log to stderr from `level` on, as `json` or `text`.

    kopf writes whole objects and patches at DEBUG, and one line per event at INFO, so it is held to warnings.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines(_TEXT))
    logging.basicConfig(level=getattr(logging, level.upper()), handlers=[handler], force=True)
    for chatty in ("kopf", "aiohttp", "asyncio", "kubernetes", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)  # it warns that signals are not its own
