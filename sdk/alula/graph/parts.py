"""Parts of a promised value by attribute, key or index: `p.field`, `p["key"]`, `p[0]`.

Called by `promises` and `fit`; the types behind a path are the contract's.
"""

from __future__ import annotations

from alula_api.contract import schemas
from alula_api.contract.diagnostics import did_you_mean
from alula_api.contract.problems import Problem
from alula_api.contract.schemas import Schema

_parts: dict[tuple[int, str], tuple[Schema, Schema]] = {}


def fixed_length(schema: Schema) -> int | None:
    """How many parts a tuple type has; None for everything else."""
    return len(schema["prefixItems"]) if schema.get("items") is False and "prefixItems" in schema else None


def fields(schema: Schema) -> list[str]:
    """The names that may follow a dot: those of a dataclass or a NamedTuple."""
    record = _resolved(schema)
    return list(record.get("x-alula-fields") or record.get("properties") or ())


def segment(schema: Schema, key: object, attribute: bool) -> str | Problem:
    """A key as the contract's path writes it, or what is wrong with it."""
    record = _resolved(schema)
    names = fields(record)
    label = schemas.describe(schema)
    if attribute:
        if not names:
            return Problem("$", f"{label} has no attributes that a workflow can follow")
        if key in names:
            return str(names.index(str(key))) if "prefixItems" in record else str(key)
        hint = did_you_mean(str(key), names, f"its fields are {', '.join(names)}")
        return Problem("$", f"{label} has no field {key!r}; {hint}")
    if isinstance(key, bool) or not isinstance(key, (int, str)):
        return Problem("$", f"a promise is indexed by an int or a str that is known now, got {type(key).__name__}")
    if isinstance(key, int) and record.get("type") != "array" and record:
        return Problem("$", f"{label} is not indexed by numbers")
    if isinstance(key, int) and key < 0:
        length = fixed_length(record)
        if length is None:
            return Problem("$", "an index from the end needs the length, which is not known yet")
        key += length
    if isinstance(key, str) and record.get("type") == "array":
        return Problem("$", f"{label} is indexed by numbers")
    if isinstance(key, str) and "properties" in record:
        return Problem("$", f"{label} has attributes: write .{key}")
    return str(key)


def part(schema: Schema, name: str) -> Schema | Problem:
    """The type of a part; the same object each time, because edge checks are cached by identity."""
    known = _parts.get((id(schema), name))
    if known is not None:
        return known[1]
    found = schemas.at(schema, [name])
    if isinstance(found, Problem):
        return found
    _parts[id(schema), name] = (schema, found)
    return found


def _resolved(schema: Schema) -> Schema:
    """The record behind a `$ref` at the root."""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        found = schema.get("$defs", {}).get(reference.rpartition("/")[2])
        if isinstance(found, dict):
            return found
    return schema
