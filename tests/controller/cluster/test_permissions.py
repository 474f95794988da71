"""The rights that are granted are those that are declared, and those that are declared are those that are used."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import yaml

from alula_controller.cluster import client, permissions, resources
from alula_controller.definitions.world import Key
from tests.controller import scenes
from tests.controller.admission import test_reconcile as test_admission
from tests.controller.definitions import test_reconcile as test_definitions

ROLES = Path(__file__).resolve().parents[3] / "kustomize" / "base" / "roles.yaml"

Rules = set[tuple[str, str, str, str]]


def declared(rules: tuple[permissions.Rule, ...]) -> Rules:
    return {(rule.resource.group, rule.target, verb, ",".join(rule.names)) for rule in rules for verb in rule.verbs}


def granted(kind: str, name: str) -> Rules:
    found: Rules = set()
    for body in yaml.safe_load_all(ROLES.read_text(encoding="utf-8")):
        if (body["kind"], body["metadata"]["name"]) == (kind, name):
            for rule in body["rules"]:
                found |= {
                    (group, resource, verb, ",".join(rule.get("resourceNames", [])))
                    for group in rule["apiGroups"]
                    for resource in rule["resources"]
                    for verb in rule["verbs"]
                }
    return found


def test_the_base_grants_exactly_what_is_declared() -> None:
    assert granted("ClusterRole", "alula-controller") == declared(permissions.SERVED)
    assert granted("ClusterRole", "alula-controller-namespaces") == declared(permissions.NAMESPACES)
    assert granted("Role", "alula-controller") == declared(permissions.OWN)


def test_nothing_is_a_wildcard_and_secrets_are_out_of_reach() -> None:
    for rule in permissions.ALL:
        assert "*" not in rule.verbs
        assert rule.resource.plural not in ("secrets", "configmaps", "pods", "serviceaccounts", "roles")
        assert rule.why


class Recorder:
    """Notes the RBAC verb of every call on a fake cluster."""

    def __init__(self, api: Any) -> None:
        self.used: set[tuple[str, str, str]] = set()
        for method, verbs in {
            "get": ["get"], "find": ["get"], "list": ["list"], "create": ["create"], "replace": ["update"],
            "apply": ["create", "patch"], "merge": ["patch"], "delete": ["delete"],
        }.items():  # fmt: skip
            setattr(api, method, self.noting(getattr(api, method), verbs))

    def noting(self, call: Any, verbs: list[str]) -> Any:
        async def noted(path: str, *arguments: Any, **options: Any) -> Any:
            for verb in verbs:
                self.used.add((*self.target(path), verb))
            return await call(path, *arguments, **options)

        return noted

    @staticmethod
    def target(path: str) -> tuple[str, str]:
        for resource in resources.ALL:
            rest = path.removeprefix(resource.root)
            parts = [part for part in rest.split("/") if part]
            if resource.namespaced and parts[:1] == ["namespaces"]:
                parts = parts[2:]
            if rest != path and parts and parts[0] == resource.plural:
                status = "/status" if parts[-1] == "status" and len(parts) > 2 else ""
                return resource.group, resource.plural + status
        raise AssertionError(path)


def test_the_whole_life_of_definitions_and_runs_uses_no_other_verb() -> None:
    bench = test_definitions.Bench(scenes.workflow(), scenes.launch_plan(), scenes.domain())
    noted = Recorder(bench.api)
    bench.settle(Key("Domain", scenes.SPACE, "domain"))
    bench.api.put(scenes.launch_plan(schedule=None))
    bench.settle(Key("LaunchPlan", scenes.SPACE, "nightly"))
    bench.api.drop("LaunchPlan", scenes.SPACE, "nightly")
    bench.settle()
    runs = test_admission.Bench(test_admission.template())
    noted_runs = Recorder(runs.api)
    runs.handle()
    asyncio.run(runs.watchdog.sweep(""))
    allowed = {(group, target, verb) for group, target, verb, _ in declared(permissions.ALL)}
    used = noted.used | noted_runs.used
    assert used <= allowed
    assert ("argoproj.io", "workflowtemplates", "delete") in used


def test_the_field_manager_is_never_renamed() -> None:
    assert client.FIELD_MANAGER == "alula-controller", "fields of the old name would be orphaned"
