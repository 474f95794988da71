"""Cache keys, interface digests, and the entry that the cache index holds under a key.

Used by the pod, the local runner and the controller, which must agree on every byte. Reads and writes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from alula_api.contract import codecs, jsontext, references
from alula_api.contract.bare_types import strip
from alula_api.contract.codes import Code
from alula_api.contract.families import Schema
from alula_api.contract.jsontext import Json
from alula_api.contract.problems import InvalidValue, Problem, member, shown

if TYPE_CHECKING:
    from alula_api.contract import lists

VERSION: Final = 2
MOST_ENTRY: Final = 64 * 1024
"""Bytes of an entry: what does not fit belongs into the store."""


def digest(json: Json) -> str:
    """Return the sha256 of a JSON value's canonical text, all keys sorted."""
    return hashlib.sha256(jsontext.dumps_sorted(json).encode()).hexdigest()


def interface_digest(inputs: Sequence[tuple[str, Schema]], outputs: Sequence[tuple[str, Schema]]) -> str:
    """Return the digest of names and types; not of their order, titles, descriptions and defaults."""
    return digest(
        {
            "inputs": {name: strip(schema) for name, schema in inputs},
            "outputs": {name: strip(schema) for name, schema in outputs},
        }
    )


def identity(value: Json, schema: Schema) -> str:
    """Return the identity of a wire value as it travels: of the value itself, or from its envelope."""
    if not references.is_envelope(value):
        return codecs.codec(schema).identity(value)
    from alula_api.contract import lists  # few pods need it

    listed = lists.read(value)
    if listed is not None:
        parts = listed.values()
        if next(lists.stored(*parts), None) is None:
            return codecs.codec(schema).identity(listed.joined([lists.plain(each) for each in parts]))
        if isinstance(listed, lists.Batches) and not listed.single:
            return _identity_of_batches(listed, parts, schema)
        return _identity_of_list(parts, schema)
    envelope = references.stored(value)
    return envelope.hash if envelope is not None else codecs.codec(schema).identity(value)


def _identity_of_list(items: Sequence[lists.Value], schema: Schema) -> str:
    """One made of its items' identities in their order, of which some lie in the store."""
    from alula_api.contract import schemas

    types = schemas.items(schema, len(items))
    if types is None:
        raise InvalidValue([Problem("$", f"must be {schemas.describe(schema)}, not a list of {len(items)} items")])
    found = [_identity_of_item(item, each) for item, each in zip(items, types, strict=True)]
    return hashlib.sha256(f"list of {' '.join(found)}".encode()).hexdigest()


def _identity_of_item(item: lists.Value, schema: Schema) -> str:
    from alula_api.contract.graphs import bindings

    return identity(bindings.wire_of(item), schema)


def _identity_of_batches(found: lists.Batches, batches: Sequence[lists.Value], schema: Schema) -> str:
    """One made of its batches' identities, of which some lie in the store, and of which items are meant."""
    told = ["none" if batch is None else _identity_of_item(batch, schema) for batch in batches]
    where = f"{found.total} from {found.start % found.size} in batches of {found.size}"
    return hashlib.sha256(f"{where}: {' '.join(told)}".encode()).hexdigest()


def environment_digest(variables: Iterable[tuple[str, str]], secrets: Iterable[tuple[str, str, str]]) -> str:
    """Return the digest of what a task's resource sets in its environment; empty when it sets nothing.

    Args:
        variables: Name and value of each.
        secrets: Of each variable from a Secret its name, the Secret and the key in it; the value is not read.
    """
    values = dict(variables)
    sources = {name: {"secret": secret, "key": key} for name, secret, key in secrets}
    return digest({"variables": values, "secrets": sources}) if values or sources else ""


def cache_key(
    task: str,
    version: str,
    interface: str,
    inputs: Mapping[str, str],
    environment: str = "",
    *,
    over: Collection[str] = (),
) -> str:
    """Return the key of a task's result, or of those of a batch of its calls.

    Args:
        task: Its name in keys.
        version: Its cache version.
        interface: The digest of names and types.
        inputs: The identity of each input.
        environment: The digest of what its resource sets in the environment.
        over: Of a batch the inputs that are lists, with an item for each call.
    """
    batch: dict[str, Json] = {"batch": sorted(over)} if over else {}
    identities: dict[str, Json] = dict(inputs)
    return digest(
        {
            "v": VERSION,
            "task": task,
            "version": version,
            "interface": interface,
            "environment": environment,
            "inputs": identities,
            **batch,
        }
    )


