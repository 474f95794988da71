"""Argo's node map: read in every packing that an install may have chosen, checked, and packed for one patch.

Argo packs the map when it grows: with gzip, or with zstd or brotli where `WORKFLOW_COMPRESSION_ALGORITHM` says so; an
install may also keep it in a database, where no API object shows it. The packages for the latter two load on first use.
"""

from __future__ import annotations

import base64
import gzip
import importlib
import json
import zlib
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from alula_api.contract import json_bounds, names

Node: TypeAlias = dict[str, Any]
Nodes: TypeAlias = dict[str, Node]

MAX_UNPACKED: Final = 8 << 20
"""Bytes of an unpacked map; 1,000 nodes are about 2 MB."""
MAX_VALUES: Final = 200_000
"""JSON values in one; a node has about 45. As Python objects they take some 60 MB at worst."""
MAX_DEPTH: Final = 50
"""Levels of arrays and objects in one; Argo's own nodes have about 8."""
_ZSTD = b"\x28\xb5\x2f\xfd"
_GZIP = b"\x1f\x8b"


class Hidden(Exception):
    """The nodes cannot be read here; the message says why, and what to do about it."""


class Offloaded(Hidden):
    """The nodes are in a database of Argo's, where a hold cannot be answered by a patch."""


class Unreadable(Hidden):
    """The nodes are damaged, packed in a way that is not known here, or named in another way than Argo names them."""


def read(status: Mapping[str, Any]) -> Nodes:
    """The node map of a run's status, by the nodes' ids.

    Raises:
        Offloaded: they are not in the object.
        Unreadable: they are, in a form that cannot be read here.
    """
    if status.get("offloadNodeStatusVersion"):
        raise Offloaded("this Argo keeps the nodes of its runs in a database: Argo's UI and `argo get` show them")
    nodes, packed = status.get("nodes"), status.get("compressedNodes")
    if nodes or not packed:
        return _checked(nodes or {}, "nodes")
    try:
        unpacked = json.loads(_counted(_unpack(base64.b64decode(str(packed), validate=True))))
    except (ValueError, EOFError, OSError, zlib.error) as error:
        why = "they are damaged, or packed in a new way"
        raise Unreadable(f"the packed nodes of this run cannot be read: {why} ({error})") from error
    return _checked(unpacked, "packed nodes")


def _checked(found: Any, what: str) -> Nodes:
    """The node map, if it is one: Argo's minimal CRDs let anything stand there."""
    if not isinstance(found, Mapping) or not all(map(_is_node, found.values())):
        raise Unreadable(f"the {what} of this run are not a map of nodes")
    return dict(found)


def _is_node(node: Any) -> bool:
    if not isinstance(node, dict):
        return False
    outputs = node.get("outputs") or {}
    given = outputs.get("parameters") or [] if isinstance(outputs, dict) else None
    return isinstance(given, list) and all(isinstance(each, dict) for each in given)


def packed(run: Mapping[str, Any]) -> bool:
    """Whether the nodes of a run have to be unpacked to be read."""
    return bool((run.get("status") or {}).get("compressedNodes"))


def pack(nodes: Nodes) -> str:
    """The text for `status.compressedNodes`; the same nodes give the same text. gzip is read by every Argo."""
    text = json.dumps(nodes, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=6, mtime=0)).decode()


def id_of(run: str, path: str) -> str:
    """The id of the node at a path below the run's own: the path `train`, Argo's name `<run>.train`."""
    return names.argo_node_id(run, names.argo_node_name(run, path) if path else run)


def parameters(node: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The output parameters of a node."""
    return (node.get("outputs") or {}).get("parameters") or []


def _unpack(data: bytes) -> bytes:
    if data.startswith(_GZIP):
        return _bounded(zlib.decompressobj(wbits=31), data)
    return _unzstd(data) if data.startswith(_ZSTD) else _unbrotli(data)


def _counted(text: bytes) -> bytes:
    """The text, if what it holds is little enough to be parsed."""
    if (found := json_bounds.values(text)) > MAX_VALUES:
        raise ValueError(f"they hold {found} values, more than {MAX_VALUES}")
    if json_bounds.nests_deeper(text, MAX_DEPTH):
        raise ValueError(f"they nest deeper than {MAX_DEPTH} levels")
    return text


def _bounded(decompressor: Any, data: bytes) -> bytes:
    unpacked: bytes = decompressor.decompress(data, MAX_UNPACKED)
    if decompressor.unconsumed_tail:
        raise ValueError(f"they are larger than {MAX_UNPACKED} bytes")
    if not decompressor.eof:
        raise ValueError("they are cut off")
    return unpacked


def _unzstd(data: bytes) -> bytes:
    zstandard = _package("zstandard", "zstd")
    try:
        with zstandard.ZstdDecompressor(max_window_size=MAX_UNPACKED).stream_reader(data) as reader:
            unpacked: bytes = reader.read(MAX_UNPACKED + 1)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error
    if len(unpacked) > MAX_UNPACKED:
        raise ValueError(f"they are larger than {MAX_UNPACKED} bytes")
    return unpacked


def _unbrotli(data: bytes) -> bytes:
    brotli = _package("brotli", "brotli, as it seems")
    decompressor = brotli.Decompressor()
    try:
        unpacked: bytes = decompressor.process(data, output_buffer_limit=MAX_UNPACKED)
    except brotli.error as error:
        raise ValueError(f"neither gzip nor zstd nor brotli: {error}") from error
    if not decompressor.is_finished():
        raise ValueError("they are cut off or too large")
    return unpacked


def _package(name: str, packing: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        message = f"this Argo packs the nodes of its runs with {packing}: `pip install {name}` to read them"
        raise Unreadable(message) from None
