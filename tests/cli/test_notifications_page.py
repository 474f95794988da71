"""What `docs/notifications.md` shows is what the kinds and decorators take, and its commands run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from alula import task, workflow
from alula.cli import main
from alula.emit import resources
from alula_api import kinds
from alula_api.contract.notices import When, template_problem
from alula_api.kinds import yamltext
from alula_api.kinds.notice_places import NoticePlace

PAGE = (Path(__file__).parents[2] / "docs/notifications.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@task
def write(day: int) -> str:
    return str(day)


@workflow
def report(day: int = 1) -> str:
    return write(day)


def plan() -> Any:
    space: dict[str, Any] = {"report": report}
    exec(compile(blocks("python")[0], "docs/notifications.md", "exec"), space)
    return space["nightly"]


def domain() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(blocks("yaml")[1])
    return found


def test_the_plan_of_the_page_is_the_resource_beside_it() -> None:
    body = yaml.safe_load(blocks("yaml")[0])
    model, problems = kinds.read(kinds.KINDS["LaunchPlan"], body)
    assert model is not None and problems == []
    assert resources.plan_spec(plan()).to_json()["notifications"] == body["spec"]["notifications"]


def test_the_domain_of_the_page_is_one_and_has_every_service_and_its_template_is_right() -> None:
    model, problems = kinds.read(kinds.KINDS["Domain"], domain())
    assert model is not None and problems == []
    places = domain()["spec"]["notifications"]
    assert {name for each in places for name in each if name != "name"} == set(NoticePlace.SERVICES)
    assert template_problem(places[-1]["webhook"]["template"]) == ""
    assert all(f"`{name}`" in PAGE for name in (*When, *NoticePlace.SERVICES))


@pytest.mark.parametrize("place", ["team", "taem"])
def test_the_commands_of_the_page_run(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = [line.removeprefix("$ ") for block in blocks("console") for line in block.splitlines()]
    ours = [command for command in commands if command.startswith("alula ")]
    assert len(ours) == 1 and all(command.split()[0] in ("alula", "kubectl") for command in commands)
    found = yaml.safe_load(blocks("yaml")[0])
    found["spec"]["notifications"][0]["place"] = place
    Path("plans.yaml").write_text(yamltext.dump(found))
    made = resources.workflow(report, resources.Code("registry.example/report"))
    made["spec"]["version"] = "v1"  # type: ignore[index, call-overload]
    made["metadata"]["name"] = "report"  # type: ignore[index, call-overload]
    Path("workflow.yaml").write_text(yamltext.dump(made))
    Path("domain.yaml").write_text(blocks("yaml")[1])
    code = main.main(shlex.split(ours[0])[1:])
    if place == "team":
        assert code == 0 and "alula.dev/notices" in Path("compiled.yaml").read_text()
    else:
        assert code == 1
        told = capsys.readouterr().err
        assert "UNKNOWN_PLACE: the domain has no place `taem` for notices" in told and "did you mean `team`?" in told
