"""Keys of objects: what is allowed as one, for all stores alike.

Called by every store before anything else happens, so that no text from a reference, an archive or a cache entry can
name a place outside the store.
"""

from __future__ import annotations

from alula_data import errors

TEMPORARY = ".alula-tmp-"
"""Names that begin so are half-written objects: no key may have one, no listing shows one."""

_SEGMENT_LIMIT = 255
_KEY_LIMIT = 1000


def check(url: str, key: str) -> str:
    """`key` itself when it is a key; else raises StoreError."""
    problem = problem_of(key)
    if problem:
        raise errors.StoreError(url, repr(key[:100]), problem, "a key must be a relative path of plain names")
    return key


def check_prefix(url: str, prefix: str) -> str:
    """`prefix` without a slash at its end when it is empty or a key; else raises StoreError."""
    prefix = prefix.rstrip("/")
    return check(url, prefix) if prefix else ""


def problem_of(key: str) -> str:
    """Why `key` is not one, in words; empty when it is."""
    try:
        size = len(key.encode("utf-8"))
    except UnicodeEncodeError:
        return "lone surrogates cannot be written"
    if size > _KEY_LIMIT:
        return f"longer than {_KEY_LIMIT} bytes"
    for segment in key.split("/"):
        if segment in ("", ".", ".."):
            return "an empty segment, '.' or '..'"
        if segment.startswith(TEMPORARY):
            return f"names that begin with {TEMPORARY} are reserved"
        if size > _SEGMENT_LIMIT and len(segment.encode("utf-8")) > _SEGMENT_LIMIT:
            return f"a segment longer than {_SEGMENT_LIMIT} bytes"
    if not key.isprintable() and any(ord(character) < 0x20 or ord(character) == 0x7F for character in key):
        return "control characters"
    return ""
