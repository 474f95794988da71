"""Where an input or output takes its value from: a constant, an input of the graph, an output of a node, or a list.

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
_LEAF_INPUT = {"required": ["input"], **_without("value", "node", "output")}
_LEAF_NODE = {"required": ["node", "output"], **_without("value", "input")}
_INPUT = {"required": ["input"], **_without("value", "node", "output", "items")}
_NODE = {"required": ["node", "output"], **_without("value", "input", "items")}


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
        if "path" in self.model_fields_set and sources[0] in ("value", "items"):
            raise pydantic_core.PydanticCustomError("binding", "must have `path` beside `input` or `node` only")
        return self

    @classmethod
    def _options(cls) -> tuple[str, ...]:
        return ("value", "input", "node")


class Binding(Leaf):
    """One source of a value, or `items`: a list whose elements have each their own."""

    model_config = pydantic.ConfigDict(json_schema_extra={"oneOf": [_VALUE, _INPUT, _NODE, _ITEMS], **ATOMIC})

    items: Annotated[list[Leaf], Listed(MAX_ITEMS)] | None = pydantic.Field(
        None, description="a list of values, each from its own source"
    )

    def sources(self) -> list[str]:
        """As of a leaf, and `items`."""
        return super().sources() + (["items"] if self.items is not None else [])

    @classmethod
    def _options(cls) -> tuple[str, ...]:
        return ("value", "input", "node", "items")
