"""Random programs: what the local runner makes of each, the walk of what was compiled makes too.

`make programs` runs them in Argo, and `python -m tests.engine.random_programs COUNT SEED` many more of them here.
"""

from __future__ import annotations

import random
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.engine.programs import compared, making

SEEDS = st.randoms(use_true_random=False)
FEW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@FEW
@given(SEEDS, st.integers(0, 1 << 32), st.sampled_from([compared.WHOLE, 3, 5]))
def test_a_program_of_which_all_or_some_is_cached_gives_what_a_run_here_gives(
    rng: Any, misses: int, dag_tasks: int
) -> None:
    found = compared.here_and_compiled(making.program(rng, size=4), dag_tasks)
    assume(found is not None)
    assert found is not None
    assert compared.differences(found, random.Random(misses)) == []


def test_few_programs_are_refused() -> None:
    made = [compared.here_and_compiled(making.program(random.Random(seed))) for seed in range(40)]
    assert sum(each is None for each in made) < 4
    ended = [each.outcome.outputs for each in made if each is not None]
    assert 20 < sum(each is not None for each in ended) < len(ended), "some fail, and most do not"
