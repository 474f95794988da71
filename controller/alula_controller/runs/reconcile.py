"""One run, once: to admission while it is under way, to recovery when it has ended. The work queue of runs calls it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from alula_api.argo import runs
from alula_controller.admission.reconcile import Admission, waiting
from alula_controller.cluster import client, resources
from alula_controller.cluster.watches import Seen
from alula_controller.runs import recovery
from alula_controller.runs.recovery import Recovery


@dataclass(frozen=True)
class RunKey:
    """One run to look at."""

    namespace: str
    name: str
    kind: str = "Run"

    def __str__(self) -> str:
        return f"run {self.namespace}/{self.name}"


def worth_a_look(seen: Seen, now: datetime) -> bool:
    """Whether a run may need something of us, by its labels alone."""
    return waiting(seen) or recovery.candidate(seen, now)


class RunReconciler:
    """Reads a run and gives it to what may have to do with it."""

    def __init__(self, api: client.Cluster, admission: Admission, recovery: Recovery) -> None:
        self._api = api
        self._admission = admission
        self._recovery = recovery

    async def handle(self, key: RunKey) -> float | None:
        """Look at one run; when to look again, if ever."""
        run = await self._api.find(resources.RUNS.path(key.namespace, key.name))
        if run is None:
            return None
        if runs.finished(run):
            await self._recovery.handle(run)
            return None
        return await self._admission.handle(run)
