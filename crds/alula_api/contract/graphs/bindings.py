"""Where the value of an input or output comes from: a constant, an input of the graph, a node's output, or several.

The one algebra of bindings. The SDK makes them while tracing, the kinds and the plan hold them as JSON, the compiler
rewrites them, and the walk evaluates them. Nothing here knows types: whether a value fits is checked elsewhere.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Final, Literal, Protocol, TypeAlias

from alula_api.contract import jsontext, lists, references
from alula_api.contract.jsontext import Json
from alula_api.contract.lists import Batches, Listed
from alula_api.contract.problems import InvalidValue, Problem, member
from alula_api.contract.references import Stored

MAX_ITEMS: Final = 1_000
"""Leaves of one binding."""
MAX_PATH: Final = 32
"""Steps of an attribute path."""


class Unknown(Enum):
    """The type of `UNKNOWN`."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
"""A value that cannot be known here: its node has not finished or is not taken, or it lies in the store."""

Value: TypeAlias = lists.Value
MaybeValue: TypeAlias = Value | Literal[Unknown.UNKNOWN]


def value_of(wire: Json) -> Value:
    """Return the value that travels in this form: the envelope of one that lies in the store is known as such.

    Raises:
        InvalidValue: An envelope is malformed.
    """
    if not references.is_envelope(wire):
        return wire
    listed = lists.read(wire)
    if listed is not None:
        return listed
    stored = references.stored(wire)
    return wire if stored is None else stored


def wire_of(value: Value) -> Json:
    """Return the form in which a value travels."""
    return value.to_json() if isinstance(value, (Stored, Listed, Batches)) else value


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that the author wrote: canonical JSON text, exactly as in the resource."""

    text: str
    path: ClassVar[tuple[str, ...]] = ()
    """As of every leaf; nothing is selected in a written value."""

    @property
    def json(self) -> Json:
        """The value, parsed anew each time.

        Raises:
            InvalidValue: The text is not JSON.
        """
        return jsontext.parse(self.text)


@dataclass(frozen=True, slots=True)
class FromInput:
    """An input of the graph, or what lies behind an attribute path in it."""

    input: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FromNode:
    """An output of a node of the same graph, or what lies behind an attribute path in it."""

    node: str
    output: str
    path: tuple[str, ...] = ()


Leaf: TypeAlias = Constant | FromInput | FromNode


@dataclass(frozen=True, slots=True)
class Items:
    """A list whose elements have each their own source."""

    leaves: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True)
class FirstOf:
    """The first of several sources that has a value: what the branches of a conditional make."""

    leaves: tuple[Leaf, ...]


Binding: TypeAlias = Leaf | Items | FirstOf


class Scope(Protocol):
    """What a graph's bindings read: its inputs, and the outputs that its nodes have made so far."""

    def input(self, name: str) -> MaybeValue:
        """Return an input of the graph."""
        ...

    def output(self, node: str, output: str) -> MaybeValue:
        """Return an output of a node; UNKNOWN while there is none."""
        ...


def leaves(binding: Binding) -> tuple[Leaf, ...]:
    """Return the sources that a binding reads: itself, or each of several."""
    return binding.leaves if isinstance(binding, (Items, FirstOf)) else (binding,)


def nodes(binding: Binding) -> tuple[str, ...]:
    """Return the nodes whose outputs a binding reads, each once, in the order of the binding."""
    return tuple(dict.fromkeys(leaf.node for leaf in leaves(binding) if isinstance(leaf, FromNode)))


def mapped(binding: Binding, change: Callable[[Leaf], Leaf]) -> Binding:
    """Return the binding with `change` applied to each of its leaves."""
    if isinstance(binding, Items):
        return Items(tuple(map(change, binding.leaves)))
    if isinstance(binding, FirstOf):
        return FirstOf(tuple(map(change, binding.leaves)))
    return change(binding)


def path_of(binding: Binding) -> tuple[str, ...]:
    """Return the attribute path that a binding selects; of several sources each has its own, and this is empty."""
    return () if isinstance(binding, (Items, FirstOf)) else binding.path


def whole(leaf: Leaf) -> Leaf:
    """Return the whole value in which a leaf selects."""
    return dataclasses.replace(leaf, path=()) if leaf.path and not isinstance(leaf, Constant) else leaf


def evaluate(binding: Binding, scope: Scope) -> MaybeValue:
    """Return the value that a binding stands for.

    A value in the store is known as a whole only: a part of it, or a list that holds it, is UNKNOWN.

    Raises:
        InvalidValue: A path leads nowhere in a known value, or a constant is not JSON.
    """
    if isinstance(binding, FromNode):
        value = scope.output(binding.node, binding.output)
    elif isinstance(binding, FromInput):
        value = scope.input(binding.input)
    elif isinstance(binding, Constant):
        return binding.json
    elif isinstance(binding, Items):
        found = listed([evaluate(leaf, scope) for leaf in binding.leaves])
        return UNKNOWN if isinstance(found, (Listed, Batches)) else found
    else:
        known = (evaluate(leaf, scope) for leaf in binding.leaves)
        return next((value for value in known if value is not UNKNOWN), UNKNOWN)
    if not binding.path or value is UNKNOWN:
        return value
    return selected(value, binding.path)


