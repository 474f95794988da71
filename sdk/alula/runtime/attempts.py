"""One attempt: what is known of it so far, and the store, opened when something needs it.

Made by `running`, which fills it in as it goes; `failure_report` reads from it how far the attempt came.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from alula.attempt import errors
from alula.attempt.errors import Stop
from alula.attempt.invoke import Phase
from alula_api.contract import pods
from alula_api.contract.codes import Code

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from alula.declare.tasks import Task
    from alula.runtime.attempt_env import AttemptEnv
    from alula_api.contract.references import Reference
    from alula_api.contract.values import Json
    from alula_data.content import Content
    from alula_data.stores.protocols import Store


class Attempt:
    """One attempt at one task; a carrier for the values of its task too."""

    def __init__(self, env: AttemptEnv) -> None:
        self.env = env
        self.phase = Phase.STARTING
        self.call: pods.Call | None = None
        self.task: Task[..., Any] | None = None
        self.inputs: Mapping[str, Json] = {}
        self.root = ""
        """Folder of the user's code, from which places in it are named."""

    @cached_property
    def store(self) -> Store:
        """The domain's prefix."""
        from alula_data.stores import opening

        if not self.env.store:
            raise Stop(errors.SYSTEM, Code.BAD_ENGINE, f"the environment has no {pods.Env.STORE}")
        return opening.open_store(self.env.store, endpoint=self.env.endpoint)

    @cached_property
    def content(self) -> Content:
        """The domain's files and large values."""
        from alula_data.content import Content

        return Content(self.store, work=f"{self.env.work}/in")

    def uses(self, url: str) -> bool:
        """Whether `url` is the domain's prefix."""
        return "store" in self.__dict__ and self.store.url == url

    def commit_file(self, path: Path, *, type: str, name: str = "", format: str = "") -> Reference:
        """See `alula.types.carriers`."""
        return self.content.commit_file(path, type=type, name=name, format=format)

    def fetch(self, reference: Reference) -> Path:
        """See `alula.types.carriers`."""
        return self.content.fetch(reference)
