"""What changed in a task: also where an option is newer than what is told in words of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from alula.gitops import workflow_changes
from alula_api.contract.graphs import specs


@dataclass(frozen=True)
class Wider(specs.TaskSpec):
    priority: int = 0
    tolerations: Mapping[str, str] = field(default_factory=dict)


def told(old: Wider, new: Wider) -> list[str]:
    before, after = (
        specs.WorkflowSpec("v", specs.Code("acme/w:1", 1), tasks=(task,), graphs=(specs.GraphSpec("main"),))
        for task in (old, new)
    )
    return [change.text for change in workflow_changes.compare("workflow w", before, after)]


@pytest.mark.parametrize(
    ("new", "texts"),
    [
        (Wider("a", "f:a"), []),
        (Wider("a", "f:a", priority=2), ["priority 0 → 2"]),
        (Wider("a", "f:a", tolerations={"gpu": "only"}), ["tolerations gpu only (was unset)"]),
        (Wider("a", "f:a", timeout="10m", image="acme/b:1"), ["image acme/b:1 (was unset)", "timeout 10m (was unset)"]),
    ],
)
def test_an_option_without_words_of_its_own_is_told_by_its_name(new: Wider, texts: list[str]) -> None:
    assert told(Wider("a", "f:a"), new) == texts
