"""Where an input or output takes its value from: a constant, an input of the graph, an output of a node, or several.

Exactly one of them: said to the API server by `oneOf` over required fields, which costs nothing, where CEL over
thousands of nodes is refused as too dear.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

import pydantic
import pydantic_core

from alula_api.contract.graphs.bindings import MAX_ITEMS, MAX_PATH
from alula_api.kinds.fields import ATOMIC, JsonText, Label, Listed, Parameter, Part, bounded

PathStep = Annotated[str, bounded(256)]


def _without(*names: str) -> dict[str, Any]:
    return {"not": {"anyOf": [{"required": [name]} for name in names]}}


_VALUE: dict[str, Any] = {"required": ["value"], "maxProperties": 1}
_ITEMS: dict[str, Any] = {"required": ["items"], "maxProperties": 1}
_FIRST_OF: dict[str, Any] = {"required": ["firstOf"], "maxProperties": 1}
_LEAF_INPUT = {"required": ["input"], **_without("value", "node", "output")}
_LEAF_NODE = {"required": ["node", "output"], **_without("value", "input")}
_INPUT = {"required": ["input"], **_without("value", "node", "output", "items", "firstOf")}
_NODE = {"required": ["node", "output"], **_without("value", "input", "items", "firstOf")}


class Leaf(Part):
    """One source of a value: `value`, `input`, or `node` with `output`."""

    model_config = pydantic.ConfigDict(json_schema_extra={"oneOf": [_VALUE, _LEAF_INPUT, _LEAF_NODE], **ATOMIC})

    value: JsonText | None = pydantic.Field(None, description="a constant: canonical JSON text")
    input: Parameter | None = pydantic.Field(None, description="an input of the graph")
    node: Label | None = pydantic.Field(None, description="a node of the same graph")
    output: Parameter | None = pydantic.Field(None, description="the output of that node")
    path: Annotated[list[PathStep], Listed(MAX_PATH)] = pydantic.Field(
        [], description="attributes to follow inside the value"
    )

    def sources(self) -> list[str]:
        """The members that are set, of those that exclude one another."""
        return [name for name in ("value", "input", "node") if getattr(self, name) is not None]

    @pydantic.model_validator(mode="after")
    def _exactly_one(self) -> Self:
        sources = self.sources()
        if len(sources) != 1:
            options = ", ".join(f"`{name}`" for name in self._options())
            found = " and ".join(f"`{name}`" for name in sources) or "none"
            raise pydantic_core.PydanticCustomError(
                "binding", "must have exactly one of {options}, not {found}", {"options": options, "found": found}
            )
        if (self.output is None) == (sources[0] == "node"):
            raise pydantic_core.PydanticCustomError("binding", "must have `node` and `output` together")
        if "path" in self.model_fields_set and sources[0] not in ("input", "node"):
            raise pydantic_core.PydanticCustomError("binding", "must have `path` beside `input` or `node` only")
        return self

    @classmethod
    def _options(cls) -> tuple[str, ...]:
        return ("value", "input", "node")


class Binding(Leaf):
    """One source of a value, `items`: a list whose elements have each their own, or the first of several."""

    model_config = pydantic.ConfigDict(
        json_schema_extra={"oneOf": [_VALUE, _INPUT, _NODE, _ITEMS, _FIRST_OF], **ATOMIC}
    )

    items: Annotated[list[Leaf], Listed(MAX_ITEMS)] | None = pydantic.Field(
        None, description="a list of values, each from its own source"
    )

    first_of: Annotated[list[Leaf], Listed(MAX_ITEMS)] | None = pydantic.Field(
        None, description="sources of which the first that has a value counts: what is not taken has none"
    )

    def sources(self) -> list[str]:
        """As of a leaf, and `items` and `firstOf`."""
        several = {"items": self.items, "firstOf": self.first_of}
        return super().sources() + [name for name, leaves in several.items() if leaves is not None]

    @classmethod
    def _options(cls) -> tuple[str, ...]:
        return ("value", "input", "node", "items", "firstOf")
