"""Types in the words of the user's Python, for messages and tables."""

from __future__ import annotations

import json

from alula_api.contract import families
from alula_api.contract.families import Schema

_WORDS = {
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
    "string": "str",
    "bytes": "bytes",
    "datetime": "datetime",
    "naive-datetime": "naive datetime",
    "date": "date",
    "duration": "timedelta",
    "object": "dict",
    "any": "Any",
    "directory": "Directory",
}
_MOST_DEPTH = 12


def describe(schema: Schema, depth: int = 0) -> str:
    """Return a type as its user would write it: `list[str]`, `File[html]`, `Point | None`."""
    name = families.family(schema)
    if name in _WORDS:
        return _WORDS[name]
    if depth >= _MOST_DEPTH:
        return "..."

    def inner(part: Schema) -> str:
        return describe(part, depth + 1)

    match name:
        case "ref":
            return str(schema["$ref"]).removeprefix(families.ROOT)
        case "file":
            return f"File[{schema['format']}]" if schema.get("format") else "File"
        case "frame":
            return "DataFrame"
        case "enum" | "record" | "namedtuple":
            return str(schema.get("title") or name)
        case "literal":
            return f"Literal[{', '.join(json.dumps(value, ensure_ascii=False) for value in schema['enum'])}]"
        case "list" | "set" | "frozenset":
            return f"{name}[{inner(schema['items'])}]"
        case "tuples":
            return f"tuple[{inner(schema['items'])}, ...]"
        case "tuple":
            return f"tuple[{', '.join(map(inner, schema['prefixItems'])) or '()'}]"
        case "dict":
            return f"dict[str, {inner(schema['additionalProperties'])}]"
        case "map":
            return f"dict[{', '.join(map(inner, schema['items']['prefixItems']))}]"
        case "union" | "tagged":
            return " | ".join(map(inner, schema["anyOf"]))
    return "a malformed type"