def cache_path(key: str) -> str:
    """Return where the entry of a key lies below the prefix of a domain."""
    return f"cache/{key[:2]}/{key}.json"


class CacheEntry(NamedTuple):
    """What the cache index holds: a task's outputs as wire values or envelopes, and where they come from.

    Attributes:
        entrypoint: The function that made them. To another one it is a miss: a task that moved runs once more, and two
            tasks of one name do not share what they make.
        parts: Lists among the outputs as maps go over them, by the names of their parameters: what lies in the store
            need not be read to know these. As far as there is room; who asks for another one adds it.
    """

    key: str
    task: str
    outputs: Mapping[str, Json]
    created: str
    run: str
    node: str
    entrypoint: str = ""
    v: int = VERSION
    parts: Mapping[str, Json] = {}

    def with_parts(self, parts: Mapping[str, Json]) -> CacheEntry:
        """Return the entry with these parts too; without those for which there is no room."""
        found = self
        for name, part in parts.items():
            more = found._replace(parts={**found.parts, name: part})
            try:
                more.to_text()
            except InvalidValue:
                continue
            found = more
        return found

    def to_text(self) -> str:
        """Return the text of the entry.

        Raises:
            InvalidValue: When it is larger than 64 KiB.
        """
        text = jsontext.dumps(
            {
                "v": self.v,
                "key": self.key,
                "task": self.task,
                "outputs": dict(self.outputs),
                "created": self.created,
                "run": self.run,
                "node": self.node,
                "entrypoint": self.entrypoint,
                **({"parts": self.parts} if self.parts else {}),
            }
        )
        _check_size(text)
        return text

    @classmethod
    def from_text(cls, text: str | bytes, outputs: Mapping[str, Schema]) -> CacheEntry:
        """Return the entry of a text, every output checked against its type and written anew.

        Raises:
            InvalidValue: For whatever is wrong with it; to the reader of a cache that is a miss.
        """
        _check_size(text)
        found = jsontext.parse(text)
        if (
            type(found) is not dict
            or found.keys() - {"parts"} != _FIELDS
            or found["v"] != VERSION
            or type(found["v"]) is not int
        ):
            raise InvalidValue([Problem("$", f"must be a cache entry of version {VERSION}")])
        problems = [
            Problem(f"$.{name}", f"must be a str, not {shown(found[name])}")
            for name in _TEXTS
            if type(found[name]) is not str
        ]
        if not problems and not references.is_digest(found["key"]):
            problems.append(Problem("$.key", "must be 64 hexadecimal digits in lower case"))
        values = _outputs(found["outputs"], outputs, problems)
        parts = _parts(found.get("parts", {}), problems)
        if problems:
            raise InvalidValue(problems)
        return cls(**found | {"outputs": values, "parts": parts})


_TEXTS: Final = ("key", "task", "created", "run", "node", "entrypoint")
_FIELDS: Final = frozenset({"v", "outputs", *_TEXTS})


def _outputs(found: Any, schemas: Mapping[str, Schema], problems: list[Problem]) -> dict[str, Json]:
    if type(found) is not dict or found.keys() != schemas.keys():
        problems.append(Problem("$.outputs", f"must have exactly the outputs {', '.join(schemas)}"))
        return {}
    values: dict[str, Json] = {}
    for name, schema in schemas.items():
        try:
            envelope = references.stored(found[name])
            values[name] = envelope.to_json() if envelope is not None else codecs.codec(schema).normal(found[name])
        except InvalidValue as error:
            place = member("$.outputs", name)
            problems.extend(Problem(place + item.path[1:], item.message, item.code) for item in error.problems)
    return values


def _parts(found: Any, problems: list[Problem]) -> dict[str, Json]:
    """Lists in the form in which maps go over them, and nothing else: each text is written anew for the engine."""
    if not found:
        return {}
    from alula_api.contract import lists  # few pods need it

    parts: dict[str, Json] = {}
    for name, part in found.items() if type(found) is dict else [("", found)]:
        try:
            many = lists.read(part)
            texts = () if many is None else tuple(lists.text(jsontext.parse(text)) for text in many.texts)
        except InvalidValue:
            many = None
        if many is None:
            problems.append(Problem("$.parts", "must be lists that maps go over"))
        else:
            parts[name] = many._replace(texts=texts).to_json()
    return parts


def _check_size(text: str | bytes) -> None:
    size = len(text) if isinstance(text, bytes) or text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    if size > MOST_ENTRY:
        raise InvalidValue([Problem("$", f"must be at most {MOST_ENTRY} bytes, not {size}", Code.TOO_LARGE)])
