"""What a kubelet makes of a container's command and environment, without a cluster."""

from __future__ import annotations

import json
from typing import Any

import pytest

from e2e.cluster.pods import spec

ENV = {"A": "1", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$(A) and $(EMPTY).", "1 and ."),
        ("$(UNKNOWN)", "$(UNKNOWN)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$A ${A} $( $", "$A ${A} $( $"),
        ("$$$$", "$$"),
        ("$(A\n)$(A)", "$(A\n)1"),
    ],
)
def test_references_expand_as_the_kubelet_does(text: str, expanded: str) -> None:
    assert spec.expand(text, ENV) == expanded


def pod(main: dict[str, Any], **spec: Any) -> dict[str, Any]:
    template = {"outputs": {"parameters": [{"name": "x", "valueFrom": {"path": "/run/x"}}]}}
    env = [{"name": "ARGO_TEMPLATE", "value": json.dumps(template)}]
    return {
        "metadata": {"name": "p", "namespace": "n", "uid": "u", "labels": {"a/b": "c"}},
        "spec": {
            "initContainers": [{"name": "init", "image": "argoexec", "env": env}],
            "containers": [{"name": "wait"}, {"name": "main", **main}],
            **spec,
        },
    }


def test_the_command_is_what_stands_after_the_emissary_s_dashes() -> None:
    main = {
        "command": ["/var/run/argo/argoexec", "emissary", "--loglevel", "info", "--", "python"],
        "args": ["-m", "--", "$(POD)"],
        "env": [{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
    }
    launch = spec.launch(pod(main), spec.Sources(), {"PATH": "/bin"}, {"EXTRA": "1"})
    assert launch.argv == ["python", "-m", "--", "p"]
    assert launch.env == {"PATH": "/bin", "EXTRA": "1", "POD": "p"}
    assert [output["name"] for output in launch.outputs] == ["x"]


def test_long_arguments_come_from_the_pod_s_config_map() -> None:
    offloaded = {spec.ARGUMENTS_KEY: json.dumps(["one", "$$"])}
    main = {
        "command": ["argoexec", "emissary", "--", "echo"],
        "env": [{"name": spec.ARGUMENTS_KEY, "value": "/argo/config/x"}],
    }
    sources = spec.Sources(config_maps={"p": offloaded})
    assert spec.launch(pod(main), sources, {}, {}).argv == ["echo", "one", "$$"]


def test_an_argument_too_long_for_the_kernel_comes_as_a_file() -> None:
    long = "x" * 140_000
    main = {
        "command": ["argoexec", "emissary", "--", "echo", "-n"],
        "env": [{"name": spec.ARGUMENTS_KEY, "value": "/argo/config/x"}],
    }
    sources = spec.Sources(config_maps={"p": {spec.ARGUMENTS_KEY: json.dumps(["one", long])}})
    launch = spec.launch(pod(main), sources, {}, {})
    path = "/run/argo-arguments/argo_arg_2.txt"
    assert launch.argv == ["echo", "-n", "one", f"@{path}"]
    assert launch.files == {path: long}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"secretKeyRef": {"name": "none", "key": "k"}}, '"none" not found'),
        ({"secretKeyRef": {"name": "some", "key": "none"}}, "couldn't find key none in some"),
        ({"fieldRef": {"fieldPath": "status.phase"}}, "field status.phase is not known"),
    ],
)
def test_a_reference_to_nothing_refuses_the_pod(source: dict[str, Any], message: str) -> None:
    main = {"command": ["e", "--", "x"], "env": [{"name": "V", "valueFrom": source}]}
    sources = spec.Sources(secrets={"some": {"key": "value"}})
    with pytest.raises(spec.BadPod, match=message):
        spec.launch(pod(main), sources, {}, {})


def test_resources_read_back_in_the_divisor_s_unit() -> None:
    assert spec.quantity("1Gi", "1Mi") == 1024
    assert spec.quantity("1500m") == 2
    assert spec.quantity("2", "1m") == 2000
