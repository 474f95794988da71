"""The types of a workflow as its resource holds them: named types once, and a text wherever one is used.

`Types` turns texts into types of the contract. Called by `graphs.specs`, and by `kinds.reading`, which asks it what is
wrong with the types that a resource holds. `type_spelling` is the way back. Words for people in a JSON Schema
(`description`, `examples`) are not carried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from alula_api.contract import codecs, families, jsontext, type_text
from alula_api.contract.codes import Code
from alula_api.contract.families import Schema
from alula_api.contract.problems import InvalidValue, Problem
from alula_api.contract.type_text import NONE, TAGGED, UNION, Scalar, Term

MAX_PARTS = 50_000
"""Types inside each other that the texts of one workflow stand for, with named types written out."""
MODULE: Final = "x-alula-module"
"""Where a class stands, to tell two of one name apart; no part of the type's identity."""

Kind: TypeAlias = Literal["Record", "NamedTuple", "Enum"]
Path: TypeAlias = tuple[int | str, ...]
"""The place of a field below `spec.types`."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a dataclass, model or NamedTuple."""

    name: str
    type: str
    default: str | None = None
    """Canonical JSON text; without it the field must be given."""
    optional: bool = False
    """Whether it may be missing although it has no default."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an Enum."""

    name: str
    value: str | None = None
    """Its value as JSON text, where the values are JSON."""


@dataclass(frozen=True, slots=True)
class NamedType:
    """A type that stands once in a workflow."""

    name: str
    kind: Kind = "Record"
    title: str | None = None
    """What its class is called, where the name does not say it."""
    fields: tuple[Field, ...] = ()
    values: tuple[Member, ...] = ()


WORDS: Final[Mapping[str, Schema]] = {
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "None": {"type": "null"},
    "str": {"type": "string"},
    "bytes": {"type": "string", "contentEncoding": "base64"},
    "datetime": {"type": "string", "format": "date-time"},
    "NaiveDatetime": {"type": "string", "x-alula-type": "naive-datetime"},
    "date": {"type": "string", "format": "date"},
    "timedelta": {"type": "string", "format": "duration"},
    "dict": {"type": "object"},
    "Any": {},
    "Never": {"enum": []},
}
"""The types that are one word."""
STORED: Final[Mapping[str, tuple[str, str]]] = {
    "File": ("file", ""),
    "Directory": ("directory", ""),
    "DataFrame": ("frame", "parquet"),
}
"""Types whose values are references: the marker in the contract, and the format of the bare word."""
_LITERALS: Mapping[type, str] = {int: "integer", bool: "boolean", str: "string", type(None): "null"}
_JSON_KINDS: Mapping[Kind, type] = {"Record": dict, "NamedTuple": list, "Enum": str}


def split(name: str) -> tuple[str, str]:
    """Return the module and the title that the name of a type says: `flows.a.Box[int]` is `flows.a` and `Box[int]`."""
    head, bracket, rest = name.partition("[")
    module, _, title = head.rpartition(".")
    return module, title + bracket + rest


def tags(variants: Sequence[Term], titles: Mapping[str, str]) -> list[str]:
    """Return the tags that the variants of a tagged union have unless its text says others."""
    return distinct([label(variant, titles) for variant in variants])


def distinct(labels: Sequence[str]) -> list[str]:
    """Return a tag for each variant of a union: what it is called, with a number where two are called the same."""
    found: list[str] = []
    for each in labels:
        tag, count = each, 1
        while tag in found:
            count += 1
            tag = f"{each}-{count}"
        found.append(tag)
    return found


def label(term: Term, titles: Mapping[str, str]) -> str:
    """Return what a type is called in a tag.

    The SDK's `PyType.label` says the same of every annotation but those of which the contract knows less: a `Path` is a
    File here, and a frame of any library a DataFrame. Tags of these stand in the text.
    """
    if term.head in titles:
        return titles[term.head]
    inner = [label(arg, titles) if isinstance(arg, Term) else _shown(arg, term.head) for arg in term.args]
    match term.head:
        case "|":
            return " | ".join(inner)
        case "tuple of one type":
            return f"tuple[{inner[0]}, ...]"
        case "tuple" if not inner:
            return "tuple[()]"
        case "DataFrame" if not inner:
            return "pandas.DataFrame"
    return f"{term.head}[{', '.join(inner)}]" if inner else term.head


