"""Uses of a promise as a value that no object can notice, found in the source: `is None`, `isinstance`, `match`, `try`.

Called by the tracer once a workflow. Only names that are promises whatever happens are judged: inputs, and what a
call, a conditional, or a part of one alone is assigned to. Whatever has no source is not judged.
"""

from __future__ import annotations

import enum
import types
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from alula.code import places
from alula.interfaces.callee import Callee
from alula_api.contract.codes import Code

if TYPE_CHECKING:
    import ast

    from alula.graph.trace import Trace

_WORDS = (" is ", "isinstance", "match ", "try:")
_IS_NONE = "is compared by `is`"
_TRIED = "is made in a `try`"
_IS_MEMBER = "is compared by `is` with a member of an enum"
_HINTS: Final = {
    _IS_NONE: 'write conditional("name").if_(is_none(x)), or decide in a task',
    _TRIED: "no failure of a task arrives here: handle it in the task, or write @workflow(on_failure=..., on_exit=...)",
    _IS_MEMBER: 'write conditional("name").if_(x == ...), or decide in a task',
}
_ELSE = "decide in a task and pass it the value"
_SAME_CALL: Final = ("named", "with_overrides")
"""Methods of a task or workflow that give one to be called."""


def check(trace: Trace) -> None:
    """Note each such use, but where the trace has ended at it."""
    body = _parsed(trace.function)
    if body is None:
        return
    tree, file, offset = body
    promised = _promised(tree, trace.function)
    told = {problem.source for problem in trace.problems if problem.code is Code.PROMISE_AS_VALUE}
    for node, label, what in _uses(tree, promised, trace.function):
        last = node.lineno if what == _TRIED else node.end_lineno or node.lineno
        lines = range(node.lineno + offset, last + offset + 1)
        if told.isdisjoint(str(places.Source(file, line)) for line in lines):
            message = f"{label} {what}, but a workflow is traced before its tasks run: it has no value yet"
            hint = _HINTS.get(what, _ELSE)
            trace.problem(Code.PROMISE_AS_VALUE, message, str(places.Source(file, lines[0])), hint=hint)


def _parsed(function: Callable[..., Any]) -> tuple[ast.AST, str, int] | None:
    """The function's tree, its file, and what its lines are away from those of the file."""
    import ast
    import inspect
    import textwrap

    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError):
        return None
    text = "".join(lines)
    if not any(word in text for word in _WORDS):
        return None
    try:
        tree = ast.parse(textwrap.dedent(text))
    except SyntaxError:
        return None
    code = places.code(function)
    file = "" if code is None else places.relative(code.co_filename)
    definition = tree.body[0]
    return (definition, file, first - 1) if isinstance(definition, ast.FunctionDef) else None


def _promised(tree: ast.AST, function: Callable[..., Any]) -> dict[str, str]:
    """The names that are promises, with what messages call them: bound once, as an input or by a call."""
    import ast

    assert isinstance(tree, ast.FunctionDef)
    bound: Counter[str] = Counter()
    assigned: list[tuple[ast.expr, ast.expr]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound[node.id] += 1
        elif isinstance(node, ast.arg):
            bound[node.arg] += 1
        elif isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
            bound[node.name] += 1
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            bound.update(dict.fromkeys(node.names, 2))
        elif isinstance(node, ast.Assign):
            assigned.append((node.targets[0], node.value))
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
            assigned.append((node.target, node.value))
    arguments = tree.args
    inputs = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    promised = {name: f"the input {name}" for name in inputs if bound[name] == 1}
    for target, value in sorted(assigned, key=lambda pair: (pair[1].lineno, pair[1].col_offset)):
        label = _label(value, promised, function)
        names = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
        if label:
            promised |= {each.id: label for each in names if isinstance(each, ast.Name) and bound[each.id] == 1}
    return promised


def _found(called: ast.expr, function: Callable[..., Any]) -> object:
    """What a name or a name of a module stands for in the function."""
    import ast

    if isinstance(called, ast.Attribute):
        module = _found(called.value, function)
        return vars(module).get(called.attr) if isinstance(module, types.ModuleType) else None
    if not isinstance(called, ast.Name) or not isinstance(function, types.FunctionType):
        return None
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if name == called.id:
            return _content(cell)
    return function.__globals__.get(called.id)


def _content(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # nothing is in it yet
        return None


def _uses(
    tree: ast.AST, promised: dict[str, str], function: Callable[..., Any]
) -> Iterator[tuple[ast.expr | ast.stmt, str, str]]:
    """Each use with what the promise is called, and what is done with it."""
    import ast

    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            parts = [node.left, *node.comparators]
            if any(isinstance(part, ast.Constant) for part in parts):
                what = _IS_NONE
            elif any(_is_member(part, function) for part in parts):
                what = _IS_MEMBER
            else:
                continue  # two promises may be one
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            parts, what = node.args[:1], "is asked for its type by isinstance"
        elif isinstance(node, ast.Match):
            parts, what = [node.subject], "is taken apart by `match`"
        elif isinstance(node, ast.Try):
            made = (each for part in node.body for each in ast.walk(part) if isinstance(each, ast.Call))
            yield from [(node, label, _TRIED) for each in made if (label := _result(each.func, function))][:1]
            continue
        else:
            continue
        for part in parts:
            label = _label(part, promised, function)
            if label:
                yield node, label, what


def _is_member(part: ast.expr, function: Callable[..., Any]) -> bool:
    """Whether it is a member of an enum, as `Color.RED`."""
    import ast

    return isinstance(part, ast.Attribute) and isinstance(_found(part.value, function), enum.EnumMeta)


def _label(part: ast.expr, promised: dict[str, str], function: Callable[..., Any]) -> str:
    """What messages call the promise that this is, or is a part of; empty for what may be anything else."""
    import ast

    while isinstance(part, (ast.Attribute, ast.Subscript, ast.NamedExpr)):
        part = part.value
    if isinstance(part, ast.Call):
        return _result(part.func, function)
    return promised.get(part.id, "") if isinstance(part, ast.Name) else ""


def _result(called: ast.expr, function: Callable[..., Any]) -> str:
    """What messages call the result of what is called; empty where it may be no promise."""
    import ast

    callee = _found(called, function)
    if isinstance(callee, Callee):
        return f"the result of {callee.subject}"
    if isinstance(called, ast.Call):  # fit.named("x")(...), map_task(fit)(...), repeat(fit, ...)(...)
        made = called.func
        if isinstance(made, ast.Attribute) and made.attr in _SAME_CALL:
            return _result(made.value, function)
        return "the result of a map or repeat" if _is_ours(_found(made, function)) else ""
    if isinstance(called, ast.Attribute):  # conditional("x").if_(...).then(...)
        first: ast.expr = called
        while isinstance(first, (ast.Attribute, ast.Call)) and _found(first, function) is None:
            first = first.value if isinstance(first, ast.Attribute) else first.func
        return "the result of a conditional" if first is not called and _is_ours(_found(first, function)) else ""
    return ""


def _is_ours(found: object) -> bool:
    """Whether it is a function of this package's, such as `map_task` or `conditional`."""
    return isinstance(found, types.FunctionType) and places.ours(found.__code__.co_filename)
