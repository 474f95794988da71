"""One task, called with other settings and under names of its own: the same code, cheaper or more patient."""

from alula import Resources, task, workflow


@task(cache=True, retries=2, timeout="10m", resources=Resources(cpu="1", memory="1Gi"))
def fit(city: str, trees: int) -> float:
    """Fit a forest for one city."""
    return trees / len(city)


@task
def better(first: float, second: float) -> float:
    """The better of two scores."""
    return max(first, second)


@workflow
def compare(trees: int = 10) -> float:
    """Fit a small city as it stands, and a large one with more memory, one try and a result that is made each time."""
    small = fit.named("fit-oslo")("oslo", trees)
    large = fit.with_overrides(
        name="fit-mexico-city",
        retries=0,
        timeout="1h",
        cache=False,
        resources=Resources(cpu="4", memory="8Gi"),
        environment={"OMP_NUM_THREADS": "4"},
    )("mexico city", trees)
    return better(small, large)
