"""The cache index: which results are known, by the key of what made them.

Called by the pod and the local runner, whose lookup is the truth, and by the controller, which fills in finished nodes.
An entry counts only if it is well-formed, fits the types that the caller expects, and everything it points at is there
in the right size; anything else is a miss, and the next result mends it. What can write an entry belongs to the
same domain, but its text is read as if it were hostile all the same: the identity that it gives for a
stored value, which enters the keys of what is made of it, is compared with the value's own.

An object of the index is two lines of JSON: the entry, and the digest of the first line, because a bit that flips in
an output that travels inline would else be a wrong hit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from alula_api.contract import families, keys, references, values
from alula_api.contract.codes import Code
from alula_api.contract.families import Schema
from alula_api.contract.keys import CacheEntry
from alula_api.contract.references import Stored
from alula_api.contract.values import Json
from alula_data import content, digests, errors
from alula_data.content import Content
from alula_data.stores.protocols import Store

Outputs = Mapping[str, Schema]
"""The types of a task's outputs, by name."""

_FALSE = "its output {} is given another identity than its content has"
_SEAL = b'\n{"sha256":"%s"}\n'
_SEAL_SIZE = len(_SEAL) - len("%s") + 64
MOST_CHECKED = 64 << 10
"""Bytes of a stored value with references in it that a reader for many domains opens."""
_MOST_BYTES = keys.MOST_ENTRY + _SEAL_SIZE


@dataclass(frozen=True, slots=True)
class Lookup:
    """What was found under a key: an entry, or why there is none that counts."""

    key: str
    entry: CacheEntry | None
    reason: str = ""
    broken: bool = False
    """There is something under the key, but it does not count."""
    stored: Mapping[str, Stored] = field(default_factory=dict)
    """Of outputs that travel inline those that lie in the store as well, as far as that was asked for."""


