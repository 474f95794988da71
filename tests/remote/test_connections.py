"""Calls to the API server: what is sent, and how every refusal reads."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from alula.remote import connections
from alula.remote.refusals import RemoteError, Unanswered
from tests.remote import servers
from tests.remote.servers import ARGO, NAMESPACE, OURS


def connect() -> connections.Connection:
    return connections.Connection(namespace=NAMESPACE)


def plugin(folder: Path, lines: str) -> dict[str, object]:
    """A login command that runs `lines` of Python."""
    script = folder / "login.py"
    script.write_text(lines)
    version = "client.authentication.k8s.io/v1"
    return {
        "exec": {"apiVersion": version, "command": sys.executable, "args": [str(script)], "interactiveMode": "Never"}
    }


CREDENTIAL = """
import json, pathlib, sys
count = pathlib.Path(sys.argv[0] + ".count")
number = int(count.read_text()) + 1 if count.exists() else 1
count.write_text(str(number))
print(json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                  "status": {"token": f"secret-{number}"}}))
"""


def test_a_definition_is_read_with_the_token_of_the_kubeconfig(
    server: servers.Server, cluster: connections.Connection
) -> None:
    server.on("GET", f"{OURS}/workflows/train", {"metadata": {"name": "train"}})
    assert cluster.definition("workflows", "train") == {"metadata": {"name": "train"}}
    (request,) = server.requests
    assert request.headers["authorization"] == "Bearer secret-token"


def test_a_definition_that_is_not_there_is_none(server: servers.Server, cluster: connections.Connection) -> None:
    assert cluster.definition("workflows", "train") is None


def test_definitions_of_a_kind_that_the_cluster_does_not_know_are_not_taken_for_none(
    server: servers.Server, cluster: connections.Connection
) -> None:
    server.on("GET", f"{OURS}/workflows", {"items": [{"metadata": {"name": "train"}}]})
    assert cluster.definitions("workflows") == [{"metadata": {"name": "train"}}]
    with pytest.raises(RemoteError, match=r"does not know launch plans of alula\.dev/v1alpha1") as caught:
        cluster.definitions("launchplans")
    assert caught.value.diagnostics[0].hint == "install the CRDs: kubectl apply --server-side -k crds"


def test_a_run_is_created_with_the_body_as_it_is(server: servers.Server, cluster: connections.Connection) -> None:
    body = {
        "metadata": {"generateName": "x-"},
        "spec": {"arguments": [{"value": '"\\u007b\\ud83d\\udc27 é"'}, {"value": "é🐧"}]},
    }
    server.on("POST", f"{ARGO}/workflows", servers.Answer({"metadata": {"name": "x-1"}}, 201))
    assert cluster.start(body)["metadata"]["name"] == "x-1"
    assert server.requests[0].body == body


def test_the_token_of_a_file_is_sent(server: servers.Server, config: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret-of-a-file")
    servers.kubeconfig(config, server.host, {"tokenFile": str(tmp_path / "token")})
    connect().run("x")
    assert server.requests[0].headers["authorization"] == "Bearer secret-of-a-file"


def test_user_name_and_password_are_sent(server: servers.Server, config: Path) -> None:
    servers.kubeconfig(config, server.host, {"username": "ada", "password": "secret"})
    connect().run("x")
    assert server.requests[0].headers["authorization"] == "Basic YWRhOnNlY3JldA=="


def test_the_token_of_a_login_command_is_sent(server: servers.Server, config: Path, tmp_path: Path) -> None:
    servers.kubeconfig(config, server.host, plugin(tmp_path, CREDENTIAL))
    connect().run("x")
    assert server.requests[0].headers["authorization"] == "Bearer secret-1"


def test_a_token_that_ran_out_is_asked_for_again_and_the_call_repeated(
    server: servers.Server, config: Path, tmp_path: Path
) -> None:
    servers.kubeconfig(config, server.host, plugin(tmp_path, CREDENTIAL))
    server.on("GET", f"{ARGO}/workflows/x", {"metadata": {"name": "x"}})
    cluster = connect()
    assert cluster.run("x") is not None
    server.accepts = lambda authorization: authorization == "Bearer secret-2"
    assert cluster.run("x") is not None
    assert [each.headers["authorization"][-1] for each in server.requests] == ["1", "1", "2"]


def test_credentials_that_stay_refused_are_told_without_the_token(
    server: servers.Server, cluster: connections.Connection
) -> None:
    server.accepts = lambda authorization: False
    with pytest.raises(RemoteError) as raised:
        cluster.run("x")
    assert f"{server.host} does not accept the kubeconfig's credentials" in str(raised.value)
    assert "log in anew" in str(raised.value)
    assert "secret" not in str(raised.value)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("import sys; sys.exit('no session: run cloud login')", "no session: run cloud login"),
        ("print('hello')", "failed to decode process output"),
        ("print('{}')", "missing key 'apiVersion'"),
    ],
)
def test_a_login_command_that_fails_is_told_with_its_own_words(
    lines: str, said: str, server: servers.Server, config: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    servers.kubeconfig(config, server.host, plugin(tmp_path, lines))
    with pytest.raises(RemoteError) as raised:
        connect()
    assert "the login command of the kubeconfig failed" in str(raised.value)
    assert said in str(raised.value)
    assert not server.requests


def test_a_login_command_that_is_not_installed_is_told(server: servers.Server, config: Path) -> None:
    version = "client.authentication.k8s.io/v1"
    servers.kubeconfig(config, server.host, {"exec": {"apiVersion": version, "command": "no-such-login"}})
    with pytest.raises(RemoteError, match=r"login command of the kubeconfig failed.*no-such-login"):
        connect()


def openssl(folder: Path, name: str, *more: str) -> None:
    subject = ["-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.crt"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run(["openssl", "req", "-x509", *key, *subject, *more], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def secured(tmp_path: Path) -> Path:
    """A folder with an authority, and certificates of a server and of a client."""
    if shutil.which("openssl") is None:
        pytest.skip("no `openssl` on PATH to make certificates with")
    signed = ["-CA", "authority.crt", "-CAkey", "authority.key", "-addext", "basicConstraints=critical,CA:FALSE"]
    openssl(tmp_path, "authority", "-addext", "keyUsage=critical,keyCertSign,digitalSignature")
    openssl(tmp_path, "server", *signed, "-addext", "subjectAltName=IP:127.0.0.1")
    openssl(tmp_path, "ada", *signed)
    return tmp_path


def test_a_client_certificate_is_shown(secured: Path, config: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(secured / "authority.crt"))
    context.load_cert_chain(secured / "server.crt", secured / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    server = servers.Server()
    listening = servers.serve(server, context)
    server.on("GET", f"{ARGO}/workflows/x", {"metadata": {"name": "x"}})
    user = {"client-certificate": str(secured / "ada.crt"), "client-key": str(secured / "ada.key")}
    servers.kubeconfig(config, server.host, user, {"certificate-authority": str(secured / "authority.crt")})
    cluster = connect()
    try:
        assert cluster.run("x") == {"metadata": {"name": "x"}}
        assert "authorization" not in server.requests[0].headers
    finally:
        cluster.close()
        listening.shutdown()
        listening.server_close()


def test_a_server_whose_certificate_is_not_trusted_is_told(secured: Path, config: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(secured / "server.crt", secured / "server.key")
    server = servers.Server()
    listening = servers.serve(server, context)
    servers.kubeconfig(config, server.host, {"token": "secret-token"})
    cluster = connect()
    try:
        with pytest.raises(RemoteError) as raised:
            cluster.run("x")
        assert f"there is no secure connection to {server.host}: certificate verify failed" in str(raised.value)
        assert not isinstance(raised.value, Unanswered)
    finally:
        cluster.close()
        listening.shutdown()
        listening.server_close()


def test_what_may_not_be_done_is_told_in_the_servers_words(
    server: servers.Server, cluster: connections.Connection
) -> None:
    said = (
        'workflows.argoproj.io is forbidden: User "ada" cannot create resource "workflows" in API group "argoproj.io"'
    )
    server.on("POST", f"{ARGO}/workflows", servers.refused(403, said))
    with pytest.raises(RemoteError) as raised:
        cluster.start({})
    assert f"you may not start a run in namespace {NAMESPACE}: {said}" in str(raised.value)


def test_what_the_server_finds_wrong_with_a_run_is_told(
    server: servers.Server, cluster: connections.Connection
) -> None:
    server.on("POST", f"{ARGO}/workflows", servers.refused(404, f'namespaces "{NAMESPACE}" not found'))
    with pytest.raises(RemoteError, match=f'refused to start a run .*: 404 namespaces "{NAMESPACE}" not found'):
        cluster.start({})


@pytest.mark.parametrize("status", sorted(connections.PATIENCE))
def test_an_answer_that_says_nothing_about_the_request_may_be_asked_for_again(
    status: int, server: servers.Server, cluster: connections.Connection
) -> None:
    server.on("GET", f"{ARGO}/workflows/x", servers.Answer(b"<html>busy</html>", status))
    with pytest.raises(Unanswered, match=f"the cluster could not read run x: {status} <html>busy</html>"):
        cluster.run("x")
    assert len(server.requests) == 1


def test_an_address_at_which_no_server_listens_is_told_with_its_address(config: Path) -> None:
    servers.kubeconfig(config, "http://127.0.0.1:9", {"token": "secret-token"})
    with pytest.raises(Unanswered) as raised:
        connect().run("x")
    assert "the cluster at http://127.0.0.1:9 does not answer: connection refused" in str(raised.value)
    assert "hint: check --context" in str(raised.value)


def test_an_unknown_name_is_told(config: Path) -> None:
    servers.kubeconfig(config, "http://no-such-cluster.invalid", {"token": "secret-token"})
    with pytest.raises(Unanswered, match=r"the cluster at http://no-such-cluster\.invalid does not answer"):
        connect().run("x")


def test_a_password_in_the_address_is_not_shown(config: Path) -> None:
    servers.kubeconfig(config, "http://ada:secret@127.0.0.1:9")
    with pytest.raises(Unanswered) as raised:
        connect().run("x")
    assert "http://127.0.0.1:9 does not answer" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_connection_that_breaks_off_is_no_answer(server: servers.Server, cluster: connections.Connection) -> None:
    server.on("GET", f"{ARGO}/workflows/x", servers.GONE)
    with pytest.raises(Unanswered, match="does not answer"):
        cluster.run("x")


def test_a_server_that_never_answers_is_not_waited_for_for_ever(
    server: servers.Server, cluster: connections.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "READ_SECONDS", 0.2)
    server.on("GET", f"{ARGO}/workflows/x", servers.SILENT)
    with pytest.raises(Unanswered, match="does not answer: no answer within 0 s"):
        cluster.run("x")


def test_a_run_whose_creation_was_not_answered_may_have_been_started(
    server: servers.Server, cluster: connections.Connection
) -> None:
    server.on("POST", f"{ARGO}/workflows", servers.GONE)
    with pytest.raises(Unanswered, match=r"\(whether it was started is not known\)"):
        cluster.start({})
    assert len(server.requests) == 1


def test_something_that_is_no_api_server_is_told(server: servers.Server, cluster: connections.Connection) -> None:
    server.on("GET", f"{ARGO}/workflows/x", servers.Answer(b"<html>welcome</html>"))
    with pytest.raises(RemoteError, match="does not answer as a Kubernetes API server does"):
        cluster.run("x")


def test_names_stand_in_the_path_as_they_are(server: servers.Server, cluster: connections.Connection) -> None:
    cluster.run("../../secrets/x?y=1")
    assert server.requests[0].path == f"{ARGO}/workflows/..%2F..%2Fsecrets%2Fx%3Fy%3D1"


def test_the_store_of_a_domain_that_may_not_be_read_is_unknown(
    server: servers.Server, cluster: connections.Connection
) -> None:
    server.on("GET", f"{OURS}/domains/domain", servers.refused(403, "no"))
    assert cluster.store() == ""
    server.on("GET", f"{OURS}/domains/domain", {"status": {"store": "s3://data/penguins/dev"}})
    assert cluster.store() == "s3://data/penguins/dev"
