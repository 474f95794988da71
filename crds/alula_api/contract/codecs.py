"""The codec of a type: built once from the schema, then a few function calls a value.

Used by everything that reads or writes a value, through `alula_api.contract.values`. A codec never sees a Python
object of the user: it goes from JSON to JSON, so that the controller can do it too.
"""

from __future__ import annotations

import functools
import hashlib
from typing import Any

from alula_api.contract import (
    anyjson,
    codec_parts,
    containers,
    families,
    jsontext,
    records,
    references,
    scalars,
    unions,
)
from alula_api.contract.codec_parts import Form
from alula_api.contract.codes import Code
from alula_api.contract.families import Schema
from alula_api.contract.jsontext import MOST_DEPTH, Json
from alula_api.contract.problems import REFUSALS, InvalidValue, Problem


class Codec:
    """Checks, normalises and writes the values of one type. Safe to share between threads."""

    __slots__ = ("_form", "_normal", "_unbounded", "schema")

    def __init__(self, schema: Schema, form: Form, unbounded: bool) -> None:
        self.schema = schema
        self._form = form
        self._normal = form.normal
        self._unbounded = unbounded
        """Whether the type alone does not bound the depth of its values."""

    def normal(self, value: Json) -> Json:
        """Return the wire value of a JSON value: checked, in one form, defaults filled in.

        It may share parts with the value given where a type is any JSON.

        Raises:
            InvalidValue: With everything that is wrong, at most 20 problems.
        """
        try:
            found: Json = self._normal(value)
            if not (self._unbounded and jsontext.is_deep(found)):
                return found
        except REFUSALS:
            pass
        raise InvalidValue(self._explain(value)) from None

    def wire(self, value: Json) -> str:
        """Return the canonical text: normal form, equal for values that user code cannot tell apart and for no others.

        User code sees the order of a map and the offset of a datetime, not the order of a set.
        """
        return jsontext.encode(self.normal(value))

    def identity(self, value: Json) -> str:
        """Return the digest that stands for the value in a cache key.

        Raises:
            InvalidValue: For a value that does not fit, and for data at a URI that has not been looked at yet.
        """
        return self.digest(self.normal(value))

    def digest(self, normal: Json) -> str:
        """Return the identity of a value that is in normal form already, which is not checked again."""
        identify = self._form.identify
        text = jsontext.encode(normal if identify is None else identify(normal))
        return hashlib.sha256(text.encode()).hexdigest()

    def _explain(self, value: Json) -> list[Problem]:
        if jsontext.is_deep(value):
            return [Problem("$", f"is nested deeper than {MOST_DEPTH} levels")]
        problems: list[Problem] = []
        codec_parts.explain(self._form, value, "$", problems)
        # Where no part is wrong, it is the defaults filled in that lie too deep, or our caller's own stack.
        return problems or [Problem("$", f"is nested deeper than {MOST_DEPTH} levels")]


def codec(schema: Schema) -> Codec:
    """Return the codec of a type; equal types share one.

    Raises:
        InvalidValue: With what is malformed in the type.
    """
    return _codec(jsontext.dumps(schema))


def check(schema: Any) -> list[Problem]:
    """Return what is malformed in a type, the values of its defaults included."""
    try:
        codec(schema)
    except InvalidValue as error:
        return [*error.problems]
    return []


@functools.lru_cache(maxsize=4096)
def _codec(text: str) -> Codec:
    from alula_api.contract import wellformed

    schema = jsontext.reread(text)
    problems = wellformed.structure(schema)
    if problems:
        raise InvalidValue(problems)
    compiler = _Compiler(schema)
    form = compiler.compile(schema)
    compiler.finish()
    return Codec(schema, form, compiler.unbounded and form is not anyjson.ANY and form is not anyjson.OBJECT)


