from __future__ import annotations

from alula import task, workflow

CITIES = ("Chicago", "New York", "chicago")


@task
def fit(n: int) -> int:
    return n


@workflow
def half(n: int) -> int:
    return fit(n)


@workflow
def names_two_calls_alike(n: int) -> int:
    first = fit.named("fit-chicago")(n)
    return fit.named("fit-chicago")(first)


@workflow
def takes_the_name_of_a_call_before(n: int) -> int:
    first = fit(n)
    return half.named("fit")(first)


@workflow
def writes_names_that_no_node_can_have(n: int) -> list[int]:
    return [fit.named(f"Fit {city}")(n) for city in CITIES]


@workflow
def takes_our_own_name(n: int) -> int:
    return fit.named("admit")(n)


@workflow
def gives_no_name(n: int) -> int:
    return fit.named("")(half.named(3)(fit.named("é" * 70)(n)))  # type: ignore[arg-type]


@workflow
def names_and_passes_wrongly(n: int) -> int:
    return fit.named("fit_it")("x")  # type: ignore[arg-type]
