"""Argo's node map in its packings."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import brotli
import pytest
import zstandard

from alula_controller.runs import nodes
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
    with pytest.raises(nodes.Offloaded):
        nodes.read({"offloadNodeStatusVersion": "fnv:1", "nodes": {}})


@pytest.mark.parametrize(
    "packed",
    [
        "not base64!",
        base64.b64encode(b"neither").decode(),
        base64.b64encode(gzip.compress(TEXT)[:-20]).decode(),
        base64.b64encode(gzip.compress(b"[1,2]")).decode(),
        base64.b64encode(gzip.compress(b'{"a": 1}')).decode(),
        base64.b64encode(zstandard.ZstdCompressor().compress(TEXT)[:30]).decode(),
    ],
    ids=["no base64", "no packing", "cut gzip", "a list", "no nodes", "cut zstd"],
)
def test_what_cannot_be_unpacked_says_so(packed: str) -> None:
    with pytest.raises(nodes.Unreadable):
        nodes.read({"compressedNodes": packed})


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "LARGEST", 10_000)
    for pack in (gzip.compress, zstandard.ZstdCompressor().compress, brotli.compress):
        with pytest.raises(nodes.Unreadable):
            nodes.read({"compressedNodes": base64.b64encode(pack(b" " * 1_000_000 + b"{}")).decode()})


def test_the_hold_is_found_only_where_argo_names_it_as_we_expect() -> None:
    found = nodes.held("run-1", NODES)
    assert found is not None
    assert [node["displayName"] for node in found] == ["run-1", "admit"]
    assert nodes.held("run-1", {}) is None
    renamed = {
        ("other" if key != "run-1" else key): {**node, "id": "other" if key != "run-1" else key}
        for key, node in NODES.items()
    }
    with pytest.raises(nodes.Unreadable):
        nodes.held("run-1", renamed)


@pytest.mark.parametrize(
    ("phase", "outputs", "unanswered"),
    [
        ("Running", [{"name": "x", "valueFrom": {"supplied": {}}}], True),
        ("Succeeded", [{"name": "x", "value": "1"}], False),
        ("Succeeded", [{"name": "x", "valueFrom": {"supplied": {}}}], True),
        ("Failed", [], False),
    ],
)
def test_a_hold_that_was_resumed_without_outputs_is_still_unanswered(
    phase: str, outputs: Any, unanswered: bool
) -> None:
    assert nodes.unanswered({"phase": phase, "outputs": {"parameters": outputs}}) is unanswered
