"""The metadata watch against a scripted API server, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from alula_api.contract import labels
from alula_controller.cluster import client, errors, resources
from alula_controller.cluster.watches import Seen, Watch
from tests.controller import virtual_time


def item(name: str, version: int, uid: str = "u", **labels: str) -> dict[str, Any]:
    return {"metadata": {"namespace": "n", "name": name, "uid": uid, "resourceVersion": str(version), "labels": labels}}


def event(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "object": body}


class Script:
    """Lists and streams in the order in which the test wrote them; the last stream stays open."""

    def __init__(self, *steps: Any) -> None:
        self.steps = list(steps)
        self.asked: list[str] = []

    async def pages(self, path: str, **_: Any) -> AsyncIterator[client.Listing]:
        self.asked.append("list")
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        assert isinstance(step, client.Listing), step
        for item in step.items or (None,):  # in pages of one
            yield client.Listing((item,) if item else (), step.version)

    async def watch(self, path: str, *, since: str, labels: str = "") -> AsyncIterator[dict[str, Any]]:
        self.asked.append(f"watch {since}")
        if not self.steps or isinstance(self.steps[0], client.Listing):
            if not self.steps:
                await asyncio.Event().wait()
            raise AssertionError("a stream was expected")
        for step in self.steps.pop(0):
            if isinstance(step, Exception):
                raise step
            yield step


def told(script: Script, seconds: float = 200) -> tuple[Watch, list[tuple[str, str, bool]]]:
    heard: list[tuple[str, str, bool]] = []

    async def main() -> Watch:
        def tell(seen: Seen, gone: bool) -> None:
            heard.append((seen.name, seen.version, gone))

        watch = Watch(script, resources.RUNS, tell)  # type: ignore[arg-type]
        task = asyncio.create_task(watch.run())
        await asyncio.sleep(seconds)
        assert not task.done(), "a watch never ends by itself"
        task.cancel()
        return watch

    return virtual_time.run(main()), heard


def listing(version: int, *items: dict[str, Any]) -> client.Listing:
    return client.Listing(items, str(version))


def test_what_is_there_is_told_and_then_what_changes() -> None:
    script = Script(
        listing(5, item("a", 1), item("b", 2)),
        [event("MODIFIED", item("a", 6)), event("BOOKMARK", item("", 9)), event("DELETED", item("b", 10))],
    )
    watch, heard = told(script)
    assert heard == [("a", "1", False), ("b", "2", False), ("a", "6", False), ("b", "10", True)]
    assert list(watch.of("n")) == ["a"]
    assert watch.synced.is_set()
    assert script.asked == ["list", "watch 5", "watch 10"], "it continues from the last version, bookmarks included"


def test_after_a_break_it_continues_from_where_it_was() -> None:
    script = Script(
        listing(5), [event("ADDED", item("a", 7)), errors.Unavailable("reset")], [event("ADDED", item("b", 8))]
    )
    _, heard = told(script)
    assert script.asked[:3] == ["list", "watch 5", "watch 7"]
    assert [name for name, _, _ in heard] == ["a", "b"]


def test_too_old_a_version_is_listed_anew_and_deletes_in_the_gap_are_told() -> None:
    script = Script(
        listing(5, item("a", 1), item("b", 2)), [errors.Gone("410")], listing(50, item("b", 2), item("c", 40))
    )
    _, heard = told(script)
    assert heard[2:] == [("a", "1", True), ("c", "40", False)], "b did not change and is not told again"


def test_an_object_made_anew_under_its_name_is_told_as_gone_and_there() -> None:
    script = Script(listing(5, item("a", 1)), [errors.Gone("410")], listing(50, item("a", 40, uid="other")))
    _, heard = told(script)
    assert heard[1:] == [("a", "1", True), ("a", "40", False)]


@pytest.mark.parametrize(
    "trouble",
    [
        errors.Unavailable("503"),
        errors.Refused("403"),
        errors.ClusterError("500"),
        KeyError("object"),
        ValueError("not json"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_trouble_ends_it(trouble: Exception) -> None:
    script = Script(
        trouble, listing(5, item("a", 1)), [trouble], listing(6, item("a", 1)), [event("ADDED", item("b", 7))]
    )
    if isinstance(trouble, errors.Unavailable):
        script = Script(trouble, listing(5, item("a", 1)), [trouble], [event("ADDED", item("b", 7))])
    watch, heard = told(script)
    assert ("b", "7", False) in heard
    assert set(watch.of("n")) == {"a", "b"}


def test_it_does_not_ask_again_at_once_for_ever() -> None:
    script = Script(*[errors.Unavailable("down")] * 1000)
    told(script, seconds=600)
    assert len(script.asked) < 100


def test_streams_that_end_as_soon_as_they_begin_are_not_opened_without_pause() -> None:
    script = Script(listing(5), *[[]] * 1000)
    told(script, seconds=600)
    assert len(script.asked) < 100


def test_a_stream_that_said_something_is_opened_again_soon_however_many_ended_before() -> None:
    script = Script(listing(5), *[[]] * 6, [event("ADDED", item("a", 6))], [event("ADDED", item("b", 7))])
    when: list[float] = []

    async def main() -> None:
        watch = Watch(script, resources.RUNS, lambda seen, gone: when.append(asyncio.get_running_loop().time()))  # type: ignore[arg-type]
        task = asyncio.create_task(watch.run())
        await asyncio.sleep(100)
        task.cancel()

    virtual_time.run(main())
    assert 0 < when[1] - when[0] < 0.5


def test_versions_that_are_always_too_old_are_not_listed_without_pause() -> None:
    script = Script(*[step for _ in range(500) for step in (listing(5), [errors.Gone("410")])])
    told(script, seconds=600)
    assert script.asked.count("list") < 100


def test_a_server_that_asks_for_time_is_given_it() -> None:
    script = Script(listing(5), *[[errors.Unavailable("429", retry_after=20.0)]] * 100)
    told(script, seconds=200)
    assert len(script.asked) <= 12


def test_a_watch_that_remembers_nothing_tells_what_it_is_asked_for_page_by_page() -> None:
    script = Script(listing(5, item("a", 1), item("b", 2)), [event("ADDED", item("c", 6))])
    heard: list[str] = []

    async def main() -> Watch:
        watch = Watch(script, resources.RUNS, lambda seen, gone: heard.append(seen.name), remember=False)  # type: ignore[arg-type]
        task = asyncio.create_task(watch.run())
        await asyncio.sleep(60)
        script.steps = [errors.Unavailable("503"), listing(7, item("a", 1), item("b", 2), item("c", 6))]
        watch.again()
        await asyncio.sleep(60)
        task.cancel()
        return watch

    assert virtual_time.run(main()).known == {}
    assert heard == ["a", "b", "c", "a", "b", "c"]


def test_only_what_anybody_asks_for_is_kept_of_an_object() -> None:
    body = item("a", 1, **{"team": "x" * 60, labels.REVISION: "r"})
    body["metadata"] |= {
        "annotations": {"big": "x" * 10_000},
        "creationTimestamp": "2026-11-22T10:00:00Z",
        "ownerReferences": [{"uid": "other"}, {"uid": "owner", "controller": True}],
    }
    seen = Seen.of(body)
    assert seen == Seen("n", "a", "u", "1", "2026-11-22T10:00:00Z", {labels.REVISION: "r"}, "owner")
