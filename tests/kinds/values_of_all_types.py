"""Two hundred values of all types of the contract, each as the text that stands in a resource.

Used here through the YAML writer and kustomize, and in `e2e/resources` through a real API server.
"""

from __future__ import annotations

from typing import Any

from alula_api.contract import jsontext, values
from tests import typed_resources

from . import hostile

INTEGER = {"type": "integer"}
NUMBER = {"type": "number"}
STRING = {"type": "string"}
BOOLEAN = {"type": "boolean"}
NULL = {"type": "null"}
POINT = {
    "type": "object",
    "title": "Point",
    "properties": {"x": NUMBER, "y": {"type": "number", "x-alula-default": "0.0"}},
    "required": ["x"],
    "additionalProperties": False,
}
COLOR = {
    "type": "string",
    "enum": ["RED", "GREEN"],
    "x-alula-type": "enum",
    "title": "Color",
    "x-alula-values": ["1", '"green"'],
}
FILE = {
    "type": "file",
    "digest": "ab" * 32,
    "size": 12,
    "name": "report {{x}}.html",
    "format": "html",
}


def _list(items: Any, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


def _either(*options: Any) -> dict[str, Any]:
    return {"anyOf": list(options)}


EXAMPLES: list[tuple[dict[str, Any], list[Any]]] = [
    (INTEGER, [0, 1, -1, 7, 10, 2**31, 2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**63, 2**70, -(2**70)]),
    (INTEGER, [10**40, -(10**40)]),
    (NUMBER, [0, 1, 0.0, -0.0, 1.5, -2.25, 1e20, 1e21, 1e22, 1e-7, 5e-324, 1.7976931348623157e308, 0.1, 1 / 3, 2**53]),
    (NUMBER, ["NaN", "Infinity", "-Infinity"]),
    (BOOLEAN, [True, False]),
    (NULL, [None]),
    (STRING, [text for text in hostile.STRINGS if len(text) < 100]),
    (STRING, ["a" * 4000, "é" * 1000, "\\" * 500, '"' * 500, "line\n" * 200, "".join(map(chr, range(128)))]),
    ({"type": "string", "contentEncoding": "base64"}, ["", "AA==", "AAEC/w==", "/+8="]),
    ({"type": "string", "format": "date-time"}, ["2024-02-29T12:30:00Z", "2024-02-29T12:30:00.5+02:00"]),
    ({"type": "string", "x-alula-type": "naive-datetime"}, ["2024-02-29T12:30:00", "0001-01-01T00:00:00"]),
    ({"type": "string", "format": "date"}, ["2024-02-29", "9999-12-31"]),
    ({"type": "string", "format": "duration"}, ["PT0S", "PT1H30M", "P1DT2H3.5S", "-PT1S"]),
    (COLOR, ["RED", "GREEN"]),
    ({"enum": ["yes", "no", "on"], "type": "string"}, ["yes", "no", "on"]),
    ({"enum": [1, 2], "type": "integer"}, [1, 2]),
    (_either(INTEGER, NULL), [None, 0, 2**60]),
    (_either(STRING, NULL), [None, "null", ""]),
    ({**_either(INTEGER, STRING), "x-alula-type": "union", "x-alula-tags": ["A", "B"]}, [{"$type": "A", "value": 3}]),
    (_list(INTEGER), [[], [1], [1, 2**60, -3], list(range(300))]),
    (_list(STRING), [["y", "n", "1e3", "~"], ["{{a}}", "}}{{", "${X}", "$$"], ["\x85", "\x7f", "\u2028"]]),
    (_list(_list(NUMBER)), [[[1, 2], [], [0.5]]]),
    ({"type": "array", "prefixItems": [INTEGER, STRING], "items": False, "x-alula-type": "tuple"}, [[1, "a"]]),
    (_list(INTEGER, **{"x-alula-type": "tuple"}), [[3, 1, 2]]),
    (_list(INTEGER, **{"uniqueItems": True, "x-alula-type": "set"}), [[], [3, 1, 2]]),
    ({"type": "object", "additionalProperties": INTEGER}, [{}, {"b": 1, "a": 2}, {"": 0, "<<": 1, "y": 2, "1": 3}]),
    ({"type": "object", "additionalProperties": NULL}, [{"a": None, "b": None}]),
    (POINT, [{"x": 1, "y": 2}, {"x": "NaN", "y": "-Infinity"}]),
    ({"type": "object"}, [{"a": {"b": [None, 1, "x", {"c": {}}]}, "null": None}]),
    ({}, [None, 1, "x", [], {}, {"a": [1.5, True]}, {"default": None, "value": "{{=1+1}}"}]),
    ({"x-alula-type": "file", "format": "html"}, [FILE]),
    ({"x-alula-type": "file"}, [{**FILE, "uri": "s3://bucket/key%20x?versionId=1", "hash": "cd" * 32}]),
]  # fmt: skip

ALL: list[tuple[dict[str, Any], str]] = [
    (schema, jsontext.resource_safe(values.codec(schema).wire(value))) for schema, found in EXAMPLES for value in found
]


def workflow(name: str = "values") -> dict[str, Any]:
    """A Workflow that holds every value as a default, as a constant of a node, and as a member of a list."""
    inputs = [{"name": f"v{i}", "type": schema, "default": text} for i, (schema, text) in enumerate(ALL)]
    constants = {f"v{i}": {"value": text} for i, (_, text) in enumerate(ALL)}
    items = {"all": {"items": [{"value": text} for _, text in ALL]}}
    body: dict[str, Any] = {
        "apiVersion": "alula.dev/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name},
        "spec": {
            "version": "v1",
            "code": {"image": "none", "runtime": 1},
            "inputs": inputs,
            "tasks": [{"name": "first", "entrypoint": "m:first"}, {"name": "second", "entrypoint": "m:second"}],
            "graphs": [
                {
                    "name": "main",
                    "nodes": [
                        {"id": "first", "task": "first", "inputs": constants},
                        {"id": "second", "task": "second", "inputs": items},
                    ],
                }
            ],
        },
    }
    return typed_resources.spelled(body)


def launch_plan(name: str = "values") -> dict[str, Any]:
    """A LaunchPlan that holds every value as an input and as a fixed input."""
    given = [{"name": f"v{i}", "value": text} for i, (_, text) in enumerate(ALL)]
    return {
        "apiVersion": "alula.dev/v1alpha1",
        "kind": "LaunchPlan",
        "metadata": {"name": name},
        "spec": {"workflow": "values", "inputs": given, "fixedInputs": given},
    }


def found_in(obj: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Where a resource holds values, and the values by name; the order of keyed lists is kustomize's own."""
    spec = obj["spec"]
    if obj["kind"] == "LaunchPlan":
        return {field: {each["name"]: each["value"] for each in spec[field]} for field in ("inputs", "fixedInputs")}
    nodes = {node["id"]: node["inputs"] for graph in spec["graphs"] for node in graph["nodes"]}
    return {
        "defaults": {each["name"]: each["default"] for each in spec["inputs"]},
        "constants": {name: binding["value"] for name, binding in nodes["first"].items()},
        "items": {f"v{i}": leaf["value"] for i, leaf in enumerate(nodes["second"]["all"]["items"])},
    }


def expected() -> dict[str, str]:
    """Every value by its name."""
    return {f"v{i}": text for i, (_, text) in enumerate(ALL)}
