"""Whether an output of one type may be passed to an input of another; used where edges are checked.

`assignable` promises that every wire value of the source is accepted by the codec of the target, with the meaning
that its producer gave it.
"""

from __future__ import annotations

from alula_api.contract import families, jsontext
from alula_api.contract.families import Schema
from alula_api.contract.jsontext import MOST_DEPTH
from alula_api.contract.type_names import describe

_LISTS = ("list", "tuples", "set", "frozenset")
_JSON_LIKE = frozenset(
    [
        "integer",
        "number",
        "boolean",
        "string",
        "null",
        "literal",
        "list",
        "tuple",
        "tuples",
        "namedtuple",
        "dict",
        "object",
        "record",
        "union",
        "any",
    ]
)
_LITERALS: dict[type, Schema] = {
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    str: {"type": "string"},
    type(None): {"type": "null"},
}


def assignable(source: Schema, target: Schema) -> str | None:
    """Return None when values of `source` fit `target`, else the reason in words."""
    return _Comparison(source, target).fits(source, target, 0)


def _key(schema: Schema) -> str:
    return str(schema["$ref"]) if "$ref" in schema else jsontext.encode_sorted(schema)


class _Comparison:
    """One comparison; each side keeps its own definitions."""

    def __init__(self, source: Schema, target: Schema) -> None:
        self._source = source
        self._target = target
        self._assumed: set[tuple[str, str]] = set()
        """Pairs of definitions under comparison: a recursive type fits as long as nothing speaks against it."""

    def fits(self, source: Schema, target: Schema, depth: int) -> str | None:
        if depth > MOST_DEPTH:
            return f"the types are nested deeper than {MOST_DEPTH} levels"
        if "$ref" in source or "$ref" in target:
            pair = (_key(source), _key(target))
            if pair in self._assumed:
                return None
            self._assumed.add(pair)
            source = families.resolve(source, self._source)
            target = families.resolve(target, self._target)
        mine, theirs = families.family(source), families.family(target)
        if not mine or not theirs:
            return "one of the types is malformed"
        if mine == "never":
            return None
        if theirs in {"any", "object"}:
            return self._fits_json(source, mine, theirs, target)
        if mine == "union":
            return self._variants_fit(source, target, depth)
        if mine == "literal" and theirs != "tagged":
            return self._values_fit(source, target, theirs, depth)
        if theirs == "union":
            return self._fits_some(source, target, depth)
        if mine == "tagged" or theirs == "tagged":
            return self._tags_fit(source, mine, target, theirs, depth)
        return self._same_family(source, mine, target, theirs, depth)

    def _no(self, source: Schema, target: Schema) -> str:
        return f"{describe(source)} is not {describe(target)}"

    def _fits_json(self, source: Schema, mine: str, theirs: str, target: Schema) -> str | None:
        if theirs == "object" and mine not in {"dict", "record", "object"}:
            return self._no(source, target)
        if mine not in _JSON_LIKE:
            return f"{describe(source)} is not plain JSON, so its parameter must be declared as {describe(source)}"
        if mine == "union":
            for variant in source["anyOf"]:
                reason = self._fits_json(
                    variant, families.family(families.resolve(variant, self._source)), theirs, target
                )
                if reason:
                    return reason
        if families.has_references(source, self._source):
            return f"{describe(source)} holds references to stored data, which {describe(target)} cannot"
        return None

    def _variants_fit(self, source: Schema, target: Schema, depth: int) -> str | None:
        for variant in source["anyOf"]:
            reason = self.fits(variant, target, depth + 1)
            if reason:
                if families.family(families.resolve(variant, self._source)) == "null":
                    return f"{describe(source)} may be None, and {describe(target)} may not"
                return reason
        return None

    def _fits_some(self, source: Schema, target: Schema, depth: int) -> str | None:
        kinds = families.kinds(source, self._source)
        reasons = []
        for variant in target["anyOf"]:
            assumed = set(self._assumed)
            reason = self.fits(source, variant, depth + 1)
            if reason is None:
                return None
            self._assumed = assumed
            if kinds <= families.kinds(variant, self._target):
                reasons.append(reason)
        return reasons[0] if len(reasons) == 1 else self._no(source, target)

    def _tags_fit(self, source: Schema, mine: str, target: Schema, theirs: str, depth: int) -> str | None:
        if mine != "tagged" or theirs != "tagged":
            which = target if theirs == "tagged" else source
            return (
                f"{self._no(source, target)}: values of {describe(which)} carry a tag, because the JSON of its "
                f"variants overlaps, so both sides must be declared as {describe(which)}"
            )
        wanted = dict(zip(target["x-alula-tags"], target["anyOf"], strict=True))
        for tag, variant in zip(source["x-alula-tags"], source["anyOf"], strict=True):
            if tag not in wanted:
                return f"{tag} is not one of {', '.join(wanted)}"
            reason = self.fits(variant, wanted[tag], depth + 1)
            if reason:
                return reason
        return None

    def _values_fit(self, source: Schema, target: Schema, theirs: str, depth: int) -> str | None:
        if theirs == "literal":
            allowed = {(type(value), value) for value in target["enum"]}
            missing = [value for value in source["enum"] if (type(value), value) not in allowed]
            return f"{missing[0]!r} is not one of {describe(target)}" if missing else None
        for kind in dict.fromkeys(map(type, source["enum"])):
            if theirs == "union":
                some = {"enum": [value for value in source["enum"] if type(value) is kind]}
                if self._fits_some(some, target, depth):
                    return self._no(source, target)
            elif self.fits(_LITERALS[kind], target, depth + 1):
                return self._no(source, target)
        return None

    def _same_family(self, source: Schema, mine: str, target: Schema, theirs: str, depth: int) -> str | None:
        if mine == "integer" and theirs == "number":
            return None
        if theirs in {"tuple", "tuples"} and mine in {"tuple", "namedtuple"}:
            return self._positions_fit(source, target, theirs, depth)
        if mine != theirs:
            return self._no(source, target)
        match mine:
            case "list" | "tuples" | "set" | "frozenset":
                return self._inside("its items", source["items"], target["items"], depth)
            case "dict":
                return self._inside("its values", source["additionalProperties"], target["additionalProperties"], depth)
            case "map":
                (key, item), (their_key, their_item) = source["items"]["prefixItems"], target["items"]["prefixItems"]
                return self._inside("its keys", key, their_key, depth) or self._inside(
                    "its values", item, their_item, depth
                )
            case "namedtuple":
                if source["x-alula-fields"] != target["x-alula-fields"]:
                    return f"{self._no(source, target)}: their fields differ"
                return self._positions_fit(source, target, theirs, depth)
            case "record":
                return self._properties_fit(source, target, depth)
            case "enum":
                extra = [name for name in source["enum"] if name not in target["enum"]]
                return f"{extra[0]} of {describe(source)} is not a member of {describe(target)}" if extra else None
            case "file" | "frame" | "directory":
                wanted = target.get("format", "")
                return self._no(source, target) if wanted and wanted != source.get("format", "") else None
        return None

    def _inside(self, where: str, source: Schema, target: Schema, depth: int) -> str | None:
        reason = self.fits(source, target, depth + 1)
        return f"{where}: {reason}" if reason else None

    def _positions_fit(self, source: Schema, target: Schema, theirs: str, depth: int) -> str | None:
        items = source["prefixItems"]
        wanted = [target["items"]] * len(items) if theirs == "tuples" else target["prefixItems"]
        if len(items) != len(wanted):
            return f"{self._no(source, target)}: {len(items)} items are not {len(wanted)}"
        for index, (item, want) in enumerate(zip(items, wanted, strict=True)):
            reason = self._inside(f"item {index}", item, want, depth)
            if reason:
                return reason
        return None

    def _properties_fit(self, source: Schema, target: Schema, depth: int) -> str | None:
        mine, theirs = source["properties"], target["properties"]
        for name, item in mine.items():
            if name not in theirs:
                return f"{describe(source)} has {name}, which {describe(target)} has not"
            reason = self._inside(name, item, theirs[name], depth)
            if reason:
                return reason
        for name in target.get("required", ()):
            if name not in mine:
                return f"{describe(source)} has no {name}, which {describe(target)} needs"
        return None