class CacheIndex:
    """The index of one domain.

    Args:
        store: the domain's prefix.
        deep: whether the files that stored values name are looked for, and stored values of any size are opened. If
            not, those with references in them are opened to check their identity up to `MOST_CHECKED` bytes, and
            larger ones are misses.
    """

    def __init__(self, store: Store, *, deep: bool = True) -> None:
        self.store = store
        self._content = Content(store)
        self._deep = deep

    def find(self, key: str, outputs: Outputs, entrypoint: str = "") -> Lookup:
        """The entry that counts, or why none does: where an `entrypoint` is given, none that another function made.

        Raises:
            StoreError: The store gives no answer.
        """
        try:
            text = self._text(keys.cache_path(key))
        except errors.NotFound:
            return Lookup(key, None, "there is no entry")
        try:
            entry = CacheEntry.from_text(_opened(text), outputs)
        except values.InvalidValue as error:
            damaged = error.problems[0].code == Code.DAMAGED
            why = "the entry is damaged" if damaged else f"the entry is malformed: {error}"
            return Lookup(key, None, why, broken=True)
        if entry.key != key:
            return Lookup(key, None, f"the entry is that of the key {entry.key}", broken=True)
        if entrypoint and entry.entrypoint != entrypoint:
            return Lookup(key, None, f"the entry was made by {entry.entrypoint}, not by {entrypoint}", broken=True)
        gone = next(self._gone(entry, outputs), "")
        if gone:
            return Lookup(key, None, gone, broken=True)
        return Lookup(key, entry)

    def also_stored(self, value: Json, schema: Schema) -> Stored | None:
        """The envelope of a value that travels inline, where it lies in the store as well: as a long item of a list."""
        stored = content.envelope(values.dumps(value), values.codec(schema).digest(value))
        return stored if self._content.has(stored.path(), stored.size) else None

    def record(self, entry: CacheEntry, outputs: Outputs) -> bool:
        """Writes an entry unless there is one that counts; returns whether it did.

        Two that mend the same broken entry at the same moment may both be told that they did; the later one stays.
        """
        path, data = keys.cache_path(entry.key), _sealed(entry.to_text().encode())
        if self.store.put_if_absent(path, data):
            return True
        if self.find(entry.key, outputs, entry.entrypoint).entry is not None:
            return False
        self.store.put(path, data)
        return True

    def settle(self, entry: CacheEntry, outputs: Outputs) -> CacheEntry:
        """Records an entry and returns the one that stands, so that all consumers see the outputs of the first run."""
        if self.record(entry, outputs):
            return entry
        return self.find(entry.key, outputs, entry.entrypoint).entry or entry

    def enrich(self, key: str, outputs: Outputs, entrypoint: str, parts: Mapping[str, Json]) -> None:
        """Adds lists that a map goes over to an entry that counts; several that do so at one time may lose each other's
        ones, which are then added anew."""
        entry = self.find(key, outputs, entrypoint).entry
        if entry is None or parts.keys() <= entry.parts.keys():
            return
        more = entry.with_parts({name: part for name, part in parts.items() if name not in entry.parts})
        if more is not entry:
            self.store.put(keys.cache_path(key), _sealed(more.to_text().encode()))

    def evict(self, key: str) -> bool:
        """Removes the entry; returns whether there was one."""
        path = keys.cache_path(key)
        there = self.store.head(path) is not None
        self.store.delete(path)
        return there

    def _text(self, path: str) -> bytes:
        """The entry's bytes, or too many of them for a valid one, but never all of a huge object."""
        data = b""
        for chunk in self.store.stream(path):
            data += chunk
            if len(data) > _MOST_BYTES:
                break
        return data[: _MOST_BYTES + 1]

    def _gone(self, entry: CacheEntry, outputs: Outputs) -> Iterator[str]:
        for name, schema in outputs.items():
            value = entry.outputs[name]
            stored = references.stored(value)
            if stored is None:
                yield from self._gone_in(name, value, schema)
            elif not self._content.has(stored.path(), stored.size):
                yield f"its output {name} is gone or damaged: {stored.path()}"
            elif not families.has_references(schema, schema):
                if stored.hash != stored.digest:
                    yield _FALSE.format(name)
            elif self._deep or stored.size <= MOST_CHECKED:
                yield from self._gone_behind(name, value, stored, schema)
            else:
                yield f"its output {name} has more than {MOST_CHECKED} bytes, so its identity is checked in a pod"

    def _gone_behind(self, name: str, value: Json, stored: Stored, schema: Schema) -> Iterator[str]:
        """Opens a stored value with references in it, whose identity is not the digest of its bytes."""
        codec = values.codec(schema)
        try:
            loaded = codec.normal(self._content.load_value(value) if self._deep else self._small(stored))
            identity = codec.digest(loaded)
        except (errors.Damaged, errors.NotFound, values.InvalidValue) as error:
            yield f"its output {name} cannot be read: {error}"
            return
        if identity != stored.hash:
            yield _FALSE.format(name)
        if self._deep:
            yield from self._gone_in(name, loaded, schema)

    def _small(self, stored: Stored) -> Json:
        """A stored value of few bytes, however many there are by now; nothing is put aside that is damaged."""
        data = b""
        try:
            for chunk in self.store.stream(stored.path()):
                data += chunk
                if len(data) > stored.size:
                    break
        except errors.Denied:
            raise errors.Damaged(self.store.url, stored.path(), "it may not be read here") from None
        if digests.of_bytes(data) != stored.digest:
            raise errors.Damaged(self.store.url, stored.path(), "its digest is another one")
        return values.parse(data)

    def _gone_in(self, name: str, value: Json, schema: Schema) -> Iterator[str]:
        if not isinstance(value, (dict, list)) or not families.has_references(schema, schema):
            return
        for reference in references.walk(value, schema):
            if not self._content.exists(reference):
                yield f"its output {name} is gone or damaged: {reference.path()}"


def _sealed(text: bytes) -> bytes:
    return text + _SEAL % digests.of_bytes(text).encode()


def _opened(data: bytes) -> bytes:
    """The entry's own line; raises InvalidValue unless its seal is whole."""
    text = data[:-_SEAL_SIZE]
    if len(data) > _MOST_BYTES or _sealed(text) != data:
        raise values.InvalidValue([values.Problem("$", "is not what was written", Code.DAMAGED)])
    return text
