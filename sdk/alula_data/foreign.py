"""Data that lies where the user says and not in our store.

Called by `content` for references with a `uri`. The controller never opens one. A laptop opens what its user could
open. A pod opens less, because a reference may come out of a cache or out of an input from elsewhere: no file
of the image or of a mounted volume, and nothing on addresses that only the node itself can reach, where clouds hand out
credentials.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from alula_data import errors
from alula_data.stores import opening

if TYPE_CHECKING:
    from alula_data.stores.protocols import Store

POD_SCHEMES = ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "https")
"""What a pod opens."""
_LOCAL = "{} is an address that only the node or the pod itself can reach"
_ELSEWHERE = "name a host that others can reach too"


def stream(uri: str, *, in_pod: bool = False) -> Iterator[bytes]:
    """The bytes at `uri`, some at a time; raises StoreError."""
    place, slash, name = uri.rpartition("/")
    if not slash or not name or place.endswith(("/", ":")):
        raise errors.StoreError(uri, detail="no file is named", hint="name a file, such as s3://bucket/folder/file.csv")
    if not in_pod:
        return opening.open_store(place).stream(name)
    check_in_pod(uri)
    return (_guarded(place) if uri.startswith("https:") else opening.open_store(place)).stream(name)


def _guarded(place: str) -> Store:
    """What lies under an https URL, wherever redirects and later answers of the DNS lead: never to a local address."""
    import aiohttp
    from fsspec.implementations import http

    from alula_data.stores import filesystems

    def connect(found: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, address = found
        if is_local(str(address[0])):
            raise errors.Denied(place, detail=_LOCAL.format(address[0]), hint=_ELSEWHERE)
        return socket.socket(family, kind, protocol)

    async def session(**options: Any) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(socket_factory=connect), **options)

    files = http.HTTPFileSystem(get_client=session, skip_instance_cache=True, use_listings_cache=False)
    return filesystems.FileSystemStore(place, files=files)


def check_in_pod(uri: str) -> None:
    """Raises Denied for what a pod does not open."""
    scheme = uri.partition("://")[0]
    if "::" in uri:  # fsspec opens what stands behind it, whatever stands before
        raise errors.Denied(uri, detail="an address within an address is not opened", hint="name the data itself")
    if scheme not in POD_SCHEMES:
        hint = f"put the data into an object store: a task in a cluster opens {', '.join(POD_SCHEMES)}"
        raise errors.Denied(uri, detail=f"a task in a cluster does not open {scheme}: addresses", hint=hint)
    if scheme != "https":
        return  # the host is a bucket
    try:
        host, port = urlsplit(uri).hostname or "", urlsplit(uri).port or 443
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, ValueError) as error:
        raise errors.Unavailable(uri, detail=f"its host has no address: {error}") from None
    inner = sorted(address for address in found if is_local(address))
    if inner:
        raise errors.Denied(uri, detail=_LOCAL.format(inner[0]), hint=_ELSEWHERE)


def is_local(address: str) -> bool:
    """Whether an address is one of the link, of the machine itself, or of nothing."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None) or found
    return mapped.is_link_local or mapped.is_loopback or mapped.is_unspecified or mapped.is_multicast
