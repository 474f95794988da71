"""How long runs stay: defaults, bounds, and that a launch plan only shortens what its domain says."""

from __future__ import annotations

import pytest

from alula_api.contract.retention import MAX_SECONDS, Retention

DAY = 86_400


def test_without_a_word_runs_that_succeeded_stay_a_week_and_others_a_month() -> None:
    assert Retention.of(None, None) == Retention(7 * DAY, 30 * DAY)
    assert Retention.of("12h", None) == Retention(DAY // 2, 30 * DAY)


def test_a_launch_plan_shortens_and_never_lengthens() -> None:
    domain = Retention.of("2d", "60d")
    assert domain.within(None, None) == domain
    assert domain.within("1d", "90d") == Retention(DAY, 60 * DAY)
    assert domain.within("3d", "1m") == Retention(2 * DAY, 60)


def test_a_run_stays_for_a_second_and_for_ten_years_at_most() -> None:
    assert Retention.of("0s", "999999999d") == Retention(1, MAX_SECONDS)
    with pytest.raises(ValueError, match="must be a duration"):
        Retention.of("soon", None)