def selected(value: Value, path: tuple[str, ...]) -> MaybeValue:
    """Return what lies behind a path in a value; UNKNOWN where that lies in the store.

    Raises:
        InvalidValue: The path leads nowhere.
    """
    if isinstance(value, (Listed, Batches)) and path:
        count = lists.length(value)
        if not (path[0].isascii() and path[0].isdecimal() and int(path[0]) < count):
            raise _invalid(member("$", path[0]), f"does not exist in a list of {count} items")
        item = items_of(value)[int(path[0])]
        return UNKNOWN if item is UNKNOWN else selected(item, path[1:])
    if not path or isinstance(value, (Listed, Batches)):
        return value
    return UNKNOWN if isinstance(value, Stored) else jsontext.select(value, path)


def items_of(value: Listed | Batches) -> list[MaybeValue]:
    """Return the items of a list as they travel; UNKNOWN for those of batches that lie in the store.

    Raises:
        InvalidValue: One of them is malformed.
    """
    if isinstance(value, Listed) or value.single:
        return list(value.values())
    found: list[MaybeValue] = []
    for batch, (first, end) in zip(value.values(), value.ranges(), strict=True):
        if isinstance(batch, list) and len(batch) >= end:
            found += batch[first:end]
        else:
            found += [None if batch is None else UNKNOWN] * (end - first)
    return found


def listed(found: list[MaybeValue]) -> MaybeValue:
    """Return the list of these values; UNKNOWN where one of them is."""
    known = [item for item in found if item is not UNKNOWN]
    if len(known) < len(found):
        return UNKNOWN
    plain: list[Json] = [item for item in known if not isinstance(item, (Stored, Listed, Batches))]
    return plain if len(plain) == len(known) else lists.listed(known)


def to_json(binding: Binding) -> dict[str, Any]:
    """Return a binding in the form of the resource."""
    if isinstance(binding, Items):
        return {"items": [to_json(leaf) for leaf in binding.leaves]}
    if isinstance(binding, FirstOf):
        return {"firstOf": [to_json(leaf) for leaf in binding.leaves]}
    if isinstance(binding, Constant):
        return {"value": binding.text}
    found: dict[str, Any] = {"input": binding.input} if isinstance(binding, FromInput) else {"node": binding.node}
    if isinstance(binding, FromNode):
        found["output"] = binding.output
    if binding.path:
        found["path"] = list(binding.path)
    return found


def from_json(found: object, where: str = "$") -> Binding:
    """Return the binding of its form in the resource.

    Args:
        found: The form, which may be anything.
        where: Its place, for the messages.

    Raises:
        InvalidValue: It is no binding; names the place.
    """
    if isinstance(found, dict) and len(found) == 1:
        for name, several in _SEVERAL.items():
            if name in found:
                return several(_leaves(found[name], member(where, name)))
    return _leaf(found, where)


_SEVERAL: Final[Mapping[str, Callable[[tuple[Leaf, ...]], Binding]]] = {"items": Items, "firstOf": FirstOf}


def _leaves(found: object, where: str) -> tuple[Leaf, ...]:
    if not isinstance(found, list) or len(found) > MAX_ITEMS:
        raise _invalid(where, f"must be a list of at most {MAX_ITEMS} bindings")
    return tuple(_leaf(leaf, f"{where}[{index}]") for index, leaf in enumerate(found))


def _leaf(found: object, where: str) -> Leaf:
    if not isinstance(found, dict):
        raise _invalid(where, "must be a binding")
    path = found.get("path", [])
    if not isinstance(path, list) or len(path) > MAX_PATH or not all(isinstance(step, str) for step in path):
        raise _invalid(member(where, "path"), f"must be a list of at most {MAX_PATH} texts")
    texts = {name: text for name, text in found.items() if name != "path"}
    if not all(isinstance(text, str) for text in texts.values()):
        raise _invalid(where, "must be a binding of texts")
    match sorted(texts):
        case ["value"] if "path" not in found:
            return Constant(texts["value"])
        case ["input"]:
            return FromInput(texts["input"], tuple(path))
        case ["node", "output"]:
            return FromNode(texts["node"], texts["output"], tuple(path))
    raise _invalid(where, "must have exactly one of `value`, `input`, `node` with `output`, `items`, `firstOf`")


def _invalid(where: str, message: str) -> InvalidValue:
    return InvalidValue([Problem(where, message)])
