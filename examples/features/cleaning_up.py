"""What happens after a run: a scratch table goes whatever became of it; the team is told of a failure."""

from alula import Failure, conditional, task, workflow


@task
def create(table: str) -> str:
    """Make a scratch table."""
    return f"scratch.{table}"


@task(retries=2)
def load(scratch: str, rows: int) -> int:
    """Fill the scratch table."""
    return rows


@task
def drop(table: str) -> None:
    """Remove the scratch table, if it is there."""


@task
def page(table: str, failure: Failure) -> str:
    """Write the message for those on call."""
    return f"loading {table} failed in {failure.node or 'the run itself'}: {failure.message}"


@workflow(failure_policy="drain", on_failure=page, on_exit=drop)
def ingest(table: str = "penguins", rows: int = 344) -> int:
    """Load a table; an empty one is a failure with a message of its own."""
    loaded = load(create(table), rows)
    return (
        conditional("full")
        .if_(loaded > 0)
        .then(loaded)
        .else_()
        .fail("{table} has {rows} rows", table=table, rows=loaded)
    )
