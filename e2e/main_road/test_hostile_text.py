"""Text that is hostile to every template engine on the way arrives byte for byte, or is refused with a message."""

from __future__ import annotations

import json
import pathlib
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from e2e import installing
from e2e.engine import runs
from e2e.main_road.conftest import Road

FRAGMENTS = [
    "{{", "}}", "{{=", "{{workflow.uid}}", "{{=1+1}}", "{{= bad((", "{{inputs.parameters.s0}}", "{{tasks.admit.id}}",
    "lone {{", "$(HOME)", "$$", "$(", "${HOME}", "`id`", "'", '"', '\\"', "\\", "\\u007b", "%s", "%(x)s", "a\"b\\c",
    "</script>&", "'; DROP TABLE runs; --", "null", "true", "7", "1e3", "NaN", "", " ", " lead", "trail ", "\n", "\r\n",
    "\t", "a\nb", "--flag", "-", "@file", "*x", "&x", "!x", "# no comment", ": ", "- item", "[1, 2]", '{"a": 1}', "~",
    '{"$stored": {"digest": "0"}}', "{$(ALULA_BRACE)", "%7B%7B", "&#123;&#123;", "{ {", "{\u200b{",
]  # fmt: skip
CONTROLS = [chr(code) for code in (1, 7, 8, 11, 12, 14, 27, 31, 127, 128, 133, 159, 173, 0x2028, 0x2029, 0xFEFF)]
PLANES = [chr((plane << 16) + 0x1234) for plane in range(17)] + ["\U0010ffff", "\ufffe", "\uffff"]
EMOJI = [
    "🐧",
    "👩\u200d🔬",
    "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "é",
    "e\u0301",
    "ﷺ",
    "مرحبا",
    "ß",
    "İı",
]
HOSTILE = (FRAGMENTS + CONTROLS + PLANES + EMOJI)[:100]
MORE = [*HOSTILE, *(f"{one}{HOSTILE[number - 37]}{number}{one}" for number, one in enumerate(HOSTILE))]
"""Two hundred: each also around another one."""
WOVEN = """
from dataclasses import dataclass

from alula import conditional, map_task, task, workflow

HOSTILE = {texts}


@dataclass
class Texts:
    {fields}


@task
def texts() -> Texts:
    return Texts(*HOSTILE)


@task
def chunks() -> list[list[str]]:
    return [HOSTILE[start : start + 40] for start in range(0, len(HOSTILE), 40)]


@task
def same(chunk: list[str], whole: list[str], constants: list[str], one: str) -> list[str]:
    assert whole == constants == HOSTILE and one == HOSTILE[3]
    return chunk


@task
def collect(made: list[list[str]]) -> int:
    assert [text for chunk in made for text in chunk] == HOSTILE
    return len(HOSTILE)


@workflow
def woven(whole: list[str]) -> tuple[int, {booleans}]:
    found = texts()
    made = map_task(same)(chunks(), whole=whole, constants=HOSTILE, one=HOSTILE[3])
    {conditions}
    return collect(made), {held}
"""
"""Texts as operands of conditions, which hold only if each is equal to itself and to no other; as items of a map, in
its bound inputs, and as its results.
"""
OPERANDS = 10
"""In one condition."""


def woven() -> str:
    """The module with all of them."""
    starts = range(0, len(MORE), OPERANDS)
    written = []
    for start in starts:
        asked = []
        for number in range(start, start + OPERANDS):
            asked.append(f"(found.t{number} == HOSTILE[{number}])")
            asked.append(f"(found.t{number} != HOSTILE[{(number + 1) % len(MORE)}])")
        held = f'conditional("held-{start}").if_({" & ".join(asked)}).then(True).else_().then(False)'
        written.append(f"held_{start} = {held}")
    return WOVEN.format(
        texts=ascii(MORE),
        fields="\n    ".join(f"t{number}: str" for number in range(len(MORE))),
        booleans=", ".join("bool" for _ in starts),
        conditions="\n    ".join(written),
        held=", ".join(f"held_{start}" for start in starts),
    )


