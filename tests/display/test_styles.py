"""Widths, colours, and streams that cannot show everything."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula.display import printing, styles, terminals
from alula.display.styles import Style

COLOURED = Style(colour=True)
words = st.text(st.sampled_from("ab 漢字é́"), max_size=20)
coloured = st.lists(st.tuples(words, st.booleans()), max_size=5).map(
    lambda parts: "".join(COLOURED.paint(text, "red") if red else text for text, red in parts)
)


@given(coloured, st.integers(1, 30))
def test_text_is_cut_to_its_columns_and_ends_without_a_colour(text: str, columns: int) -> None:
    cut = styles.fit(text, columns)
    assert styles.width(cut) <= columns
    if styles.width(text) <= columns:
        assert cut == text
    elif "\x1b" in text:
        assert cut.endswith("\x1b[0m")


lines = st.lists(words.filter(str.strip).map(lambda word: word.replace(" ", "")), min_size=1, max_size=12).map(" ".join)
texts = st.lists(st.tuples(st.sampled_from(["", "  "]), lines).map("".join), max_size=4).map("\n".join)


@given(texts, st.integers(8, 30))
def test_wrapped_text_has_the_same_words_and_only_one_that_is_too_long_makes_a_line_too_long(
    text: str, columns: int
) -> None:
    made = styles.wrapped(text, columns)
    assert made.split() == text.split()
    assert all(styles.width(line) <= columns or len(line.split()) == 1 for line in made.split("\n"))


def test_what_belongs_to_a_line_is_indented_further() -> None:
    hint = "  hint: did you mean --number-of-trees-in-forest?"
    assert styles.wrapped(f"error UNKNOWN: no flag\n{hint}", 30) == (
        "error UNKNOWN: no flag\n  hint: did you mean\n    --number-of-trees-in-forest?"
    )
    assert styles.wrapped(COLOURED.paint("  hint: one two", "cyan"), 12) == "\x1b[36m  hint: one\n    two\x1b[0m"


@given(coloured, st.integers(0, 30))
def test_text_is_padded_to_its_columns(text: str, columns: int) -> None:
    assert styles.width(styles.pad(text, columns)) == max(columns, styles.width(text))


@given(st.text())
def test_user_text_cannot_move_the_cursor(text: str) -> None:
    safe = styles.safe(text)
    assert not any((ord(c) < 32 and c not in "\t\n") or 127 <= ord(c) < 160 for c in safe)


@given(st.floats(0, 1), st.integers(0, 50), st.booleans(), st.booleans())
def test_a_bar_has_its_width(part: float, columns: int, colour: bool, symbols: bool) -> None:
    assert styles.width(Style(colour, symbols).bar(part, columns)) == columns


@given(st.floats(0, 10**7))
def test_a_duration_is_short(seconds: float) -> None:
    assert len(styles.duration(seconds)) <= 9


DURATIONS = {0: "0ms", 0.0034: "3ms", 0.0996: "0.1s", 0.94: "0.9s", 9.96: "10s", 59.6: "1m 00s", 125: "2m 05s",
             3599.7: "1h 00m", 7320: "2h 02m"}  # fmt: skip


@pytest.mark.parametrize("seconds", DURATIONS)
def test_durations_are_told_as_people_do(seconds: float) -> None:
    assert styles.duration(seconds) == DURATIONS[seconds]


AMOUNTS = {0: "0 B", 999: "999 B", 1000: "1.0 kB", 28_123: "28 kB", 999_600: "1.0 MB", 5 * 10**15: "5000 TB"}


@pytest.mark.parametrize("size", AMOUNTS)
def test_amounts_are_told_as_people_do(size: int) -> None:
    assert styles.amount(size) == AMOUNTS[size]


class Stream(io.StringIO):
    def __init__(self, tty: bool, encoding: str = "utf-8") -> None:
        super().__init__()
        self.tty, self.named = tty, encoding

    def isatty(self) -> bool:
        return self.tty

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.named

    def write(self, text: str) -> int:
        text.encode(self.named)
        return super().write(text)


TERMINALS = {
    "a terminal": (True, {"TERM": "xterm"}, (True, True)),
    "a file": (False, {"TERM": "xterm"}, (False, False)),
    "NO_COLOR": (True, {"TERM": "xterm", "NO_COLOR": "1"}, (True, False)),
    "an empty NO_COLOR": (True, {"TERM": "xterm", "NO_COLOR": ""}, (True, True)),
    "NO_COLOR and FORCE_COLOR": (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, (True, False)),
    "FORCE_COLOR in a file": (False, {"FORCE_COLOR": "1"}, (False, True)),
    "a dumb terminal": (True, {"TERM": "dumb"}, (False, False)),
    "CI": (True, {"TERM": "xterm", "CI": "true"}, (False, True)),
    "CI that is off": (True, {"TERM": "xterm", "CI": "false"}, (True, True)),
}


@pytest.mark.parametrize("case", TERMINALS)
def test_what_a_stream_can_show(case: str) -> None:
    tty, variables, (live, colour) = TERMINALS[case]
    found = terminals.detect_stream(Stream(tty), variables)
    assert (found.live, found.style.colour) == (live, colour)


def test_a_stream_without_unicode_gets_letters_and_escapes() -> None:
    stream = Stream(True, "ascii")
    assert not terminals.detect_stream(stream, {}).style.symbols
    printing.emit(stream, "7 → 8\n")
    assert stream.getvalue() == "7 \\u2192 8\n"


def test_columns_and_lines_win() -> None:
    found = terminals.detect_stream(Stream(True), {"COLUMNS": "132", "LINES": "50"})
    assert (found.width, found.height) == (132, 50)


def test_there_may_be_no_stream_at_all() -> None:
    assert not terminals.detect_stream(None, {}).live
    printing.emit(None, "nothing")


def test_a_reader_that_went_away_is_no_error() -> None:
    class Gone(Stream):
        def flush(self) -> None:
            raise BrokenPipeError

    printing.emit(Gone(False), "text")
    assert True
