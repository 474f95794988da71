"""What stands for no value yet: a task that is not called, a map without its lists, an unended conditional.

Asked where a value is needed, so that the message says what to write. Classes of `alula.declare` that make nothing by
themselves say so as `_alula_unfinished`.
"""

from __future__ import annotations

from alula.interfaces.callee import Callee


def problem(value: object) -> tuple[str, str] | None:
    """What is wrong with a value that is unfinished, and what to write instead; None for any other."""
    found = begun(value)
    return found and (f"{found[0]} stands where its result is needed", found[1])


def begun(value: object) -> tuple[str, str] | None:
    """What messages call a value that is unfinished, and what to write instead; None for any other."""
    if isinstance(value, Callee):
        return f"the {value.subject} itself", f"call it: {value.function.__name__}(...)"
    if hasattr(type(value), "_alula_unfinished") and not is_void(value):
        return value._alula_unfinished  # type: ignore[attr-defined, no-any-return]
    return None


def is_void(value: object) -> bool:
    """Whether it is a conditional without a last branch that gives nothing, and so lacks nothing."""
    return hasattr(type(value), "_alula_is_void") and bool(value._alula_is_void)  # type: ignore[attr-defined]
