"""`alula.testing`: what users' tests stand on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import alula
import alula.testing
from alula import Cache, task, workflow
from tests.local import flows


@task(cache=Cache(version="1"))
def load(island: str | None) -> list[int]:
    raise AssertionError("not in a test")


@workflow
def count(island: str | None = None) -> int:
    return flows.total(load(island))


def test_a_mock_stands_in_for_a_task_and_records_its_calls(store: Path) -> None:
    with alula.testing.mock(load, returns=[1, 2, 3]) as loaded:
        assert count() == 6
        assert alula.run(count, island="Biscoe").value == 6
    assert loaded.calls == [{"island": None}, {"island": "Biscoe"}]
    assert not [*store.rglob("cache")]


def test_a_mock_may_compute_or_raise() -> None:
    with alula.testing.mock(load, calls=lambda island: [len(island)]):
        assert count("Dream") == 5
    with alula.testing.mock(load, raises=OSError("down")), pytest.raises(OSError, match="down"):
        count()


def test_what_a_mock_returns_must_fit_the_task() -> None:
    with alula.testing.mock(load, returns="text"), pytest.raises(alula.ValueMismatch):
        count()


def test_an_inner_mock_hides_an_outer_one() -> None:
    with alula.testing.mock(load, returns=[1]):
        with alula.testing.mock(load, returns=[2]):
            assert count() == 2
        assert count() == 1
    with pytest.raises(AssertionError, match="not in a test"):
        count()


def test_mock_takes_one_way_to_answer() -> None:
    with pytest.raises(TypeError, match="exactly one"):
        alula.testing.mock(load).__enter__()
    with pytest.raises(TypeError, match="exactly one"):
        alula.testing.mock(load, returns=1, raises=ValueError).__enter__()


def test_local_gives_a_store_of_its_own_and_puts_the_setting_back(tmp_path: Path) -> None:
    before = os.environ["ALULA_STORE_ROOT"]
    with alula.testing.local(tmp_path / "mine") as root:
        assert alula.run(flows.chain).dir.is_relative_to(tmp_path / "mine")
        assert root == tmp_path / "mine"
    assert os.environ["ALULA_STORE_ROOT"] == before
    with alula.testing.local() as root:
        assert alula.run(flows.chain).dir.is_relative_to(root)
    assert not root.exists()
