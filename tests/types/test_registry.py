"""Types that other packages add by the entry point group `alula.types`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alula.types import compiling
from alula.types.carriers import REFUSAL
from alula.types.unsupported import Unsupported

MODULE = """
import fractions

from alula.types.mismatches import Mismatch
from alula.types.pytypes import PyType
from alula.types.registry import Claim


def fraction(annotation, compiler):
    part = compiler.any(int)

    def to_json(value, carrier):
        if type(value) is not fractions.Fraction:
            raise Mismatch(f"expected Fraction, got {value!r}")
        return [part.to_json(value.numerator, carrier), part.to_json(value.denominator, carrier)]

    def from_json(value, carrier):
        return fractions.Fraction(*value)

    schema = {"type": "array", "prefixItems": [part.schema] * 2, "items": False, "x-alula-type": "tuple"}
    return PyType(annotation, "Fraction", schema, to_json, from_json, exact=(fractions.Fraction,))


def broken(annotation, compiler):
    return PyType(annotation, "Odd", {"type": "odd"}, None, None)


CLAIM = Claim(lambda annotation: annotation is fractions.Fraction, fraction)
SEVERAL = (CLAIM, Claim(lambda annotation: annotation in (complex, int), broken))
"""


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Installs a distribution with the entry points that a test wants."""

    def install(entry_points: str) -> None:
        (tmp_path / "acme_types.py").write_text(MODULE)
        info = tmp_path / "acme-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[alula.types]\n{entry_points}\n")
        importlib.invalidate_caches()

    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(compiling, "_compiled", {})
    yield install
    sys.modules.pop("acme_types", None)


def fraction() -> Any:
    import fractions

    return fractions.Fraction


def test_a_package_adds_a_type(distribution: Any) -> None:
    distribution("fraction = acme_types:CLAIM")
    made = compiling.compile(list[fraction()])
    assert made.label == "list[Fraction]"
    half = fraction()(1, 2)
    assert made.to_json([half], REFUSAL) == [[1, 2]]
    assert made.from_json([[1, 2]], REFUSAL) == [half]
    assert [part.label for part in made.items(2) or []] == ["Fraction", "Fraction"]


def test_without_the_package_the_type_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "_compiled", {})
    with pytest.raises(Unsupported, match="Fraction is not a type that alula can carry"):
        compiling.compile(fraction())


def test_a_package_does_not_change_what_our_types_mean(distribution: Any) -> None:
    distribution("several = acme_types:SEVERAL")
    assert compiling.compile(int).schema == {"type": "integer"}
    assert "acme_types" not in sys.modules, "it is loaded only for what nothing of ours claims"


def test_a_type_that_no_resource_could_hold_is_refused_with_its_origin(distribution: Any) -> None:
    distribution("several = acme_types:SEVERAL")
    with pytest.raises(Unsupported, match="makes no type of the contract"):
        compiling.compile(complex)


def test_a_broken_package_is_named(distribution: Any) -> None:
    distribution("gone = acme_types:NOTHING")
    with pytest.raises(Unsupported, match="the entry point gone = acme_types:NOTHING"):
        compiling.compile(complex)
