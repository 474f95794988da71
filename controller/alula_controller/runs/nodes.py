"""Argo's node map: read in every packing that an install may have chosen, checked, and packed for one patch. Pure.

Used by `gather` (read) and `decide` (pack). What is said here of Argo was seen on 4.1.2.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import zlib
from collections.abc import Mapping
from typing import Any

from alula_api.contract import names

Node = dict[str, Any]
Nodes = dict[str, Node]

ADMIT = "admit"
FINISHED = ("Succeeded", "Failed", "Error", "Skipped", "Omitted")
LARGEST = 64 << 20  # bytes of an unpacked map; 1,000 nodes are about 2 MB
_ZSTD = b"\x28\xb5\x2f\xfd"
_GZIP = b"\x1f\x8b"


class Offloaded(Exception):
    """The nodes are in a database of Argo's: a hold cannot be answered by a patch."""


class Unreadable(Exception):
    """The packed nodes cannot be unpacked here."""


def read(status: Mapping[str, Any]) -> Nodes:
    """The node map of a run's status.

    Raises:
        Offloaded: they are not in the object.
        Unreadable: they are, in a form that we cannot read; the message says what is missing or broken.
    """
    if status.get("offloadNodeStatusVersion"):
        raise Offloaded
    nodes = status.get("nodes")
    if nodes:
        return dict(nodes)
    packed = status.get("compressedNodes")
    if not packed:
        return {}
    try:
        data = base64.b64decode(packed, validate=True)
        unpacked = json.loads(_unpack(data))
    except (binascii.Error, ValueError, EOFError, OSError, zlib.error) as error:
        raise Unreadable(f"the run's packed nodes cannot be read: {error}") from error
    if not isinstance(unpacked, dict) or not all(isinstance(node, dict) for node in unpacked.values()):
        raise Unreadable("the run's packed nodes are not a map of nodes")
    return unpacked


def pack(nodes: Nodes) -> str:
    """The text for `status.compressedNodes`; the same nodes give the same text. gzip is read by every Argo."""
    text = json.dumps(nodes, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=6, mtime=0)).decode()


def node_id(run: str, node_name: str) -> str:
    """The id that Argo gives to a node."""
    return names.argo_node_id(run, node_name)


def held(run: str, nodes: Nodes) -> tuple[Node, Node] | None:
    """The root and the `admit` node, where the ids are what we think they are; None if either is not there (yet).

    Raises:
        Unreadable: Argo names its nodes in another way than this controller knows, so nothing may be written.
    """
    root = nodes.get(run)
    admit = next((node for node in nodes.values() if node.get("name") == f"{run}.{ADMIT}"), None)
    if root is None or admit is None:
        return None
    if (
        root.get("name") != run
        or admit.get("id") != node_id(run, f"{run}.{ADMIT}")
        or nodes.get(admit["id"]) is not admit
    ):
        raise Unreadable(f"Argo calls the admit node {admit.get('id')}, not {node_id(run, f'{run}.{ADMIT}')}")
    return root, admit


def unanswered(admit: Node) -> bool:
    """Whether the hold waits for us: Running, or resumed by somebody while its outputs were not supplied."""
    if admit.get("phase") in ("Running", "Pending"):
        return True
    return admit.get("phase") == "Succeeded" and any("value" not in output for output in parameters(admit))


def parameters(node: Node) -> list[dict[str, Any]]:
    """The output parameters of a node."""
    return (node.get("outputs") or {}).get("parameters") or []


def _unpack(data: bytes) -> bytes:
    if data.startswith(_GZIP):
        return _bounded(zlib.decompressobj(wbits=31), data)
    if data.startswith(_ZSTD):
        return _unzstd(data)
    return _unbrotli(data)


def _bounded(decompressor: Any, data: bytes) -> bytes:
    unpacked: bytes = decompressor.decompress(data, LARGEST)
    if decompressor.unconsumed_tail:
        raise ValueError(f"they are larger than {LARGEST} bytes")
    if not decompressor.eof:
        raise ValueError("they are cut off")
    return unpacked


def _unzstd(data: bytes) -> bytes:
    import zstandard

    try:
        with zstandard.ZstdDecompressor().stream_reader(data) as reader:
            unpacked: bytes = reader.read(LARGEST + 1)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error
    if len(unpacked) > LARGEST:
        raise ValueError(f"they are larger than {LARGEST} bytes")
    return unpacked


def _unbrotli(data: bytes) -> bytes:
    import brotli

    decompressor = brotli.Decompressor()
    try:
        unpacked: bytes = decompressor.process(data, output_buffer_limit=LARGEST)
    except brotli.error as error:
        raise ValueError(f"neither gzip nor zstd nor brotli ({error})") from error
    if not decompressor.is_finished():
        raise ValueError("they are cut off or too large")
    return unpacked
