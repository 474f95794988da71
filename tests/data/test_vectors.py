"""Values, references and keys lie in a store where the contract says, and come back as they were."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from alula_api.contract import keys, references, values
from alula_api.contract.keys import CacheEntry
from alula_data import caches, content
from alula_data.stores import memory
from tests import vectors


@pytest.mark.parametrize("case", vectors.VALUES, ids=vectors.name)
def test_a_value_that_is_stored_lies_under_the_digest_of_its_wire_text_and_keeps_its_identity(
    case: dict[str, Any],
) -> None:
    store = memory.MemoryStore()
    kept = content.Content(store)
    envelope = references.stored(kept.save_value(case["wire"], case["identity"], 0))
    assert envelope is not None
    digest = hashlib.sha256(case["wire"].encode()).hexdigest()
    assert (envelope.digest, envelope.hash) == (digest, case["identity"])
    assert store.get(f"cas/{digest[:2]}/{digest}/value.json").decode() == case["wire"]
    assert values.dumps(kept.load_value(envelope.to_json())) == case["wire"]
    assert keys.identity(envelope.to_json(), case["schema"]) == case["identity"]


@pytest.mark.parametrize("case", vectors.VALUES, ids=vectors.name)
def test_a_value_travels_inline_exactly_up_to_the_length_of_its_argo_safe_text(case: dict[str, Any]) -> None:
    kept = content.Content(memory.MemoryStore())
    inline = values.parse(case["wire"])
    fits = kept.save_value(case["wire"], case["identity"], len(case["argo_safe"]))
    assert fits == inline or references.is_envelope(inline)
    assert references.stored(kept.save_value(case["wire"], case["identity"], len(case["argo_safe"]) - 1)) is not None


@pytest.mark.parametrize("case", vectors.INLINE, ids=vectors.name)
def test_a_value_comes_back_from_a_cache_entry(case: dict[str, Any]) -> None:
    index = caches.CacheIndex(Everything())
    types = {"o0": case["schema"]}
    key = keys.cache_key("t", "1", "0" * 64, {})
    index.record(CacheEntry(key, "t", {"o0": values.parse(case["wire"])}, "", "", ""), types)
    found = index.find(key, types).entry
    assert found is not None
    assert values.codec(case["schema"]).wire(found.outputs["o0"]) == case["wire"]


@pytest.mark.parametrize("case", vectors.KEYS, ids=vectors.name)
def test_an_entry_lies_under_the_vectors_path(case: dict[str, Any]) -> None:
    store = memory.MemoryStore()
    caches.CacheIndex(store).record(CacheEntry(case["key"], case["task"], {"o0": 1}, "", "", ""), {"o0": {}})
    assert [head.key for head in store.list("cache")] == [case["path"]]


@pytest.mark.parametrize("case", vectors.VECTORS["references"], ids=vectors.name)
def test_a_file_lies_where_its_reference_says(case: dict[str, Any]) -> None:
    reference = references.Reference.from_json(values.parse(case["given"]))
    if not reference.digest or reference.type == "directory":
        return
    store = memory.MemoryStore()
    made = content.Content(store).commit_bytes(b"abc", type="file", name=reference.name, format=reference.format)
    path = (
        case["path"]
        .replace(reference.digest, made.digest)
        .replace(f"/{reference.digest[:2]}/", f"/{made.digest[:2]}/", 1)
    )
    assert [head.key for head in store.list("cas")] == [path] == [made.path()]


class Everything(memory.MemoryStore):
    """A store in which every file that a vector names is there."""

    def head(self, key: str) -> Any:
        from alula_data.stores.protocols import Head

        return super().head(key) if key.startswith("cache/") else Head(key, 3, 0.0, "")
