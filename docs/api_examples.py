"""The examples of docs/api.md, one below each `# NAME` line; run as they stand by tests/declare/test_api_page.py."""

# File
from typing import Annotated

from alula import File, task


@task
def page(title: str) -> Annotated[File, "html"]:
    made = File.new("page.html")
    made.path.write_text(f"<h1>{title}</h1>", encoding="utf-8")
    return made


@task
def size(page: Annotated[File, "html"]) -> int:
    return len(page.read_text())  # the bytes move on first use


# Directory
from pathlib import Path

from alula import Directory


@task
def plots(count: int) -> Directory:
    made = Directory.new("plots")
    for number in range(count):
        (Path(made) / f"{number}.txt").write_text("*" * number, encoding="utf-8")
    return made


# task
from alula import Backoff, Cache, Resources, Retries, Secret


@task(
    cache=True,
    retries=Retries(3, Backoff("10s", factor=2, cap="5m")),
    timeout="1h",
    resources=Resources(cpu=("500m", "2"), memory="2Gi"),
    environment={"REGION": "eu"},
)
def fit(trees: int) -> float:
    """Grow a forest.

    Args:
        trees: How many.
    """
    return 1 - 1 / trees


assert fit(4) == 0.75  # a call with checked types, as of the function


# Secret
@task(secrets=[Secret("DB_PASSWORD", secret="db", key="password")])
def connect() -> bool:
    import os

    return "DB_PASSWORD" in os.environ


# Pod
from alula import Pod, Toleration


@task(pod=Pod(node_selector={"pool": "gpu"}, tolerations=[Toleration("nvidia.com/gpu")], shared_memory="2Gi"))
def render(pages: int) -> int:
    return pages


# Affinity
from alula import Affinity, NodeRule

same_zone = NodeRule("topology.kubernetes.io/zone", "In", ["eu-1a"])


@task(pod=Pod(template="large", affinity=Affinity(nodes=[same_zone], apart_from=[{"app": "database"}])))
def survey(pages: int) -> int:
    return pages


# NodeRule
fast = Affinity(preferred_nodes=[NodeRule("disk", "In", ["nvme"]), NodeRule("burstable", "DoesNotExist")])


@task(pod=Pod(affinity=fast))
def sort(pages: int) -> int:
    return pages


# grow
from alula import grow


@task(resources=Resources(memory=("2Gi", "4Gi")), on_oom=grow(2, "32Gi"), interruptible=True)
def join(rows: int) -> int:
    return rows


# Toleration
spot = Pod(tolerations=[Toleration("spot", effect="NoSchedule")], labels={"team": "search"})


@task(pod=spot)
def draft(pages: int) -> int:
    return pages


# Cache
@task(cache=Cache(version="2"))  # the code does not count; the version is yours
def tokens(text: str) -> list[str]:
    return text.split()


# workflow
from alula import workflow


@workflow
def train(trees: int = 4) -> int:
    """Fit, and write a page."""
    score = fit.with_overrides(name="fit-forest", retries=0)(trees)
    return size(page(as_text(score)))


@task
def as_text(score: float) -> str:
    return f"{score:.0%}"


assert train(trees=2) == len("<h1>50%</h1>")

# ImperativeWorkflow
from alula import ImperativeWorkflow


def sizes(name: str, forests: list[int]) -> ImperativeWorkflow:
    wf = ImperativeWorkflow(name)
    title = wf.add_input("title", str, default="score")
    for trees in forests:
        wf.add_output(f"fit_{trees}", wf.add(fit.named(f"fit-{trees}"), trees))
    wf.add_output("page", wf.add(size, wf.add(page, title)))
    return wf


both = sizes("both-forests", [2, 4])
assert both(title="x").fit_4 == 0.75


# map_task
from functools import partial

from alula import map_task, task, workflow


@task
def lengths(n: int) -> list[int]:
    return [n, 2 * n]


@task
def area(length: int, width: int = 1) -> int:
    return length * width


@workflow
def areas(n: int) -> list[int]:
    return map_task(area)(lengths(n), width=3)


