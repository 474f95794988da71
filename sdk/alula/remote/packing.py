"""Argo's map of a run's nodes, in whichever packing an install has chosen. Pure; called by `following`.

Argo packs the map when it grows: with gzip, or with zstd or brotli where `WORKFLOW_COMPRESSION_ALGORITHM` says so; an
install may also keep it in a database, where kubectl's API does not show it.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
LARGEST = 64 << 20
"""Bytes of an unpacked map; 1,000 nodes are about 2 MB."""


class Hidden(Exception):
    """The nodes cannot be shown; the message says why, and what to do about it."""


def unpack(status: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The nodes of a run's status by their ids.

    Raises:
        Hidden: they are not in the object, or in a form that cannot be read here.
    """
    if status.get("offloadNodeStatusVersion"):
        raise Hidden("this Argo keeps the nodes of its runs in a database: Argo's UI and `argo get` show them")
    nodes, packed = status.get("nodes"), status.get("compressedNodes")
    if nodes or not packed:
        return dict(nodes or {})
    try:
        data = base64.b64decode(packed, validate=True)
        unpacked = json.loads(_bytes(data))
    except ValueError:  # bad base64, bad JSON, and what the decompressors raise
        raise Hidden("the packed nodes of this run cannot be read: they are damaged, or packed in a new way") from None
    if not isinstance(unpacked, dict):
        raise Hidden("the packed nodes of this run are not a map")
    return unpacked


def _bytes(data: bytes) -> bytes:
    if data.startswith(GZIP):
        return _gzip(data)
    return _zstd(data) if data.startswith(ZSTD) else _brotli(data)


def _gzip(data: bytes) -> bytes:
    unpacking = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacking.decompress(data, LARGEST)
    except zlib.error as error:
        raise ValueError(error) from error
    if not unpacking.eof:
        raise ValueError("cut off or too large")
    return unpacked


def _zstd(data: bytes) -> bytes:
    try:
        import zstandard
    except ImportError:
        raise Hidden(_missing("zstd", "zstandard")) from None
    try:
        with zstandard.ZstdDecompressor().stream_reader(data) as reader:
            unpacked: bytes = reader.read(LARGEST)
    except zstandard.ZstdError as error:
        raise ValueError(error) from error
    return unpacked


def _brotli(data: bytes) -> bytes:
    try:
        import brotli
    except ImportError:
        raise Hidden(_missing("brotli, as it seems", "brotli")) from None
    try:
        unpacked: bytes = brotli.decompress(data)
    except brotli.error as error:
        raise ValueError(error) from error
    return unpacked


def _missing(what: str, package: str) -> str:
    return f"this Argo packs the nodes of its runs with {what}: `pip install {package}` to see them"