@pytest.fixture(scope="module")
def echo(installation: installing.Installation, tmp_path_factory: pytest.TempPathFactory) -> Road:
    """A workflow of a hundred texts that passes each through two tasks."""
    project = tmp_path_factory.mktemp("echo")
    (project / "pyproject.toml").write_text('[tool.alula]\nproject = "echo"\nimage = "registry.example.org/echo:1"\n')
    names = [f"s{number}" for number in range(len(HOSTILE))]
    parameters = ", ".join(f"{name}: str" for name in names)
    several = f"tuple[{', '.join('str' for _ in names)}]"
    returned = ", ".join(names)
    (project / "echoes.py").write_text(
        "from alula import task, workflow\n\n"
        f"@task\ndef first({parameters}) -> {several}:\n    return {returned}\n\n"
        f"@task\ndef second({parameters}) -> {several}:\n    return {returned}\n\n"
        f"@workflow\ndef echo({parameters}) -> {several}:\n    return second(*first({returned}))\n\n"
        "@task\ndef same(text: str) -> str:\n    return text\n\n"
        "@workflow\ndef single(text: str) -> str:\n    return same(text)\n"
    )
    (project / "woven.py").write_text(woven())
    gitops = tmp_path_factory.mktemp("gitops")
    subprocess.run(["git", "init", "--quiet", str(gitops)], check=True)
    place = installation.place("echo", "dev", "off")
    installation.cluster.pods.image("registry.example.org/echo:1", env={"PYTHONPATH": str(project)})
    road = Road(place, project, gitops)
    road.register("echoes.py", "woven.py")
    road.apply()
    place.ready("Workflow", "echoes-echo")
    place.ready("Workflow", "echoes-single")
    return road


def test_there_are_a_hundred_of_them_and_all_differ() -> None:
    assert len(HOSTILE) == len(set(HOSTILE)) == 100
    assert len(MORE) == len(set(MORE)) == 200


TYPED = ["{{workflow.uid}}", "{{=1+1}}", "lone {{", "a\x07b", "$(HOME)", "🐧 }}"]
INDIGESTIBLE = "{{= bad(("  # the controller ends such a run when Argo has begun one that is 45 s younger
FORMS: dict[str, Callable[[str], str]] = {"plain": str, "json": json.dumps}


@pytest.fixture(scope="module")
def typed(echo: Road) -> dict[tuple[str, str], str]:
    """A run for each text in each form, all started at once as `kubectl create` does."""
    return {
        (text, form): echo.place.run("echoes-single", {"text": write(text)})
        for text in (INDIGESTIBLE, *TYPED)
        for form, write in FORMS.items()
    }


def arrived_or_refused(echo: Road, name: str, text: str) -> None:
    """Wait for the run's end: the text is its output byte for byte, or it has a message and had no pod."""
    run = echo.place.ended(name)
    if run["status"]["phase"] == "Succeeded":
        (output,) = installing.nodes(run)[name]["outputs"]["parameters"]
        assert json.loads(output["value"]) == text
    else:
        assert run["status"]["message"]
        assert echo.place.cluster.pods.started(workflow=name, namespace=echo.place.namespace) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", TYPED)
def test_typed_by_kubectl_it_arrives_or_is_refused_and_is_never_evaluated(
    echo: Road, typed: dict[tuple[str, str], str], text: str, form: str
) -> None:
    arrived_or_refused(echo, typed[text, form], text)


def test_all_arrive_between_tasks_and_through_run_remote(echo: Road, tmp_path: pathlib.Path) -> None:
    arguments = [f"--s{number}={text}" for number, text in enumerate(HOSTILE)]
    run, outputs = echo.remote("echoes.py:echo", *arguments)
    assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
    assert [outputs[f"o{number}"] for number in range(len(HOSTILE))] == HOSTILE


def test_two_hundred_decide_conditions_and_go_through_maps_unchanged_here_and_there(echo: Road) -> None:
    here = json.loads(echo.alula("run", "--json", "woven.py:woven", "--whole", json.dumps(MORE)).stdout)["outputs"]
    run, there = echo.remote("woven.py:woven", "--whole", json.dumps(MORE))
    assert run["status"]["phase"] == "Succeeded", run["status"].get("message")
    assert here == there
    assert here.pop("o0") == len(MORE)
    assert len(here) == len(MORE) // OPERANDS and all(here.values())


@pytest.mark.parametrize("form", FORMS)
def test_what_argo_cannot_evaluate_arrives_or_is_ended_with_a_message(
    echo: Road, typed: dict[tuple[str, str], str], form: str
) -> None:
    name, place = typed[INDIGESTIBLE, form], echo.place
    created = place.cluster.api.get(runs.API, "Workflow", name, place.namespace)["metadata"]["creationTimestamp"]
    age = datetime.now(UTC) - datetime.fromisoformat(created)
    time.sleep(max(0.0, 47 - age.total_seconds()))
    later = place.run("echoes-single", {"text": "later"})
    assert place.ended(later)["status"]["phase"] == "Succeeded"  # it shows that Argo is alive, though it is over
    arrived_or_refused(echo, name, INDIGESTIBLE)
