"""Words to flags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula.cli import flags, usage
from alula.cli.flags import Flag

FLAGS = (
    Flag("workers", "N", letter="w"),
    Flag("quiet", letter="q"),
    Flag("verbose", letter="v"),
    Flag("held_out", "FLOAT"),
    Flag("ready", negatable=True),
    Flag("island", "TEXT", negatable=True),
    Flag("tags", "TEXT", many=True),
)

CASES = {
    "a value after a blank": (["--workers", "4"], {"workers": ["4"]}),
    "a value after =": (["--workers=4"], {"workers": ["4"]}),
    "an empty value": (["--workers="], {"workers": [""]}),
    "a value with =": (["--workers=a=b"], {"workers": ["a=b"]}),
    "a negative number": (["--workers", "-4"], {"workers": ["-4"]}),
    "a value that looks like a flag that does not exist": (["--island", "--x"], {"island": ["--x"]}),
    "a switch": (["--quiet"], {"quiet": [True]}),
    "a switch and its negation": (["--ready", "--no-ready"], {"ready": [True, False]}),
    "a switch with a value": (["--ready=false"], {"ready": [False]}),
    "a switch with a value after a blank": (["--ready", "false", "--quiet"], {"ready": [False], "quiet": [True]}),
    "a switch before another flag": (["--ready", "--quiet"], {"ready": [True], "quiet": [True]}),
    "a negated value": (["--no-island"], {"island": [False]}),
    "underscores": (["--held_out", "1"], {"held_out": ["1"]}),
    "dashes": (["--held-out", "1"], {"held_out": ["1"]}),
    "letters": (["-q", "-w", "3"], {"quiet": [True], "workers": ["3"]}),
    "letters in one word": (["-qvw3"], {"quiet": [True], "verbose": [True], "workers": ["3"]}),
    "again and again": (["--tags", "a", "--tags=b"], {"tags": ["a", "b"]}),
}


@pytest.mark.parametrize("case", CASES)
def test_words_are_read(case: str) -> None:
    argv, expected = CASES[case]
    found = flags.scan(argv, FLAGS)
    found.check()
    assert found.values == expected
    assert found.rest == []


WRONG = {
    "a flag that does not exist": (["--worker", "4"], "there is no flag --worker", "did you mean --workers?"),
    "a letter that does not exist": (["-x"], "there is no flag -x", ""),
    "a value that is missing": (["--workers"], "--workers needs a value", "write --workers N"),
    "a value that is another flag": (["--workers", "--quiet"], "--workers needs a value", "write --workers N"),
    "a flag that is given twice": (
        ["--workers", "1", "--workers", "2"],
        "--workers is given twice",
        "drop one of them",
    ),
    "a switch with a value": (["--quiet=yes"], "--quiet takes no value, got 'yes'", "write --quiet alone"),
    "a negation with a value": (["--no-ready=1"], "--no-ready takes no value", ""),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told(case: str) -> None:
    argv, message, hint = WRONG[case]
    with pytest.raises(usage.UsageError) as caught:
        flags.scan(argv, FLAGS).check()
    assert (caught.value.diagnostics[0].message, caught.value.diagnostics[0].hint) == (message, hint)


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(usage.UsageError) as caught:
        flags.scan(["--worker", "4", "--quiet=1", "--tags"], FLAGS).check()
    assert len(caught.value.diagnostics) == 3


def test_reading_may_end_at_the_first_word_that_is_no_flag() -> None:
    found = flags.scan(["-q", "file.py", "--workers", "x", "--unknown"], FLAGS, stop=True)
    assert found.values == {"quiet": [True]}
    assert found.rest == ["file.py", "--workers", "x", "--unknown"]
    assert found.problems == []


def test_after_two_dashes_nothing_is_a_flag() -> None:
    found = flags.scan(["-q", "--", "--workers"], FLAGS)
    assert (found.values, found.rest) == ({"quiet": [True]}, ["--workers"])


@given(st.lists(st.text(max_size=6)), st.booleans())
def test_no_words_make_it_crash(argv: list[str], stop: bool) -> None:
    found = flags.scan(argv, FLAGS, stop=stop)
    assert all(word in argv for word in found.rest)


@given(st.text())
def test_a_value_arrives_as_it_was_written(text: str) -> None:
    assert flags.scan([f"--workers={text}"], FLAGS).text("workers") == text


def test_a_value_that_a_flag_cannot_have_is_refused_with_those_that_it_can() -> None:
    output = Flag("output", "FORMAT", letter="o", many=True, choices=("yaml", "json"))
    found = flags.scan(["-o", "xml", "--output=json"], [output])
    assert [(each.message, each.hint) for each in found.problems] == [("-o cannot be 'xml'", "write yaml or json")]
