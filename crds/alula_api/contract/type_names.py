"""Types in the words of the user's Python, for messages and tables; used by `schemas` and `assignable`."""

from __future__ import annotations

from alula_api.contract.families import Schema


def describe(schema: Schema) -> str:
    """Return a type as its user would write it: `list[str]`, `File["html"]`, `Point | None`."""
    from alula_api.contract import type_spelling  # loads with the first message: most processes write none

    return type_spelling.described(schema)
