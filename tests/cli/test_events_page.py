"""Every command of `docs/events.md` runs, and its YAML and Python are what the kinds and decorators take."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from alula.cli import cluster_flags, main
from alula.emit import discovery, resources
from alula_api import kinds
from alula_api.contract import events

PAGE = (Path(__file__).parents[2] / "docs/events.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


COMMANDS = [line.removeprefix("$ ") for block in blocks("console") for line in block.splitlines()]
OURS = [shlex.split(command)[1:] for command in COMMANDS if command.startswith("alula ")]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The project of the page."""
    (tmp_path / "flows").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "penguins"\n')
    (tmp_path / "flows/events.py").write_text(blocks("python")[0])
    (tmp_path / "payload.json").write_text(blocks("json")[0])
    monkeypatch.chdir(tmp_path)
    path, modules = [*sys.path], set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def test_the_page_has_commands() -> None:
    assert [words[0] for words in OURS] == ["run", "launch"]


def test_the_plan_runs_at_home_with_the_payload(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main.main(["run", "--plain", *OURS[0][1:]]) == 0
    shown = capfd.readouterr()
    assert 'from the event: key="2026/orders.csv", size=1204' in shown.err
    assert "raw/2026/orders.csv: 1204 bytes" in shown.out


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"EventName": "s3:ObjectRemoved:Delete"}, 0, "skipped: the event is another one: EventName is not"),
        ({"Records": []}, 2, "key must be given, and the event has nothing at Records.0.s3.object.key"),
        (
            {"Records": [{"s3": {"object": {"key": 7, "size": "7"}}}]},
            2,
            "what the event has at Records.0.s3.object.size does not fit",
        ),
        ({"Records": [{"s3": {"object": {"key": "k", "size": 2**53}}}]}, 2, "a whole number of more than 53 bits"),
        ({"more": "x" * 60_000}, 2, "the payload of the event is larger than 49,152 bytes"),
    ],
)
def test_what_the_cluster_refuses_is_refused_at_home(
    home: Path, change: dict[str, Any], code: int, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    payload = home / "payload.json"
    payload.write_text(json.dumps(json.loads(payload.read_text()) | change))
    assert main.main(OURS[0]) == code
    assert message in capfd.readouterr().err


def test_only_a_plan_that_events_start_takes_one(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main.main(["run", "--event", "payload.json", "flows/events.py:ingest"]) == 2
    assert "no event starts the workflow" in capfd.readouterr().err
    assert main.main(["run", "--event", "nothing.json", "flows/events.py:arrived"]) == 2
    assert "nothing.json cannot be read" in capfd.readouterr().err


def test_the_command_for_the_cluster_sends_the_whole_payload(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []

    class Cluster:
        namespace = "penguins-dev"

        def metadata(self, what: str, plural: str, selector: str) -> list[dict[str, Any]]:
            return [{"name": "lp-arrived"}]

        def start(self, body: dict[str, Any]) -> dict[str, Any]:
            sent.append(body)
            return {"metadata": {"name": "lp-arrived-x"}}

        def close(self) -> None:
            pass

    monkeypatch.setattr(cluster_flags, "connect", lambda found, here: Cluster())
    assert main.main(OURS[1]) == 0
    (argument,) = sent[0]["spec"]["arguments"]["parameters"]
    assert argument["name"] == events.ARGUMENT
    assert events.decoded(argument["value"]) == json.loads((home / "payload.json").read_text())


def test_the_resource_of_the_page_is_that_of_its_python(home: Path) -> None:
    body = yaml.safe_load(blocks("yaml")[0])
    model, problems = kinds.read(kinds.KINDS["LaunchPlan"], body)
    assert model is not None
    assert problems == []
    (plan,) = discovery.discover([home / "flows/events.py"]).launch_plans
    emitted: Any = resources.plan_spec(plan).to_json()["trigger"]["event"]
    written = body["spec"]["trigger"]["event"]
    written["where"][0]["values"] = [json.dumps(each) for each in written["where"][0]["values"]]
    assert emitted == written
