"""People are told of runs by real servers, encrypted and whole, whatever is killed and whatever does not answer."""

from __future__ import annotations

import contextlib
import dataclasses
import email
import email.policy
import http.server
import json
import pathlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from alula_api.contract import labels
from e2e import installing
from e2e.cluster import certificates
from e2e.controller import definitions
from e2e.controller.conftest import Scene, condition, metrics, until

COMMIT = "0123456789abcdef0123456789abcdef01234567"
UI = "https://argo.example.org"
HOST = "127.0.0.1"
HTTPS, HOOK, SILENT = 18442, 18443, 18444  # the API server has 443
LIVING = ("team", "room", "pager", "commits", "hook", "mail")


@dataclasses.dataclass
class Servers:
    """What arrived, by the path or the port that it was sent to."""

    got: list[tuple[str, dict[str, str], dict[str, Any]]] = dataclasses.field(default_factory=list)
    mails: list[Any] = dataclasses.field(default_factory=list)
    held: threading.Event = dataclasses.field(default_factory=threading.Event)  # cleared: the hook does not answer

    def posts(self, start: str) -> list[tuple[dict[str, str], dict[str, Any]]]:
        return [(headers, body) for path, headers, body in self.got if path.startswith(start)]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"


class Handler(http.server.BaseHTTPRequestHandler):
    servers: Servers

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.servers.got.append((self.path, {name.lower(): text for name, text in self.headers.items()}, body))
        if self.path.startswith("/hook"):
            self.servers.held.wait(30)
        with contextlib.suppress(OSError):
            self.send_response(202)
            self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Servers, pathlib.Path]]:
    """An HTTPS server on two ports, a mail server that demands STARTTLS and a password, and one that never answers."""
    folder = tmp_path_factory.mktemp("notices")
    made = certificates.make(folder, [HOST], ["localhost"])
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(made.server, made.server_key)
    found = Servers()
    found.held.set()
    handler = type("Bound", (Handler,), {"servers": found})
    with contextlib.ExitStack() as stack:
        for port in (HTTPS, HOOK):
            server = stack.enter_context(http.server.ThreadingHTTPServer((HOST, port), handler))
            server.socket = tls.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
            stack.callback(server.shutdown)
        silent = stack.enter_context(socket.create_server((HOST, SILENT)))
        assert silent

        def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
            return AuthResult(success=(data.login, data.password) == (b"alula", b"pass word"))

        options: dict[str, Any] = {"tls_context": tls, "require_starttls": True, "auth_required": True}
        mail = Controller(found, hostname=HOST, port=587, authenticator=check, **options)
        mail.start()
        stack.callback(mail.stop)
        yield found, folder


@dataclasses.dataclass
class Told:
    """The scene with a controller that may tell people."""

    scene: Scene
    servers: Servers
    changed: dict[str, str]

    def start(self) -> None:
        self.scene.installation.controller = self.scene.installation.spawn(**self.changed)

    def kill(self) -> None:
        self.scene.installation.kill()

    def run(self, template: str, **inputs: str) -> str:
        return self.scene.place.run(template, inputs)

    def of(self, run: str) -> dict[str, Any]:
        return dict(self.scene.api.get(installing.ARGO, "Workflow", run, self.scene.space))

    def domain(self) -> dict[str, Any]:
        return dict(self.scene.api.get(installing.ALULA, "Domain", "domain", self.scene.space))


