"""How deep a JSON text nests and how many values it holds, found out before anything parses it.

For texts that anybody may have written: Argo's node maps, and answers of the API server. Works on bytes, in C: a count
costs less than the parse that it precedes. A text that is no JSON has no depth worth knowing; its reader refuses it.
"""

from __future__ import annotations

import re
from array import array
from itertools import accumulate
from typing import Final

_TOKENS: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))


def nests_deeper(text: bytes, most: int) -> bool:
    """Whether arrays and objects lie more than `most` levels inside each other."""
    if text.count(b"{") + text.count(b"[") <= most:
        return False
    steps = array("b", _without_strings(text).translate(_STEPS, _NO_BRACKETS))
    return max(accumulate(steps), default=0) > most


def values(text: bytes) -> int:
    """At least as many as the values in it, those inside others included."""
    structure = _without_strings(text)
    return 1 + structure.count(b",") + structure.count(b"[") + structure.count(b"{")


def pruned(text: bytes, most: int) -> bytes:
    """The text with null in place of each array or object that lies deeper than `most` levels."""
    kept, depth, begin = [], 0, 0
    for token in _TOKENS.finditer(text):
        sign = token.group()
        if sign in (b"[", b"{"):
            depth += 1
            if depth == most + 1:
                kept += [text[begin : token.start()], b"null"]
        elif sign in (b"]", b"}"):
            depth -= 1
            if depth == most:
                begin = token.end()
    return b"".join([*kept, text[begin:]])


def _without_strings(text: bytes) -> bytes:
    # Backslashes stand in strings only, so what they escape can go first, and quotes are then in pairs.
    if b"\\" in text:
        text = text.replace(rb"\\", b"").replace(rb"\"", b"")
    return b"".join(text.split(b'"')[::2])
