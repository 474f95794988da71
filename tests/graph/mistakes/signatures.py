from __future__ import annotations

import decimal
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pydantic

from alula import File, task, workflow

if TYPE_CHECKING:
    from somewhere import Thing

T = TypeVar("T")


class Plain:
    pass


class Model(pydantic.BaseModel):
    token: pydantic.SecretStr


@task
def without_annotations(data, seed=7, name=None):
    return data


@task
def without_a_result(n: int):
    return n


@task
def unsupported(
    a: Sequence[int], b: decimal.Decimal, c: uuid.UUID, d: np.ndarray, e: np.float64, f: Plain, g: Model, h: object
) -> None: ...


@task
def more_unsupported(a: T, b: Thing, c: list[complex], d: dict[list[int], str], e: File[3], f: File[csv]) -> bytearray:  # noqa: F821
    return bytearray()


@task
def wrong_defaults(a: int = None, b: list[int] = [1, "2"], c: File = File("x.csv"), d: bool = 1) -> None: ...  # noqa: RUF013


@task
def catch_all(*args: int, **options: str) -> None: ...


@task
def positional(a: int, /) -> None: ...


@workflow
def all_of_them(data, n: int, extra: Any) -> int:
    without_annotations(data)
    without_annotations(data)
    without_a_result(n)
    unsupported()
    more_unsupported()
    wrong_defaults()
    catch_all()
    positional(n)
    return n
