"""Tasks and workflows that share no data, one after the other: `order(a, b)`, or `a >> b`, says "b after a"."""

from alula import order, task, workflow


@task
def create(table: str) -> None:
    """Make an empty table."""


@task
def insert(table: str, rows: int) -> int:
    """Write rows into a table that must be there."""
    return rows


@task
def check(table: str) -> str:
    """Look at a table that must be filled."""
    return f"{table} is well"


@workflow
def checked(table: str) -> str:
    """Check a table; called as one step."""
    return check(table)


@workflow
def refresh(table: str = "penguins", rows: int = 3) -> tuple[int, str]:
    """Make, fill and check a table, in this order."""
    made = create(table)
    filled = insert(table, rows)
    seen = checked(table)
    order(made, filled, seen)
    return filled, seen
