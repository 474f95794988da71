"""The rights that are granted are those that are declared, and those that are declared are those that are used."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from alula_controller import process
from alula_controller.cluster import client, permissions, resources
from alula_controller.cluster.queue import QueueKey
from tests.controller import scenes
from tests.controller.admission import test_dispatch
from tests.controller.admission import test_reconcile as test_admission
from tests.controller.cluster import test_events, test_lease
from tests.controller.definitions import test_reconcile as test_definitions
from tests.controller.fake_cluster import FakeCluster
from tests.controller.schedules import test_reconcile as test_schedules

KUSTOMIZE = Path(__file__).resolve().parents[3] / "kustomize"

Rules = set[tuple[str, str, str, str]]


def declared(rules: tuple[permissions.Rule, ...]) -> Rules:
    return {(rule.resource.group, rule.target, verb, ",".join(rule.names)) for rule in rules for verb in rule.verbs}


def granted(kind: str, name: str, folder: str = "base") -> Rules:
    found: Rules = set()
    for body in yaml.safe_load_all((KUSTOMIZE / folder / "roles.yaml").read_text(encoding="utf-8")):
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


def test_the_component_lets_guards_be_read_by_their_names_and_nothing_else() -> None:
    found = granted("ClusterRole", "alula-controller-guards", "components/guard-rights")
    assert found == declared(permissions.GUARDS)
    assert {name for _, _, verb, name in found if verb != "get" or not name} == set()


def test_without_rights_on_the_cluster_each_domain_grants_the_same_and_the_look_at_its_own_namespace() -> None:
    found = granted("Role", "alula-controller-domain", "components/domain-rights")
    assert found == declared(permissions.SERVED) | {("", "namespaces", "get", "")}


def test_nothing_is_a_wildcard_and_secrets_are_out_of_reach() -> None:
    for rule in permissions.ALL:
        assert "*" not in rule.verbs
        assert rule.resource.plural not in ("secrets", "configmaps", "serviceaccounts", "roles")
        assert rule.resource.plural != "pods" or rule.verbs == ("list",)
        assert rule.why


def test_of_pods_no_more_than_metadata_is_asked_for() -> None:
    controller = Path(process.__file__).parent
    asking = [path for path in controller.rglob("*.py") if "resources.PODS" in path.read_text(encoding="utf-8")]
    assert sorted(path.name for path in asking) == ["dispatch.py", "permissions.py"]
    asked = (controller / "admission/dispatch.py").read_text(encoding="utf-8").partition("resources.PODS.path")[2]
    assert "metadata_only=True" in asked.partition("await ")[2].partition("\n")[0]


VERBS = {
    "get": ["get"], "find": ["get"], "list": ["list"], "any": ["list"], "create": ["create"], "replace": ["update"],
    "apply": ["create", "patch"], "merge": ["patch"], "delete": ["delete"],
}  # fmt: skip


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str, str]]:
    """The RBAC verbs of all calls on fake clusters while the test lasts."""
    found: set[tuple[str, str, str]] = set()

    def noting(call: Any, verbs: list[str]) -> Any:
        async def noted(self: FakeCluster, path: str, *arguments: Any, **options: Any) -> Any:
            found.update((*target(path), verb) for verb in verbs)
            return await call(self, path, *arguments, **options)

        return noted

    for method, verbs in VERBS.items():
        monkeypatch.setattr(FakeCluster, method, noting(getattr(FakeCluster, method), verbs))
    return found


def target(path: str) -> tuple[str, str]:
    for resource in (*resources.ALL, *resources.GUARDS):
        rest = path.removeprefix(resource.root)
        parts = [part for part in rest.split("/") if part]
        if resource.namespaced and parts[:1] == ["namespaces"]:
            parts = parts[2:]
        if rest != path and parts and parts[0] == resource.plural and (resource.namespaced or len(parts) <= 2):
            status = "/status" if parts[-1] == "status" and len(parts) > 2 else ""
            return resource.group, resource.plural + status
    raise AssertionError(path)


def watched() -> set[tuple[str, str, str]]:
    """What the parts list and watch that no fake cluster takes part in."""
    api: Any = FakeCluster()
    known = {watch.name.partition(".") for watch in process.Controller(scenes.SETTINGS, api).watches}
    found = {(group.replace("core", ""), plural) for plural, _, group in known}
    found |= {(each.group, each.plural) for each in resources.DEFINITIONS}
    return {(group, plural, verb) for group, plural in found for verb in ("list", "watch")}


def test_every_verb_that_is_declared_is_used_and_no_other(
    used: set[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    by_event = scenes.launch_plan(inputs=[{"name": "x", "value": "1"}], trigger={"event": {"name": "orders"}})
    bench = test_definitions.Bench(scenes.workflow(), by_event, scenes.domain())
    bench.settle(QueueKey(scenes.SPACE, "domain", "Domain"))
    bench.api.put(test_schedules.cron("2026-11-29T12:00:00Z"))
    bench.api.put(scenes.launch_plan(schedule=None))
    bench.settle(QueueKey(scenes.SPACE, "nightly", "LaunchPlan"))
    bench.api.drop("LaunchPlan", scenes.SPACE, "nightly")
    bench.settle()
    test_schedules.test_a_cronworkflow_is_taken_over_without_a_lost_or_doubled_tick(False, 1)
    runs = test_admission.Bench(test_admission.template())
    runs.handle()
    asyncio.run(runs.watchdog.sweep(""))
    with monkeypatch.context() as patched:
        test_definitions.test_revisions_are_collected_after_the_retention_unless_a_run_carries_them(patched)
    test_admission.test_a_run_whose_data_was_lost_is_started_again_exactly_once(None)
    test_dispatch.test_a_run_that_replaces_an_older_one_starts_when_the_pods_of_that_are_gone()
    test_lease.test_the_other_takes_over_when_the_holder_falls_silent_and_not_before()
    test_events.say(FakeCluster(), 1)  # type: ignore[arg-type]
    allowed = {(group, name, verb) for group, name, verb, _ in declared((*permissions.ALL, *permissions.GUARDS))}
    assert used | watched() == allowed


def test_the_field_manager_is_never_renamed() -> None:
    assert client.FIELD_MANAGER == "alula-controller", "fields of the old name would be orphaned"
