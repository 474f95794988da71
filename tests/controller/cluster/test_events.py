"""Events about objects."""

from __future__ import annotations

import asyncio
from typing import Any

from alula_controller.cluster import errors, events
from alula_controller.cluster.events import Announcement, Announcer
from tests.controller import scenes, virtual_time


class Posted:
    def __init__(self, refuse: bool = False) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.refuse = refuse

    async def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if self.refuse:
            raise errors.Refused("events are full")
        self.bodies.append(body)
        return body


def say(api: Posted, count: int, pause: float = 0.0, message: str = "ready") -> None:
    async def main() -> None:
        announcer = Announcer(api, "me", asyncio.get_running_loop().time)  # type: ignore[arg-type]
        task = asyncio.create_task(announcer.run())
        for number in range(count):
            announcer.say(Announcement(events.regarding(scenes.workflow()), "Compiled", f"{message} {number}"))
            await asyncio.sleep(pause)
        await asyncio.sleep(5)
        assert not task.done()
        task.cancel()

    virtual_time.run(main())


def test_an_event_names_its_object_by_uid() -> None:
    api = Posted()
    say(api, 1)
    body = api.bodies[0]
    assert body["involvedObject"]["uid"] == "uid-of-sums"
    assert body["metadata"]["namespace"] == scenes.SPACE
    assert (body["reason"], body["type"]) == ("Compiled", "Normal")


def test_an_object_that_says_too_much_is_cut_off_and_may_speak_again_later() -> None:
    api = Posted()
    say(api, 100)
    assert len(api.bodies) == events.BURST
    patient = Posted()
    say(patient, 30, pause=events.REFILL_SECONDS)
    assert len(patient.bodies) == 30


def test_a_refused_event_is_dropped() -> None:
    say(Posted(refuse=True), 3)


def test_a_message_is_cut_to_what_the_api_server_takes() -> None:
    announcement = Announcement(events.regarding(scenes.workflow()), "Invalid", "x" * 5000, warning=True)
    body = events.event(announcement, "me", scenes.MOMENT)
    assert len(body["message"]) <= 1024
    assert body["type"] == "Warning"


def test_the_name_of_an_event_follows_from_what_it_says() -> None:
    announcement = Announcement(events.regarding(scenes.workflow()), "Invalid", "x")
    first, second = (events.event(announcement, "me", scenes.MOMENT) for _ in range(2))
    assert first == second
    other = events.event(Announcement(announcement.regarding, "Invalid", "y"), "me", scenes.MOMENT)
    assert other["metadata"]["name"] != first["metadata"]["name"]
