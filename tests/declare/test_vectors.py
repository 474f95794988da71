"""Declared functions have the interfaces of the golden vectors, so a laptop's keys are those of a pod and `admit`."""

from __future__ import annotations

import dataclasses
import datetime

import pandas as pd

from alula import File, task
from tests import vectors


@dataclasses.dataclass
class Tree:
    n: int
    kids: list[Tree] = dataclasses.field(default_factory=list)


@task
def load() -> pd.DataFrame:
    return pd.DataFrame()


@task
def train(seed: int, rate: float) -> tuple[File["html"], float]:  # noqa: F821, UP037
    return File("x.html"), rate


@task
def report(df: pd.DataFrame) -> File["html"]:  # noqa: F821, UP037
    return File("x.html")


@task
def grow(tree: Tree, at: datetime.datetime) -> Tree:
    return tree


@task
def train_with_other_words_and_defaults(rate: float = 0.5, seed: int = 3) -> tuple[File["html"], float]:  # noqa: F821, UP037
    """Train.

    Args:
        seed: Words are no part of an interface, nor are defaults and the order of inputs.
    """
    return File("x.html"), rate


def test_the_interfaces_of_tasks_are_the_vectors() -> None:
    found = [each.interface.digest for each in (load, train, train, report, grow)]
    assert found == [case["interface"] for case in vectors.KEYS]
    assert train_with_other_words_and_defaults.interface.digest == train.interface.digest
