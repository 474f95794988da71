"""The compiler as the controller asks it: bad plans apart from good ones, each world once, and nothing that ends us."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from alula_controller.definitions import compilation, compiler_process
from alula_controller.definitions.compilation import Compiler
from alula_controller.definitions.world import Compiled
from alula_controller.domains import places
from alula_controller.domains.view import DomainView
from tests.controller import scenes

SPACE = scenes.SPACE


def question(*plans: dict[str, Any], **spec: Any) -> compilation.Asked:
    return compilation.asked(scenes.SETTINGS, scenes.PLACE, DomainView(), scenes.workflow(**spec), plans)


def asking(use: Callable[[Compiler], Awaitable[Any]], module: str = "", **limits: Any) -> Any:
    """Use a compiler in processes of its own, and end them."""

    async def main() -> Any:
        compiler = Compiler(**({"module": module} if module else {}), **limits)
        try:
            return await use(compiler)
        finally:
            await compiler.close()

    return asyncio.run(main())


def misled(use: Callable[[Compiler], Awaitable[Any]], **limits: Any) -> Any:
    return asking(use, "tests.controller.definitions.misled_compiler", **limits)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What processes were asked; this process answers in their place."""
    asked: list[bytes] = []

    async def here(self: Compiler, namespace: str, request: bytes) -> bytes:
        asked.append(request)
        said = compiler_process.answer(compilation.json.loads(request))
        return compilation.json.dumps(said).encode()

    monkeypatch.setattr(Compiler, "_ask", here)
    return asked


def test_objects_and_plans_come_apart_by_launch_plan() -> None:
    made = scenes.answered(question(scenes.launch_plan("a"), scenes.launch_plan("b")))
    assert set(made.plan_objects) == {"a", "b"}
    assert [body["metadata"]["name"] for body in made.objects] == ["sums"]
    assert set(made.plans) == {"sums", "lp-a", "lp-b"}


@pytest.mark.parametrize(
    "bad", [{"inputs": [{"name": "nope", "value": "1"}]}, {"schedule": 7}, {"schedule": {"cron": ["never"]}}]
)
def test_a_bad_plan_costs_the_good_ones_nothing(bad: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = compiler_process.alula_compiler.compile, []

    def counted(*arguments: Any) -> Any:
        calls.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(compiler_process.alula_compiler, "compile", counted)
    alone = scenes.answered(question(scenes.launch_plan("a")))
    made = scenes.answered(question(scenes.launch_plan("a"), scenes.launch_plan("b", **bad)))
    assert made.plan_objects["a"] == alone.plan_objects["a"]
    assert made.plans == alone.plans
    assert made.plan_diagnostics["b"][0].subject.lower().replace(" ", "") == "launchplanb"
    assert made.diagnostics == ()
    assert len(calls) == 2, "the others are not compiled again"


def test_a_wrong_workflow_is_told_without_its_plans() -> None:
    made = scenes.answered(question(scenes.launch_plan(), nodes=[{"id": "a", "task": "missing"}]))
    assert made.objects == ()
    assert made.diagnostics


def test_what_changes_by_itself_is_not_compiled_again(answers: list[bytes]) -> None:
    again = scenes.workflow()
    again["metadata"] |= {"resourceVersion": "9", "generation": 4, "managedFields": []}
    again["status"] = {"conditions": []}

    async def twice(compiler: Compiler) -> bool:
        first = await compiler.compile(SPACE, question())
        second = compilation.asked(scenes.SETTINGS, scenes.PLACE, DomainView(), again, ())
        return await compiler.compile(SPACE, second) is first

    assert asking(twice)
    assert len(answers) == 1


@pytest.mark.parametrize("part", ["spec", "annotations", "plan", "domain", "engine"])
def test_everything_that_the_result_rests_on_compiles_it_anew(part: str, answers: list[bytes]) -> None:
    given: dict[str, Any] = {
        "settings": scenes.SETTINGS,
        "place": scenes.PLACE,
        "view": DomainView(),
        "workflow": scenes.workflow(),
        "launch_plans": (),
    }
    marked = copy.deepcopy(given["workflow"])
    marked["metadata"]["annotations"]["alula.dev/source"] = "elsewhere.py:1"
    changed = {
        "spec": {"workflow": scenes.workflow(version="v2")},
        "annotations": {"workflow": marked},
        "plan": {"launch_plans": (scenes.launch_plan(),)},
        "domain": {"view": DomainView.of(scenes.domain())},
        "engine": {"place": places.Place("demo", "dev", scenes.SETTINGS.roots["other"])},
    }[part]

    async def twice(compiler: Compiler) -> None:
        await compiler.compile(SPACE, compilation.asked(**given))
        await compiler.compile(SPACE, compilation.asked(**given | changed))

    asking(twice)
    assert len(answers) == 2


def test_no_more_than_so_many_bytes_of_answers_are_kept(answers: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "MAX_KEPT", 10_000)

    async def several(compiler: Compiler) -> int:
        for version in ("v1", "v2", "v3", "v1"):
            await compiler.compile(SPACE, question(version=version))
        return sum(size for size, _ in compiler._known.values())

    assert asking(several) <= 10_000
    assert len(answers) == 4


def test_the_answer_of_a_process_is_that_of_the_compiler() -> None:
    plans = (scenes.launch_plan("a"), scenes.launch_plan("b", inputs=[{"name": "nope", "value": "1"}]))
    asked = question(*plans)
    assert asking(lambda compiler: compiler.compile(SPACE, asked)) == scenes.answered(asked)


@pytest.mark.parametrize(
    ("version", "message", "passing"),
    [("hungry", "160 MiB of memory", False), ("busy", "more than 1 s", False), ("dies", "ended with -11", True)],
)
def test_a_definition_that_ends_the_process_is_told_so_and_the_next_one_is_compiled(
    version: str, message: str, passing: bool
) -> None:
    async def both(compiler: Compiler) -> tuple[Compiled, Compiled]:
        return await compiler.compile(SPACE, question(version=version)), await compiler.compile(SPACE, question())

    stopped, healthy = misled(both, cpu_seconds=1)
    assert message in stopped.stopped
    assert stopped.passing is passing
    assert healthy == scenes.answered(question())


def test_a_limit_that_was_met_is_remembered_and_a_death_is_not() -> None:
    async def known(compiler: Compiler) -> int:
        for version in ("hungry", "dies"):
            await compiler.compile(SPACE, question(version=version))
        return len(compiler._known)

    assert misled(known) == 1


def test_a_process_that_has_grown_is_not_asked_again() -> None:
    async def pids(compiler: Compiler) -> list[int | None]:
        found = []
        for version in ("v1", "v2", "grows", "v3"):
            await compiler.compile(SPACE, question(version=version))
            found.append(compiler._idle[0].pid if compiler._idle else None)
        return found

    first, second, none, last = misled(pids)
    assert first == second
    assert none is None
    assert last != first


def test_a_namespace_whose_definitions_take_long_holds_up_no_other() -> None:
    async def race(compiler: Compiler) -> bool:
        slow = [asyncio.create_task(compiler.compile("slow", question(version="busy", outputs=[]))) for _ in range(3)]
        await asyncio.sleep(0.1)
        await compiler.compile("healthy", question())
        waits = not any(task.done() for task in slow)
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return waits

    assert misled(race, cpu_seconds=60)


def test_a_process_gets_nothing_of_the_controllers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")

    async def environment(compiler: Compiler) -> str:
        await compiler.compile(SPACE, question())
        with open(f"/proc/{compiler._idle[0].pid}/environ", encoding="utf-8") as file:
            return file.read()

    assert "canary" not in asking(environment)
