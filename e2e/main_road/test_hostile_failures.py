"""Texts that are hostile to every template engine, as messages of failures: in records and in JSON they arrive byte for
byte, and nothing of them is evaluated.

kubectl, Argo's UI and a handler get what `failures.termination_message` makes of a record: without control characters,
with a blank between two braces. A pod for each of two hundred would take too long, so there a message has many of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from alula.remote import stored_failures
from alula_api.argo import nodes as argo
from alula_api.contract import failures, jsontext, values
from alula_data.stores import opening, protocols
from e2e import installing
from e2e.main_road.conftest import Road, engine, registered
from e2e.main_road.test_hostile_text import INDIGESTIBLE, MORE, TYPED

TEXTS = [
    *("\n".join(MORE[start : start + 40]) for start in range(0, len(MORE), 40)),
    *(INDIGESTIBLE, *TYPED[:3], "{{= sprig.env('HOME') }}", "null", ""),
]
"""All of them, and some as whole messages."""
THIRDS = ["\n".join(MORE[start::3]) for start in range(3)]
ENDED = "main: Error (exit code 90): "
"""What Argo puts before the message of a pod."""
RAISED, REFUSED = "raised", "refused"


def said(workflow: str, text: str) -> str:
    """The message: of an exception the text, of `.fail("{{{text}}} {text}")` also what is around it."""
    return text if workflow == RAISED else f"{{{text}}} {text}"


@pytest.fixture(scope="module")
def road(installation: installing.Installation, tmp_path_factory: pytest.TempPathFactory) -> Road:
    """The workflows, registered and applied, with their code "in the image"."""
    folder, files = tmp_path_factory.mktemp("telling"), engine("telling.py")
    found = registered(installation, folder, "telling", files, folders={"SEEN": "there"})
    (found.project / "here").mkdir()
    for name in ("raised", "refused", "told", "told-refused"):
        found.place.ready("Workflow", f"telling-{name}")
    return found


@pytest.fixture
def store(road: Road, monkeypatch: pytest.MonkeyPatch) -> protocols.Store:
    """What the domain's runs leave behind."""
    for name, value in road.place.bucket.environment().items():
        monkeypatch.setenv(name, value)
    return opening.open_store(road.place.prefix, endpoint=road.place.bucket.endpoint)


def failed(road: Road, *words: str, env: dict[str, str]) -> tuple[dict[str, Any], str]:
    """What `alula run --json` says of a run that fails, in JSON and besides."""
    done = installing.alula(road.place.cluster, "run", "--json", *words, cwd=road.project, env=env, check=False)
    assert done.returncode == 1, done.stderr
    return json.loads(done.stdout), done.stderr


@pytest.mark.parametrize("workflow", [RAISED, REFUSED])
def test_here_two_hundred_messages_are_in_the_json_byte_for_byte(road: Road, workflow: str) -> None:
    told, _ = failed(road, "--threads", f"telling.py:{workflow}", "--texts", json.dumps(MORE), env={})
    messages = [node["error"]["message"] for node in told["nodes"] if node["state"] == "failed"]
    assert messages == [said(workflow, text) for text in MORE]


def attempts(run: installing.Object) -> Iterator[tuple[int, str, str]]:
    """The tasks of a map that failed: the index of their item, their name, and what Argo says of their attempt."""
    nodes = argo.read(run["status"])
    for node in nodes.values():
        item = re.search(r"item\(([0-9]+):", node["name"])
        if item and node["type"] == "Retry" and node["phase"] == "Failed":
            (child,) = (nodes[each] for each in node["children"])
            yield int(item[1]), node["name"], child["message"]


@pytest.mark.parametrize("workflow", [RAISED, REFUSED])
def test_there_they_are_in_the_record_and_the_json_byte_for_byte_and_in_argo_without_control_characters_and_tags(
    road: Road, store: protocols.Store, workflow: str
) -> None:
    words = ("--remote", f"telling.py:{workflow}", "--texts", json.dumps(TEXTS))
    told, notes = failed(road, *words, env=road.place.bucket.environment())
    started = re.findall(r"^started (\S+) in", notes, re.MULTILINE)[-1]
    run = road.place.ended(started)
    found = {}
    for index, name, message in attempts(run):
        stored = store.get(failures.path(run["metadata"]["uid"], name, 1))
        record = failures.FailureRecord.from_json(jsontext.parse(stored.decode()))
        assert record.message == said(workflow, TEXTS[index])
        assert message == f"{ENDED}{failures.termination_message(record)}"
        found[index] = record.message
    assert sorted(found) == list(range(len(TEXTS)))
    messages = [node["error"]["message"] for node in told["nodes"] if node["state"] == "failed"]
    assert len(messages) == len(TEXTS)
    assert len(set(messages).intersection(found.values())) >= stored_failures.MOST


@pytest.fixture(scope="module")
def told(road: Road) -> dict[tuple[str, str], str]:
    """A run with a handler for each, all started at once."""
    return {
        (workflow, text): road.place.run(f"telling-{workflow}", {"text": values.argo_safe(json.dumps(text))})
        for workflow in ("told", "told-refused")
        for text in THIRDS
    }


@pytest.mark.parametrize("third", range(3))
@pytest.mark.parametrize(("workflow", "node"), [("told", "raises"), ("told-refused", "sub.guard.then.fail")])
def test_a_handler_gets_them_as_argo_shows_them_here_and_there(
    road: Road, store: protocols.Store, told: dict[tuple[str, str], str], workflow: str, node: str, third: int
) -> None:
    text = THIRDS[third]
    run = road.place.ended(told[workflow, text])
    handlers = road.handlers(run["metadata"]["name"])
    assert {event: each["status"]["phase"] for event, each in handlers.items()} == {"failure": "Succeeded"}
    stored = store.get(failures.path(run["metadata"]["uid"], f"{run['metadata']['name']}.{node}", 1))
    record = failures.FailureRecord.from_json(jsontext.parse(stored.decode()))
    assert record.message == said(RAISED if workflow == "told" else REFUSED, text)
    seen = json.loads((road.project / "there" / f"{run['metadata']['name']}.json").read_text())
    assert seen == [node, failures.termination_message(record)]
    words = (f"telling.py:{workflow.replace('-', '_')}", "--text", text)
    here, _ = failed(road, *words, env={"SEEN": str(road.project / "here")})
    (error,) = (each["error"] for each in here["nodes"] if each["state"] == "failed")
    assert error["message"] == record.message
    known = ("kind", "code", "message", "exception", "source", "attempt", "traceback")
    own = failures.FailureRecord(**{name: error[name] for name in known})
    seen = json.loads((road.project / "here" / f"{here['run']}.json").read_text())
    assert seen == [node, failures.termination_message(own)]
