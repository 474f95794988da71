"""Helpers for the tests of people who use alula. Works with any test framework, needs none.

```python
def test_training(tmp_path):
    with alula.testing.local(tmp_path), alula.testing.mock(load, returns=SMALL) as loaded:
        assert train(seed=7).accuracy > 0.9
    assert loaded.calls == [{"island": None}]
```
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alula.declare.tasks import Task

__all__ = ["Mock", "local", "mock"]


@contextmanager
def local(folder: str | os.PathLike[str] | None = None) -> Iterator[Path]:
    """Give runs inside the block a store of their own, so that tests neither see nor fill the project's cache.

    Args:
        folder: Where the store lies, such as pytest's `tmp_path`; without it a temporary folder that is removed.

    Yields:
        The store's root.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="alula-") as made, _variables(ALULA_STORE_ROOT=made):
            yield Path(made)
        return
    with _variables(ALULA_STORE_ROOT=os.path.abspath(folder)):  # noqa: PTH100
        yield Path(folder)


@dataclass
class Mock:
    """What stands in for a task.

    Attributes:
        calls: The inputs of each call by name, in the order in which the calls began.
    """

    calls: list[dict[str, Any]] = field(default_factory=list)


_NOTHING = object()


@contextmanager
def mock(
    task: Task[..., Any],
    *,
    returns: Any = _NOTHING,
    raises: BaseException | type[BaseException] | None = None,
    calls: Callable[..., Any] | None = None,
) -> Iterator[Mock]:
    """Let something else stand in for a task in local runs inside the block; its cache is neither read nor written.

    What stands in gets the task's inputs and its result must fit the task's outputs, as always.

    Args:
        task: The task.
        returns: The result of every call.
        raises: Raised by every call instead.
        calls: Called instead of the task's function, with the inputs by name.

    Yields:
        A record of the calls.
    """
    given = [returns is not _NOTHING, raises is not None, calls is not None]
    if sum(given) != 1:
        raise TypeError("mock takes exactly one of returns=, raises= and calls=")
    from alula.local.work import mocks

    record = Mock()

    def stand_in(**inputs: Any) -> Any:
        record.calls.append(inputs)
        if raises is not None:
            raise raises
        return calls(**inputs) if calls is not None else returns

    with mocks.active(task, stand_in):
        yield record


@contextmanager
def _variables(**wanted: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
