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
        "workflowrevisions.alula.dev",
    }
    (domain,) = kinds("overlays/dev", "Domain")
    assert (domain["metadata"]["name"], domain["metadata"]["namespace"]) == ("domain", "penguins-dev")


def test_a_namespaced_installation_has_nothing_on_the_cluster_but_kinds_and_namespaces() -> None:
    namespaced = built("overlays/namespaced")
    assert {item["kind"] for item in namespaced if "namespace" not in item["metadata"]} == {
        "CustomResourceDefinition",
        "Namespace",
    }
    bound = {item["metadata"]["namespace"] for item in namespaced if item["kind"] == "RoleBinding"}
    assert bound == {"alula-system", "penguins-dev"}


def test_every_policy_reads_the_identities_and_none_holds_outside_of_domains() -> None:
    identities = [item for item in kinds("overlays/dev", "ConfigMap") if item["metadata"]["name"] == "alula-identities"]
    policies = {item["metadata"]["name"]: item for item in kinds("overlays/dev", "ValidatingAdmissionPolicy")}
    bindings = kinds("overlays/dev", "ValidatingAdmissionPolicyBinding")
    assert len(identities) == 1
    assert sorted(binding["spec"]["policyName"] for binding in bindings) == sorted(policies)
    for binding in bindings:
        named = binding["spec"].get("paramRef", {}).get("name")
        assert named == ("alula-identities" if "paramKind" in policies[binding["spec"]["policyName"]]["spec"] else None)
        expressions = binding["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"]
        assert {"key": "alula.dev/project", "operator": "Exists"} in expressions


def test_every_policy_is_in_the_table_of_the_docs() -> None:
    text = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    for item in kinds("overlays/dev", "ValidatingAdmissionPolicy"):
        strict = item["metadata"]["name"].startswith("alula-strict-")
        assert f"| `{item['metadata']['name']}` | {'strict' if strict else 'open, strict'} |" in text
