"""The kubeconfig: what is wrong with it is told by its name, and never with what it holds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from alula.remote import kubeconfigs
from alula.remote.refusals import RemoteError
from tests.remote import servers


def refused(context: str = "") -> str:
    with pytest.raises(RemoteError) as raised:
        kubeconfigs.load(context)
    assert "secret" not in str(raised.value)
    return str(raised.value)


def test_without_a_kubeconfig_its_place_is_told(config: Path) -> None:
    assert f"there is no kubeconfig at {config}" in refused()


def test_the_usual_place_is_the_home_folder(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "there is no kubeconfig at ~/.kube/config" in refused()
    (tmp_path / ".kube").mkdir()
    servers.kubeconfig(tmp_path / ".kube" / "config", "http://127.0.0.1:9")
    assert kubeconfigs.load().host == "http://127.0.0.1:9"


def test_a_context_that_is_not_there_is_told_with_the_nearest(config: Path) -> None:
    servers.kubeconfig(config, "http://127.0.0.1:9", {"token": "secret"})
    assert "no context 'hre'\n  hint: did you mean here?" in refused("hre")
    assert "no context 'production'\n  hint: there are here" in refused("production")


def test_without_a_current_context_one_must_be_named(config: Path) -> None:
    servers.kubeconfig(config, "http://127.0.0.1:9", {"token": "secret"})
    config.write_text(config.read_text().replace("current-context: here\n", ""))
    assert "says no current context\n  hint: name one by --context: there are here" in refused()
    assert kubeconfigs.load("here").host == "http://127.0.0.1:9"


def test_the_first_of_several_files_says_the_current_context(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers.kubeconfig(config, "http://127.0.0.1:9")
    other = tmp_path / "other"
    text = servers.kubeconfig(other, "http://127.0.0.1:10").read_text()
    other.write_text(
        text.replace("here", "there").replace("name: c", "name: d").replace("cluster: c\n", "cluster: d\n")
    )
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(map(str, (tmp_path / "missing", config, other))))
    assert kubeconfigs.load().host == "http://127.0.0.1:9"
    assert kubeconfigs.load("there").host == "http://127.0.0.1:10"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not YAML, line 1"),
        ("a: b\nc: [secret\n", "is not YAML, line 3"),
        ("- secret", "must be a map, not list"),
        ("", "must be a map, not NoneType"),
        ("contexts: secret\ncurrent-context: here", "has no context 'here'"),
    ],
)
def test_a_file_that_is_no_kubeconfig_is_told_without_what_it_holds(text: str, said: str, config: Path) -> None:
    config.write_text(text)
    assert said in refused()


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("users", [{"name": "ada", "token": "secret"}]),
        (
            "users",
            [{"name": "ada", "user": {"auth-provider": {"name": "oidc", "config": {"client-secret": "secret"}}}}],
        ),
        ("users", [{"name": "ada", "user": {"exec": {"args": ["secret"]}}}]),
        ("users", [{"name": "ada", "user": {"client-certificate": "/nowhere/secret.crt"}}]),
        ("clusters", [{"name": "other", "cluster": {"server": "https://secret"}}]),
        ("clusters", "secret"),
        ("contexts", [{"name": "here", "context": {"user": "secret"}}]),
    ],
)
def test_a_kubeconfig_that_lacks_something_is_told_without_what_it_holds(
    part: str, value: object, config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    servers.kubeconfig(config, "https://127.0.0.1:9", {"token": "secret"})
    document = yaml.safe_load(config.read_text())
    document[part] = value
    config.write_text(yaml.safe_dump(document))
    if "nowhere" in str(value):
        with pytest.raises(RemoteError, match=r"File does not exist: /nowhere/secret\.crt"):
            kubeconfigs.load()
    else:
        assert "the kubeconfig" in refused()


def test_in_a_pod_without_a_kubeconfig_its_service_account_is_used(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kubernetes.config import incluster_config

    (tmp_path / "token").write_text("secret")
    (tmp_path / "ca").write_text("certificate")
    monkeypatch.setattr(kubeconfigs, "TOKEN", tmp_path / "token")
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    found = kubeconfigs.load()
    assert found.host == "https://10.0.0.1:443"
    assert found.auth_settings()["BearerToken"]["value"] == "bearer secret"
    assert "there is no kubeconfig" in refused("here")


def test_without_the_extra_the_command_to_install_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "kubernetes", None)
    assert "hint: pip install 'alula[remote]'" in refused()
