"""Payloads of events that have broken something somewhere, for the tests of the contract and of real posts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

_TEXTS = [
    "", " ", "null", "true", "7", "1e3", "{{workflow.uid}}", "{{=1+1}}", "{{inputs.parameters.x}}", "{{", "}}", "{",
    "}",
    "{{{{", "\"", "'", "\\", "\\u007b\\u007b", "`id`", "$(id)", "$$", "${HOME}", "$(HOME)", "%s%n",
    "<script>&amp;</script>",
    "<", ">", "&", "a\nb", "a\r\nb", "\t", "\u0000", "\u0001", "\u001f", "\u007f", "\u0080", "\u0085", "\u2028",
    "\u2029",
    "\ufeff", "\ufffe", "\uffff", "é", "e\u0301", "日本語", "😀", "👩‍👩‍👧", "مرحبا", "\u202eabc",
    "a" * 1000, "é" * 1000,
    "😀" * 500, "{" * 500, "\"" * 500, "\\" * 500, "\n" * 500, "[]", "{}", "[1", "{\"a\":", "// no", "# no", "--", "-",
    "...",
    "../../etc/passwd", "file:///etc/passwd", "s3://bucket/key", "http://169.254.169.254/", "' OR 1=1 --", "=1+1",
    "@SUM(1)",
    "event--payload", "admit", "__proto__", "constructor", "NaN", "Infinity", "-Infinity", "0x10", "1_000", "١٢٣",
    "²",
    "2026-11-29T02:00:00Z", "P1D", "0", "-0", "00", "on", "off", "yes", "no", "~", "!!python/object:os.system", "&a",
    "*a",
    "toJson(payload)", "\" + sprig.env(\"HOME\") + \"", "discriminator == \"x\"", "\u200b", "\u00a0", "İ", "ß", "ǆ",
]  # fmt: skip
_VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**53 - 1, -(2**53) + 1, 0.1, -0.5, 1e-300, 123456.789, [], {}, [[]],
    [{}], {"": ""}, {"a": None}, {"a": [1, "2", None, True, 0.5]}, {"{{": "}}"}, {"\"": "'"}, {"a.b": 1}, {"a b": 1},
    {"$type": "x"}, {"$schema": 1}, {"é": "é"}, {"😀": [1]}, [0] * 500, {str(n): n for n in range(300)},
    ["x" * 50] * 100,
    {"b": 1, "a": 2}, [[[[[[[[1]]]]]]]], {"a": {"b": {"c": {"d": {"e": 1}}}}}, ["{{=1}}"], {"k": "<&>"},
    [1, 1.5, "1"],
    {"1": 1, "01": 2}, [True, 1, "true"], {"a": "\u2028"}, [None] * 50,
    {"nested": {"list": [{"x": [1, 2, {"y": "z"}]}]}},
]  # fmt: skip
_DAMAGED: list[Any] = [
    2**53,
    -(2**53),
    2**63,
    2**64 + 1,
    10**30,
    [2**53 + 1],
    {"a": 2**60},
    1.5e300,
    1e21,
    "\ufffd",
    ["a\ufffdb"],
]


@dataclass(frozen=True)
class Sent:
    """A body, what JSON it is to a reader like Go's, and whether an input must get exactly what was sent."""

    body: bytes
    payload: Any = None
    exact: bool = True

    def of(self, name: str, default: Any) -> Any:
        """What an input of this name gets."""
        return self.payload.get(name, default) if isinstance(self.payload, dict) else default


def _sent(payload: Any, exact: bool = True, *, ascii: bool = True) -> Sent:
    return Sent(json.dumps(payload, ensure_ascii=ascii).encode(), payload, exact)


PAYLOADS: list[Sent] = [
    *(_sent({"id": index, "text": text}, ascii=index % 2 == 0) for index, text in enumerate(_TEXTS)),
    *(_sent({"id": index, "data": value}) for index, value in enumerate(_VALUES)),
    *(_sent({"id": f"t{index}", "data": text}) for index, text in enumerate(_TEXTS[:40])),
    *(_sent({"id": index, "data": value}, exact=False) for index, value in enumerate(_DAMAGED, 1000)),
    # Of another type than the input's.
    *(_sent({"id": index, "text": value}, exact=False) for index, value in enumerate([7, None, [], {}, True], 2000)),
    *(
        _sent({"id": index, "n": value}, exact=False)
        for index, value in enumerate(["7", 0.5, [1], {"n": 1}, None], 3000)
    ),
    _sent({"id": 4000, "data": {"$stored": {"digest": "a" * 64, "size": 9}}}, exact=False),
    # Not even an object.
    *(_sent(value) for value in ([], "text", 7, 0.5, None, True, [[1]], {}, "{{workflow.uid}}", ["{{"], "\u0000")),
    # Not JSON, or too much of it; the server refuses some of them itself.
    Sent(b"{", exact=False),
    Sent(b"{'a': 1}", exact=False),
    Sent(b"[1,]", exact=False),
    Sent(b"NaN", exact=False),
    Sent(b'{"text": "\xff\xfe"}', {"text": "\ufffd\ufffd"}, exact=False),
    Sent(b'{"text": "\\ud800"}', {"text": "\ufffd"}, exact=False),
    Sent(b'{"n": 9007199254740993}', {"n": 9007199254740992}, exact=False),
    Sent(b'{"n": 1e400}', exact=False),
    Sent(b'{"data": 1.0}', {"data": 1}),
    Sent(b'{"data": 1, "data": 2}', {"data": 2}),
]
"""Different payloads, so that each that is taken starts a run of its own."""
