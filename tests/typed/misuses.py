"""Forms that type checkers refuse; `test_tools` demands that mypy finds each line wrong that it ignores."""

from __future__ import annotations

from alula import ImperativeWorkflow, Pod, map_task, task, workflow


@task
def fit(n: int) -> int:
    """Take a number."""
    return n


@workflow
def overridden(n: int) -> int:
    """Give options of other types, options that there are not, and inputs of other types."""
    fit.with_overrides(retries="3")(n)  # type: ignore[arg-type]
    fit.with_overrides(retrys=3)(n)  # type: ignore[call-arg]
    fit.with_overrides(resources={"cpu": 1})(n)  # type: ignore[arg-type]
    fit.with_overrides(environment={"A": 1})(n)  # type: ignore[dict-item]
    fit.with_overrides(cache="1")(n)  # type: ignore[arg-type]
    fit.with_overrides(pod={"labels": {}})(n)  # type: ignore[arg-type]
    fit.with_overrides(pod=Pod(config_maps=["a"]))(n)  # type: ignore[arg-type]
    fit.with_overrides(interruptible="yes")(n)  # type: ignore[arg-type]
    fit.with_overrides(name=3)(n)  # type: ignore[arg-type]
    fit.with_overrides(retries=1)("x")  # type: ignore[arg-type]
    map_task(fit).with_overrides(retries=1)([n])  # type: ignore[attr-defined]
    return overridden.with_overrides(retries=1)(n)  # type: ignore[attr-defined, no-any-return]


def imperative() -> None:
    """Add calls with inputs of other types, and in Flyte's way."""
    wf = ImperativeWorkflow("wrong")
    wf.add_entity(fit, n=1)  # type: ignore[attr-defined]
    wf.add(fit, "x")  # type: ignore[arg-type]
