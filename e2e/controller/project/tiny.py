"""Tasks small enough that only what is around them shows."""

import time

from alula import Cache, task


@task(cache=Cache("1"))
def add(a: int, b: int) -> int:
    return a + b


@task(cache=Cache("1"))
def greet(text: str) -> str:
    return f"hello {text}"


@task
def uncached(a: int) -> int:
    return a + 1


@task(cache=Cache("1"))
def much(letter: str) -> str:
    return letter * 20_000


@task(cache=Cache("1"))
def count(text: str, salt: int) -> int:
    return len(text) + salt


@task
def rest(seconds: int) -> int:
    time.sleep(seconds)
    return seconds
