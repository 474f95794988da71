"""`@task`: names, entrypoints, options, and what a plain call does."""

from __future__ import annotations

import asyncio
import datetime
import functools
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from alula import (
    Affinity,
    Backoff,
    Cache,
    File,
    NodeRule,
    NonRecoverable,
    Pod,
    Resources,
    Retries,
    Secret,
    Task,
    Toleration,
    ValueMismatch,
    errors,
    grow,
    task,
    workflow,
)
from alula.code import tracebacks
from alula.declare import options
from alula_api.contract import retries
from tests import goldens


class Parts(NamedTuple):
    a: int
    b: float


@task
def plain(n: int, by: float = 1) -> float:
    """Add."""
    return n + by


@task(name="acme/load v2", retries=3, cache=True)
def named() -> int:
    return 1


class Holder:
    @task
    def method(n: int) -> int:  # type: ignore[misc]
        return n


def test_a_task_keeps_what_its_function_says_of_itself() -> None:
    assert isinstance(plain, Task)
    assert plain.__name__ == "plain"
    assert plain.__doc__ == "Add."
    assert repr(plain) == f"<task tests.declare.test_tasks:plain at tests/declare/test_tasks.py:{plain.source.line}>"


def test_the_entrypoint_is_module_and_name_below_the_project_root() -> None:
    assert plain.entrypoint == plain.key == "tests.declare.test_tasks:plain"
    assert plain.name == "plain"
    assert plain.obstacle == ""
    assert Holder.method.entrypoint == "tests.declare.test_tasks:Holder.method"


def test_a_name_given_is_the_key_and_its_label_the_name() -> None:
    assert named.key == "acme/load v2"
    assert named.name.startswith("acme-load-v2")
    assert named.entrypoint == "tests.declare.test_tasks:named"


def test_what_another_process_cannot_find_is_said() -> None:
    @task
    def local(n: int) -> int:
        return n

    assert "defined inside test_what_another_process_cannot_find_is_said()" in local.obstacle
    assert "lambda" in task(lambda: None).obstacle
    scope: dict[str, Any] = {"task": task, "__name__": "__main__"}
    exec("@task\ndef typed(n: int) -> int: return n", scope)
    assert "notebook" in scope["typed"].obstacle
    assert scope["typed"].entrypoint == "interactive:typed"


