"""Every command of `docs/schedules.md` runs, and its YAML and Python are what the kinds and decorators take."""

from __future__ import annotations

import re
import shlex
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from alula import task, workflow
from alula.cli import backfill, cluster_flags, main
from alula.emit import resources
from alula_api import kinds
from alula_api.contract.timetables import Schedule
from tests.cli.test_backfill import Cluster

PAGE = (Path(__file__).parents[2] / "docs/schedules.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


COMMANDS = [line.removeprefix("$ ") for block in blocks("console") for line in block.splitlines()]


def test_the_page_has_commands() -> None:
    assert len(COMMANDS) >= 5


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_runs(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(Schedule(("0 2 * * *",), "Europe/Berlin"))
    seen: list[str] = []

    def connect(found: Any, here: Any) -> Cluster:
        seen.append(found.text("namespace"))
        return cluster

    monkeypatch.setattr(cluster_flags, "connect", connect)
    monkeypatch.setattr(backfill.time, "sleep", lambda _: None)
    program, *words = shlex.split(command)
    assert program == "alula"
    assert main.main(words) == 0
    assert seen == ["penguins-dev"]
    wanted = 0 if "--dry-run" in words or "--failed" in words or words[0] == "launch" else 3
    assert len(cluster.runs) == wanted


def test_the_resource_of_the_page_is_one() -> None:
    body = yaml.safe_load(blocks("yaml")[0])
    model, problems = kinds.read(kinds.KINDS["LaunchPlan"], body)
    assert model is not None and problems == []


def test_the_status_of_the_page_is_one() -> None:
    status = yaml.load(blocks("yaml")[1], Loader=yaml.BaseLoader)["status"]
    status["schedule"]["timetable"] = "abcd1234"
    body = {
        "apiVersion": "alula.dev/v1alpha1",
        "kind": "LaunchPlan",
        "metadata": {"name": "nightly"},
        "spec": {"workflow": "penguins-train"},
        "status": status,
    }
    model, problems = kinds.read(kinds.KINDS["LaunchPlan"], body)
    assert model is not None and problems == []


@task
def write(day: date | None) -> str:
    return str(day)


@workflow
def report(day: date = date(2026, 1, 1)) -> str:
    return write(day)


def test_the_python_of_the_page_makes_the_plans_that_it_says() -> None:
    space: dict[str, Any] = {"report": report}
    exec(compile(blocks("python")[0], "docs/schedules.md", "exec"), space)
    nightly = resources.plan_spec(space["nightly"]).to_json()["schedule"]
    assert nightly == {
        "cron": ["0 2 * * *", "0 14 * * 1-5"],
        "timezone": "Europe/Berlin",
        "input": "day",
        "catchUp": "Last",
    }
    often = resources.plan_spec(space["often"]).to_json()["schedule"]
    assert often == {"every": "15m", "starts": "2026-11-29T00:05:00Z", "jitter": "30s"}


@task
def read(text: str) -> str:
    return text


@workflow
def digest(text: str = "") -> str:
    return read(text)


def test_the_triggers_of_the_page_are_those_that_it_says() -> None:
    space: dict[str, Any] = {"report": report, "digest": digest}
    exec(compile(blocks("python")[1], "docs/schedules.md", "exec"), space)
    found = {name: resources.plan_spec(space[name]).to_json()["trigger"] for name in ("summary", "alarm", "smoke")}
    body = yaml.safe_load(blocks("yaml")[2])
    assert body["spec"]["trigger"] == {**found["summary"], "when": "Succeeded"}
    assert found == {
        "summary": {"launchPlan": "often", "inputs": [{"name": "text", "output": "o0"}]},
        "alarm": {"workflow": report.name, "when": "Failed"},
        "smoke": {"release": True},
    }
    model, problems = kinds.read(kinds.KINDS["LaunchPlan"], body)
    assert model is not None and problems == []
