"""A condition as a term of Argo's expressions. Called by `branches` and `repeats`, each for its own place in a DAG."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from alula_api.contract.families import Schema
from alula_api.contract.graphs import comparables
from alula_api.contract.graphs.bindings import Constant
from alula_api.contract.graphs.conditions import (
    NONE_COMPARED,
    Both,
    Compare,
    Condition,
    Either,
    IsNone,
    Literal,
    Not,
    Read,
    Truth,
)


def constant(leaf: Constant) -> str:
    """Return the term of a published value that is known when it is compiled."""
    return f"'{leaf.text}'"  # a number, true, false, null or a digest


class Decision:
    """Conditions of one node as terms of Argo's expressions, over published parts.

    Args:
        term: Of a value that they read.
        types: Of the same, in published form.
    """

    def __init__(self, term: Callable[[Read], str], types: Mapping[str, Schema]) -> None:
        self._term, self._types = term, types

    def text(self, condition: Condition) -> str:
        """The condition, in parentheses."""
        match condition:
            case Compare():
                return f"({self._comparison(condition)})"
            case IsNone(read):
                return f"({self._term(read)} == 'null')"
            case Truth(read):
                holds = f"{self._term(read)} == 'true'"
                if self._may_be_none(read):
                    holds = f"{self._term(read)} == 'null' ? asInt({_refusal(read)}) > 0 : {holds}"
                return f"({holds})"
            case Not(part):
                return f"(!{self.text(part)})"
            case Both(parts):
                return f"({' && '.join(map(self.text, parts))})"
            case Either(parts):
                return f"({' || '.join(map(self.text, parts))})"

    def _comparison(self, found: Compare) -> str:
        left, right = self._term(found.left), found.right
        if isinstance(right, Literal) and right.json is None:
            return f"{left} {found.op} 'null'"
        schema, _ = comparables.without_none(self._types[found.left.name])
        kind = schema["type"]
        other = self._term(right) if isinstance(right, Read) else _literal(right, kind)
        if kind in ("boolean", "string"):
            return f"{left} {found.op} {other}"
        if found.op not in ("==", "!="):
            if isinstance(right, Read):
                other = _number(self._asked(right), kind)
            return f"{_number(self._asked(found.left), kind)} {found.op} {other}"
        compared = f"{_number(left, kind)} {found.op} {_number(other, kind) if isinstance(right, Read) else other}"
        may_be = [
            self._term(each) for each in (found.left, right) if isinstance(each, Read) and self._may_be_none(each)
        ]
        if not may_be:
            return compared
        none = " || ".join(f"{term} == 'null'" for term in may_be)
        unequal = f"{left} {found.op} {other}" if isinstance(right, Read) else ("false" if found.op == "==" else "true")
        return f"({none}) ? ({unequal}) : ({compared})"

    def _may_be_none(self, read: Read) -> bool:
        return comparables.without_none(self._types[read.name])[1]

    def _asked(self, read: Read) -> str:
        """The term of what must not be None; where it is, a sentence that is no number, which the engine then shows."""
        term = self._term(read)
        return f"({term} == 'null' ? {_refusal(read)} : {term})" if self._may_be_none(read) else term


def _refusal(read: Read) -> str:
    return f"'{NONE_COMPARED.format(read.name)}'"


def _number(term: str, kind: str) -> str:
    return f"asInt({term})" if kind == "integer" else f"asFloat(trim({term}, '\"'))"


def _literal(literal: Literal, kind: str) -> str:
    if kind == "string":
        return f"'\"{literal.json}\"'"
    if kind == "boolean":
        return "'true'" if literal.json else "'false'"
    if isinstance(literal.json, str):  # NaN and the infinities
        return f"asFloat('{literal.json}')"
    return repr(literal.json)
