"""What passes between the tasks of one run besides JSON: which carrier a task gets, and the frames kept in memory.

Made by `run`. The values themselves lie in the walk, which releases each as soon as nothing will read it any more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from alula.local.work.carriers import FrameShelf, MemoryCarrier, StoreCarrier
from alula_api.contract.graphs import walks

if TYPE_CHECKING:
    from alula.local.plan import Place
    from alula.types.carriers import Carrier
    from alula_api.contract.graphs.frames import Spot
    from alula_data.content import Content


class Values:
    """The frames and files of a run.

    Args:
        content: Opens the store on first use, so that a run of plain values needs none.
        stored: The steps whose outputs must lie in the store: their digest is needed, or they outlive the run.
            None means all of them.
    """

    def __init__(self, content: Callable[[], Content], stored: frozenset[Place] | None) -> None:
        self._stored = stored
        self._shelf = FrameShelf()
        self.store = StoreCarrier(content, self._shelf)
        self.memory = MemoryCarrier(content, self._shelf)

    def carrier(self, spot: Spot) -> Carrier:
        """What brings the inputs of a task, and takes its outputs."""
        if self._stored is None or walks.written(spot) in self._stored:
            return self.store
        return self.memory

    def release(self, value: object) -> None:
        """Forget what only an output held that nothing reads any more."""
        self._shelf.drop(value)
