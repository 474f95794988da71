"""The judge of the queue's scenarios: it finds a choice that is out of turn, and one run too many."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from alula_api.contract import labels
from e2e.controller.histories import History


def run(name: str, second: int, *, priority: int = 0, admitted: bool = False) -> dict[str, Any]:
    marks = {labels.REVISION: "r", **({labels.ADMITTED: f"{name}.1"} if admitted else {})}
    metadata = {"name": name, "uid": name, "labels": marks, "annotations": {labels.PRIORITY: str(priority)}}
    return {"kind": "Workflow", "metadata": {**metadata, "creationTimestamp": f"2026-11-22T11:00:{second:02d}Z"}}


def domain(*intents: str) -> dict[str, Any]:
    admission = {"intents": [{"uid": each, "name": each} for each in intents]}
    metadata = {"name": "domain", "uid": "domain"}
    return {
        "kind": "Domain",
        "metadata": metadata,
        "spec": {"quota": {"running": 1}},
        "status": {"admission": admission},
    }


def judged(*versions: dict[str, Any]) -> History:
    api = SimpleNamespace(list=lambda *_: [])
    place: Any = SimpleNamespace(cluster=SimpleNamespace(api=api), namespace="dev")
    history = History(place)
    for number, body in enumerate(versions, 1):
        body["metadata"] = {**body["metadata"], "resourceVersion": str(number)}
        history._saw({"spec": {}, **body}, gone=False)
    return history


def test_a_choice_that_the_order_gives_is_not_strange() -> None:
    history = judged(domain(), run("old", 1), run("young", 2), domain("old"), run("old", 1, admitted=True))
    assert (history.strange(), history.most, history.chosen, history.admitted) == ([], 1, ["old"], ["old"])


def test_one_that_had_to_wait_for_another_is() -> None:
    assert judged(domain(), run("old", 1), run("young", 2), domain("young")).strange()
    assert judged(domain(), run("old", 1), run("urgent", 2, priority=9), domain("old")).strange() == [], (
        "before the urgent one was there it was right"
    )
    assert judged(run("old", 1), run("urgent", 2, priority=9), domain(), domain("old")).strange()


def test_more_than_the_quota_is_seen_at_the_instant_at_which_it_was() -> None:
    history = judged(domain(), run("a", 1, admitted=True), run("b", 1, admitted=True), run("b", 1))
    assert history.most == 2
