"""Frames that stay in the process, and what is forgotten."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import alula
from alula import workflow
from alula.attempt import redact
from alula.local.work import carriers
from alula.types.frames import pandas
from alula_api.contract.references import Reference
from tests.local import flows


def refuse() -> None:
    raise AssertionError("the store is not needed")


@pytest.mark.parametrize("copies_on_write", [True, False])
def test_everybody_gets_a_frame_of_their_own(copies_on_write: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not copies_on_write:  # then it is written and read anew, which is right under every pandas
        monkeypatch.setattr(pandas, "_copies_on_write", lambda: False)
    frame = pd.DataFrame({"a": [1, 2, 3]})
    carrier = carriers.MemoryCarrier(refuse, carriers.FrameShelf())
    reference = carrier.keep(
        frame, type="frame", name="frame.parquet", format="parquet", snapshot=pandas.CODEC.snapshot
    )
    assert reference is not None
    frame.iloc[0, 0] = 99
    first = carrier.kept(reference)
    first.iloc[0, 0] = 98
    first["b"] = 1
    second = carrier.kept(reference)
    assert second["a"].tolist() == [1, 2, 3]
    assert [*second.columns] == ["a"]


def test_files_are_never_kept(tmp_path: Path) -> None:
    carrier = carriers.MemoryCarrier(refuse, carriers.FrameShelf())
    assert carrier.keep(tmp_path, type="file") is None
    assert carrier.kept(Reference("file", "0" * 64, 1)) is None


def test_what_a_value_names_is_forgotten_wherever_it_stands() -> None:
    shelf = carriers.FrameShelf()
    carrier = carriers.MemoryCarrier(refuse, shelf)
    references = [carrier.keep(pd.DataFrame({"a": [n]}), type="frame") for n in range(3)]
    shelf.drop({"x": [references[0].to_json()], "y": 1})
    assert [shelf.get(reference.digest) is None for reference in references] == [True, False, False]


def test_a_run_forgets_frames_as_soon_as_they_are_needed_no_more() -> None:
    sizes = []
    drop = carriers.FrameShelf.drop

    def watch(self, value, depth=0):
        drop(self, value, depth)
        sizes.append(len(self._kept))

    carriers.FrameShelf.drop = watch
    try:
        alula.run(flows.frames, rows=3, workers=1)
    finally:
        carriers.FrameShelf.drop = drop
    assert sizes[-1] == 0


@workflow
def passed(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    return frame, flows.height(frame)


@workflow
def passing(rows: int) -> tuple[int, int, int]:
    frame, first = passed(flows.table(rows))
    again, second = passed(frame)
    return first, second, flows.overwrite(again)


def test_a_frame_that_workflows_only_pass_on_is_kept_until_its_last_reader_is_done() -> None:
    kept = []
    drop = carriers.FrameShelf.drop

    def watch(self, value, depth=0):
        kept.append(len(self._kept))
        drop(self, value, depth)
        kept.append(len(self._kept))

    carriers.FrameShelf.drop = watch
    try:
        assert alula.run(passing, rows=3, workers=1).value == (4, 4, 102)
    finally:
        carriers.FrameShelf.drop = drop
    assert kept[-2:] == [1, 0]
    assert set(kept[:-1]) == {1}


SHORTS = {
    "a text": ("abc", "'abc'"),
    "a number": (1.5, "1.5"),
    "an object": ({"a": [1, None]}, '{"a":[1,null]}'),
    "a long text": ("x" * 500, "'" + "x" * 98 + "…"),
    "a file": (Reference("file", "0" * 64, 5, "note.txt", "txt").to_json(), "note.txt (txt file, 5 bytes)"),
    "a frame": (Reference("frame", "0" * 64, 5, "frame.parquet", "parquet").to_json(), "parquet frame, 5 bytes"),
    "a lone surrogate": ("\ud800", "'\\ud800'"),
}


@pytest.mark.parametrize("case", SHORTS)
def test_a_value_is_told_in_few_characters(case: str) -> None:
    value, expected = SHORTS[case]
    assert redact.short(value) == expected
    assert len(redact.short(value)) <= redact.SHORT
