"""Conditions: what comparisons of promises give while a workflow is traced, joined by `&`, `|` and `~`.

Made by the operators that this module gives to `promises.Promise`, and read by `branches` and `repeats`. A condition
holds no value, as a promise does not: to use it as one ends the trace with what to write instead.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from alula.graph.promises import INSTEAD_OF_IF, IS_MADE_TEXT, UNKNOWN, Promise, PromiseUsed
from alula.types.mismatches import Mismatch, kind
from alula_api.contract import schemas
from alula_api.contract.codes import Code
from alula_api.contract.graphs import comparables, conditions
from alula_api.contract.graphs.conditions import Both, Compare, Either, IsNone, Literal, Not, Read, Truth

if TYPE_CHECKING:
    from alula.graph.promises import Edge
    from alula.graph.trace import Trace
    from alula_api.contract.graphs.conditions import Condition as Tree
    from alula_api.contract.schemas import Schema

_NAME = ("title", "x-alula-module")
"""What names a class in its type."""
_APART = "put each comparison into parentheses: (a > 0) & (b > 0)"
_INSTEAD = 'let a task compare, or write conditional("name").if_(...).then(True).else_().then(False)'
_HOW = "join conditions by &, | and ~, each in parentheses: (a > 0) & (b > 0)"


class Condition:
    """What decides a branch, while the workflow is traced.

    Attributes:
        trace: Of the workflow.
        tree: What is compared; an input stands under a key of `operands`. None after a mistake.
        operands: The promises that are read.
    """

    __slots__ = ("operands", "trace", "tree")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, trace: Trace, tree: Tree | None, operands: dict[str, Edge]) -> None:
        self.trace, self.tree, self.operands = trace, tree, operands

    def __and__(self, other: object) -> Condition:
        return joined(self, other, all_of=True)

    __rand__ = __and__

    def __or__(self, other: object) -> Condition:
        return joined(self, other, all_of=False)

    __ror__ = __or__

    def __invert__(self) -> Condition:
        return Condition(self.trace, None if self.tree is None else Not(self.tree), self.operands)

    def __xor__(self, other: object) -> NoReturn:
        raise self._refused("conditions are joined by ^", "write (a & ~b) | (~a & b), or a != b of two bools")

    __rxor__ = __xor__

    def __bool__(self) -> NoReturn:
        message = "a condition decides an `if`, `while`, `and`, `or`, `not` or `in`, or a comparison is chained"
        raise self._refused(f"{message}: it has no value yet", f"{INSTEAD_OF_IF}; {_HOW}")

    def __eq__(self, other: object) -> NoReturn:
        raise self._refused("a condition is compared, and has no value yet", _HOW)

    __ne__ = __eq__

    def __str__(self) -> NoReturn:
        message = f"a condition {IS_MADE_TEXT}: it has no value yet"
        raise self._refused(message, _INSTEAD)

    def __format__(self, spec: str) -> NoReturn:
        self.__str__()

    @property
    def _alula_unfinished(self) -> tuple[str, str]:
        """It is no value that anything could be given."""
        return "a condition", _INSTEAD

    def _refused(self, message: str, hint: str) -> PromiseUsed:
        self.trace.problem(Code.PROMISE_AS_VALUE, message, self.trace.here(), hint=hint)
        return PromiseUsed(self.trace.problems[-1:])

    def __repr__(self) -> str:
        return f"<condition of {self.trace.subject}>"


def compare(left: Promise, op: str, right: object) -> Condition:
    """`left < right`, with a promise or a value that is known now on the right."""
    edge = left._alula_edge
    operands = _operands(left)
    if edge.schema is UNKNOWN or edge.binding is None:
        return _wrong(edge)
    if type(right) is Condition:
        if right.tree is not None:
            message = f"{edge.label} is compared with a condition"
            edge.trace.problem(Code.EDGE_TYPE, message, edge.trace.here(), hint=_HOW)
        return _wrong(edge)
    found: Read | Literal
    if type(right) is Promise:
        if right._alula_edge.schema is UNKNOWN:
            return _wrong(edge)
        operands |= _operands(right)
        found = Read(key(right._alula_edge))
    else:
        literal = _literal(edge, op, right)
        if literal is None:
            return _wrong(edge)
        found = literal
    return _checked(edge, Compare(op, Read(key(edge)), found), operands)


def is_none(promise: Promise) -> Condition:
    """Whether a value is None."""
    edge = promise._alula_edge
    if edge.schema is UNKNOWN or edge.binding is None:
        return _wrong(edge)
    return _checked(edge, IsNone(Read(key(edge))), _operands(promise))


def condition(value: object, trace: Trace, where: str) -> Condition:
    """A condition as it is, and a promise of a bool as one; anything else is a mistake."""
    if type(value) is Condition:
        return value
    if type(value) is Promise:
        edge = value._alula_edge
        if edge.schema is UNKNOWN or edge.binding is None:
            return _wrong(edge)
        return _checked(edge, Truth(Read(key(edge))), _operands(value))
    hint = "compare the result of a task, as in score.accuracy > 0.9; what is known now can decide a Python `if`"
    message = f"a condition of {where} must be a comparison of promises, not {kind(value)}"
    trace.problem(Code.NOT_A_TASK, message, trace.here(), hint=hint)
    return Condition(trace, None, {})


def joined(one: Condition | Promise, other: object, *, all_of: bool) -> Condition:
    """`one & other` or `one | other`."""
    trace = one.trace if type(one) is Condition else one._alula_edge.trace  # type: ignore[union-attr]
    sign = "`&`" if all_of else "`|`"
    if type(other) not in (Condition, Promise):
        message = f"{sign} joins conditions, and {kind(other)} is none"
        trace.problem(Code.NOT_A_TASK, message, trace.here(), hint=_APART)
        return Condition(trace, None, {})
    first, second = (condition(each, trace, sign) for each in (one, other))
    if first.tree is None or second.tree is None:
        return Condition(trace, None, {})
    together = Both if all_of else Either
    parts = [part for each in (first.tree, second.tree) for part in (each.parts if type(each) is together else (each,))]
    return Condition(trace, together(tuple(parts)), {**first.operands, **second.operands})


def key(edge: Edge) -> str:
    """What stands for a promise in a condition until its node has names for its inputs."""
    return repr(edge.binding)


def _operands(promise: Promise) -> dict[str, Edge]:
    return {key(promise._alula_edge): promise._alula_edge}


def _checked(edge: Edge, tree: Tree, operands: dict[str, Edge]) -> Condition:
    """The condition, after its types were compared."""
    trace = edge.trace
    types = {name: each.schema for name, each in operands.items()}
    problems = conditions.problems(tree, types)
    for message in problems:
        for name, each in operands.items():
            message = message.replace(name, each.label)  # noqa: PLW2901
        trace.problem(Code.EDGE_TYPE, message, trace.here(), hint=_hint(edge, tree))
    return Condition(trace, None if problems else tree, operands)


def _hint(edge: Edge, tree: Tree | None = None) -> str:
    """What to write instead of a comparison that is wrong."""
    if isinstance(tree, IsNone):
        return "leave it out: there always is a value"
    if not comparables.kind(edge.schema):
        return "let a task look into it and return what is compared: a number, a text, a bool, a time or an enum"
    if isinstance(tree, Truth):
        return "compare it, as in count > 0"
    if isinstance(tree, Compare) and tree.op not in ("==", "!=") and not comparables.is_ordered(edge.schema):
        return "order them in a task that returns a bool"
    return "compare values of one type, or convert in a task"


def _literal(edge: Edge, op: str, value: object) -> Literal | None:
    """The constant that a value is beside a promise."""
    from alula.interfaces import encode
    from alula.types import compiling, scalars, times
    from alula.types.carriers import REFUSAL
    from alula.types.unsupported import Unsupported
    from alula_api.contract import families, values

    if value is None:
        return Literal(None)
    trace = edge.trace
    part, _ = comparables.without_none(edge.schema)
    try:
        value = scalars.lowered(value)
        is_naive = families.family(part) == "naive-datetime"
        target = compiling.compile(times.NaiveDatetime if is_naive else type(value))
        text = encode.to_text(target, value, REFUSAL)
    except (Mismatch, TypeError, Unsupported):
        text, target = "", None
    if target is not None and comparables.kind(target.schema) and _fits(target.schema, part, text):
        found = values.codec(part).normal(values.parse(text))
        if isinstance(found, (str, int, float, bool)):
            return Literal(found)
    message = f"{edge.label} is {schemas.describe(edge.schema)} and is compared with {kind(value)}"
    trace.problem(Code.EDGE_TYPE, message, trace.here(), hint=_near(part, value) or _hint(edge))
    return None


def _near(part: Schema, value: object) -> str:
    """What to write instead of a constant that is nearly of the type that it is compared with; empty for others."""
    from alula_api.contract import families, values

    found = families.family(part)
    if found == "enum":
        names, texts = part["enum"], part.get("x-alula-values", ())
        meant = [name for name, text in zip(names, texts, strict=False) if value in (name, values.parse(text))]
        return f"compare it with a member, as {schemas.describe(part)}.{(meant or names)[0]}"
    if found == "datetime" and type(value) is datetime.datetime:
        return "give it a time zone: value.replace(tzinfo=timezone.utc)"
    return ""


def _fits(source: Any, target: Any, text: str) -> bool:
    """Whether a constant is a value of the type that it is compared with; a member of a Literal is by its value.

    Members of two enums are never equal in Python, so those of another one that has the same names do not fit.
    """
    from alula_api.contract import families, values

    if families.family(target) == "enum" and any(source.get(key) != target.get(key) for key in _NAME):
        return False
    if families.family(target) == "literal":
        return values.parse(text) in target["enum"]
    return schemas.assignable(source, target) is None


def _wrong(edge: Edge) -> Condition:
    """Stands for a comparison of something that was wrong before, or that is nothing."""
    if edge.binding is None:
        message = f"{edge.label} is compared, but it returns nothing"
        edge.trace.problem(Code.EDGE_TYPE, message, edge.trace.here(), hint="annotate what the task returns")
    return Condition(edge.trace, None, {})


def _give(operators: dict[str, str]) -> None:
    for operator, sign in operators.items():

        def method(self: Promise, other: object, op: str = sign) -> Condition:
            return compare(self, op, other)

        method.__name__ = operator
        setattr(Promise, operator, method)


_give({"__eq__": "==", "__ne__": "!=", "__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">="})


def _and(self: Promise, other: object) -> Condition:
    return joined(self, other, all_of=True)


def _or(self: Promise, other: object) -> Condition:
    return joined(self, other, all_of=False)


def _invert(self: Promise) -> Condition:
    return ~condition(self, self._alula_edge.trace, "`~`")


for _name, _method in {
    "__and__": _and, "__rand__": _and, "__or__": _or, "__ror__": _or, "__invert__": _invert,
}.items():  # fmt: skip
    setattr(Promise, _name, _method)
