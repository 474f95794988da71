"""Where a function returns something other than None, told from its instructions: for messages and missing types."""

from __future__ import annotations

import types


def lines(code: types.CodeType) -> set[int]:
    """The lines of all `return`s with a value; empty for a function that returns nothing."""
    import dis

    found: set[int] = set()
    before: dis.Instruction | None = None
    for step in dis.get_instructions(code):
        if step.opname == "RETURN_CONST":
            nothing = step.argval is None
        elif step.opname == "RETURN_VALUE":
            # `return x or None` jumps to the instruction itself; a bare `return` loads None right before it.
            nothing = not step.is_jump_target and before is not None and _loads_none(before)
        else:
            nothing = True
        if not nothing and step.positions is not None:
            found.add(step.positions.lineno or code.co_firstlineno)
        before = step
    return found


def _loads_none(step: object) -> bool:
    return getattr(step, "opname", "") in {"LOAD_CONST", "RETURN_GENERATOR"} and getattr(step, "argval", 0) is None
