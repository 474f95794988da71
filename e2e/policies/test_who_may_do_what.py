"""Every policy on the real API server: users, verbs and objects, in an open and in a strict domain."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest

from e2e.controller import definitions
from e2e.policies.conftest import RUN, USERS, Domains

Object = dict[str, Any]
BOTH = ("open", "strict")
EVERYBODY = tuple(USERS)


def run(spec: Object | None = None, **more: Any) -> Object:
    reference = {"workflowTemplateRef": {"name": "kept"}}
    return {
        "apiVersion": RUN[0],
        "kind": "Workflow",
        "metadata": {"name": "tried"},
        "spec": {**reference, **(spec or {})},
        **more,
    }


def arguments(**texts: str) -> Object:
    return {"arguments": {"parameters": [{"name": name, "value": text} for name, text in texts.items()]}}


def cron(spec: Object | None = None, **more: Any) -> Object:
    started = {"workflowTemplateRef": {"name": "kept"}, **(spec or {})}
    return {
        "apiVersion": RUN[0],
        "kind": "CronWorkflow",
        "metadata": {"name": "tried"},
        "spec": {"schedules": ["0 3 * * *"], "workflowSpec": started, **more},
    }


def binding(submit: Object | None = None) -> Object:
    started = {"workflowTemplateRef": {"name": "kept"}, **(submit or {})}
    return {
        "apiVersion": RUN[0],
        "kind": "WorkflowEventBinding",
        "metadata": {"name": "tried"},
        "spec": {"event": {"selector": "true"}, "submit": started},
    }


def template(**labels: str) -> Object:
    step = {"name": "main", "container": {"image": "busybox"}}
    metadata = {"name": "tried", "labels": labels}
    spec = {"entrypoint": "main", "templates": [step]}
    return {"apiVersion": RUN[0], "kind": "WorkflowTemplate", "metadata": metadata, "spec": spec}


OWN_FIELDS: dict[str, Any] = {
    "entrypoint": "main",
    "podSpecPatch": "{}",
    "serviceAccountName": "default",
    "templates": [{"name": "main", "container": {"image": "busybox"}}],
    "hooks": {"exit": {"templateRef": {"name": "kept", "template": "main"}}},
    "onExit": "main",
    "hostNetwork": True,
    "volumes": [{"name": "host", "hostPath": {"path": "/"}}],
    "securityContext": {"runAsUser": 0},
    "templateDefaults": {"container": {"env": [{"name": "A", "value": "b"}]}},
    "artifactRepositoryRef": {"configMap": "mine"},
    "podMetadata": {"labels": {"a": "b"}},
    "workflowMetadata": {"labels": {"alula.dev/admitted": "x"}},
    "executor": {"serviceAccountName": "default"},
}


@pytest.mark.parametrize("field", OWN_FIELDS)
@pytest.mark.parametrize("domain", BOTH)
def test_no_account_starts_a_run_with_a_field_of_its_own(domains: Domains, domain: str, field: str) -> None:
    own = {field: OWN_FIELDS[field]}
    for user, made in itertools.product(EVERYBODY, (run(own), cron(own))):
        said = domains.refusal(user, domain, "create", made)
        assert f"has no {field} of its own" in said, (user, made["kind"])


@pytest.mark.parametrize("domain", BOTH)
def test_everybody_starts_runs_by_a_templates_name_and_arguments(domains: Domains, domain: str) -> None:
    text = '"a \\u007b\\u007b b"'
    for user in EVERYBODY:
        assert domains.refusal(user, domain, "create", run(arguments(label=text))) == "", user
        assert domains.refusal(user, domain, "create", run({"priority": 5, "suspend": True})) == "", user
        as_the_command_line_does = run(status={"startedAt": None, "finishedAt": None})
        assert domains.refusal(user, domain, "create", as_the_command_line_does) == "", user
        assert domains.refusal(user, domain, "create", cron(arguments(x="7"))) == "", user
        event = {"name": "x", "valueFrom": {"event": "payload.x"}}
        assert domains.refusal(user, domain, "create", binding({"arguments": {"parameters": [event]}})) == "", user


@pytest.mark.parametrize("domain", BOTH)
def test_no_argument_is_a_text_that_argo_would_evaluate_or_fetch(domains: Domains, domain: str) -> None:
    for user in EVERYBODY:
        for made in (run(arguments(x="1", label="{{workflow.uid}}")), cron(arguments(label="{{=1}}"))):
            assert "label: the text holds {{" in domains.refusal(user, domain, "create", made), user
        tagged = {"name": "label", "value": "a", "description": "{{= bad(("}
        assert "label: the text holds" in domains.refusal(
            user, domain, "create", run({"arguments": {"parameters": [tagged]}})
        )
        fetched = {"name": "label", "valueFrom": {"configMapKeyRef": {"name": "mine", "key": "text"}}}
        for made in (run({"arguments": {"parameters": [fetched]}}), binding({"arguments": {"parameters": [fetched]}})):
            assert "label: an argument has a value" in domains.refusal(user, domain, "create", made), user
        artifact = {"arguments": {"artifacts": [{"name": "a", "raw": {"data": "x"}}]}}
        assert "inputs of type File" in domains.refusal(user, domain, "create", run(artifact)), user


@pytest.mark.parametrize("domain", BOTH)
def test_no_run_comes_with_a_status_or_from_outside_the_namespace(domains: Domains, domain: str) -> None:
    for user in EVERYBODY:
        finished = run(status={"phase": "Succeeded", "nodes": {}})
        assert "a status of its own (phase)" in domains.refusal(user, domain, "create", finished), user
        packed = run(status={"compressedNodes": "H4sIAAAA"})
        assert "without a status" in domains.refusal(user, domain, "create", packed), user
        outside = {"workflowTemplateRef": {"name": "kept", "clusterScope": True}}
        for made in (run(outside), cron(outside), binding(outside)):
            assert "remove clusterScope" in domains.refusal(user, domain, "create", made), user


def test_runs_without_a_template_are_for_open_domains(domains: Domains) -> None:
    own = template()["spec"]
    free = {"apiVersion": RUN[0], "kind": "Workflow", "metadata": {"name": "tried"}, "spec": own}
    scheduled = cron()
    scheduled["spec"]["workflowSpec"] = own
    for user in EVERYBODY:
        for made in (free, scheduled):
            assert domains.refusal(user, "open", "create", made) == "", user
            assert "starts from a compiled template" in domains.refusal(user, "strict", "create", made), user


@pytest.mark.parametrize("domain", BOTH)
def test_only_alula_and_argo_move_admit(domains: Domains, domain: str) -> None:
    held = domains.held[domain]
    name = f"{held['metadata']['name']}.admit"
    ((key, node),) = [(key, node) for key, node in held["status"]["nodes"].items() if node["name"] == name]
    answered = {**node, "phase": "Succeeded", "outputs": {"parameters": [{"name": "x", "value": "666"}]}}
    moved = domains.changed(domain, status__nodes={**held["status"]["nodes"], key: answered})
    for user in ("person", "operator", "argo-server", "argocd", "tasks"):
        assert "only" in domains.refusal(user, domain, "update", moved), user
    for user in ("alula", "argo"):
        assert domains.refusal(user, domain, "update", moved) == "", user


@pytest.mark.parametrize("domain", BOTH)
def test_a_run_keeps_what_it_was_started_with(domains: Domains, domain: str) -> None:
    for field, value in {"entrypoint": "body", "podSpecPatch": "{}", "workflowTemplateRef": {"name": "other"}}.items():
        changed = domains.changed(domain, **{f"spec__{field}": value})
        for user in ("person", "operator", "argo-server", "alula"):
            assert domains.refusal(user, domain, "update", changed), (user, field)
    stored = copy.deepcopy(domains.held[domain]["status"]["storedWorkflowTemplateSpec"])
    stored["templates"][0]["name"] = "other"
    swapped = domains.changed(domain, status__storedWorkflowTemplateSpec=stored)
    for user in ("person", "operator", "argo-server", "alula"):
        assert "templates that Argo stored" in domains.refusal(user, domain, "update", swapped) or domain == "strict"
        assert domains.refusal(user, domain, "update", swapped), user
    overdue = domains.changed(domain, status__storedWorkflowTemplateSpec__activeDeadlineSeconds=1)
    assert domains.refusal("alula", domain, "update", overdue) == ""
    for user in ("person", "operator"):
        assert bool(domains.refusal(user, domain, "update", overdue)) == (domain == "strict"), user
    for field, value in {"suspend": True, "shutdown": "Stop", "activeDeadlineSeconds": 60}.items():
        changed = domains.changed(domain, **{f"spec__{field}": value})
        for user in ("person", "operator", "argo-server", "alula", "argo"):
            assert domains.refusal(user, domain, "update", changed) == "", (user, field)
    for field, value in {"priority": 3, "arguments": {"parameters": [{"name": "x", "value": "5"}]}}.items():
        changed = domains.changed(domain, **{f"spec__{field}": value})
        assert domains.refusal("person", domain, "update", changed) == "", field
        assert "may be changed" in domains.refusal("alula", domain, "update", changed), field


@pytest.mark.parametrize("domain", BOTH)
def test_only_alula_writes_its_marks_and_only_operators_force(domains: Domains, domain: str) -> None:
    held = domains.held[domain]
    admitted = {**held["metadata"]["labels"], "alula.dev/admitted": held["metadata"]["uid"]}
    bare = {name: value for name, value in held["metadata"]["labels"].items() if not name.startswith("alula.dev/")}
    for labels in (admitted, bare):
        marked = domains.changed(domain, metadata__labels=labels)
        for user in ("person", "operator", "argo-server"):
            assert "only alula writes its marks" in domains.refusal(user, domain, "update", marked), user
        for user in ("alula", "argo"):
            assert domains.refusal(user, domain, "update", marked) == "", user
    own = domains.changed(domain, metadata__labels={**held["metadata"]["labels"], "team": "a"})
    again = domains.changed(domain, metadata__annotations={"alula.dev/restarted-as": "x"})
    stop = domains.changed(domain, metadata__annotations={"alula.dev/stop": "no longer needed"})
    force = domains.changed(domain, metadata__annotations={"alula.dev/forced": "a demonstration"})
    for user in ("person", "operator", "argo-server"):
        assert domains.refusal(user, domain, "update", own) == "", user
        assert domains.refusal(user, domain, "update", stop) == "", user
        assert "only alula writes its marks" in domains.refusal(user, domain, "update", again), user
    assert "only the group alula:operators" in domains.refusal("person", domain, "update", force)
    assert domains.refusal("operator", domain, "update", force) == ""


def test_in_strict_domains_only_argo_and_alula_change_a_status(domains: Domains) -> None:
    said = domains.changed("open", status__message="hello")
    assert domains.refusal("person", "open", "update", said) == ""
    said = domains.changed("strict", status__message="hello")
    for user in ("person", "operator", "argo-server", "argocd", "tasks"):
        assert "only Argo and alula change the status" in domains.refusal(user, "strict", "update", said), user
    for user in ("alula", "argo"):
        assert domains.refusal(user, "strict", "update", said) == "", user


@pytest.mark.parametrize("domain", BOTH)
def test_only_alula_writes_what_carries_its_mark(domains: Domains, domain: str) -> None:
    space = domains.places[domain].namespace
    mark = {"app.kubernetes.io/managed-by": "alula"}
    compiled = domains.api.get(RUN[0], "WorkflowTemplate", "kept", space)
    changed = {**compiled, "spec": {**compiled["spec"], "hostNetwork": True}}
    labels = {name: value for name, value in compiled["metadata"]["labels"].items() if name not in mark}
    unmarked = {**compiled, "metadata": {**compiled["metadata"], "labels": labels}}
    owners = {**compiled, "metadata": {**compiled["metadata"], "ownerReferences": []}}
    for user in EVERYBODY:
        refused = domains.refusal(user, domain, "create", template(**mark))
        assert (refused == "") == (user == "alula"), user
        for body in (changed, unmarked):
            assert (domains.refusal(user, domain, "update", body) == "") == (user == "alula"), user
        assert domains.refusal(user, domain, "update", owners) == "", "the garbage collector does this"
    for made in (cron(), binding()):
        made["metadata"]["labels"] = mark
        for user in EVERYBODY:
            assert (domains.refusal(user, domain, "create", made) == "") == (user == "alula"), (user, made["kind"])
    handed = cron(workflowMetadata={"labels": {"alula.dev/revision": "kept-00000000"}})
    assert "given to runs by compiled templates" in domains.refusal("person", domain, "create", handed)
    handed = binding({"metadata": {"labels": {"alula.dev/revision": "'kept-00000000'"}}})
    assert "given to runs by compiled templates" in domains.refusal("person", domain, "create", handed)


def test_templates_and_definitions_come_from_git_in_strict_domains(domains: Domains) -> None:
    for user in EVERYBODY:
        assert domains.refusal(user, "open", "create", template()) == "", user
        assert (domains.refusal(user, "strict", "create", template()) == "") == (user == "alula"), user
        for made in (definitions.workflow("tried"), definitions.launch_plan("tried", "kept")):
            assert domains.refusal(user, "open", "create", made) == "", user
            assert (domains.refusal(user, "strict", "create", made) == "") == (user == "argocd"), user


ASKED = ("alula.dev/run-requested", "alula.dev/retry-requested", "alula.dev/suspended", "alula.dev/reconcile")


def test_in_strict_domains_people_ask_by_the_actions_of_argo_cd_and_change_nothing_else(domains: Domains) -> None:
    def refused(user: str, domain: str, annotations: Object, spec: Object | None = None) -> bool:
        found = domains.api.get("alula.dev/v1alpha1", "Workflow", "kept", domains.places[domain].namespace)
        found["metadata"]["annotations"] = {**(found["metadata"].get("annotations") or {}), **annotations}
        found["spec"] |= spec or {}
        return domains.refusal(user, domain, "update", found) != ""

    for user in EVERYBODY:
        for annotation in ASKED:
            assert not refused(user, "open", {annotation: "now"}), (user, annotation)
            asks = user in ("argocd-server", "operator", "argocd")
            assert refused(user, "strict", {annotation: "now"}) != asks, (user, annotation)
        applies = user == "argocd"
        assert refused(user, "strict", {"example.org/other": "x"}) != applies, user
        assert refused(user, "strict", {ASKED[0]: "now"}, {"description": "by hand"}) != applies, user


@pytest.mark.parametrize("domain", BOTH)
def test_only_alula_reports_on_definitions(domains: Domains, domain: str) -> None:
    found = domains.api.get("alula.dev/v1alpha1", "Workflow", "kept", domains.places[domain].namespace)
    found["status"]["conditions"][0]["message"] = "all is well"
    for user in EVERYBODY:
        refused = domains.refusal(user, domain, "update", found, "status")
        assert (refused == "") == (user == "alula"), user


def test_only_pods_of_tasks_report_results_in_strict_domains(domains: Domains) -> None:
    result = {
        "apiVersion": RUN[0],
        "kind": "WorkflowTaskResult",
        "metadata": {"name": "tried"},
        "outputs": {"parameters": [{"name": "x", "value": "666"}]},
    }
    for user in (*EVERYBODY, "tasks"):
        assert domains.refusal(user, "open", "create", result) == "", user
        refused = domains.refusal(user, "strict", "create", result)
        assert (refused == "") == (user in ("tasks", "argo")), user


def test_resubmitting_is_for_open_domains(domains: Domains) -> None:
    copied = run()
    copied["metadata"]["labels"] = {"alula.dev/revision": "kept-00000000"}
    assert domains.refusal("person", "open", "create", copied) == ""
    assert "instead of resubmitting" in domains.refusal("person", "strict", "create", copied)
    assert domains.refusal("alula", "strict", "create", copied) == ""
