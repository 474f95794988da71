"""numpy scalars are taken where the Python value is equal, and nowhere else; numpy is not imported for it."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

from alula import NaiveDatetime
from alula.types import compiling
from alula.types.mismatches import Mismatch

TAKEN: list[tuple[Any, Any, Any]] = [
    (int, np.int64(7), 7),
    (int, np.uint8(255), 255),
    (float, np.float64(1.5), 1.5),
    (float, np.float32(1.5), 1.5),
    (float, np.float32(0.1), float(np.float32(0.1))),
    (float, np.int16(3), 3.0),
    (float, np.longdouble(1.5), 1.5),
    (bool, np.bool_(True), True),
    (str, np.str_("ü"), "ü"),
    (bytes, np.bytes_(b"x"), b"x"),
    (NaiveDatetime, np.datetime64("2026-01-31T12:00"), datetime.datetime(2026, 1, 31, 12)),
    (datetime.date, np.datetime64("2026-01-31"), datetime.date(2026, 1, 31)),
    (datetime.timedelta, np.timedelta64(90, "s"), datetime.timedelta(seconds=90)),
    (list[int], [np.int64(1), 2], [1, 2]),
    (dict[str, float], {"a": np.float64(0.5)}, {"a": 0.5}),
    (int | None, np.int32(1), 1),
    (Any, {"a": [np.int64(1)]}, {"a": [1]}),
]


@pytest.mark.parametrize(("annotation", "given", "expected"), TAKEN)
def test_a_scalar_becomes_the_equal_python_value(annotation: Any, given: Any, expected: Any) -> None:
    result = compiling.compile(annotation).check(given)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("annotation", "given"),
    [
        (int, np.float64(7.0)),
        (int, np.bool_(True)),
        (bool, np.int64(1)),
        (float, np.longdouble("0.1")),
        (float, np.uint64(2**53 + 1)),
        (float, np.complex128(1)),
        (NaiveDatetime, np.datetime64("2026-01-31T12:00:00.000000001")),
        (NaiveDatetime, np.datetime64("NaT")),
        (int, np.array(7)),
    ],
)
def test_a_scalar_without_an_equal_python_value_is_refused(annotation: Any, given: Any) -> None:
    with pytest.raises(Mismatch):
        compiling.compile(annotation).check(given)
