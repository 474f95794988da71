"""How a task's memory grows after its container was killed for lack of it: the steps, and what makes no growth.

The decorators and the compiler refuse the same by `problem`; the compiler writes `steps` into a template, the pod names
its step in the termination message (`pods.remark`), and the next attempt's step is read there: Argo keeps nothing else
of an attempt but its message and exit code. Amounts are exact: no float is computed with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from alula_api.contract import quantities

MEMORY: Final = "memory"
FACTOR: Final = r"[0-9]{1,2}([.][0-9]{1,3})?"
"""A factor as a text of decimals."""
LEAST_FACTOR: Final = "1.1"
MOST_FACTOR: Final = "16"
_UNITS = ("Ti", "Gi", "Mi", "Ki")


class Step(NamedTuple):
    """The memory of an attempt, as in a pod; empty for a side that the task does not name."""

    request: str
    limit: str

    @property
    def name(self) -> str:
        """The amount above which the container is killed, or else what is set aside for it."""
        return self.limit or self.request


def problem(factor: str, most: str, requests: Mapping[str, str], limits: Mapping[str, str]) -> tuple[str, str, str]:
    """Return what is wrong with a growth: what it is of (`factor`, `max` or `memory`), what is expected, and a hint.

    All three are empty where nothing is. The requests and limits have been found to be amounts.
    """
    if not re.fullmatch(FACTOR, factor) or not _factor(LEAST_FACTOR) <= _factor(factor) <= _factor(MOST_FACTOR):
        return "factor", f"a number from {LEAST_FACTOR} to {MOST_FACTOR}, with at most three decimals", ""
    named = limits.get(MEMORY) or requests.get(MEMORY)
    if named is None:
        return "memory", "a task whose resources name their memory", 'write resources=Resources(memory="2Gi")'
    bound, first = quantities.amount(most), quantities.amount(named)
    if bound is None or next(quantities.problems({}, {MEMORY: most}), None) is not None:
        return "max", "a size such as 16Gi", ""
    if first is None or bound <= first:
        return "max", f"more memory than the {named} of the first attempt", ""
    return "", "", ""


def steps(factor: str, most: str, requests: Mapping[str, str], limits: Mapping[str, str], count: int) -> list[Step]:
    """Return the memory of the first attempt and of those after each kill, at most `count` kills, up to `most`.

    Both sides grow by the factor, rounded up to whole Mi, and none goes beyond `most`.
    """
    found = [Step(requests.get(MEMORY, ""), limits.get(MEMORY, ""))]
    while len(found) <= count and _amount(found[-1].name) < _amount(most):
        limit = _grown(found[-1].limit, factor, most)
        request = _grown(found[-1].request, factor, most)
        # Rounded up, a request of less than 1Mi would pass its limit.
        found.append(Step(limit if request and limit and _amount(request) > _amount(limit) else request, limit))
    return found


def _amount(text: str) -> int:
    found = quantities.amount(text)
    assert found is not None
    return found


def _factor(text: str) -> int:
    """In thousandths."""
    whole, _, decimals = text.partition(".")
    return int(whole + decimals.ljust(3, "0"))


def _grown(text: str, factor: str, most: str) -> str:
    if not text:
        return ""
    mebi = quantities.ONE * 1024 * 1024
    grown = -(-_amount(text) * _factor(factor) // (1000 * mebi)) * mebi
    return most if grown >= _amount(most) else _text(grown // quantities.ONE)


def _text(found: int) -> str:
    """Bytes in the largest unit that divides them."""
    for power, unit in zip(range(len(_UNITS), 0, -1), _UNITS, strict=True):
        if found and found % 1024**power == 0:
            return f"{found // 1024**power}{unit}"
    return str(found)
