"""An edit of any number in a random project: another result has another version, and what cannot matter has the same.

`python -m tests.code.random_projects 100000` tries more of them.
"""

from __future__ import annotations

import random

import pytest

from tests.code import random_projects
from tests.code.projects import Project


@pytest.mark.parametrize("seed", range(60))
def test_an_edit_of_a_token_anywhere_changes_the_version_if_and_only_if_it_may_matter(
    seed: int, project: Project
) -> None:
    made, [(file, number, verdict)] = random_projects.try_one(project, random.Random(seed))
    shown = f"token {number} of {file} in {made.files}"
    assert verdict.version or not verdict.result, shown
    assert not (verdict.idle and verdict.version), shown