@pytest.fixture(scope="module")
def told(scene: Scene, servers: tuple[Servers, pathlib.Path]) -> Iterator[Told]:
    """The domain `notices-dev` with a place of each kind, one that never answers, and one that is not allowed."""
    found, folder = servers
    place = Scene(scene.installation.place("notices", "dev", "off"), scene.installation)
    secrets = folder / "secrets"
    secrets.mkdir()
    credentials = {
        "team": f"https://{HOST}:{HTTPS}/slack/secret",
        "room": f"https://{HOST}:{HTTPS}/teams/secret?sig=1",
        "pager": "routing-key",
        "commits": "token",
        "hook": "key",
        "mail": "alula\npass word",
    }
    for name, text in credentials.items():
        (secrets / f"{place.space}.{name}").write_text(text + "\n")
    changed = {
        "ALULA_NOTICE_HOSTS": f"{HOST},{HOST}:{HTTPS},{HOST}:{HOOK},http://{HOST}:{SILENT}",
        "ALULA_NOTICE_SECRETS": str(secrets),
        "ALULA_ARGO_UI": UI,
        "SSL_CERT_FILE": str(folder / "ca.crt"),
    }
    unsigned = {"signature": "Absent"}
    notifications = [
        {"name": "team", "slack": {"host": f"{HOST}:{HTTPS}"}},
        {"name": "room", "teams": {"host": f"{HOST}:{HTTPS}"}},
        {"name": "pager", "pagerDuty": {"host": f"{HOST}:{HTTPS}", "severity": "critical"}},
        {"name": "commits", "github": {"host": f"{HOST}:{HTTPS}", "repository": "acme/penguins"}},
        {"name": "hook", "webhook": {"url": f"https://{HOST}:{HOOK}/hook", "template": '{"said": ["{{message}}"]}'}},
        {"name": "mail", "email": {"host": HOST, "sender": "alula@example.org", "to": ["data@example.org"]}},
        {"name": "silent", "webhook": {"url": f"http://{HOST}:{SILENT}/x", **unsigned}},
        {"name": "forbidden", "webhook": {"url": f"https://localhost:{HOOK}/forbidden", **unsigned}},
    ]
    place.api.patch(installing.ALULA, "Domain", "domain", place.space, {"spec": {"notifications": notifications}})
    told = Told(place, found, changed)
    told.kill()
    told.start()
    chain = [
        definitions.node("one", "uncached", a={"input": "x"}),
        definitions.node("two", "uncached", a=definitions.out("one")),
    ]
    workflow = definitions.workflow("told", chain, inputs=[{"name": "x", "type": definitions.INT, "default": "1"}])
    workflow["metadata"]["annotations"] = {labels.COMMIT: COMMIT}
    every = [{"place": name} for name in (*LIVING, "silent", "forbidden")]
    place.define(workflow, definitions.launch_plan("nightly", "told", notifications=every))
    time.sleep(2)  # Argo's own view of templates is a moment behind
    yield told
    found.held.set()
    if scene.installation.controller is not None and scene.installation.controller.poll() is None:
        scene.installation.kill()
    scene.installation.start()


def test_a_failure_is_told_everywhere_but_where_it_may_not_and_by_who_does_not_answer(told: Told) -> None:
    hostile = json.dumps("<!channel> \r\nBcc: all@example.org\r\n {{message}} \u2028")
    run = told.run("lp-nightly", x=hostile)
    ended = told.scene.place.ended(run)
    uid, link = ended["metadata"]["uid"], f"{UI}/workflows/notices-dev/{run}?uid={ended['metadata']['uid']}"
    until(lambda: len(told.servers.got) >= 5 and told.servers.mails)
    sentence = f"Run {run} of workflow told (launch plan nightly, domain notices/dev) failed: "

    ((_, slack),) = told.servers.posts("/slack/secret")
    assert slack["blocks"][1]["text"]["text"].startswith(sentence)
    assert slack["blocks"][2]["elements"][0]["url"] == link
    ((_, teams),) = told.servers.posts("/teams/secret?sig=1")
    card = teams["attachments"][0]["content"]
    assert card["body"][1]["inlines"][0]["text"].startswith(sentence) and card["actions"][0]["url"] == link
    ((_, pager),) = told.servers.posts("/v2/enqueue")
    assert (pager["routing_key"], pager["event_action"]) == ("routing-key", "trigger")
    assert pager["dedup_key"] == "alula/notices-dev/nightly"
    ((headers, status),) = told.servers.posts(f"/api/v3/repos/acme/penguins/statuses/{COMMIT}")
    assert headers["authorization"] == "Bearer token"
    assert (status["state"], status["context"]) == ("failure", "alula/notices/dev/nightly")
    ((headers, hook),) = told.servers.posts("/hook")
    assert hook["said"][0].startswith(sentence) and headers["webhook-signature"].startswith("v1,")
    (mail,) = told.servers.mails
    assert (mail["To"], mail["Bcc"]) == ("data@example.org", None)
    assert mail["Subject"] == "nightly failed in notices/dev" and link in mail.get_content()

    until(lambda: all(name in wrong(told.domain()) for name in ("silent", "forbidden")))
    message = wrong(told.domain())
    assert f"silent: {HOST} did not answer within 10 s" in message
    assert f"forbidden: localhost:{HOOK} is not among the hosts that the installation allows" in message
    assert told.servers.posts("/forbidden") == [] and len(told.servers.got) == 5
    assert (
        labels.NOTICES in told.of(run)["metadata"]["labels"]
        and uid in told.of(run)["metadata"]["annotations"][labels.NOTIFIED]
    )
    counted = metrics()
    sent = [value for name, value in counted.items() if "alula_notices_total" in name and 'result="sent"' in name]
    assert sum(sent) == 6


