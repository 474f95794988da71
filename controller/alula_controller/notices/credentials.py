"""Credentials of places: files of one mounted Secret of the installation, named `<namespace>.<place>`.

So a Domain reaches its own only: the name is made from its namespace, which no text of a tenant is. Read anew for each
notice, because a mounted Secret changes while we run. Nothing of them is logged or put into a message.
"""

from __future__ import annotations

from pathlib import Path

from alula_api.contract import names

MAX_BYTES = 8192


def read(folder: str, namespace: str, place: str) -> str:
    """The credential of a place, without white space around it; empty where there is none.

    Raises:
        ValueError: There is a file, and it holds no credential.
    """
    if not folder or not names.is_dns_label(namespace) or not names.is_dns_label(place):
        return ""
    path = Path(folder) / f"{namespace}.{place}"
    try:
        with path.open("rb") as file:
            found = file.read(MAX_BYTES + 1)
    except OSError:
        return ""
    if len(found) > MAX_BYTES:
        raise ValueError(f"the credential {path.name} has more than {MAX_BYTES} bytes")
    try:
        text = found.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise ValueError(f"the credential {path.name} is no text") from None
    if any(ord(each) < 32 and each not in "\r\n" for each in text) or "\x7f" in text:
        raise ValueError(f"the credential {path.name} holds control characters")
    return text
