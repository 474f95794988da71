"""The installation as kustomize builds it: rights, security of the pod, and nothing that the code does not use."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from alula_controller.cluster import permissions

ROOT = Path(__file__).resolve().parents[2]


@functools.cache
def built(overlay: str) -> tuple[dict[str, Any], ...]:
    beside = Path(sys.executable).with_name("kubectl")
    kubectl = str(beside) if beside.exists() else shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed: `make setup` installs it")
    done = subprocess.run(
        [kubectl, "kustomize", str(ROOT / "kustomize" / overlay)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return tuple(yaml.load_all(done.stdout, yaml.CSafeLoader))


def kinds(overlay: str, kind: str) -> list[dict[str, Any]]:
    return [item for item in built(overlay) if item["kind"] == kind]


Grant = tuple[str, str, str, tuple[str, ...]]


def test_the_controller_may_do_exactly_what_its_code_says_it_does() -> None:
    granted: set[Grant] = set()
    for role in [*kinds("overlays/dev", "ClusterRole"), *kinds("overlays/dev", "Role")]:
        if role["metadata"]["name"].startswith("alula-controller"):
            for rule in role["rules"]:
                granted |= {
                    (group, resource, verb, tuple(rule.get("resourceNames", ())))
                    for group in rule["apiGroups"]
                    for resource in rule["resources"]
                    for verb in rule["verbs"]
                }
    used: set[Grant] = {
        (rule.resource.group, rule.target, verb, rule.names) for rule in permissions.ALL for verb in rule.verbs
    }
    assert granted == used


def test_nothing_is_granted_by_a_wildcard_and_no_secret_is_read() -> None:
    for role in [*kinds("overlays/dev", "ClusterRole"), *kinds("overlays/dev", "Role")]:
        for rule in role["rules"]:
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
            assert "secrets" not in rule["resources"]


def test_task_pods_may_only_report_their_results_to_argo() -> None:
    (role,) = [role for role in kinds("overlays/dev", "Role") if role["metadata"]["name"] == "alula-task"]
    assert role["rules"] == [
        {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}
    ]


def test_the_controllers_pod_is_non_root_with_a_read_only_root() -> None:
    (deployment,) = kinds("overlays/dev", "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_overlay_brings_the_crds_and_a_domain() -> None:
    assert {crd["metadata"]["name"] for crd in kinds("overlays/dev", "CustomResourceDefinition")} == {
        "workflows.alula.dev",
        "launchplans.alula.dev",
        "domains.alula.dev",
    }
    (domain,) = kinds("overlays/dev", "Domain")
    assert (domain["metadata"]["name"], domain["metadata"]["namespace"]) == ("domain", "penguins-dev")
