"""Argo's node map in its packings."""

from __future__ import annotations

import base64
import gzip
import json
import sys
from typing import Any

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from alula_api.argo import nodes
from alula_api.contract import names
from tests.controller import scenes

NODES = scenes.held_run()["status"]["nodes"]
TEXT = json.dumps(NODES).encode()


@pytest.mark.parametrize(
    "pack", [gzip.compress, zstandard.ZstdCompressor().compress, brotli.compress], ids=["gzip", "zstd", "brotli"]
)
def test_every_packing_that_an_install_may_have_chosen_is_read(pack: Any) -> None:
    assert nodes.read({"compressedNodes": base64.b64encode(pack(TEXT)).decode()}) == NODES


def test_plain_nodes_are_read() -> None:
    assert nodes.read({"nodes": NODES}) == NODES
    assert nodes.read({}) == {}


def test_packing_is_the_same_each_time_and_reads_back() -> None:
    assert nodes.pack(NODES) == nodes.pack(dict(reversed(NODES.items())))
    assert nodes.read({"compressedNodes": nodes.pack(NODES)}) == NODES


def test_offloaded_nodes_are_out_of_reach() -> None:
    with pytest.raises(nodes.Offloaded, match="`argo get`"):
        nodes.read({"offloadNodeStatusVersion": "fnv:1", "nodes": {}})


@pytest.mark.parametrize(
    "packed",
    [
        "not base64!",
        base64.b64encode(b"\x1f\x8bxx").decode(),
        base64.b64encode(gzip.compress(b"{")).decode(),
        base64.b64encode(b"neither").decode(),
        base64.b64encode(gzip.compress(TEXT)[:-20]).decode(),
        base64.b64encode(gzip.compress(b"[1,2]")).decode(),
        base64.b64encode(gzip.compress(b'{"a": 1}')).decode(),
        base64.b64encode(zstandard.ZstdCompressor().compress(TEXT)[:30]).decode(),
    ],
    ids=["no base64", "no gzip", "no JSON", "no packing", "cut gzip", "a list", "no nodes", "cut zstd"],
)
def test_what_cannot_be_unpacked_says_so(packed: str) -> None:
    with pytest.raises(nodes.Unreadable, match=r"cannot be read|are not a map"):
        nodes.read({"compressedNodes": packed})


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "MAX_UNPACKED", 10_000)
    for pack in (gzip.compress, zstandard.ZstdCompressor().compress, brotli.compress):
        with pytest.raises(nodes.Unreadable):
            nodes.read({"compressedNodes": base64.b64encode(pack(b" " * 1_000_000 + b"{}")).decode()})


PACKERS = (gzip.compress, zstandard.ZstdCompressor().compress, brotli.compress)
BOMBS = {
    "wide": b'{"r":{"children":[' + b",".join([b"{}"] * 2_000_000) + b"]}}",
    "commas": b'{"r":{"children":[' + b"0," * 300_000 + b"0]}}",
    "deep": b'{"r":' * 60 + b"{}" + b"}" * 60,
    "deeper than Python goes": b'{"r":' * 100_000 + b"{}" + b"}" * 100_000,
    "never closed": b"[" * 100_000,
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
@pytest.mark.parametrize("pack", PACKERS, ids=["gzip", "zstd", "brotli"])
def test_a_map_of_few_bytes_that_would_take_much_memory_is_not_parsed(
    bomb: bytes, pack: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[int] = []
    monkeypatch.setattr(nodes.json, "loads", lambda text: parsed.append(len(text)))
    packed = base64.b64encode(pack(bomb)).decode()
    assert len(packed) < 90_000
    with pytest.raises(nodes.Unreadable, match=r"more than \d+|deeper than \d+"):
        nodes.read({"compressedNodes": packed})
    assert parsed == []


def test_the_largest_run_that_compiles_is_read() -> None:
    port = [{"name": "o0", "value": "x" * 100}]
    node = {"id": "a", "phase": "Succeeded", "outputs": {"parameters": port * 3}, "children": ["b"] * 5, "x": {"y": 1}}
    many = {f"run-{number}": node for number in range(3_000)}
    assert len(nodes.read({"compressedNodes": nodes.pack(many)})) == 3_000


@pytest.mark.parametrize(
    ("pack", "package"), [(zstandard.ZstdCompressor().compress, "zstandard"), (brotli.compress, "brotli")]
)
def test_without_the_package_for_a_packing_the_command_to_install_it_is_told(
    pack: Any, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(nodes.Unreadable, match=f"`pip install {package}`"):
        nodes.read({"compressedNodes": base64.b64encode(pack(TEXT)).decode()})


@given(st.text("abc.-0", min_size=1, max_size=20))
def test_an_id_is_that_of_argos_name_and_the_empty_path_is_the_run(path: str) -> None:
    assert nodes.id_of("r", path) == names.argo_node_id("r", f"r.{path}")
    assert nodes.id_of("r", "") == "r"
