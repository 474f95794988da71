"""pydantic models: by alias, with their own validation, and refusals of what would be lost."""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula import File, task, workflow
from alula.interfaces import encode
from alula.types import compiling
from alula.types.carriers import REFUSAL
from alula.types.mismatches import Mismatch
from alula.types.unsupported import Unsupported
from alula_api.contract import schemas
from tests.types.shelf import Shelf

T = TypeVar("T")


class Range(pydantic.BaseModel):
    low: float = 0.0
    high: Annotated[float, pydantic.Field(gt=0)] = 1.0

    @pydantic.model_validator(mode="after")
    def ordered(self) -> Range:
        if self.low > self.high:
            raise ValueError("low must not exceed high")
        return self


class Config(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(populate_by_name=True)

    name: str = pydantic.Field(alias="the-name")
    ranges: dict[str, Range]
    tags: set[str] = set()
    since: datetime.date | None = None


class Tree(pydantic.BaseModel):
    size: int
    children: list[Tree] = []


class Box(pydantic.BaseModel, Generic[T]):
    content: T


class Report(pydantic.BaseModel):
    page: File

    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)


CONFIG = Config(name="a", ranges={"x": Range(low=-math.inf, high=2)}, tags={"b", "a"}, since=datetime.date(2026, 1, 31))


def round_trip(annotation: Any, value: Any) -> Any:
    made = compiling.compile(annotation)
    return encode.from_json(made, encode.to_json(made, value, REFUSAL), REFUSAL)


def test_a_model_travels_by_alias_in_declared_order() -> None:
    made = compiling.compile(Config)
    assert schemas.check(made.schema) == []
    assert made.schema["x-alula-fields"] == ["the-name", "ranges", "tags", "since"]
    assert encode.to_text(made, CONFIG, REFUSAL) == (
        '{"the-name":"a","ranges":{"x":{"low":"-Infinity","high":2.0}},"tags":["a","b"],"since":"2026-01-31"}'
    )
    assert round_trip(Config, CONFIG) == CONFIG


@given(st.floats(allow_nan=False), st.floats(min_value=1e-3, allow_nan=False))
def test_every_valid_model_comes_back(low: float, high: float) -> None:
    value = Range(low=min(low, high), high=high)
    assert round_trip(Range, value) == value


def test_a_model_may_refer_to_itself_and_be_generic() -> None:
    tree = Tree(size=1, children=[Tree(size=2)])
    assert round_trip(Tree, tree) == tree
    assert round_trip(Box[list[int]], Box[list[int]](content=[1])) == Box[list[int]](content=[1])
    assert compiling.compile(Box[int]).schema != compiling.compile(Box[str]).schema


def test_a_model_may_hold_files(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("a")
    shelf = Shelf(tmp_path / "shelf")
    made = compiling.compile(Report)
    wire = encode.to_json(made, Report(page=File(tmp_path / "a.html")), shelf)
    assert encode.from_json(made, wire, shelf).page.path.read_text() == "a"


def test_the_models_validation_runs_when_a_value_arrives() -> None:
    made = compiling.compile(Config)
    wire = {"the-name": "a", "ranges": {"x": {"low": 0.0, "high": -1.0}}}
    with pytest.raises(Mismatch) as caught:
        encode.from_json(made, wire, REFUSAL)
    (flaw,) = caught.value.flaws
    assert flaw.where() == ".ranges['x'].high"
    assert flaw.message == "Input should be greater than 0"


def test_a_subclass_would_be_cut_and_is_refused() -> None:
    class Wider(Range):
        step: float = 1.0

    with pytest.raises(Mismatch, match="expected Range, got Wider"):
        compiling.compile(Range).to_json(Wider(), REFUSAL)


def test_parts_of_a_model_are_promised_by_their_fields() -> None:
    @task
    def load() -> Range:
        return Range()

    @task
    def use(low: float) -> float:
        return low

    @workflow
    def flow() -> float:
        return use(load().low)

    assert flow() == 0.0


class Secretive(pydantic.BaseModel):
    token: pydantic.SecretStr


class Private(pydantic.BaseModel):
    _state: int = pydantic.PrivateAttr(default=0)


class Excluded(pydantic.BaseModel):
    n: int = pydantic.Field(default=1, exclude=True)


class TwoAliases(pydantic.BaseModel):
    n: int = pydantic.Field(validation_alias="in", serialization_alias="out")


class Serialized(pydantic.BaseModel):
    n: int

    @pydantic.field_serializer("n")
    def text(self, n: int) -> str:
        return str(n)


class Open(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")


class Changing(pydantic.BaseModel):
    n: int = 1

    @pydantic.field_validator("n")
    @classmethod
    def more(cls, n: int) -> int:
        return n + 1


class Odd(pydantic.BaseModel):
    n: complex


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (Secretive, "Secretive.token is a secret"),
        (Private, "Private._state is private state"),
        (Excluded, "Excluded.n has exclude=True"),
        (TwoAliases, "TwoAliases.n is read as 'in' and written as 'out'"),
        (Serialized, r"Serialized.text\(\) changes what is written"),
        (Open, "Open allows extra fields"),
        (Changing, "the default value of Changing comes back as another"),
        (pydantic.RootModel[int], "is a RootModel"),
        (Odd, "complex is not a type that alula can carry"),
    ],
)
def test_what_would_be_lost_is_refused_when_it_is_registered(model: Any, reason: str) -> None:
    with pytest.raises(Unsupported, match=reason):
        compiling.compile(model)