def _shown(value: Scalar, head: str) -> str:
    return repr(value) if head == "Literal" else str(value)


def overlap(kinds: Sequence[frozenset[type]]) -> bool:
    """Tell whether variants of a union have a JSON type in common, so that their values need tags."""
    return sum(map(len, kinds)) != len(frozenset[type]().union(*kinds))


class Types:
    """The named types of a workflow, and the types of the contract that texts stand for.

    Args:
        named: As the resource holds them; they may be wrong in any way.
    """

    def __init__(self, named: Sequence[NamedType]) -> None:
        self.named: Mapping[str, NamedType] = {each.name: each for each in named}
        self.titles: Mapping[str, str] = {
            each.name: split(each.name)[1] if each.title is None else each.title for each in named
        }
        self.parts = 0
        """So many types all texts asked for stand for."""
        self._terms: dict[str, Term] = {}
        self._schemas: dict[str, Schema] = {}
        self._problems: dict[str, tuple[Problem, ...]] = {}

    def term(self, text: str) -> Term:
        """The term of a text.

        Raises:
            InvalidValue: It is none.
        """
        if text not in self._terms:
            self._terms[text] = type_text.parse(text, self.named)
        return self._terms[text]

    def schema(self, text: str) -> Schema:
        """The type of the contract that a text stands for; the same object for the same text.

        Raises:
            InvalidValue: It is none, or one that is too large.
        """
        if text not in self._schemas:
            self._schemas[text] = _Expansion(self).whole(self.term(text))
        return self._schemas[text]

    def kinds(self, term: Term) -> frozenset[type]:
        """The JSON types of the values of a term."""
        if term.head in self.named:
            return frozenset({_JSON_KINDS[self.named[term.head].kind]})
        if term.head == UNION:
            if self.is_tagged(term.parts):
                rest = [part for part in term.parts if part != NONE]
                return frozenset({dict} if len(rest) == len(term.parts) else {dict, type(None)})
            return frozenset[type]().union(*map(self.kinds, term.parts))
        if term.head == TAGGED:
            return frozenset({dict})
        return families.kinds(_shallow(term))

    def is_tagged(self, variants: Sequence[Term]) -> bool:
        """Whether the variants of a union, but for None, have tags: they say so, or their JSON overlaps."""
        rest = [variant for variant in variants if variant != NONE]
        return any(each.head == TAGGED for each in rest) or overlap([self.kinds(each) for each in rest])

    def problems(self) -> list[tuple[Path, Problem]]:
        """What is wrong with the named types, each with its place below `spec.types`; what uses them is not blamed."""
        found = [each for index, named in enumerate(self.named.values()) for each in self._of_form(index, named)]
        if found:
            return found
        wrong: dict[str, list[tuple[Path, Problem]]] = {}
        for index, named in enumerate(self.named.values()):
            if problems := list(self._of_meaning(index, named)):
                wrong[named.name] = problems
        roots = [name for name in wrong if not self._uses(self.named[name]) & wrong.keys() - {name}]
        return [problem for name in roots or list(wrong)[:1] for problem in wrong[name]]

    def _of_form(self, index: int, named: NamedType) -> Iterator[tuple[Path, Problem]]:
        if not type_text.is_name(named.name):
            yield (index, "name"), _bad("must be the name of a class, such as Forest, flows.a.Forest or Box[int]")
        if (named.kind == "Enum") != bool(named.values) or (named.values and named.fields):
            yield (index,), _bad("must have `values` where its kind is Enum, and `fields` otherwise")
        for place, field in enumerate(named.fields):
            if named.kind == "NamedTuple" and (field.default is not None or field.optional):
                yield (index, "fields", place), _bad("must have no default: a NamedTuple travels as a whole")
            yield from (((index, "fields", place, "type"), problem) for problem in self.of_form(field.type))

    def _of_meaning(self, index: int, named: NamedType) -> Iterator[tuple[Path, Problem]]:
        for place, field in enumerate(named.fields):
            if field.default is not None:
                try:
                    codecs.codec(self.schema(field.type)).normal(jsontext.parse(field.default))
                except InvalidValue as error:
                    yield from (((index, "fields", place, "default"), problem) for problem in error.problems)
                    return
        yield from (((index,), problem) for problem in self.of_text(named.name))

    def _uses(self, named: NamedType) -> set[str]:
        """The named types that its fields name."""
        found, pending = set[str](), [self.term(field.type) for field in named.fields]
        while pending:
            term = pending.pop()
            found.add(term.head)
            pending.extend(term.parts)
        return found & self.named.keys()

    def of_form(self, text: str) -> tuple[Problem, ...]:
        """What is wrong with a text as such, whatever the named types are."""
        try:
            self.term(text)
        except InvalidValue as error:
            return error.problems
        return ()

    def of_text(self, text: str) -> tuple[Problem, ...]:
        """What is wrong with a text, where the named types are right."""
        if text not in self._problems:
            try:
                self._problems[text] = tuple(codecs.check(self.schema(text)))
            except InvalidValue as error:
                self._problems[text] = error.problems
        return self._problems[text]


