"""Which replica acts: the holder of one Lease. All replicas watch; only the holder works on keys.

The Lease saves work and keeps two replicas from answering at once. It fences nothing: every write that matters carries
a resourceVersion or uid, or is an apply of the same bytes. How long ago a Lease was renewed is measured on our own
monotonic clock from when we saw it change, so the clocks of two nodes need not agree.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from alula_controller import metrics, timestamps
from alula_controller.cluster import client, errors, resources
from alula_controller.settings import Settings

log = logging.getLogger(__name__)

LET_GO_SECONDS = 0.5


class Leadership:
    """Holds the Lease while `run` runs, and says so by `held`.

    Args:
        api: the cluster.
        settings: the Lease (none: hold without one, as the only replica), and our name in it.
        clock: monotonic seconds.
        changed: called when we begin to act (with True) and when we stop. What may need work is found out anew each
            time we begin, also after a lapse that was too short for another replica to step in.
    """

    def __init__(
        self,
        api: client.Cluster,
        settings: Settings,
        clock: Callable[[], float],
        changed: Callable[[bool], None] = lambda held: None,
    ) -> None:
        self._api = api
        self._name = settings.lease
        self._namespace = settings.namespace
        self._identity = settings.identity
        self._seconds = settings.lease_seconds
        self._clock = clock
        self._changed = changed
        self._acting = False  # as `changed` was last told
        self._until = float("-inf")  # we may act until then
        self._seen: tuple[str, str] = ("", "")  # holder and renewTime as last read
        self._seen_at = float("-inf")
        self.observed = not settings.lease  # a hold, ours or another's, has been seen

    def held(self) -> bool:
        """Whether we may act now. False as soon as our last renewal is too old, even if `run` hangs."""
        return not self._name or self._clock() < self._until

    async def run(self) -> None:
        """Acquire and renew until cancelled, then let go."""
        self._tell(self.held())
        if not self._name:
            await asyncio.Event().wait()
        try:
            while True:
                try:
                    await self._round()
                except errors.ClusterError as error:
                    log.warning("the Lease could not be renewed: %s", error)
                except Exception:
                    log.exception("a defect of ours in renewing the Lease")
                self._tell(self.held())
                await asyncio.sleep(self._seconds / (5 if self.held() else 7))
        finally:
            await self._let_go()

    def _tell(self, acting: bool) -> None:
        metrics.LEADER.set(1 if acting else 0)
        if acting != self._acting:
            self._acting = acting
            log.info("%s the Lease", "holding" if acting else "lost")
            self._changed(acting)

    async def _round(self) -> None:
        for _ in range(2):
            if await self._settled():
                return

    async def _settled(self) -> bool:
        """Read the Lease and take or renew it where it is ours to; whether no other replica wrote it meanwhile."""
        began = self._clock()
        path = resources.LEASES.path(self._namespace, self._name)
        lease = await self._api.find(path)
        if lease is None:
            await self._api.create(resources.LEASES.path(self._namespace), self._lease(None))
            self._hold(began)
            return True
        spec = lease.get("spec") or {}
        seen = (str(spec.get("holderIdentity") or ""), str(spec.get("renewTime") or ""))
        if seen != self._seen:
            self._seen, self._seen_at = seen, began
        self.observed = True
        silent = began - self._seen_at > float(spec.get("leaseDurationSeconds") or self._seconds)
        if seen[0] not in ("", self._identity) and not silent:
            self._until = float("-inf")  # it is another's, whatever we believed
            return True
        try:
            await self._api.replace(path, self._lease(lease))
        except errors.Conflict:
            return False
        self._hold(began)
        return True

    def _hold(self, began: float) -> None:
        if not self.held():
            self._tell(False)
        # The others count from when they see our renewal, which is later than `began`: we stop first.
        self._until = began + self._seconds * 0.8
        self.observed = True

    def _lease(self, old: dict[str, Any] | None, holder: str | None = None) -> dict[str, Any]:
        moment = timestamps.micros(timestamps.now())
        spec = dict((old or {}).get("spec") or {})
        mine = spec.get("holderIdentity") == self._identity
        spec.update(
            holderIdentity=self._identity if holder is None else holder,
            leaseDurationSeconds=max(1, round(self._seconds)),
            renewTime=moment,
            acquireTime=spec.get("acquireTime", moment) if mine else moment,
            leaseTransitions=int(spec.get("leaseTransitions") or 0) + (0 if mine or old is None else 1),
        )
        metadata = {"name": self._name, "namespace": self._namespace}
        if old is not None:
            metadata["resourceVersion"] = old["metadata"]["resourceVersion"]
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}

    async def _let_go(self) -> None:
        """Tell the next replica that it need not wait. Best effort: silence says the same, later."""
        if not self.held():
            return
        self._until = float("-inf")
        path = resources.LEASES.path(self._namespace, self._name)
        try:
            async with asyncio.timeout(LET_GO_SECONDS):
                lease = await self._api.find(path)
                if lease and (lease.get("spec") or {}).get("holderIdentity") == self._identity:
                    await self._api.replace(path, self._lease(lease, holder=""))
        except (errors.ClusterError, TimeoutError):
            log.info("the Lease stays ours until it runs out")
