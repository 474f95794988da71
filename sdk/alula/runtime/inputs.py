"""Inputs as they arrive in the arguments: JSON texts, envelopes of what lies in the store, and paths into them.

Called by `running`. The identity of an input is known without loading it, so that a cached task reads no data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from alula.attempt.errors import bad_input
from alula_api.contract import keys, references, values
from alula_api.contract.pods import Call
from alula_api.contract.values import Json

if TYPE_CHECKING:
    from collections.abc import Callable

    from alula.declare.tasks import Task
    from alula.interfaces.interface import Input
    from alula_api.contract import lists

    Load = Callable[[Json], Json]
    """Gets the value behind an envelope from the store; anything else comes back as it is."""


class Arrival(NamedTuple):
    """One input as it arrived."""

    name: str
    travelled: Json
    path: tuple[str, ...] = ()
    parts: tuple[Arrival, ...] | None = None
    """The items of an input that several nodes make."""

    def value(self, load: Load) -> Json:
        """The JSON value that the function's argument is made of."""
        if self.parts is not None:
            return [part.value(load) for part in self.parts]
        loaded = load(self.travelled)
        return values.select(loaded, self.path) if self.path else loaded

    def identity(self, schema: dict[str, Any], load: Load) -> str:
        """What stands for the value in the cache key; that of a whole stored value is in its envelope."""
        whole = self.parts is None and not self.path
        return keys.identity(self.travelled, schema) if whole else values.codec(schema).identity(self.value(load))


def read(call: Call) -> tuple[Arrival, ...]:
    """The inputs in a call's arguments; raises Stop for a text that is not one."""
    found = [_arrival(name, text, call.paths) for name, text in call.inputs]
    for name, text in call.items:
        texts = _parsed(name, text)
        if type(texts) is not list or not all(type(item) is str for item in texts):
            raise bad_input(name, "its items must be a JSON list of JSON texts")
        parts = tuple(_arrival(f"{name}.{index}", item, call.paths) for index, item in enumerate(texts))
        found.append(Arrival(name, None, parts=parts))
    return tuple(found)


def load(arrivals: tuple[Arrival, ...], load: Load) -> dict[str, Json]:
    """The values of all inputs."""
    found = {}
    for arrival in arrivals:
        try:
            found[arrival.name] = arrival.value(load)
        except values.InvalidValue as error:
            raise bad_input(arrival.name, error) from error
    return found


def identities(
    arrivals: tuple[Arrival, ...], task: Task[..., Any], load: Load, over: tuple[str, ...] = ()
) -> dict[str, str]:
    """The identity of every input of the task, defaults of those that did not arrive included; `over` are lists."""
    by_name = {arrival.name: arrival for arrival in arrivals}
    found = {}
    for item in task.interface.inputs:
        arrival = by_name.get(item.name) or (None if item.required else Arrival(item.name, item.default))
        if arrival is None:
            raise bad_input(item.name, "it is not given")
        try:
            found[item.name] = arrival.identity(_type(item, over), load)
        except values.InvalidValue as error:
            raise bad_input(item.name, f"it must be {item.type.label}: {error}") from error
    return found


def _type(item: Input, over: tuple[str, ...]) -> dict[str, Any]:
    if item.name not in over:
        return item.type.schema
    from alula_api.contract.graphs import interfaces

    return interfaces.list_of(item.type.schema)


def _arrival(name: str, text: str, paths: Mapping[str, tuple[str, ...]]) -> Arrival:
    travelled, path = _parsed(name, text), paths.get(name, ())
    if path and references.is_envelope(travelled):
        travelled, path = _item(name, travelled, path)
    return Arrival(name, travelled, path)


def _item(name: str, travelled: Json, path: tuple[str, ...]) -> tuple[Json, tuple[str, ...]]:
    """One item of a list that travels as its items, and the path in it: the others are not looked at."""
    from alula_api.contract import lists
    from alula_api.contract.graphs import bindings

    try:
        listed = lists.read(travelled)
        if listed is None:
            return travelled, path
        if isinstance(listed, lists.Batches):
            return _of_batches(listed, int(path[0]), path[1:])
        (found,) = lists.Listed((listed.texts[int(path[0])],)).values()
    except (values.InvalidValue, ValueError, IndexError) as error:
        raise bad_input(name, error) from error
    item, rest = bindings.wire_of(found), path[1:]
    return _item(name, item, rest) if rest and references.is_envelope(item) else (item, rest)


def _of_batches(listed: lists.Batches, index: int, rest: tuple[str, ...]) -> tuple[Json, tuple[str, ...]]:
    """Likewise of a list in batches: the item where it is known, else its batch and the path in that."""
    from alula_api.contract.graphs import bindings

    found = bindings.items_of(listed)[index]
    if found is not bindings.UNKNOWN:
        return bindings.wire_of(found), rest
    place = listed.start + index
    batch = listed.values()[place // listed.size - listed.start // listed.size]
    if not isinstance(batch, references.Stored):
        raise ValueError(f"its batch is no list of {listed.size} items")
    return batch.to_json(), (str(place % listed.size), *rest)


def _parsed(name: str, text: str) -> Json:
    try:
        return values.parse(text)
    except values.InvalidValue as error:
        raise bad_input(name, error) from error
