"""Inputs whose flags are easily taken for something else."""

from __future__ import annotations

from dataclasses import dataclass

from alula import task, workflow


@dataclass
class Config:
    tags: list[int]
    on: bool = True
    limit: int | None = None


@task
def numbers_text(pairs: dict[int, str], number: int | float, maybe: int | float | None) -> str:
    return f"{pairs} {number!r} {maybe!r}"


@workflow
def numbers(pairs: dict[int, str] = {}, number: int | float = 1, maybe: int | float | None = 3) -> str:
    return numbers_text(pairs, number, maybe)


@task
def record_text(c: Config, tags: list[str]) -> str:
    return f"{c.tags} {c.on} {c.limit} {tags}"


@workflow
def record(c: Config = Config([0]), tags: list[str] = ["q"]) -> str:
    return record_text(c, tags)


@task
def switches_text(cache: bool, no_cache: bool) -> str:
    return f"{cache} {no_cache}"


@workflow
def switches(cache: bool = True, no_cache: bool = False) -> str:
    """Two switches."""
    return switches_text(cache, no_cache)
