"""Amounts of cpu, memory and devices in the notation of Kubernetes, and what no pod can have of them.

Used by the decorators and the compiler, so that both refuse the same. Amounts are exact: no float is computed with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

PATTERN: Final = r"([0-9]+([.][0-9]*)?|[.][0-9]+)(m|k|Ki|[MGTPE]i?|[eE][0-9]+)?"
CPU: Final = "cpu"
MAX_NAME: Final = 253 + 1 + 63
_OWN = r"cpu|memory|ephemeral-storage|hugepages-[0-9]+[KMGTPE]i?"
_DEVICE = r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_NAMES = "a resource called cpu, memory, ephemeral-storage, hugepages-2Mi or, with a domain, as nvidia.com/gpu"
ONE: Final = 10**40
"""What `amount` counts as one: its texts have at most 32 characters, so every decimal is a whole number of these."""
_PARTS = r"([0-9]*)[.]?([0-9]*)(.*)"
_UNITS = {
    "": ONE,
    "m": ONE // 1000,
    **{unit: ONE * 1000**power for power, unit in enumerate("kMGTPE", 1)},
    **{f"{unit}i": ONE * 1024**power for power, unit in enumerate("KMGTPE", 1)},
}
MAX_CPUS: Final = 10_000
"""The largest machines that clouds offer have 1,920."""
MAX_BYTES: Final = "1Pi"
"""Of memory, pages and disk; the largest machines have 32Ti of memory. Above 8Ei Kubernetes would cap the amount."""
MAX_DEVICES: Final = 1_000_000_000
"""Some plugins count the megabytes of a device."""

_MOST_BYTES = int(MAX_BYTES.removesuffix("Pi")) * _UNITS["Pi"]


class Wrong(NamedTuple):
    """A resource that no pod can have as it stands, what was expected, and the nearest fix."""

    name: str
    value: str
    expected: str
    hint: str


def amount(text: str) -> int | None:
    """Return the amount that a text such as `500m`, `2` or `4Gi` stands for, in `ONE`s; None for any other text."""
    if len(text) > 32 or not re.fullmatch(PATTERN, text):
        return None
    match = re.fullmatch(_PARTS, text)
    assert match is not None
    whole, decimals, unit = match.groups()
    is_power = unit[:1] in ("e", "E") and unit[1:].isdigit()
    one: int = ONE * 10 ** min(int(unit[1:]), 99) if is_power else _UNITS[unit]
    shift: int = 10 ** len(decimals)
    return int(whole + decimals) * one // shift


def text(name: str, found: int) -> str:
    """Return an amount in `ONE`s as Kubernetes writes it: whole, or for cpu in thousandths; rounded up."""
    if name == CPU and found % ONE:
        return f"{-(-found * 1000 // ONE)}m"
    return str(-(-found // ONE))


def problems(requests: Mapping[str, str], limits: Mapping[str, str]) -> Iterator[Wrong]:
    """Yield what is wrong with the requests and limits of a container."""
    for name in dict.fromkeys((*requests, *limits)):
        request, limit = requests.get(name), limits.get(name)
        if not (re.fullmatch(_OWN, name) or (len(name) <= MAX_NAME and re.fullmatch(_DEVICE, name))):
            yield Wrong(name[:100], str(request or limit), _NAMES, "")
            continue
        wrong = [found for text in dict.fromkeys((request, limit)) if text is not None and (found := _one(name, text))]
        yield from wrong
        if not wrong:
            yield from _pair(name, request, limit)


def _one(name: str, text: str) -> Wrong | None:
    found = amount(text)
    if found is None:
        return Wrong(name, text, "a quantity such as 2, 500m or 4Gi", "")
    if found > _most(name):
        return _too_much(name, text)
    if name == CPU:
        if found * 1000 % ONE == 0:
            return None
        return Wrong(name, text, "whole thousandths of a cpu", f'write "{-(-found * 1000 // ONE)}m"')
    if found % ONE == 0:
        return None
    ceiling = -(-found // ONE)
    if _is_counted(name):
        return Wrong(name, text, "a whole number", f'write "{ceiling}"')
    if text.endswith("m"):
        number = text.removesuffix("m")
        return Wrong(name, text, "whole bytes: m stands for thousandths", f'write "{number}Mi" or "{number}M"')
    return Wrong(name, text, "whole bytes", f'write "{ceiling}"')


def _most(name: str) -> int:
    """The amount above which a text is a slip, because no machine has so much."""
    if name == CPU:
        return MAX_CPUS * ONE
    return MAX_DEVICES * ONE if _is_counted(name) else _MOST_BYTES


def _too_much(name: str, text: str) -> Wrong:
    if name == CPU:
        hint = f'write "{text[:-1]}m": M stands for millions' if text.endswith("M") else ""
        return Wrong(name, text, f"at most {MAX_CPUS:,} cpus: no machine has more", hint)
    if _is_counted(name):
        return Wrong(name, text, f"at most {MAX_DEVICES:,}: no machine has more", "")
    return Wrong(name, text, f"at most {MAX_BYTES}: no machine has more", "")


def _pair(name: str, request: str | None, limit: str | None) -> Iterator[Wrong]:
    if _is_counted(name) or name.startswith("hugepages-"):
        if limit is None or (request is not None and amount(request) != amount(limit)):
            shown = f"{request}, without a limit" if limit is None else f"{request} of {limit}"
            both = limit or request
            yield Wrong(name, shown, "one amount: what is requested is the limit too", f'write "{both}"')
    elif limit is not None and not amount(limit):
        yield Wrong(name, limit, "a limit above 0: to Kubernetes 0 is no limit at all", "leave the limit out")
    elif request is not None and limit is not None and _is_above(request, limit):
        hint = f"raise the limit to {request}, or request at most {limit}"
        yield Wrong(name, f"{request} of {limit}", "a request of at most the limit", hint)


def _is_above(request: str, limit: str) -> bool:
    one, other = amount(request), amount(limit)
    return one is not None and other is not None and one > other


def _is_counted(name: str) -> bool:
    """Whether it is a device: the names of these have a domain."""
    return "/" in name
