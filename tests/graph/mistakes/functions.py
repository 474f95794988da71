from __future__ import annotations

import json
import statistics

import pandas as pd

from alula import task, workflow


@task
def load(n: int) -> pd.DataFrame:
    return pd.DataFrame({"a": [n]})


@task
def numbers(n: int) -> list[float]:
    return [float(n)]


@task
def show(text: str) -> str:
    return text


def clean(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.dropna()


def average(values: list[float]) -> float:
    return statistics.mean(values)


def describe(values: list[float], unit: str) -> str:
    return " ".join([unit, values])


@workflow
def calls_a_plain_function(n: int) -> pd.DataFrame:
    return clean(load(n))


@workflow
def calls_a_method(n: int) -> pd.DataFrame:
    return load(n).dropna()


@workflow
def passes_it_to_a_library(n: int) -> str:
    return show(json.dumps(numbers(n)))


@workflow
def computes_in_a_helper(n: int) -> float:
    return average(numbers(n))


@workflow
def joins_in_a_helper(n: int) -> str:
    return show(describe(numbers(n), "m"))


@workflow
def has_a_mistake_of_its_own(n: int) -> str:
    options = {"a": 1}
    return show(options["b"])


@workflow
def returns_what_a_plain_function_made(n: int) -> list[float]:
    return [n, 1.0]


@workflow
def returns_a_task_that_it_never_called(n: int) -> pd.DataFrame:
    return load


@workflow
def passes_a_workflow_on_that_it_never_called(n: int) -> str:
    return show(calls_a_plain_function)
