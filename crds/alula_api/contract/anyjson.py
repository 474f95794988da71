"""Codec of values without a type of their own: any JSON, or any JSON object."""

from __future__ import annotations

from collections import deque
from typing import Any

from alula_api.contract.codec_parts import Form
from alula_api.contract.jsontext import INTEGER_LIMIT, MOST_DEPTH, MOST_DIGITS
from alula_api.contract.problems import MOST_PROBLEMS, Misfit, Problem, member, shown
from alula_api.contract.scalars import check_text

_KINDS = frozenset({type(None), bool, int, float, str, list, dict})


def _check(values: list[Any]) -> None:
    """Refuse values that are not JSON, level by level, so that the cost is that of a few C loops a level."""
    for _ in range(MOST_DEPTH + 1):
        kinds = set(map(type, values))
        if not kinds <= _KINDS:
            raise Misfit
        if str in kinds:
            check_text("".join([value for value in values if type(value) is str]))
        if float in kinds and not all(value - value == 0 for value in values if type(value) is float):
            raise Misfit
        if int in kinds:
            integers = [value for value in values if type(value) is int]
            if max(integers) >= INTEGER_LIMIT or min(integers) <= -INTEGER_LIMIT:
                raise Misfit
        if list not in kinds and dict not in kinds:
            return
        inner = {id(value): value for value in values if type(value) is list or type(value) is dict}
        values = []
        for container in inner.values():
            if type(container) is dict:
                if not set(map(type, container)) <= {str}:
                    raise Misfit
                check_text("".join(container))
                values.extend(container.values())
            else:
                values.extend(container)
    raise Misfit(f"is nested deeper than {MOST_DEPTH} levels")


def _any(value: Any) -> Any:
    _check([value])
    return value


def _anys(values: list[Any]) -> list[Any]:
    _check(values)
    return values[:]


def _object(value: Any) -> Any:
    if type(value) is not dict:
        raise Misfit
    _check([value])
    return value


def _explain(value: Any, path: str, problems: list[Problem]) -> None:
    queue = deque([(value, path)])
    while queue and len(problems) < MOST_PROBLEMS:
        value, path = queue.popleft()
        if type(value) is list:
            queue.extend((item, f"{path}[{index}]") for index, item in enumerate(value))
        elif type(value) is dict:
            for key, item in value.items():
                if type(key) is not str:
                    problems.append(Problem(path, f"must have keys that are str, not {shown(key)}"))
                elif _is_broken(key):
                    problems.append(Problem(path, "must have keys without lone surrogates"))
                else:
                    queue.append((item, member(path, key)))
        elif type(value) not in _KINDS:
            problems.append(Problem(path, f"must be JSON, not {shown(value)}"))
        elif type(value) is str and _is_broken(value):
            problems.append(Problem(path, "must be text without lone surrogates"))
        elif type(value) is float and value - value != 0:
            problems.append(Problem(path, f"must be a finite number, not {value}: only a float has a text for it"))
        elif type(value) is int and not -INTEGER_LIMIT < value < INTEGER_LIMIT:
            problems.append(Problem(path, f"must be an int of at most {MOST_DIGITS} digits"))


def _is_broken(text: str) -> bool:
    try:
        check_text(text)
    except Misfit:
        return True
    return False


def _explain_object(value: Any, path: str, problems: list[Problem]) -> None:
    if type(value) is not dict:
        problems.append(Problem(path, f"must be an object, not {shown(value)}"))
    else:
        _explain(value, path, problems)


ANY = Form("JSON", _any, _KINDS, _anys, _explain)
OBJECT = Form("an object", _object, frozenset({dict}), explain=_explain_object)
