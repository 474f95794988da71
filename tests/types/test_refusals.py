"""Values that do not fit: every message whole, so that people review the wording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alula.types import compiling
from alula.types.mismatches import Mismatch
from alula.types.unsupported import Unsupported
from tests import goldens
from tests.types import refusals

GOLDEN = Path(__file__).parent / "refusals.txt"
ROOT = Path(__file__).parents[2]


def told(annotation: Any, value: Any) -> str:
    try:
        result = compiling.compile(annotation).check(value)
    except Mismatch as mismatch:
        return "\n".join(
            f"  {flaw.where() or '.'}: {flaw.message}" + (f"\n     hint: {flaw.hint}" if flaw.hint else "")
            for flaw in mismatch.flaws
        )
    except Unsupported as problem:
        return f"  unsupported: {problem.reason}"
    return f"  taken as {result!r}"


def test_every_refusal_says_what_was_expected_and_the_nearest_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = "\n".join(f"{name}\n{told(*case)}" for name, case in refusals.CASES.items())
    goldens.check(GOLDEN, text.replace(str(ROOT), "<cwd>") + "\n")


@pytest.mark.parametrize("name", [name for name in refusals.CASES if name != "a Flag"])
def test_no_wrong_value_is_taken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    annotation, value = refusals.CASES[name]
    with pytest.raises(Mismatch):
        compiling.compile(annotation).check(value)


def test_a_long_list_of_wrong_items_is_told_in_part() -> None:
    with pytest.raises(Mismatch) as caught:
        compiling.compile(list[int]).check(["x"] * 100_000)
    assert len(caught.value.flaws) == 20
