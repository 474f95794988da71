"""A first pipeline: two tasks, a workflow that calls them, and a launch plan that runs it each night."""

from alula import Cron, LaunchPlan, task, workflow


@task(cache=True)
def words(name: str) -> list[str]:
    """The words of a greeting. With `cache=True` it runs once for each name, until its code changes."""
    return ["hello", name]


@task(retries=2, timeout="5m")
def join(parts: list[str]) -> str:
    """One line of several words."""
    return " ".join(parts)


@workflow
def greet(name: str = "world") -> str:
    """Greet somebody."""
    return join(words(name))


nightly = LaunchPlan("greet-nightly", greet, inputs={"name": "night owls"}, schedule=Cron("0 2 * * *"))
