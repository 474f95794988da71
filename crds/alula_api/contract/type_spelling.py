"""From types of the contract to what a resource holds: texts, and the named types that they need.

Called by `graphs.specs` for all types of a workflow at once, because a class has one name in all of them, and by
`type_names` for messages. `Types` in `named_types` reads what is made here: `parse(print(t)) == t` for every type that
the SDK makes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from alula_api.contract import families, named_types, type_text
from alula_api.contract.codes import Code
from alula_api.contract.families import Schema
from alula_api.contract.jsontext import resource_safe
from alula_api.contract.named_types import STORED, Field, Kind, Member, NamedType
from alula_api.contract.problems import InvalidValue, Problem
from alula_api.contract.type_text import MAX_LEVELS, NONE, TAGGED, TUPLES, UNION, Term

_OF_FAMILY: Final = {families.family(schema): word for word, schema in named_types.WORDS.items()}
_STORED_WORDS: Final = {marker: word for word, (marker, _) in STORED.items()}
_MOST_DEPTH: Final = 12
"""Of a type in a message."""
_NAMED: Final[Mapping[str, Kind]] = {"record": "Record", "namedtuple": "NamedTuple", "enum": "Enum"}


def spelled(schemas: Sequence[Schema]) -> tuple[tuple[NamedType, ...], Callable[[Schema], str]]:
    """Return the named types that some types need, sorted by name, and a function from each of the types to its text.

    Raises:
        InvalidValue: A field's type is longer or deeper as text than a resource may hold. The function raises it too.
    """
    occurrences = _occurrences(schemas)
    naming = _naming(occurrences)
    texts: dict[int, str] = {}

    def text(schema: Schema) -> str:
        if id(schema) not in texts:
            texts[id(schema)] = type_text.bounded(type_text.text(naming.term(schema, schema)))
        return texts[id(schema)]

    found: dict[str, NamedType] = {}
    for key, (part, root) in occurrences.items():
        name = naming.names[key]
        if name not in found:
            found[name] = naming.content(part, root, name)
            for field in found[name].fields:
                type_text.bounded(field.type)
    return tuple(found[name] for name in sorted(found)), text


_Occurrences = Mapping[int, tuple[Schema, Schema]]
"""Each place that holds a type which needs a name, by identity: the type, and the root of its references."""


def _occurrences(schemas: Sequence[Schema]) -> _Occurrences:
    found: dict[int, tuple[Schema, Schema]] = {}
    seen = set[int]()
    for root in schemas:
        pending = [root]
        while pending:
            part = families.resolve(pending.pop(), root)
            if id(part) not in seen:
                seen.add(id(part))
                name = families.family(part)
                if name in _NAMED:
                    found[id(part)] = (part, root)
                pending.extend(inner for _, inner in families.children(part, name))
    return found


def _naming(occurrences: _Occurrences) -> _Naming:
    """Give one name to all occurrences of one type.

    A type is written out wherever it is used, and one that contains itself may begin at any of its classes. So its
    occurrences are told apart as the states of an automaton are, by what they say of each other: round by round, until
    a round tells no more apart.
    """
    labels = {key: (str(part.get(named_types.MODULE, "")), _title(part)) for key, (part, _) in occurrences.items()}
    titles = {key: title for key, (_, title) in labels.items()}
    marks = {key: _digest(label) for key, label in labels.items()}
    count = 0
    while len(set(marks.values())) != count:
        count = len(set(marks.values()))
        naming = _Naming(marks, titles)
        marks = {key: _digest((labels[key], naming.content(*each, ""))) for key, each in occurrences.items()}
    groups: dict[str, dict[str, str]] = {}
    for key, mark in marks.items():
        module, title = labels[key]
        groups.setdefault(title, {}).setdefault(mark, module)
    names: dict[str, str] = {}
    for title, group in sorted(groups.items()):
        names |= _distinct(title, group, frozenset(names.values()))
    return _Naming({key: names[mark] for key, mark in marks.items()}, titles)


def _distinct(title: str, group: Mapping[str, str], taken: frozenset[str]) -> dict[str, str]:
    """Names for the types of one title: the title, else with their modules before it, else with digests behind it."""
    plain = "".join(c if c.isalnum() else "_" for c in title)[:60].strip("_")
    plain = plain if type_text.is_name(plain) else f"T_{plain}".rstrip("_")
    for names in (
        dict.fromkeys(group, title),
        {mark: f"{module}.{title}" for mark, module in group.items()},
        {mark: f"{plain}_{mark[:4]}" for mark in group},
        {mark: f"{plain}_{mark}" for mark in group},
    ):
        fresh = frozenset(names.values())
        if len(fresh) == len(group) and not fresh & taken and all(map(type_text.is_name, fresh)):
            return names
    raise InvalidValue([Problem("$", f"has several types that are called {title}", Code.UNSUPPORTED_TYPE)])


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _title(part: Schema) -> str:
    return str(part.get("title", ""))


class _Naming:
    """Types as terms, under the names that occurrences have."""

    def __init__(self, names: Mapping[int, str], titles: Mapping[int, str]) -> None:
        self.names = names
        self._titles = {name: titles[key] for key, name in names.items()}

    def content(self, part: Schema, root: Schema, name: str) -> NamedType:
        """The named type at one occurrence."""
        kind = _NAMED[families.family(part)]
        title = None if named_types.split(name)[1] == _title(part) else _title(part)

        def spell(inner: Schema) -> str:
            return type_text.text(self.term(inner, root))

        if kind == "Enum":
            values = part.get("x-alula-values") or [""] * len(part["enum"])
            members = tuple(
                Member(name, resource_safe(text) or None) for name, text in zip(part["enum"], values, strict=True)
            )
            return NamedType(name, kind, title, values=members)
        if kind == "NamedTuple":
            pairs = zip(part["x-alula-fields"], part["prefixItems"], strict=True)
            return NamedType(name, kind, title, tuple(Field(field, spell(inner)) for field, inner in pairs))
        required: list[str] = part.get("required", [])
        fields: list[Field] = []
        for field in part.get("x-alula-fields") or part["properties"]:
            inner = part["properties"][field]
            default = inner.get("x-alula-default")
            default = None if default is None else resource_safe(default)
            fields.append(Field(field, spell(inner), default, default is None and field not in required))
        return NamedType(name, kind, title, tuple(fields))

    def term(self, schema: Schema, root: Schema, depth: int = 0) -> Term:
        """The term of a type."""
        part = families.resolve(schema, root)
        name = families.family(part)
        if depth > 2 * MAX_LEVELS:
            raise InvalidValue([Problem("$", f"is nested deeper than {MAX_LEVELS} levels", Code.UNSUPPORTED_TYPE)])
        if name in _NAMED:
            return Term(self.names[id(part)])
        if name in _OF_FAMILY:
            return Term(_OF_FAMILY[name])

        def inner(each: Schema) -> Term:
            return self.term(each, root, depth + 1)

        match name:
            case "file" | "directory" | "frame":
                word, format = _STORED_WORDS[name], part.get("format", "")
                return Term(word) if format == STORED[word][1] else Term(word, (format,))
            case "literal":
                return Term("Literal", tuple(part["enum"]))
            case "list" | "set" | "frozenset":
                return Term(name, (inner(part["items"]),))
            case "tuples":
                return Term(TUPLES, (inner(part["items"]),))
            case "tuple":
                return Term("tuple", tuple(map(inner, part["prefixItems"])))
            case "dict":
                return Term("dict", (Term("str"), inner(part["additionalProperties"])))
            case "map" if families.family(part["items"]["prefixItems"][0]) != "string":
                return Term("dict", tuple(map(inner, part["items"]["prefixItems"])))
            case "union" | "tagged" if name == "tagged" or len(part["anyOf"]) > 1:
                return self._union(part, root, name, list(map(inner, part["anyOf"])))
        raise InvalidValue([Problem("$", "is no type that a resource can hold", Code.UNSUPPORTED_TYPE)])

    def _union(self, part: Schema, root: Schema, name: str, variants: list[Term]) -> Term:
        """Tags stand in the text where they are not those that the variants have by themselves."""
        variants = [Term(UNION, (each,)) if each.head == TAGGED else each for each in variants]
        if name == "tagged":
            given = part["x-alula-tags"]
            overlaps = named_types.overlap([families.kinds(each, root) for each in part["anyOf"]])
            if not overlaps or NONE in variants or given != named_types.tags(variants, self._titles):
                variants = [Term(TAGGED, pair) for pair in zip(variants, given, strict=True)]
        elif len(variants) == 2 and variants[1] == NONE and variants[0].head == UNION:
            first = families.family(families.resolve(part["anyOf"][0], root))
            variants = [*variants[0].parts, NONE] if first == "tagged" else variants
        return Term(UNION, tuple(variants)) if len(variants) > 1 else variants[0]


def described(schema: Schema) -> str:
    """Return the text of a type for a message: classes by their titles, without tags, and cut where it is deep.

    The type need not be well formed, nor its references lead anywhere.
    """
    return type_text.text(_Described({}, {}).term(schema, schema))


class _Described(_Naming):
    def term(self, schema: Schema, root: Schema, depth: int = 0) -> Term:
        name = families.family(schema)
        if name == "ref":
            return Term(str(schema["$ref"]).removeprefix(families.ROOT))
        if name in _NAMED:
            return Term(_title(schema) or name)
        if depth >= _MOST_DEPTH and name not in _OF_FAMILY:
            return Term("...")
        match name:
            case "map":
                return Term("dict", tuple(self.term(part, root, depth + 1) for _, part in families.children(schema)))
            case "union" | "tagged":
                variants = [self.term(part, root, depth + 1) for part in schema["anyOf"]]
                return Term(UNION, tuple(part for each in variants for part in _variants(each)))
        return super().term(schema, root, depth) if name else Term("a malformed type")


def _variants(term: Term) -> tuple[Term, ...]:
    return term.parts if term.head == UNION else (term,)
