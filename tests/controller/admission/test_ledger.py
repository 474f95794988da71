"""The ledger, in random schedules of two replicas: never more than the quota, nothing lost, nothing leaked.

`ALULA_SCHEDULES=100000` tries as many schedules.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from alula_api.contract.queue import MAX_INTENTS, Quota, Run
from alula_controller.admission import ledger
from alula_controller.admission.ledger import Intent, Ledger
from tests.controller.admission import simulation

SCHEDULES = int(os.environ.get("ALULA_SCHEDULES", "300"))


def test_two_replicas_that_crash_at_any_write_never_exceed_the_quota_and_lose_no_run() -> None:
    for seed in range(SCHEDULES):
        server = simulation.simulate(seed)
        assert sorted(server.admitted) == sorted(server.runs), "each run was let go, once"
        assert server.intents == ()


@pytest.mark.parametrize("mutant", [simulation.mutant, simulation.hasty])
def test_the_simulation_finds_what_a_replica_without_the_ledger_or_with_its_reads_swapped_does(
    mutant: Callable[..., Any],
) -> None:
    def wrong(seed: int) -> bool:
        try:
            simulation.simulate(seed, mutant)
        except AssertionError:
            return True
        return False

    assert any(map(wrong, range(5000)))


def run(uid: str, admitted: bool = False) -> Run:
    return Run(uid, uid, 0.0, admitted=admitted)


def test_intents_stay_until_their_run_is_marked_over_or_gone() -> None:
    before = Ledger((Intent("marked", "marked"), Intent("gone", "gone"), Intent("open", "open")), "7")
    step = ledger.step(before, [run("marked", admitted=True), run("open"), run("new")], Quota(running=2), 10.0)
    assert step.intents == (Intent("open", "open"),), "the marked run and the open intent take both places"
    assert step.running == 2
    assert [each.run.uid for each in step.choice.waiting] == ["new"]


def test_an_intent_is_never_taken_back_however_low_the_quota_becomes() -> None:
    before = Ledger(tuple(Intent(f"r{n}", f"r{n}") for n in range(5)), "7")
    step = ledger.step(before, [run(f"r{n}") for n in range(6)], Quota(running=1, suspended=True), 10.0)
    assert step.intents == before.intents


def test_the_ledger_is_bounded() -> None:
    step = ledger.step(Ledger(), [run(f"r{n:04d}") for n in range(1000)], Quota(), 10.0)
    assert len(step.intents) == MAX_INTENTS
    again = ledger.step(Ledger(step.intents, "8"), [run(f"r{n:04d}") for n in range(1000)], Quota(), 11.0)
    assert again.intents == step.intents


def test_it_is_read_from_the_status_of_a_domain() -> None:
    domain = {
        "metadata": {"resourceVersion": "12"},
        "status": {"admission": {"intents": [{"uid": "u", "name": "r"}]}},
    }
    read = Ledger.of(domain)
    assert read == Ledger((Intent("u", "r"),), "12")
    assert read.names("u")
    assert not read.names("other")
    assert Ledger.of({"metadata": {"resourceVersion": "1"}}) == Ledger((), "1")
