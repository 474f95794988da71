"""Argo's node map in every packing, and what is said where it cannot be read."""

from __future__ import annotations

import base64
import gzip
import json
import sys

import brotli
import pytest
import zstandard

from alula.remote import packing

NODES = {"a": {"name": "run", "phase": "Running"}}
TEXT = json.dumps(NODES).encode()
PACKED = {
    "gzip": gzip.compress(TEXT, mtime=0),
    "zstd": zstandard.ZstdCompressor().compress(TEXT),
    "zstd in a stream": zstandard.ZstdCompressor().compressobj().compress(TEXT)
    + zstandard.ZstdCompressor().compress(TEXT),
    "brotli": brotli.compress(TEXT),
}


def status(data: bytes) -> dict[str, object]:
    return {"nodes": None, "compressedNodes": base64.b64encode(data).decode()}


def hidden(status: dict[str, object]) -> str:
    with pytest.raises(packing.Hidden) as raised:
        packing.unpack(status)
    return str(raised.value)


@pytest.mark.parametrize("how", PACKED)
def test_packed_nodes_are_unpacked(how: str) -> None:
    assert packing.unpack(status(PACKED[how])) == NODES


def test_plain_nodes_are_taken_as_they_are() -> None:
    assert packing.unpack({"nodes": NODES}) == NODES
    assert packing.unpack({}) == {}


@pytest.mark.parametrize(("how", "package"), [("zstd", "zstandard"), ("brotli", "brotli")])
def test_without_the_package_for_a_packing_the_command_to_install_it_is_told(
    how: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert f"`pip install {package}`" in hidden(status(PACKED[how]))


def test_nodes_in_a_database_are_elsewhere() -> None:
    assert "`argo get`" in hidden({"offloadNodeStatusVersion": "fnv:1", "nodes": {}})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense",
        PACKED["gzip"][:-9],
        PACKED["zstd"][:9],
        gzip.compress(b"[1]", mtime=0),
        gzip.compress(b"{", mtime=0),
        b"\x1f\x8bxx",
    ],
)
def test_damaged_nodes_are_told_and_are_no_crash(data: bytes) -> None:
    if not data:
        assert packing.unpack(status(data)) == {}
    else:
        assert "cannot be read" in hidden(status(data)) or "not a map" in hidden(status(data))


def test_text_that_is_not_base64_is_told() -> None:
    assert "cannot be read" in hidden({"compressedNodes": "%%%"})