def test_a_plain_call_runs_the_function_with_its_types_checked() -> None:
    assert plain(1) == 2.0
    assert plain(1, by=2) == 3.0
    assert plain(n=np.int64(1), by=np.float32(0.5)) == 1.5
    assert type(plain(1)) is float


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        (("1",), {}, "BAD_VALUE: expected int, got the str '1'"),
        ((1.0, "x"), {}, "expected float, got the str 'x'"),
        ((), {}, "MISSING_INPUT: the input 'n' is not given"),
        ((1,), {"bye": 2}, "UNKNOWN_INPUT: there is no input 'bye'"),
        ((1, 2.0, 3), {}, "3 arguments are given by position, but it takes 2 so"),
        ((1,), {"n": 2}, "the input 'n' is given twice"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(args: Any, kwargs: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        plain(*args, **kwargs)
    assert isinstance(caught.value, errors.ValueMismatch)
    assert message in str(caught.value)


def test_all_wrong_arguments_are_told_at_once() -> None:
    with pytest.raises(errors.ValueMismatch) as caught:
        plain("1", "2")  # type: ignore[arg-type]
    assert [problem.subject for problem in caught.value.diagnostics] == ["task plain, input n", "task plain, input by"]


def test_results_are_checked_too() -> None:
    @task
    def wrong(n: int) -> list[int]:
        return [n, "x"]  # type: ignore[list-item]

    @task
    def forgot(n: int) -> int: ...  # type: ignore[empty-body]

    @task
    def extra(n: int) -> None:
        return n  # type: ignore[return-value]

    @task
    def parts(n: int) -> Parts:
        return Parts(n, "x")  # type: ignore[arg-type]

    @task
    def short(n: int) -> tuple[int, int]:
        return (n,)  # type: ignore[return-value]

    for call, message in [
        (wrong, "OUTPUT_TYPE: at [1]: expected int, got the str 'x'\n  in task wrong, its result"),
        (forgot, "expected int, got None"),
        (extra, "returned the int 1, but declares no output"),
        (parts, "expected float, got the str 'x'\n  in task parts, output b"),
        (short, "expected tuple[int, int], got 1 value"),
    ]:
        with pytest.raises(errors.ValueMismatch) as caught:
            call(1)
        assert message in str(caught.value)
        assert caught.value.diagnostics[0].source.startswith("tests/declare/test_tasks.py:")


def test_several_results_come_back_as_they_were_returned() -> None:
    @task
    def parts(n: int) -> Parts:
        return Parts(n, 1)

    assert parts(2) == Parts(2, 1.0)
    assert type(parts(2)) is Parts
    assert type(parts(2).b) is float


def test_what_the_function_raises_passes_untouched() -> None:
    problem = NonRecoverable("no")

    @task
    def fails(n: int) -> int:
        raise problem

    with pytest.raises(NonRecoverable) as caught:
        fails(1)
    assert caught.value is problem
    assert caught.value.__cause__ is None
    assert not caught.value.__suppress_context__ or caught.value.__context__ is None


def test_an_async_task_runs_to_its_end() -> None:
    @task
    async def later(n: int) -> int:
        await asyncio.sleep(0)
        return n + 1

    @task
    async def fails(n: int) -> int:
        raise ValueError("no")

    assert later(1) == 2
    with pytest.raises(ValueError, match="no"):
        fails(1)


@task
async def later(n: int) -> int:
    await asyncio.sleep(0)
    return n + 1


@task
async def fails(n: int) -> int:
    raise ValueError("no")


def test_an_async_task_runs_to_its_end_where_a_plain_function_in_a_running_loop_calls_it() -> None:
    def helper() -> int:
        return later(1)

    async def notebook() -> int:
        return helper() + plain_sum(2)

    @task
    def plain_sum(n: int) -> int:
        return sum(later(each) for each in range(n))

    assert asyncio.run(notebook()) == 2 + 3

    def failing() -> int:
        return fails(1)

    async def cell() -> int:
        return failing()

    with pytest.raises(ValueError, match="no"):
        asyncio.run(cell())


def test_a_coroutine_awaits_async_tasks_and_gets_the_values_of_others() -> None:
    @task
    async def outer(n: int) -> float:
        one = await loose(later)(n)
        several = await asyncio.gather(*(loose(later)(each) for each in range(n)), later.function(10))
        listed = await asyncio.gather(*[loose(later)(each) for each in range(n)])
        started = asyncio.create_task(loose(later)(n))
        return plain(one) + sum(several) + sum(listed) + await started

    expected = 3.0 + (1 + 11) + 1 + 2
    assert outer(1) == expected

    async def test() -> float:
        found: float = await loose(outer)(1)
        return found

    assert asyncio.run(test()) == expected


def test_tasks_that_are_awaited_together_run_together() -> None:
    order: list[str] = []

    @task
    async def step(name: str) -> str:
        order.append(f"{name} begins")
        await asyncio.sleep(0)
        order.append(f"{name} ends")
        return name

    async def both() -> Any:
        return await asyncio.gather(loose(step)("a"), loose(step)("b"))

    assert asyncio.run(both()) == ["a", "b"]
    assert order == ["a begins", "b begins", "a ends", "b ends"]


def test_an_awaited_task_is_checked_like_any_other() -> None:
    @task
    async def wrong(n: int) -> int:
        return "text"  # type: ignore[return-value]

    async def result() -> None:
        await loose(wrong)(1)

    async def argument() -> None:
        await loose(later)("one")

    with pytest.raises(ValueMismatch, match="task wrong, its result"):
        asyncio.run(result())
    with pytest.raises(ValueMismatch, match="task later, input n"):
        asyncio.run(argument())


def test_a_plain_wrapper_of_an_async_function_is_an_async_task() -> None:
    def twice(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(n: int) -> Any:
            return function(n * 2)

        return wrapper

    @task
    @twice
    async def wrapped(n: int) -> int:
        return n + 1

    assert loose(wrapped)(2) == 5


@pytest.mark.parametrize("inside", [False, True], ids=["by itself", "in a running loop"])
def test_a_failing_async_task_shows_the_frames_of_its_user_only(inside: bool) -> None:
    async def cell() -> None:
        helper()

    def helper() -> None:
        fails(1)

    with pytest.raises(ValueError, match="no") as caught:
        asyncio.run(cell()) if inside else helper()
    assert caught.value.__context__ is None and caught.value.__cause__ is None
    text = tracebacks.user_traceback(caught.value)
    below = text[text.rindex("in helper") :]
    assert "asyncio" not in below and "threading" not in below
    assert below.count("File ") == 1 and "in fails" in below


def loose(function: Any) -> Any:
    """A callable as its user sees it who has no type checker."""
    return function


def test_a_task_may_call_another_task() -> None:
    @task
    def outer(n: int) -> float:
        return plain(n) * 2

    assert outer(1) == 4.0


def test_options_are_checked_into_values() -> None:
    @task(
        retries=Retries(3, Backoff("10s", factor=3, cap=datetime.timedelta(minutes=1))),
        system_retries=0,
        timeout="1h30m",
        cache=Cache(version="2"),
        resources=Resources(cpu=("500m", 2), memory="2Gi", gpu=1),
        image="ghcr.io/acme/train:1.2",
        environment={"LOG_LEVEL": "info"},
        secrets=[Secret("DB_PASSWORD", secret="db", key="password")],
    )
    def rich(n: int) -> int:
        return n

    made = rich.options
    assert made.timeout == datetime.timedelta(hours=1, minutes=30)
    assert rich.version == "2"
    assert made.resources is not None
    assert made.resources.requests() == {"cpu": "500m", "memory": "2Gi", "nvidia.com/gpu": "1"}
    assert made.resources.limits() == {"cpu": "2", "memory": "2Gi", "nvidia.com/gpu": "1"}
    assert made.secrets == (Secret("DB_PASSWORD", "db", "password"),)
    assert made.retries.backoff is not None
    assert made.retries.backoff.spelled() == retries.Backoff("10s", 3, "1m")
    assert made.budget == (3, 0)


def test_a_plain_task_has_the_plain_options() -> None:
    assert plain.options == options.TaskOptions()
    assert plain.options.budget == (0, 3)
    assert plain.version == ""
    assert Resources(cpu=0.5, memory=(None, "1Gi")).requests() == {"cpu": "500m"}


WRONG: dict[str, dict[str, Any]] = {
    "an option that does not exist": {"retrys": 3},
    "an option of Flyte": {"container_image": "x", "cache_version": "1"},
    "retries": {"retries": -1},
    "retries as text": {"retries": "3"},
    "too many retries": {"retries": Retries(1000)},
    "system retries": {"system_retries": -1},
    "system retries as a flag": {"system_retries": True},
    "a backoff": {"retries": Retries(3, Backoff("soon", factor=0, cap=-1))},
    "a backoff that is none": {"retries": Retries(3, "10s")},  # type: ignore[arg-type]
    "a timeout": {"timeout": "10 minutes"},
    "a timeout of zero": {"timeout": 0},
    "a cache": {"cache": "1"},
    "a cache version": {"cache": Cache(version="")},
    "resources": {"resources": {"cpu": 1}},
    "quantities": {"resources": Resources(cpu="2 cores", memory="2GB", gpu=0.5, ephemeral_storage=("1Gi",))},  # type: ignore[arg-type]
    "quantities that no machine has": {"resources": Resources(cpu="500M", memory="100Ei", gpu=(2e9, 2e9))},
    "what no pod can have": {
        "resources": Resources(cpu=1e-7, memory=("4Gi", "2Gi"), gpu=(1, 2), ephemeral_storage="512m")
    },
    "an image": {"image": "my image"},
    "an image that Argo would evaluate": {"image": "acme/{{workflow.name}}"},
    "an image with a scheme": {"image": "https://ghcr.io/acme/train:1.2"},
    "an image in capitals": {"image": "ghcr.io/acme/Train:"},
    "quantities in other spellings": {
        "resources": Resources(cpu=[1, 2], memory="1gb", ephemeral_storage="10 gib", gpu=0)
    },  # type: ignore[arg-type]
    "a limit of nothing": {"resources": Resources(cpu=0, memory=("1Gi", "0"))},
    "an environment": {"environment": {"LOG LEVEL": "x", "ALULA_RUN": "x", "ARGO_X": "x", "N": 1}},
    "secrets": {"secrets": [Secret("DB PASSWORD", "DB", "pass word"), "db"]},
    "a secret of a longer name than Kubernetes has": {"secrets": [Secret("A", "d" * 254, "k" * 254)]},
    "one variable twice": {
        "environment": {"A": "x", "B": "a\x07b"},
        "secrets": [
            Secret("A", secret="a", key="k"),
            Secret("C", secret="a", key="k"),
            Secret("C", secret="a", key="l"),
        ],
    },
    "secrets as text": {"secrets": "db"},
    "a name": {"name": ""},
    "a name with a line end": {"name": "a\nb"},
    "values of no kind that they take": {
        "timeout": True,
        "environment": ["A"],
        "retries": Retries(1, Backoff([])),
        "secrets": 3,
    },
    "settings of a pod": {
        "pod": Pod(
            node_selector={"pool": "a b"},
            tolerations=["spot", Toleration("spot", effect="Never"), Toleration("a", value="b c")],
            priority_class="High",
            service_account="x" * 254,
            labels={"team": 3, "alula.dev/task": "x", "a b": "c"},
            annotations={"workflows.argoproj.io/x": "y", "note": "two\nlines", "live": "a {{workflow.uid}}"},
            shared_memory="1G",
            secrets={"db": "db", "/etc/db": "db", "/var/run": "db", "/secrets/db": "DB"},
            claims={"/secrets/db": "data", "/a/../b": "data", "/": "root", "data": "data"},
            config_maps={"/config": "a..b", "/config/b": "b", "/argo/x": "c"},
        )
    },
    "affinity of a pod": {
        "pod": Pod(
            template="Large",
            affinity=Affinity(
                nodes=[NodeRule("zone", "Within", ["a"]), NodeRule("a b"), NodeRule("zone", "In")],
                preferred_nodes=NodeRule("zone"),  # type: ignore[arg-type]
                apart_from={"app": "db"},  # type: ignore[arg-type]
                preferred_apart_from=[{"app": "d b"}],
                topology_key="a b",
            ),
        )
    },
    "an affinity as a dict": {"pod": Pod(affinity={"nodes": []})},  # type: ignore[arg-type]
    "memory that grows without a beginning": {"on_oom": grow(2, "16Gi")},
    "memory that does not grow": {"resources": Resources(memory="2Gi"), "on_oom": grow(1, "16Gi")},
    "memory that begins above its end": {"resources": Resources(memory="2Gi"), "on_oom": grow(2, "2048Mi")},
    "memory that grows to no size": {"resources": Resources(memory="2Gi"), "on_oom": grow(2, 16)},  # type: ignore[arg-type]
    "memory that grows by text": {"resources": Resources(memory="2Gi"), "on_oom": "2"},
    "memory that grows without another attempt": {
        "resources": Resources(memory="2Gi"),
        "on_oom": grow(1.5, "16Gi"),
        "system_retries": 0,
    },
    "interruptible": {"interruptible": "yes"},
    "other resources": {"resources": Resources(other={"memory": "2Gi"})},
    "quantities of other resources": {"resources": Resources(other={"amd.com/gpu": 1.5, "tpu": 1, "a.b/c": "much"})},
    "a pod as a dict": {"pod": {"labels": {}}},
    "a pod with lists": {"pod": Pod(labels=["a"], secrets=["db"], tolerations=Toleration("a"))},
    "several at once": {"retries": -1, "timeout": "x", "cache": 3, "image": ""},
}


def test_every_wrong_option_is_told() -> None:
    told = []
    for title, given in WRONG.items():
        with pytest.raises(errors.DefinitionError) as caught:

            @task(**given)
            def it(n: int) -> int:
                return n

        text = "\n".join(
            line if ": error " not in line else "error " + line.partition(": error ")[2]
            for line in str(caught.value).splitlines()
        )
        told.append(f"# {title}\n{text}")
    goldens.check(Path(__file__).parent / "options.txt", "\n\n".join(told) + "\n")


def test_a_decorator_on_something_else_is_told() -> None:
    with pytest.raises(errors.DefinitionError, match="a task already"):
        task(plain)  # type: ignore[type-var]
    with pytest.raises(errors.DefinitionError, match="must stand on a function"):
        task(3)  # type: ignore[call-overload]
    with pytest.raises(errors.DefinitionError, match="must stand on a function"):
        task(Holder)


def test_files_pass_through_a_plain_call(tmp_path: Path) -> None:
    @task
    def write(text: str) -> File:
        made = File.new("a.txt")
        made.path.write_text(text)
        return made

    @task
    def read(file: File) -> str:
        return file.read_text()

    assert read(write("x")) == "x"


def test_two_tasks_of_one_factory_with_one_version_are_refused_where_they_are_used() -> None:
    def make(factor: int) -> Task[[int], int]:
        @task(cache=Cache(version="1"))
        def scale(n: int) -> int:
            return n * factor

        return scale

    once, again, other = make(2), make(2), make(3)
    assert (once.twin, again.twin) == (other, None)

    @workflow
    def scaled(n: int = 1) -> int:
        return other(n)

    with pytest.raises(errors.DefinitionError, match="has one name and one cache version with another") as caught:
        _ = scaled.closure
    assert "write cache=True" in caught.value.diagnostics[0].hint


def test_a_version_that_a_person_gives_is_no_digest_of_code() -> None:
    with pytest.raises(errors.DefinitionError, match="cache version") as caught:
        task(cache=Cache(version="code:1"))(lambda: None)
    assert "does not begin with code:" in caught.value.diagnostics[0].expected


class Slope(NamedTuple):
    slope: float


@pytest.mark.parametrize(
    ("annotation", "result", "hint"),
    [
        (Slope, -1.5, "write Slope(...)"),
        (Slope, [1.5], "write Slope(*...)"),
        (tuple[int, int], [1, 2], "write tuple(...)"),
    ],
)
def test_a_result_of_another_shape_says_how_to_make_it(annotation: Any, result: Any, hint: str) -> None:
    def it() -> Any:
        return result

    it.__annotations__ = {"return": annotation}
    with pytest.raises(errors.ValueMismatch, match=re.escape(f"hint: {hint}")):
        task(it)()


@pytest.mark.parametrize(("timeout", "wrong"), [("366d", 0), ("8785h", 1), (datetime.timedelta(days=400), 1)])
def test_a_timeout_is_a_year_at_most(timeout: Any, wrong: int) -> None:
    problems = options.check({"timeout": timeout}, "", "task f")[1]
    assert [problem.expected for problem in problems] == ["at most 366 days"] * wrong
