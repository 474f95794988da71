"""What a CRD cannot hold is refused when the schema is made, with the path of the field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pydantic
import pytest

from alula_api.kinds import definitions, fields, resources, structural
from alula_api.kinds.reading import KINDS


class Tree(fields.Part):
    children: Annotated[list[Tree], fields.Listed(3)] = []


class Item(fields.Part):
    name: Annotated[str, fields.bounded(9)] | None = None
    price: float = 1.0


class Good(fields.Part):
    mode: Literal["a"] = "a"
    kind: Literal["x", "y"] | None = None
    flag: bool | None = pydantic.Field(None, description="a flag")


def model(annotation: Any) -> type[pydantic.BaseModel]:
    return pydantic.create_model("Model", __base__=fields.Part, field=(annotation, ...))


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (float, "field: must not be a float"),
        (str, "field: a string must have a longest length"),
        (int, "field: an integer must have bounds"),
        (list[str], "field: a list must have items, a largest size and a list type"),
        (Annotated[list[str], fields.Listed(3)], "field[]: a string must have a longest length"),
        (dict[str, bool], "field: a map must have a largest size"),
        (Annotated[dict[str, float], fields.Mapped(3)], "field[*]: must not be a float"),
        (dict[str, Any], "field: a map must have entries of one type"),
        (Annotated[dict[str, Any], fields.Mapped(3)], "field: a map must have entries of one type"),
        (dict, "field: a map must have entries of one type"),
        (Any, "field: must have one type"),
        (None, "field: must not be null"),
        (Good | Tree, "field: must be one type, not a union"),
        (bool | Annotated[str, fields.bounded(3)], "field: must be one type, not a union"),
        (Tree, "field.children[]: must not contain itself: Tree > Tree"),
        (Annotated[list[Item], fields.Listed(3, key="name")], "field[].price: must not be a float"),
        (Annotated[list[Good], fields.Listed(3, key="flag")], "field[].flag: the key of a list must be a required"),
        (Annotated[list[Good], fields.Listed(3, unique=True)], "field: a list of set type must hold scalars"),
        (tuple[bool, bool], "field: must not use prefixItems"),
        (Annotated[bool, pydantic.Field(json_schema_extra={"nullable": True})], "field: must not use nullable"),
        (
            Annotated[bool, pydantic.Field(json_schema_extra={"oneOf": [{"type": "string"}]})],
            "field: must be one type, not a union: `oneOf`",
        ),
    ],
)
def test_a_type_that_a_crd_cannot_hold_is_an_error_with_the_fields_path(annotation: Any, message: str) -> None:
    with pytest.raises(structural.NotStructuralError) as caught:
        structural.structural(model(annotation))
    assert str(caught.value).startswith(message)


def test_references_options_constants_and_titles_become_plain_fields() -> None:
    assert structural.structural(model(Good | None))["properties"]["field"] == {
        "type": "object",
        "properties": {
            "mode": {"type": "string", "enum": ["a"]},
            "kind": {"type": "string", "enum": ["x", "y"]},
            "flag": {"description": "a flag", "type": "boolean"},
        },
    }


def nodes(schema: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from nodes(inner, f"{path}.{name}")
    for step in ("items", "additionalProperties"):
        if step in schema:
            yield from nodes(schema[step], f"{path}[]")


@pytest.mark.parametrize("kind", definitions.ALL, ids=lambda kind: kind.KIND.name)
def test_everything_in_our_crds_is_bounded(kind: type[resources.Resource]) -> None:
    schema = definitions.schema(kind)
    fields = schema["properties"].keys() & {"spec", "status"}
    found = {path: node for field in fields for path, node in nodes(schema["properties"][field], field)}
    assert len(found) > 3
    for path, node in found.items():
        limits = {
            "string": "maxLength" in node or "enum" in node,
            "integer": {"minimum", "maximum"} <= node.keys() and node.get("format") == "int64",
            "array": {"maxItems", "x-kubernetes-list-type"} <= node.keys(),
            "object": "properties" in node or "maxProperties" in node,
            "boolean": True,
        }
        assert limits[node["type"]], path
        free = "x-kubernetes-preserve-unknown-fields"
        assert not node.keys() & {"title", "default", "nullable", "anyOf", "$ref", "discriminator", free}, path
        assert path.count(".") + path.count("[]") < 12, f"{path} nests deeper than readers go"


@pytest.mark.parametrize("name", KINDS)
def test_conditions_come_first_in_a_status_and_are_a_map_by_type(name: str) -> None:
    status = definitions.schema(KINDS[name])["properties"]["status"]
    assert list(status["properties"])[:2] == ["conditions", "observedGeneration"]
    conditions = status["properties"]["conditions"]
    assert conditions["x-kubernetes-list-type"] == "map"
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]


def test_a_revision_cannot_be_changed_and_has_no_status() -> None:
    crd = definitions.definitions()["workflowrevisions.alula.dev"]
    (version,) = crd["spec"]["versions"]
    assert "subresources" not in version
    schema = version["schema"]["openAPIV3Schema"]
    assert "status" not in schema["properties"]
    assert [rule["rule"] for rule in schema["x-kubernetes-validations"]] == ["self.spec == oldSelf.spec"]