@workflow
def squares(n: int) -> list[int]:
    sides = map_task(partial(area, width=1))(length=lengths(n))
    return map_task(area)(sides, sides)


assert areas(2) == [6, 12]
assert squares(2) == [4, 16]


# Batch
from alula import Batch


@workflow
def areas_in_batches(n: int) -> list[int]:
    return map_task(area, batch=Batch(20, parallel=4))(lengths(n), width=3)  # 10,000 of them run in 500 pods


# repeat
from alula import repeat, task, workflow


@task
def halve(error: float) -> float:
    return error / 2


@workflow
def refine(error: float, goal: float = 0.1) -> float:
    return repeat(halve, until=lambda error: error < goal, max=20)(error)


assert refine(1.0) == 0.0625


# conditional
from alula import conditional, is_none, task, workflow


@task
def measure(n: int) -> float:
    return n / 10


@task
def publish(n: int) -> str:
    return f"published {n}"


@workflow
def if_good(n: int) -> str:
    accuracy = measure(n)
    return conditional("publish").if_(accuracy > 0.9).then(publish(n)).else_().then("not good enough")


assert if_good(10) == "published 10"
assert if_good(3) == "not good enough"


# is_none
@workflow
def if_there(n: int) -> str:
    text = conditional("text").if_(n > 3).then(publish(n)).or_none()
    return conditional("shown").if_(is_none(text)).then("nothing").else_().then("something")


assert if_there(3) == "nothing"
assert if_there(4) == "something"


# order
from alula import order


@task
def note(text: str) -> None:
    print(text)


@workflow
def steps() -> None:
    order(note("first"), [note("then"), note("beside it")], note("last"))


# Failure
from alula import Failure, task, workflow


@task
def alarm(trees: int, failure: Failure) -> None:
    print(f"{failure.run} with {trees} trees failed at {failure.node}: {failure.message}")


@workflow(on_failure=alarm)
def guarded(trees: int) -> int:
    return trees


# LaunchPlan
from alula import Cron, LaunchPlan

nightly = LaunchPlan(
    "nightly",
    train,
    inputs={"trees": 8},
    schedule=Cron("0 2 * * *", timezone="Europe/Berlin"),
)

# After
from alula import After, LaunchPlan

check = LaunchPlan("check", train, trigger=After(nightly, when="ended"))
assert check.trigger.runs is nightly

# Event
from alula import Event, LaunchPlan

arrived = LaunchPlan(
    "arrived",
    train,
    trigger=Event(inputs={"trees": "detail.trees"}, where={"detail.kind": ["penguins", "seals"]}, delivery="id"),
)
assert arrived.trigger.inputs == {"trees": "detail.trees"}

# Release
from alula import LaunchPlan, Release

smoke = LaunchPlan("smoke", train, inputs={"trees": 1}, trigger=Release())
assert smoke.schedule is None

# Notify
from alula import Cron, LaunchPlan, Notify

watched = LaunchPlan(
    "watched",
    train,
    schedule=Cron("0 2 * * *"),
    notifications=[Notify("team"), Notify("pager", when=("failed", "late"), late_after="2h")],
)
assert watched.notifications[0].when == ("failed", "recovered")

# Retention
from alula import Retention

brief = LaunchPlan("brief", train, retention=Retention(succeeded="1d"))
assert brief.retention.failed is None  # as long as the domain says

# run
import alula

result = alula.run(train, trees=2, workers=2)
assert result.value == 12
assert result.node("fit-forest").state in {"done", "cached"}

# RunFailed
from alula import NonRecoverable, RunFailed


@task(retries=5)
def refuse(n: int) -> int:
    raise NonRecoverable("trying again cannot help")


@workflow
def refused(n: int = 1) -> int:
    return refuse(n)


try:
    alula.run(refused)
except RunFailed as error:
    assert [node.id for node in error.result.failures] == ["refuse"]

# testing.mock
import alula.testing

with alula.testing.local(), alula.testing.mock(fit, returns=0.9) as fitted:
    assert train() == len("<h1>90%</h1>")
assert fitted.calls == [{"trees": 4}]
