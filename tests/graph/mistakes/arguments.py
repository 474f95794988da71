from __future__ import annotations

from alula import task, workflow


@task
def train(data: list[float], seed: int = 7, *, rounds: int) -> float:
    return sum(data) + seed + rounds


@task
def load() -> list[float]:
    return [1.0]


@workflow
def fit(rounds: int) -> float:
    return train(load(), rounds=rounds)


@workflow
def missing_inputs() -> float:
    train()
    fit()
    return train(load())


@workflow
def unknown_inputs(n: int) -> float:
    load(n)
    train(load(), seeed=n, rounds=1)
    fit(round=n, rounds=n)
    return train(load(), n, seed=n, rounds=n)


@workflow
def too_many_by_position(n: int) -> float:
    return train(load(), 1, n)
