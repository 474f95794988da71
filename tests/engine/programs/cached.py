"""What the controller fills in for a run of a program, where the cache has this and lacks that: the walk of the plan,
with tasks that are pure functions as the cache."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

from alula import NonRecoverable
from alula_api.contract import jsontext, keys, references
from alula_api.contract.graphs import calls, interfaces, plans
from alula_api.contract.graphs.bindings import UNKNOWN, value_of, wire_of
from alula_api.contract.graphs.frames import Spot, State
from alula_api.contract.references import Stored
from alula_controller.admission import check, fill
from alula_controller.admission.cache_walk import CacheWalk
from alula_data import content
from alula_data.stores.memory import MemoryStore
from tests.controller import scenes
from tests.engine.programs import here

INLINE = 10**9
"""Bytes up to which an output travels inline here."""


def of_all(plan: plans.Plan) -> plans.Plan:
    """The plan with every task cached."""
    tasks = {name: dataclasses.replace(task, version="1") for name, task in plan.tasks.items()}
    return dataclasses.replace(plan, tasks=tasks)


@dataclasses.dataclass
class Cache:
    """Answers a walk of a plan.

    Attributes:
        plan: As the compiler made it, or `of_all` of that.
        pieces: The module of the tasks.
        misses: Says of a path whether the cache lacks it.
    """

    plan: plans.Plan
    pieces: Any
    misses: Callable[[str], bool]

    def __post_init__(self) -> None:
        self.store = content.Content(MemoryStore("programs"))
        self.missed: set[str] = set()

    def walked(self, inputs: Mapping[str, Any]) -> CacheWalk:
        """The walk, over."""
        parameters = [{"name": name, "value": json.dumps(value)} for name, value in inputs.items()]
        checked = check.check(self.plan, {"parameters": parameters}, "run-1")
        assert checked.problems == ()
        walk = CacheWalk(self.plan, checked.inputs)
        while walk.wanted():
            entries = {key: self._entry(spot) for spot, key in walk.keys.items() if key}
            found = {key: made for key, made in entries.items() if made is not None}
            walk.answer(found, {key: self._stored(made) for key, made in found.items()})
        return walk

    def filled(self, walk: CacheWalk) -> list[str]:
        """What would hang the run of this walk."""
        held = scenes.held_run()["status"]["nodes"]
        return fill.problems(fill.fill(walk, walk.limited(len(walk.hits)), held, "run-1", scenes.MOMENT), "run-1")

    def load(self, value: Any) -> Any:
        """A value as it travels, read."""
        return self.store.load_value(wire_of(value))

    def _entry(self, spot: Spot) -> dict[str, Any] | None:
        """The outputs of a task that has run; None if it fails, or if the cache lacks it."""
        if spot.state is not State.RUNNING:
            return None
        if self.misses(spot.path):
            self.missed.add(spot.path)
            return None
        task = self.plan.tasks[spot.task]
        given = {name: self.load(value) for name, value in spot.inputs.items() if name in task.inputs}
        assert UNKNOWN not in given.values()
        over = calls.over(spot.whole.call) if spot.whole is not None and spot.whole.batch else ()
        if not over:
            return self._made(spot.task, given)
        count = len(given[over[0]])
        made = [self._made(spot.task, given | {name: given[name][index] for name in over}) for index in range(count)]
        if None in made:
            return None
        items = {name: [one[name] for one in made if one is not None] for name in task.outputs}
        types = {name: interfaces.list_of(dict(schema)) for name, schema in task.outputs.items()}
        return {name: self._carried([self.load(value_of(one)) for one in items[name]], types[name]) for name in items}

    def _stored(self, made: Mapping[str, Any]) -> dict[str, Stored]:
        """What is short enough to travel inline and too long for an item lies in the store as well."""
        texts = {name: jsontext.dumps(value) for name, value in made.items() if not references.is_envelope(value)}
        found = {name: self.store.save_value(text, keys.digest(text), 0) for name, text in texts.items()}
        return {name: stored for name, value in found.items() if (stored := references.stored(value)) is not None}

    def _made(self, task: str, given: Mapping[str, Any]) -> dict[str, Any] | None:
        if task not in vars(self.pieces):  # what ends a branch in a failure
            return None
        function = getattr(self.pieces, task).function
        typed = {name: here.typed(value, self.pieces) for name, value in given.items()}
        try:
            found = function(**typed)
        except NonRecoverable:
            return None
        types = self.plan.tasks[task].outputs
        several = found if len(types) > 1 else (found,)
        pairs = zip(types.items(), several, strict=True)
        return {name: self._carried(here.plain(value), dict(schema)) for (name, schema), value in pairs}

    def _carried(self, value: Any, schema: dict[str, Any]) -> Any:
        """The value as it travels: a long one lies in the store."""
        return self.store.save_value(jsontext.dumps(value), keys.identity(value, schema), INLINE)
