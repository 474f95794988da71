"""What a watch missed is found by comparing lists."""

from __future__ import annotations

import asyncio
import dataclasses

from alula_controller import resync
from alula_controller.cluster.queue import QueueKey
from tests.controller import scenes, virtual_time
from tests.controller.fake_cluster import FakeCluster


def test_new_changed_and_deleted_definitions_are_found_and_nothing_else() -> None:
    api = FakeCluster()
    for body in (scenes.workflow(), scenes.workflow("other"), scenes.launch_plan(), scenes.domain()):
        api.put(body)
    added: list[QueueKey] = []
    relist = resync.Relist(api, scenes.SETTINGS, lambda key, **_: added.append(key))  # type: ignore[arg-type]
    asyncio.run(relist.once())
    assert {str(key) for key in added} == {
        "Workflow demo-dev/sums", "Workflow demo-dev/other", "LaunchPlan demo-dev/nightly", "Domain demo-dev/domain",
    }  # fmt: skip
    added.clear()
    asyncio.run(relist.once())
    assert added == []
    api.put(scenes.workflow(version="v2"))
    api.drop("LaunchPlan", scenes.SPACE, "nightly")
    asyncio.run(relist.once())
    assert {str(key) for key in added} == {"Workflow demo-dev/sums", "LaunchPlan demo-dev/nightly"}


def test_everything_is_added_once_more_when_asked_the_latest_change_first_and_behind_the_rest() -> None:
    added: list[tuple[str, bool]] = []

    def add(key: QueueKey, delay: float = 0.0, *, behind: bool = False) -> None:
        added.append((key.name, behind))

    async def main() -> None:
        api = FakeCluster()
        for name in ("old", "older", "newest"):
            api.put(scenes.workflow(name))
        api.put(scenes.workflow("older", version="v2"))
        relist = resync.Relist(api, scenes.SETTINGS, add)  # type: ignore[arg-type]
        task = asyncio.create_task(relist.run())
        await asyncio.sleep(10)
        added.clear()
        api.unavailable = 2
        relist.everything()
        await asyncio.sleep(10)
        task.cancel()

    virtual_time.run(main())
    assert added == [("older", True), ("newest", True), ("old", True)]


def test_a_definition_made_anew_under_its_name_is_found() -> None:
    api = FakeCluster()
    api.put(scenes.workflow())
    added: list[QueueKey] = []
    relist = resync.Relist(api, scenes.SETTINGS, lambda key, **_: added.append(key))  # type: ignore[arg-type]
    asyncio.run(relist.once())
    api.drop("Workflow", scenes.SPACE, "sums")
    fresh = scenes.workflow()
    fresh["metadata"]["uid"] = "another"
    api.put(fresh)
    added.clear()
    asyncio.run(relist.once())
    assert [key.name for key in added] == ["sums"]


def test_served_namespaces_are_looked_at_each_time_for_their_labels() -> None:
    settings = dataclasses.replace(scenes.SETTINGS, namespaces=(scenes.SPACE,))
    added: list[QueueKey] = []
    relist = resync.Relist(FakeCluster(), settings, lambda key, **_: added.append(key))  # type: ignore[arg-type]
    for _ in range(2):
        asyncio.run(relist.once())
    assert added == [QueueKey(scenes.SPACE, "domain", "Domain")] * 2
