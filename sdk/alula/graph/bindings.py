"""Where the value of an input or output comes from: a constant, a workflow input, a node's output, or a list of these.

Made while tracing; read by the local runner and by emission.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that stands in the definition, as JSON."""

    json: Any


@dataclass(frozen=True, slots=True)
class FromInput:
    """An input of the graph, or a part of it."""

    name: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FromNode:
    """An output of another node, or a part of it."""

    node: str
    output: str
    path: tuple[str, ...] = ()


Leaf: TypeAlias = Constant | FromInput | FromNode


@dataclass(frozen=True, slots=True)
class Items:
    """A list that is put together from other values: `join([a, b, c])`."""

    items: tuple[Leaf, ...]


Binding: TypeAlias = Constant | FromInput | FromNode | Items
