"""The user's traceback without our frames."""

from __future__ import annotations

import json
from pathlib import Path

from alula.code import tracebacks


def compiled(source: str, filename: str) -> dict:
    space: dict = {}
    exec(compile(source, filename, "exec"), space)
    return space


OURS = compiled("def through(f):\n    return f()\n", str(Path(tracebacks.__file__).parent / "invoke.py"))["through"]


def caught(function) -> BaseException:
    try:
        OURS(lambda: OURS(function))
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def divide() -> float:
    return 1 / 0


def test_frames_of_alula_are_left_out_and_the_users_stay() -> None:
    text = tracebacks.user_traceback(caught(divide))
    assert "in divide" in text
    assert "in through" not in text
    assert text.startswith("Traceback (most recent call last):\n")
    assert text.endswith("\nZeroDivisionError: division by zero\n")


def test_frames_of_libraries_that_the_user_called_stay() -> None:
    text = tracebacks.user_traceback(caught(lambda: json.loads("{")))
    assert "in raw_decode" in text or "in decode" in text


def test_causes_are_shown_without_our_frames_too() -> None:
    def outer() -> None:
        try:
            OURS(divide)
        except ZeroDivisionError as error:
            raise ValueError("no such ratio") from error

    text = tracebacks.user_traceback(caught(outer))
    assert "in through" not in text
    assert "ZeroDivisionError: division by zero" in text
    assert "direct cause" in text
    assert text.endswith("ValueError: no such ratio\n")


def test_notes_and_groups_are_shown() -> None:
    def grouped() -> None:
        error = ExceptionGroup("two things", [ValueError("a"), TypeError("b")])
        error.add_note("while looking")
        raise error

    text = tracebacks.user_traceback(caught(grouped))
    assert "ValueError: a" in text
    assert "TypeError: b" in text
    assert "while looking" in text


def test_a_mistake_without_user_frames_is_one_line() -> None:
    raiser = compiled("def fail():\n    raise TypeError('o0: int expected')\n", tracebacks.__file__)["fail"]
    try:
        raiser()
    except TypeError as error:
        error.__traceback__ = error.__traceback__.tb_next
        assert tracebacks.user_traceback(error) == "TypeError: o0: int expected\n"


def test_an_endless_recursion_stays_short() -> None:
    def again(n: int) -> int:
        return again(n + 1)

    assert len(tracebacks.user_traceback(caught(lambda: again(0)))) < tracebacks.LIMIT + 200


def test_a_huge_message_is_cut_in_the_middle_by_whole_lines() -> None:
    def shout() -> None:
        raise ValueError("\n".join(f"line {n}" for n in range(10_000)))

    text = tracebacks.user_traceback(caught(shout))
    assert len(text) < tracebacks.LIMIT + 200
    assert "characters left out" in text
    assert text.endswith("line 9999\n")


def test_where_names_the_innermost_frame_of_the_users_own_code() -> None:
    here = Path(__file__)
    error = caught(lambda: json.loads("{"))
    assert tracebacks.where(error, str(here.parent)).startswith(f"{here.name}:")
    assert tracebacks.where(error, str(here.parent / "elsewhere")).startswith(f"{here}:")