def _shallow(term: Term) -> Schema:
    """A type of the family of a term, whatever is inside."""
    if term.head in WORDS and not term.args:
        return WORDS[term.head]
    if term.head in STORED:
        return {"x-alula-type": STORED[term.head][0]}
    if term.head == "Literal":
        return {"enum": list(term.args)}
    if term.head == "dict":
        return {"type": "object"} if term.args[0] == Term("str") else {"type": "array"}
    return {"type": "array", "items": {}}


class _Expansion:
    """One type with its named types written out; those that contain themselves are definitions at its root.

    It takes the same way through a type as the SDK does, so that both make the same of it.
    """

    def __init__(self, types: Types) -> None:
        self._types = types
        self._open: dict[str, str] = {}
        """The named types that are being written out, by the names of their definitions."""
        self._used: set[str] = set()
        self._definitions: dict[str, Schema] = {}
        self._definition_names: dict[str, str] = {}

    def whole(self, term: Term) -> Schema:
        schema = self._type(term, 0)
        return {**schema, "$defs": self._definitions} if self._definitions else schema

    def _type(self, term: Term, depth: int) -> Schema:
        self._types.parts += 1
        if self._types.parts > MAX_PARTS:
            message = f"stands for more than {MAX_PARTS:,} types together with the others: named types use each other"
            raise InvalidValue([Problem("$", message, Code.TOO_LARGE)])
        if depth > jsontext.MOST_DEPTH:
            raise InvalidValue([_bad(f"is nested deeper than {jsontext.MOST_DEPTH} levels")])
        if term.head in self._types.named:
            return self._named(self._types.named[term.head], depth)

        def inner(part: Term) -> Schema:
            return self._type(part, depth + 1)

        match term.head:
            case "|":
                return self._union(term.parts, inner)
            case "Annotated":
                return {"anyOf": [inner(term.parts[0])], "x-alula-type": "union", "x-alula-tags": [term.args[1]]}
            case "Literal":
                names = {_LITERALS[type(value)] for value in term.args}
                return {**({"type": names.pop()} if len(names) == 1 else {}), "enum": list(term.args)}
            case "list":
                return {"type": "array", "items": inner(term.parts[0])}
            case "set" | "frozenset":
                item = inner(term.parts[0])
                return {"type": "array", "items": item, "uniqueItems": True, "x-alula-type": term.head}
            case "tuple of one type":
                return {"type": "array", "items": inner(term.parts[0]), "x-alula-type": "tuple"}
            case "tuple":
                parts = list(map(inner, term.parts))
                return {"type": "array", "prefixItems": parts, "items": False, "x-alula-type": "tuple"}
            case "dict" if term.args:
                key, of = term.parts
                if key == Term("str"):
                    return {"type": "object", "additionalProperties": inner(of)}
                pair = {"type": "array", "prefixItems": [inner(key), inner(of)], "items": False}
                return {"type": "array", "x-alula-type": "map", "items": pair}
        if term.head in STORED:
            marker, format = STORED[term.head]
            format = str(term.args[0]) if term.args else format
            return {"x-alula-type": marker, **({"format": format} if format else {})}
        return dict(WORDS[term.head])

    def _union(self, variants: Sequence[Term], inner: Callable[[Term], Schema]) -> Schema:
        """Tags where they are needed; None beside tagged variants stays a plain null."""
        if not self._types.is_tagged(variants):
            return {"anyOf": list(map(inner, variants))}
        rest = [variant for variant in variants if variant != NONE]
        plain = [variant.parts[0] if variant.head == TAGGED else variant for variant in rest]
        given = tags(plain, self._types.titles)
        for place, variant in enumerate(rest):
            if variant.head == TAGGED:
                given[place] = str(variant.args[1])
        tagged = {"anyOf": list(map(inner, plain)), "x-alula-type": "union", "x-alula-tags": given}
        return tagged if len(rest) == len(variants) else {"anyOf": [tagged, dict(WORDS["None"])]}

    def _named(self, named: NamedType, depth: int) -> Schema:
        if named.kind == "Enum":
            return self._enum(named)
        if named.name in self._open:
            self._used.add(named.name)
            return {"$ref": families.ROOT + self._open[named.name]}
        self._open[named.name] = definition = self._definition_name(named)
        try:
            made = self._fields(named, depth)
        finally:
            del self._open[named.name]
        if named.name not in self._used:
            return made
        self._used.discard(named.name)
        self._definitions[definition] = made
        return {"$ref": families.ROOT + definition}

    def _definition_name(self, named: NamedType) -> str:
        title = self._types.titles[named.name]
        if named.kind != "Record":
            return named.name
        name, count = title, 1
        while self._definition_names.setdefault(name, named.name) != named.name:
            count += 1
            name = f"{title}-{count}"
        return name

    def _head(self, named: NamedType) -> Schema:
        module = split(named.name)[0] if named.title is None else ""
        return {"title": self._types.titles[named.name], **({MODULE: module} if module else {})}

    def _enum(self, named: NamedType) -> Schema:
        names = [member.name for member in named.values]
        schema: Schema = {"type": "string", "enum": names, "x-alula-type": "enum", **self._head(named)}
        if any(member.value is not None for member in named.values):
            schema["x-alula-values"] = [_normal(member.value or "") for member in named.values]
        return schema

    def _fields(self, named: NamedType, depth: int) -> Schema:
        made: dict[str, Schema] = {}
        for field in named.fields:
            schema = self._type(self._types.term(field.type), depth + 1)
            made[field.name] = (
                schema if field.default is None else {**schema, "x-alula-default": _normal(field.default)}
            )
        names = list(made)
        if named.kind == "NamedTuple":
            items: dict[str, Any] = {"prefixItems": list(made.values()), "items": False}
            return {
                "type": "array", **items, "x-alula-type": "namedtuple", **self._head(named), "x-alula-fields": names
            }  # fmt: skip
        required = [field.name for field in named.fields if field.default is None and not field.optional]
        return {
            "type": "object",
            **self._head(named),
            "properties": made,
            "required": required,
            "additionalProperties": False,
            "x-alula-fields": names,
        }


def _normal(text: str) -> str:
    """One text for all texts of a JSON value, as the SDK makes them; what is none stays as it is."""
    try:
        return jsontext.dumps(jsontext.parse(text))
    except InvalidValue:
        return text


def _bad(message: str) -> Problem:
    return Problem("$", message, Code.UNSUPPORTED_TYPE)
