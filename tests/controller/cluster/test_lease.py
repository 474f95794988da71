"""The Lease between replicas, on one clock that the test moves and with clocks of their own that disagree."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

from alula_controller import settings
from alula_controller.cluster import errors
from alula_controller.cluster.lease import Leadership
from tests.controller import virtual_time
from tests.controller.fake_cluster import FakeCluster

PATH = "leases/alula-controller"


def replica(api: Any, identity: str, drift: float = 0.0) -> Leadership:
    chosen = settings.Settings(identity=identity, lease_seconds=15)
    return Leadership(api, chosen, lambda: asyncio.get_running_loop().time() + drift)


def test_one_of_two_replicas_holds() -> None:
    async def main() -> None:
        api = FakeCluster()
        first, second = replica(api, "a"), replica(api, "b", drift=1e6)
        tasks = [asyncio.create_task(each.run()) for each in (first, second)]
        for _ in range(100):
            await asyncio.sleep(1)
            assert first.held()
            assert not second.held()
        assert second.observed
        for task in tasks:
            task.cancel()

    virtual_time.run(main())


def test_the_other_takes_over_when_the_holder_falls_silent_and_not_before() -> None:
    async def main() -> None:
        api = FakeCluster()
        first, second = replica(api, "a"), replica(api, "b", drift=-1e6)
        holder = asyncio.create_task(first.run())
        other = asyncio.create_task(second.run())
        await asyncio.sleep(30)
        first._let_go = nothing  # type: ignore[method-assign]
        holder.cancel()  # as SIGKILL: it says nothing
        for second_passed in range(40):
            await asyncio.sleep(1)
            assert not (first.held() and second.held()), "never both"
            if second.held():
                break
        assert 10 <= second_passed <= 21
        other.cancel()

    virtual_time.run(main())


async def nothing() -> None:
    pass


def test_a_holder_that_stops_lets_the_other_in_at_once() -> None:
    async def main() -> None:
        api = FakeCluster()
        first, second = replica(api, "a"), replica(api, "b")
        holder = asyncio.create_task(first.run())
        await asyncio.sleep(1)
        other = asyncio.create_task(second.run())
        await asyncio.sleep(5)
        holder.cancel()
        await asyncio.sleep(4)
        assert second.held()
        other.cancel()

    virtual_time.run(main())


def test_a_holder_that_cannot_renew_stops_before_the_other_may_begin() -> None:
    async def main() -> None:
        api = FakeCluster()
        first, second = replica(api, "a"), replica(api, "b")
        tasks = [asyncio.create_task(first.run())]
        await asyncio.sleep(10)
        tasks.append(asyncio.create_task(second.run()))
        await asyncio.sleep(5)

        async def down(*_: Any) -> Any:
            raise errors.Unavailable("partition")

        first._api = type("Down", (), {"find": down, "replace": down, "create": down})()
        for _ in range(60):
            await asyncio.sleep(0.5)
            assert not (first.held() and second.held())
        assert second.held()
        for task in tasks:
            task.cancel()

    virtual_time.run(main())


def test_a_pod_that_was_restarted_under_its_name_goes_on_at_once() -> None:
    async def main() -> None:
        api = FakeCluster()
        before = replica(api, "pod-1")
        before._let_go = nothing  # type: ignore[method-assign]
        task = asyncio.create_task(before.run())
        await asyncio.sleep(1)
        task.cancel()
        again = replica(api, "pod-1")
        task = asyncio.create_task(again.run())
        await asyncio.sleep(0.5)
        assert again.held()
        task.cancel()

    virtual_time.run(main())


def test_a_frozen_holder_knows_on_waking_that_it_no_longer_holds() -> None:
    async def main() -> None:
        api = FakeCluster()
        first = replica(api, "a")
        task = asyncio.create_task(first.run())
        await asyncio.sleep(1)
        task.cancel()
        first._until = asyncio.get_running_loop().time() + 12
        await asyncio.sleep(60)
        assert not first.held()

    virtual_time.run(main())


def test_without_a_lease_it_holds_always() -> None:
    alone = Leadership(None, settings.Settings(lease=""), lambda: 0.0)  # type: ignore[arg-type]
    assert alone.held()
    assert alone.observed


def test_the_lease_says_who_since_when_and_how_often_it_changed_hands() -> None:
    async def main() -> dict[str, Any]:
        api = FakeCluster()
        for identity in ("a", "b"):
            task = asyncio.create_task(replica(api, identity).run())
            await asyncio.sleep(40)
            task.cancel()
            await asyncio.sleep(1)
        return next(body for key, body in api.objects.items() if key[1] == "leases")

    spec = virtual_time.run(main())["spec"]
    assert spec["holderIdentity"] == "", "let go"
    assert spec["leaseTransitions"] == 2 or spec["leaseTransitions"] == 1
    assert spec["renewTime"].endswith("Z")


def test_a_holder_stops_as_soon_as_it_sees_another() -> None:
    async def main() -> None:
        api = FakeCluster()
        told: list[bool] = []
        first = replica(api, "a")
        first._changed = told.append
        task = asyncio.create_task(first.run())
        await asyncio.sleep(10)
        lease = next(iter(api.all("Lease").values()))
        lease["spec"]["holderIdentity"] = "b"
        lease["spec"]["renewTime"] = "2026-11-22T10:00:00.000000Z"
        api.put(lease)
        await asyncio.sleep(3.1)  # one round
        assert not first.held()
        assert told == [True, False]
        task.cancel()

    virtual_time.run(main())


def test_a_renewal_that_another_overtook_is_decided_anew_at_once() -> None:
    class Raced(FakeCluster):
        async def replace(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
            if not self.raced:
                self.raced = True
                lease = copy.deepcopy(next(iter(self.all("Lease").values())))
                lease["spec"] |= {"holderIdentity": "b", "renewTime": "2026-11-22T10:00:00.000000Z"}
                self.put(lease)
            return await super().replace(path, body)

        raced = True

    async def main() -> None:
        api = Raced()
        first = replica(api, "a")
        task = asyncio.create_task(first.run())
        await asyncio.sleep(10)
        api.raced = False
        await asyncio.sleep(3.1)
        assert api.raced
        assert not first.held()
        task.cancel()

    virtual_time.run(main())


def test_who_held_and_lapsed_and_holds_again_is_told_so_though_no_other_stepped_in() -> None:
    async def main() -> None:
        api = FakeCluster()
        told: list[bool] = []
        first = replica(api, "a")
        first._changed = told.append
        await first._round()
        await first._round()
        assert told == []
        await asyncio.sleep(100)
        assert not first.held()
        await first._round()
        first._tell(first.held())
        assert told == [True]
        await asyncio.sleep(100)
        await first._round()
        first._tell(first.held())
        assert told == [True, False, True]

    virtual_time.run(main())


def test_without_a_lease_it_acts_from_the_start() -> None:
    async def main() -> list[bool]:
        told: list[bool] = []
        alone = Leadership(
            FakeCluster(),  # type: ignore[arg-type]
            settings.Settings(identity="a", lease=""),
            lambda: 0.0,
            told.append,
        )
        task = asyncio.create_task(alone.run())
        await asyncio.sleep(1)
        task.cancel()
        return told

    assert virtual_time.run(main()) == [True]
