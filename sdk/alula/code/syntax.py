"""The parse tree of a piece of source as text: node kinds and their non-empty fields, nothing else.

Used by `alula.code.closure`, which digests it. Positions, comments, docstrings, the layout and the order of what
`ruff format` moves do not reach it, and every supported Python writes the same (`ast.dump` does not: fields come and go
with versions). Golden vectors in tests/code hold it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

_SKIPPED = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
"""Fields that follow from the place of a node, or that mean nothing when the code runs."""
_BODIES = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def text(node: ast.AST) -> str:
    """Return the canonical text of a tree."""
    out: list[str] = []
    # A stack in place of recursion: an expression may nest as deep as the parser took it.
    stack: list[object] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            out.append(item)
        elif isinstance(item, ast.AST):
            stack += _node(item)[::-1]
        elif isinstance(item, list):
            stack += reversed(["[", *_separated(item), "]"])
        else:
            out.append(_constant(item))
    return "".join(out)


def walk(node: ast.AST) -> list[ast.AST]:
    """Return a tree's nodes, outer ones first; those that follow from the place of another are left out."""
    found = [node]
    for part in found:
        for name in _fields[type(part)]:
            value = getattr(part, name, None)
            if isinstance(value, ast.AST):
                found.append(value)
            elif isinstance(value, list):
                found += [item for item in value if isinstance(item, ast.AST)]
    return found


class _Fields(dict[type[ast.AST], tuple[str, ...]]):
    """The fields of a kind of node that count."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        self[kind] = tuple(name for name in kind._fields if name not in _SKIPPED)
        return self[kind]


_fields = _Fields()


def without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return the statements of a body but for the text that documents it."""
    first = body[0] if body else None
    documented = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return body[1:] if documented else body


def _node(node: ast.AST) -> list[object]:
    kind = type(node)
    parts: list[object] = [f"{kind.__name__}("]
    separator = ""
    for name in sorted(_fields[kind]):
        value = getattr(node, name, None)
        if name == "body" and isinstance(node, _BODIES):
            value = without_docstring(value or [])
        if isinstance(node, ast.JoinedStr):
            value = _merged(node.values)
        if (value is None and kind is not ast.Constant) or value == []:
            continue
        parts.append(f"{separator}{name}=")
        parts.append(_Leaf(value) if kind is ast.Constant else value)
        separator = ","
    parts.append(")")
    return parts


def _merged(parts: list[ast.expr]) -> list[ast.expr]:
    """The parts of an f-string with texts beside each other as one, and none empty: versions of Python differ there."""
    found: list[ast.expr] = []
    for part in parts:
        last = found[-1] if found else None
        if isinstance(part, ast.Constant) and isinstance(last, ast.Constant):
            found[-1] = ast.Constant(f"{last.value!s}{part.value!s}")
        elif not isinstance(part, ast.Constant) or part.value:
            found.append(part)
    return found


class _Leaf:
    """A constant of the source, told apart from what the walk itself writes."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


def _separated(items: list[object]) -> Iterator[object]:
    for index, item in enumerate(items):
        if index:
            yield ","
        # In a dict display, `**rest` has no key; in `match`, a value may be missing too.
        yield "-" if item is None else _Leaf(item) if isinstance(item, str) else item


def _constant(item: object) -> str:
    value = item.value if isinstance(item, _Leaf) else item
    if isinstance(value, (tuple, frozenset)):
        raise AssertionError("a parsed constant is never a container")
    return f"{type(value).__name__}:{value!r}" if not isinstance(value, str) else f"str:{value!a}"
