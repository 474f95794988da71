"""Every type that the SDK makes of an annotation is text in a resource, and the same type again."""

from __future__ import annotations

import datetime
import typing
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from alula import Directory, File, NaiveDatetime
from alula.types import compiling, unsupported
from alula_api.contract import named_types, schemas, type_spelling
from alula_api.contract.named_types import Types
from tests.typed_resources import without_modules
from tests.types import samples, test_vectors

UserId = typing.NewType("UserId", str)
LEAVES: list[Any] = [
    int, float, bool, str, None, bytes, datetime.datetime, NaiveDatetime, datetime.date, datetime.timedelta, Any, dict,
    list, set, tuple, Path, File, File["html"], Directory, pd.DataFrame, UserId,
    Literal["a", 1, None], Literal["[", "|"],
    samples.Color, samples.Level, samples.Mode, samples.Size, samples.Point, samples.Frozen, samples.Nested,
    samples.Tree, samples.Left, samples.Right, samples.Box[int],
    samples.Box[list[samples.Point]], samples.Box[samples.Left | None],
]  # fmt: skip


def _deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        inner.map(lambda a: list[a]),
        inner.map(lambda a: tuple[a, ...]),
        inner.map(lambda a: dict[str, a]),
        inner.map(lambda a: dict[UserId, a]),
        inner.map(lambda a: None if a is None else a | None),
        inner.map(lambda a: set[a]),
        inner.map(lambda a: samples.Box[a]),
        pairs.map(lambda ab: tuple[ab[0], ab[1]]),
        pairs.map(lambda ab: dict[ab[0], ab[1]]),
        pairs.map(lambda ab: None if ab == (None, None) else ab[0] | ab[1]),
    )


ANNOTATIONS = st.recursive(st.sampled_from(LEAVES), _deeper, max_leaves=8)


def compiled(annotation: Any) -> schemas.Schema | None:
    try:
        return compiling.compile(annotation).schema
    except unsupported.Unsupported:  # such as a set of lists
        return None


@given(st.lists(ANNOTATIONS, min_size=1, max_size=4))
def test_every_type_of_the_sdk_comes_back_from_its_text(annotations: list[Any]) -> None:
    types = [schema for each in annotations if (schema := compiled(each)) is not None]
    named, text = type_spelling.spelled(types)
    back = Types(named)
    assert back.problems() == []
    assert without_modules([back.schema(text(each)) for each in types]) == without_modules(types)


def called(schema: schemas.Schema) -> str:
    """What the contract calls a type in a tag."""
    named, text = type_spelling.spelled([schema])
    types = Types(named)
    return named_types.label(types.term(text(schema)), types.titles)


@pytest.mark.parametrize("annotation", [*LEAVES, *test_vectors.ANNOTATIONS], ids=str)
def test_the_sdk_and_the_contract_call_a_type_the_same_in_a_tag(annotation: Any) -> None:
    made = compiling.compile(annotation)
    # The contract's File does not say whether the user's code sees a Path: tags of it stand in the text of a union.
    assert called(made.schema) == ("File" if annotation is Path else made.label)


@given(ANNOTATIONS)
def test_they_also_call_types_inside_others_the_same(annotation: Any) -> None:
    assume(compiled(annotation) is not None and "Path" not in str(annotation))
    made = compiling.compile(annotation)
    assert called(made.schema) == made.label


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (list[samples.Point] | None, "list[Point] | None"),
        (dict[UserId, int], "dict[str, int]"),
        (Path, "File"),
        (int | float | None, "int | float | None"),
        (samples.Box[list[samples.Point]], "Box[list[Point]]"),
        (Literal["a", 1] | None, 'Literal["a", 1] | None'),
        (Path | Directory, 'Annotated[File, Tag("Path")] | Annotated[Directory, Tag("Directory")]'),
    ],
    ids=str,
)
def test_a_type_reads_as_its_user_would_write_it(annotation: Any, text: str) -> None:
    schema = compiling.compile(annotation).schema
    assert type_spelling.spelled([schema])[1](schema) == text
