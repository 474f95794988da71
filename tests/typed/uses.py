"""Every form whose type matters to a user; checked by `test_tools`, never run."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple, assert_type

import alula
from alula import File, LaunchPlan, Resources, conditional, is_none, task, workflow


class Parts(NamedTuple):
    """Two outputs."""

    table: Annotated[File, "csv"]
    rows: int


@task
def prepare() -> None:
    """Return nothing."""


@task(cache=True, resources=Resources(cpu=1))
def write(n: int) -> Parts:
    """Return several outputs."""
    made = File.new("a.csv")
    made.path.write_text("x\n" * n, encoding="utf-8")
    return Parts(made, n)


@task
def count(table: Annotated[File, "csv"]) -> int:
    """Read a file."""
    return len(table.read_text())


@task
def page(rows: int) -> File[Literal["html"]]:
    """Return a file in the other spelling."""
    return File.new(f"{rows}.html")


@task
async def fetch(n: int) -> float:
    """Run in an event loop."""
    return float(n)


@task(retries=1)
async def fetch_twice(n: int) -> float:
    """Await another task."""
    return await fetch.function(n) + await fetch.function(n)


@workflow
def whole(n: int = 1) -> int:
    """Order calls, take parts, pass results on."""
    first = prepare()
    parts = write.named("write-all")(n)
    alula.order(first, [parts, fetch_twice(n)], page(n))
    assert_type(fetch(n), float)
    assert_type(parts.rows, int)
    return count(parts.table)


@workflow
def chosen(n: int = 1, dry_run: bool = False) -> int | None:
    """Compare results; a branch gives what its call returns."""
    parts = write(n)
    rows = (
        conditional("rows")
        .if_((parts.rows > 3) & ~dry_run)
        .then(count(parts.table))
        .elif_((parts.rows == n) | dry_run)
        .then(0)
        .else_()
        .then(n)
    )
    assert_type(rows, int)
    named = conditional("named").if_(rows > 3).then(page(n)).or_none()
    assert_type(named, File[Literal["html"]] | None)
    either = conditional("either").if_(is_none(named)).then(n).else_().then(count(parts.table))
    assert_type(either, int)
    aside = conditional("aside").if_(rows < 0).then(prepare())
    alula.order(rows, aside)
    sure = conditional("sure").if_(rows > 3).fail("{rows} are too many", rows=rows).else_().then(rows)
    assert_type(sure, int)
    known = conditional("known").if_(rows > 3).then(rows).elif_(rows > 2).fail("two").else_().fail("few")
    assert_type(known, int)
    return conditional("some").if_(rows > 5).then(rows).or_none()


nightly = LaunchPlan("nightly", whole, inputs={"n": 3})


def use() -> None:
    """Take results."""
    assert_type(whole(n=2), int)
    assert_type(nightly(), int)
    assert_type(alula.run(whole, n=2, workers=2).value, int)
    assert_type(alula.run(nightly).value, int)
    assert_type(alula.run(write, n=1).value, Parts)
    assert_type(count.function(File("a.csv")), int)
    assert_type(alula.run(fetch, n=1).value, float)