class _Compiler:
    """Builds the forms of one type; each definition under `$defs` once."""

    def __init__(self, root: Schema) -> None:
        self.root = root
        self.unbounded = False
        self._definitions: dict[str, Form] = {}
        self._open: set[str] = set()
        self._defaults: list[tuple[str, str, Form]] = []

    def finish(self) -> None:
        """Check the defaults of records, now that all forms are there."""
        problems = []
        for name, text, form in self._defaults:
            try:
                form.normal(jsontext.parse(text))
            except REFUSALS:
                problems.append(
                    Problem(f"$.{name}", f"must have a default of its own type, not {text[:60]}", Code.BAD_DEFAULT)
                )
        if problems:
            raise InvalidValue(problems)

    def compile(self, schema: Schema) -> Form:
        name = families.family(schema)
        match name:
            case "any" | "object":
                self.unbounded = True
                return anyjson.ANY if name == "any" else anyjson.OBJECT
            case "ref":
                return self._definition(schema["$ref"])
            case "enum":
                return scalars.enum(schema)
            case "literal" | "never":
                return scalars.literal(schema)
            case "file" | "frame" | "directory":
                return references.reference(name, schema.get("format", ""))
            case "union":
                return unions.untagged([self.compile(variant) for variant in schema["anyOf"]])
            case "tagged":
                variants = [self.compile(variant) for variant in schema["anyOf"]]
                return unions.tagged(dict(zip(schema["x-alula-tags"], variants, strict=True)))
            case "record":
                return self._record(schema)
        return _SCALARS[name] if name in _SCALARS else _text(name) or self._container(name, schema)

    def _container(self, name: str, schema: Schema) -> Form:
        match name:
            case "list" | "tuples":
                return containers.sequence(self.compile(schema["items"]))
            case "tuple" | "namedtuple":
                items = [self.compile(item) for item in schema["prefixItems"]]
                return containers.fixed(items, schema.get("x-alula-fields", ()))
            case "set" | "frozenset":
                return containers.unordered(self.compile(schema["items"]))
            case "dict":
                return containers.dictionary(self.compile(schema["additionalProperties"]))
            case "map":
                key, item = schema["items"]["prefixItems"]
                return containers.pairs(self.compile(key), self.compile(item))
        raise AssertionError(f"no codec for {name}")

    def _record(self, schema: Schema) -> Form:
        # The order of `properties` is not to be trusted: an API server hands objects back with their keys sorted.
        order = schema.get("x-alula-fields") or sorted(schema["properties"])
        properties = {name: self.compile(schema["properties"][name]) for name in order}
        defaults = {
            name: item["x-alula-default"] for name, item in schema["properties"].items() if "x-alula-default" in item
        }
        self._defaults.extend((name, text, properties[name]) for name, text in defaults.items())
        return records.record(schema.get("title", ""), properties, frozenset(schema.get("required", ())), defaults)

    def _definition(self, name: str) -> Form:
        found = self._definitions.get(name)
        if found is not None:
            self.unbounded = self.unbounded or name in self._open
            return found
        target = families.resolve({"$ref": name}, self.root)
        # Stands for the form while that is built, because the type may contain itself.
        inner: list[Form] = []
        early = Form(
            str(target.get("title", "an object")),
            lambda value: inner[0].normal(value),  # noqa: PLW0108 it is not there yet
            families.kinds(target, self.root),
            explain=lambda value, path, problems: codec_parts.explain(inner[0], value, path, problems),
            equal=lambda value: value if inner[0].equal is None else inner[0].equal(value),
            identify=(lambda value: value if inner[0].identify is None else inner[0].identify(value))
            if families.has_references(target, self.root)
            else None,
        )
        self._definitions[name] = early
        self._open.add(name)
        form = self.compile(target)
        self._open.remove(name)
        inner.append(form)
        early.explain = form.explain or early.explain  # without the way round: values may be 100 levels deep
        self._definitions[name] = form
        return form


_SCALARS = {
    "integer": scalars.INTEGER,
    "number": scalars.NUMBER,
    "boolean": scalars.BOOLEAN,
    "null": scalars.NULL,
    "string": scalars.STRING,
}


def _text(name: str) -> Form | None:
    if name not in {"bytes", "datetime", "naive-datetime", "date", "duration"}:
        return None
    from alula_api.contract import texts  # dates are loaded where a type has them

    return {
        "bytes": texts.BYTES,
        "datetime": texts.DATETIME,
        "naive-datetime": texts.NAIVE,
        "date": texts.DATE,
        "duration": texts.DURATION,
    }[name]
