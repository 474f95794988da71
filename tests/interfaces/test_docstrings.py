"""Docstrings in the forms that people write."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alula.interfaces import docstrings
from tests import strategies


def test_google_style_is_read() -> None:
    docs = docstrings.parse(
        """Sum up
        two lines.

        Details.

        Args:
            a: First.
            *b: Second: with a colon,
              and a second line.

            c (int, optional): Third.
        Raises:
            ValueError: Never.
        """
    )
    assert docs.description == "Sum up two lines.\n\nDetails."
    assert docs.inputs == {"a": "First.", "b": "Second: with a colon, and a second line.", "c": "Third."}


def test_numpy_style_is_read() -> None:
    docs = docstrings.parse(
        """Sum up.

        Details of it,
        in two lines.

        Parameters
        ----------
        a : int
            First.
        b : {"x", "y"}, optional
            Second: with a colon,
            and a second line.

            A paragraph.

        c, d : float
            Both.
        e

        Returns
        -------
        table : DataFrame
            The rows.

        Notes
        -----
        Not for here.

        Examples
        --------
        >>> f(1)
        """
    )
    assert docs.description == "Sum up.\n\nDetails of it, in two lines."
    assert docs.inputs == {
        "a": "First.",
        "b": "Second: with a colon, and a second line. A paragraph.",
        "c": "Both.",
        "d": "Both.",
        "e": "",
    }
    assert docs.returns == "The rows."


def test_a_return_without_a_text_is_its_line() -> None:
    assert docstrings.parse("Do: it.\n\nReturns\n-------\nint\n").returns == "int"


def test_a_title_without_a_line_below_it_is_prose() -> None:
    assert docstrings.parse("Do: it.\n\nParameters\nare few.").description == "Do: it.\n\nParameters are few."


def test_sphinx_fields_are_read() -> None:
    docs = docstrings.parse("Do it.\n\n:param a: First.\n:param int b: Second.\n:returns: x")
    assert docs.description == "Do it."
    assert docs.inputs == {"a": "First.", "b": "Second."}


def test_nothing_is_read_from_nothing() -> None:
    assert docstrings.parse(None) == docstrings.parse("") == docstrings.Docs("", {}, "")


@given(st.lists(strategies.texts(), max_size=6).map("\n".join))
def test_any_text_is_read_and_leaves_nothing_that_a_resource_refuses(text: str) -> None:
    docs = docstrings.parse(text)
    for part in (docs.description.replace("\n\n", " "), docs.returns, *docs.inputs.values()):
        assert len(part) <= docstrings.LONGEST
        assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or ord(c) in {0xFFFE, 0xFFFF} for c in part)