def wrong(body: dict[str, Any]) -> str:
    found = [each for each in body["status"]["conditions"] if each["type"] == "NoticesDelivered"]
    return found[0]["message"] if found and found[0]["status"] == "False" else ""


def test_the_recovery_is_told_once_although_no_controller_saw_the_end_and_it_is_killed_while_it_tells(
    told: Told,
) -> None:
    told.servers.got.clear()
    told.servers.mails.clear()
    told.servers.held.clear()
    run = told.run("lp-nightly")
    until(lambda: told.of(run)["metadata"].get("labels", {}).get(labels.ADMITTED))
    told.kill()
    assert told.scene.place.ended(run)["status"]["phase"] == "Succeeded"
    told.start()
    until(lambda: told.servers.posts("/hook"))  # it has got it and does not answer
    told.kill()
    told.servers.held.set()
    told.start()
    until(lambda: len(told.servers.posts("/hook")) == 2)
    keys = {headers["webhook-id"] for headers, _ in told.servers.posts("/hook")}
    assert len(keys) == 1, "what is repeated says so"
    until(lambda: told.servers.mails)
    ((_, pager),) = told.servers.posts("/v2/enqueue")[:1]
    assert (pager["event_action"], pager["dedup_key"]) == ("resolve", "alula/notices-dev/nightly")
    assert {mail["Subject"] for mail in told.servers.mails} == {"nightly recovered in notices/dev"}
    for start in ("/slack", "/teams", "/v2", "/api/v3"):
        assert len({headers["idempotency-key"] for headers, _ in told.servers.posts(start)}) == 1
    plan = told.scene.api.get(installing.ALULA, "LaunchPlan", "nightly", told.scene.space)
    assert plan["status"]["notices"]["failing"] is False


def test_a_run_that_waits_for_too_long_and_one_that_is_late_are_told_while_they_are_under_way(told: Told) -> None:
    told.servers.got.clear()
    watch = [{"place": "hook", "when": ["Late", "Queued"], "lateAfter": "1s", "queuedFor": "1s"}]
    told.scene.define(definitions.launch_plan("often", "told", schedule={"every": "5s"}, notifications=watch))
    late = until(
        lambda: [body["said"][0] for _, body in told.servers.posts("/hook") if "was scheduled for" in body["said"][0]]
    )
    assert "(launch plan often, domain notices/dev)" in late[0]
    patch = {"spec": {"suspend": True}}
    told.scene.api.patch(installing.ALULA, "LaunchPlan", "often", told.scene.space, patch)
    told.scene.api.patch(installing.ALULA, "Domain", "domain", told.scene.space, patch)
    time.sleep(2)
    run = told.run("lp-often")
    until(lambda: [body for _, body in told.servers.posts("/hook") if f"Run {run} " in body["said"][0]])
    said = [body["said"][0] for _, body in told.servers.posts("/hook") if f"Run {run} " in body["said"][0]]
    assert len(said) == 1 and "has waited in the domain's queue since" in said[0]
    told.scene.api.patch(installing.ALULA, "Domain", "domain", told.scene.space, {"spec": {"suspend": None}})
    told.scene.place.ended(run)
    until(lambda: told.of(run)["metadata"]["labels"][labels.NOTICES] == "done")


def test_a_place_that_the_domain_does_not_have_is_a_condition_with_the_words_of_the_compiler(told: Told) -> None:
    told.scene.apply(definitions.launch_plan("lost", "told", notifications=[{"place": "taem"}]))
    found = told.scene.place.condition("LaunchPlan", "lost", "Ready", "False")
    message = condition(found, "Ready")["message"]
    assert "UNKNOWN_PLACE: the domain has no place `taem` for notices" in message and "did you mean `team`?" in message
