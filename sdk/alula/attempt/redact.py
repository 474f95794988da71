"""How a failure is worded, the same in a pod and on a laptop: short forms of inputs, problems on one line, no secrets.

Called where failure records are made. Loads nothing that a pod has not loaded already.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from alula_api.contract import references, values
from alula_api.contract.problems import InvalidValue

if TYPE_CHECKING:
    from alula_api.contract.diagnostics import Diagnostic
    from alula_api.contract.values import Json

SHORT = 100
"""Characters of an input that are shown."""

_MIN_SECRET = 4
"""Shorter texts are not blotted out: they would be all over the traceback."""


def short(value: Json) -> str:
    """A value in few characters: for messages, never for programs."""
    if isinstance(value, dict) and references.is_reference(value):
        name = value.get("name") or ""
        kind = " ".join(part for part in (value.get("format", ""), value["type"]) if part)
        size = f", {value['size']:,} bytes" if value["size"] else ""
        return f"{name} ({kind}{size})" if name and value["type"] != "frame" else f"{kind}{size}"
    try:
        text = values.dumps(value) if not isinstance(value, str) else repr(value)
    except InvalidValue:
        text = repr(value)
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"


def one_line(diagnostic: Diagnostic) -> str:
    """A diagnostic as one line, without its code and source, which records have fields for."""
    subject = f" ({diagnostic.subject})" if diagnostic.subject else ""
    expected = f"; expected {diagnostic.expected}" if diagnostic.expected else ""
    hint = f"; {diagnostic.hint}" if diagnostic.hint else ""
    return f"{diagnostic.message}{subject}{expected}{hint}"


def exception_name(error: BaseException) -> str:
    """The exception's type as Python prints it at the end of a traceback."""
    cls = type(error)
    return cls.__qualname__ if cls.__module__ in {"builtins", "__main__"} else f"{cls.__module__}.{cls.__qualname__}"


def message(error: BaseException) -> str:
    """What an exception says; one whose own `__str__` raises says that."""
    try:
        return str(error)
    except Exception as worse:
        return f"<its __str__ raised {exception_name(worse)}>"


def without_secrets(text: str, variables: Iterable[str]) -> str:
    """`text` without the values of the environment's secret `variables`, and writable as UTF-8."""
    for name in variables:
        value = os.environ.get(name, "")
        if len(value) >= _MIN_SECRET:
            text = text.replace(value, "***")
    return text.encode("utf-8", "backslashreplace").decode()
