"""Types as JSON Schema: the one import for everything that reads or compares them.

A type is JSON Schema, with `x-alula-type` for what JSON has no word for; the grammar is in `families`.
"""

from __future__ import annotations

from collections.abc import Sequence

from alula_api.contract.assignable import assignable
from alula_api.contract.bare_types import strip
from alula_api.contract.codecs import check
from alula_api.contract.codes import Code
from alula_api.contract.families import Schema, family, has_references, kinds, resolve
from alula_api.contract.problems import Problem, member
from alula_api.contract.type_names import describe

__all__ = [
    "Schema", "assignable", "at", "check", "describe", "family", "has_references", "items", "kinds", "resolve", "strip",
]  # fmt: skip


def at(schema: Schema, path: Sequence[str]) -> Schema | Problem:
    """Return the type behind an attribute path, or the problem at its first step that leads nowhere.

    A step is a property's name, or the index of an item as text, as `values.select` takes it.
    """
    part, place = resolve(schema, schema), "$"
    for step in path:
        place = member(place, step)
        found = _step(part, step, place)
        if isinstance(found, Problem):
            return found
        part = resolve(found, schema)
    return part if part is schema or "$defs" not in schema else {**part, "$defs": schema["$defs"]}


def items(schema: Schema, count: int) -> list[Schema] | None:
    """Return the types of the items of an array of `count` items; None where no such array fits the type.

    Sets have no items that stand at an index. An untagged union gives those of its only variant that has any.
    """
    whole = resolve(schema, schema)
    definitions = {"$defs": schema["$defs"]} if "$defs" in schema else {}
    match family(whole):
        case "any":
            return [{}] * count
        case "list" | "tuples":
            return [_alone(whole["items"], schema, definitions)] * count
        case "tuple" | "namedtuple" if len(whole["prefixItems"]) == count:
            return [_alone(item, schema, definitions) for item in whole["prefixItems"]]
        case "union":
            variants = [items({**variant, **definitions}, count) for variant in whole["anyOf"]]
            fitting = [found for found in variants if found is not None]
            return fitting[0] if len(fitting) == 1 else None
    return None


def _alone(part: Schema, root: Schema, definitions: Schema) -> Schema:
    """A part of a type as a type of its own: its references lead somewhere."""
    return {**resolve(part, root), **definitions}


def _step(part: Schema, step: str, place: str) -> Schema | Problem:
    match family(part):
        case "any" | "object":
            return {}
        case "dict":
            inner: Schema = part["additionalProperties"]
            return inner
        case "record":
            if step in part["properties"]:
                return {key: value for key, value in part["properties"][step].items() if key != "x-alula-default"}
            return Problem(
                place, f"does not exist in {describe(part)}{_hint(step, part['properties'])}", Code.UNKNOWN_OUTPUT
            )
        case "list" | "tuples":
            if step.isdecimal() and step.isascii():
                items: Schema = part["items"]
                return items
        case "tuple" | "namedtuple":
            if step.isdecimal() and step.isascii() and int(step) < len(part["prefixItems"]):
                item: Schema = part["prefixItems"][int(step)]
                return item
            fields = part.get("x-alula-fields", [])
            if step in fields:
                return Problem(place, f"must be reached by its index {fields.index(step)}", Code.UNKNOWN_OUTPUT)
        case "union":
            if any(family(resolve(variant, part)) == "null" for variant in part["anyOf"]):
                return Problem(place, f"may not exist, because {describe(part)} may be None", Code.UNKNOWN_OUTPUT)
    return Problem(place, f"does not exist in {describe(part)}", Code.UNKNOWN_OUTPUT)


def _hint(step: str, names: Sequence[str]) -> str:
    from alula_api.contract import diagnostics

    found = diagnostics.closest(step, names)
    return f"; did you mean {found}?" if found else ""
