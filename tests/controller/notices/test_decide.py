"""What causes a notice, decided once or again and again, in whatever order runs end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from alula_api.argo.runs import PHASE_LABEL
from alula_api.contract import labels
from alula_api.contract.notices import DONE, PENDING, Choice, Notice, When
from alula_controller.notices import decide
from alula_controller.notices.decide import Memory
from alula_controller.notices.marks import Mark

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
ENDS = st.lists(st.sampled_from(["Succeeded", "Failed", "Error", "skipped", "replaced"]), max_size=12)


def metadata(number: int, end: str) -> dict[str, Any]:
    skipped = end in ("skipped", "replaced")
    marks = {PHASE_LABEL: "Failed" if skipped else end} | ({labels.OUTCOME: end} if skipped else {})
    return {"name": f"r{number}", "uid": f"u{number}", "labels": marks, "resourceVersion": "1"}


@given(ENDS, st.integers(0, 3))
def test_what_is_decided_again_is_decided_alike_and_a_recovery_follows_a_failure(ends: list[str], again: int) -> None:
    memory, failing = Memory(), False
    for number, end in enumerate(ends):
        found = decide.ended(metadata(number, end), memory)
        for _ in range(again):  # killed after it remembered, and before the run said so
            repeated = decide.ended(metadata(number, end), found.memory)
            assert repeated == found
        memory = found.memory
        if end in ("skipped", "replaced"):
            assert found.event == ""
        elif end == "Succeeded":
            assert found.event == (When.RECOVERED if failing else When.SUCCEEDED)
            failing = False
        else:
            assert found.event == When.FAILED
            failing = True
        assert memory.failing == failing


PLACE = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
SECONDS = st.one_of(st.none(), st.integers(1, 10**6))
NOTICES = st.builds(
    Notice, PLACE, st.lists(st.sampled_from([str(each) for each in When]), max_size=5).map(tuple), SECONDS, SECONDS
)
CHOICES = st.lists(NOTICES, max_size=5, unique_by=lambda each: each.place).map(lambda each: Choice(tuple(each)))


@given(CHOICES)
def test_a_choice_comes_back_from_its_text(choice: Choice) -> None:
    assert Choice.from_text(choice.to_text()) == choice


@given(st.text(max_size=200))
def test_any_text_is_a_choice_or_says_nothing(text: str) -> None:
    Choice.from_text(text)
    Mark.of({"uid": "u", "annotations": {labels.NOTIFIED: text}})


@given(CHOICES, st.booleans(), st.booleans(), st.integers(-(10**6), 2 * 10**6))
def test_a_run_is_late_after_its_scheduled_time_and_waits_too_long_only_while_it_waits(
    choice: Choice, scheduled: bool, waits: bool, seconds: int
) -> None:
    now = NOON + timedelta(seconds=seconds)
    times = list(decide.moments(choice, created=NOON, tick=NOON if scheduled else None, waits=waits))
    due, later = decide.due(times, now)
    assert all(moment <= now for moment, notice in times if notice in due)
    assert later is None or later > now
    assert {notice.partition("/")[0] for _, notice in times} <= (
        ({"Late"} if scheduled else set()) | ({"Queued"} if waits else set())
    )


@given(st.lists(st.sampled_from(["Late/a", "Late/b", "Queued/a"]), max_size=6), st.booleans())
def test_a_mark_owes_each_notice_once_and_is_done_when_all_are_told(notices: list[str], ended: bool) -> None:
    mark, uid = Mark(), "u1"
    for notice in notices:
        mark = mark.owes(notice)
    mark = mark.ended("Failed", ["a"]) if ended else mark
    patch = mark.patch(metadata(1, "Failed"))["metadata"]
    assert Mark.of({"uid": uid, "annotations": patch["annotations"]}) == mark
    assert Mark.of({"uid": "another", "annotations": patch["annotations"]}) == Mark()
    assert len(mark.owed) == len({*notices, *(["Failed/a"] if ended else [])})
    for notice in mark.owed:
        assert patch["labels"][labels.NOTICES] == PENDING
        mark = mark.without(notice)
    assert mark.done == ended
    assert mark.patch(metadata(1, "Failed"))["metadata"]["labels"][labels.NOTICES] == (DONE if ended else PENDING)
