"""What people do in Argo CD: run now, suspend, resume, retry; each by an annotation that alula's controller answers."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from e2e import installing
from e2e.cluster import argocd, binaries
from e2e.gitops.conftest import Team, teach, team

FLOW, PLAN = "greetings-greet", "greet-nightly"
DIGEST = f"registry.example.org/acting@sha256:{9:064x}"


@pytest.fixture(scope="module")
def acting(
    installation: installing.Installation, argo_cd: argocd.ArgoCD, tmp_path_factory: pytest.TempPathFactory
) -> Team:
    """A team whose plan is in dev, on an Argo CD that knows alula's kinds."""
    folder = tmp_path_factory.mktemp("acting")
    teach(argo_cd, folder)
    made = team("acting", installation, argo_cd, folder)
    subprocess.run(["git", "init", "--quiet"], cwd=made.code, check=True)
    commit_code(made)
    made.follow_as("acting")
    made.commit("Begin")
    made.cluster.kubectl("apply", "--server-side", "-k", str(made.gitops / "platform/argocd"))
    made.register(DIGEST)
    argo_cd.synced("acting-dev", made.commit("Register"))
    argo_cd.cluster.run([*login(made), "login", f"127.0.0.1:{argocd.SERVER_PORT}", "--plaintext",
                         "--username", "admin", "--password", "password"])  # fmt: skip
    return made


def commit_code(acting: Team) -> None:
    """What is registered from files that differ from their commit cannot be promoted."""
    for line in ("add --all", "-c user.name=Ada -c user.email=ada@example.org commit --quiet -m Change"):
        subprocess.run(["git", *line.split()], cwd=acting.code, check=True)


def login(acting: Team) -> list[str]:
    return [binaries.find("argocd")[0], "--config", str(acting.argo.folder / "config")]


def act(acting: Team, action: str) -> subprocess.CompletedProcess[str]:
    """Take an action as the button does."""
    words = ["app", "actions", "run", "acting-dev", action, "--group", "alula.dev", "--kind", "LaunchPlan"]
    return acting.cluster.run([*login(acting), *words, "--resource-name", PLAN], check=False)  # type: ignore[no-any-return]


def until(found: Callable[[], Any], what: str, timeout: float = 120) -> Any:
    deadline = time.monotonic() + timeout
    while not (value := found()):
        assert time.monotonic() < deadline, what
        time.sleep(0.2)
    return value


def runs(acting: Team) -> list[dict[str, Any]]:
    return [dict(each) for each in acting.cluster.api.list(installing.ARGO, "Workflow", "acting-dev")]


def asked(acting: Team) -> list[dict[str, Any]]:
    """Runs that an annotation asked for."""
    annotations = ((each, each["metadata"].get("annotations") or {}) for each in runs(acting))
    return [each for each, found in annotations if found.get("alula.dev/reason", "").startswith("asked for: Argo CD")]


def health(acting: Team) -> str:
    """Of the Application, which is as bad as its worst definition."""
    status = (acting.argo.application("acting-dev") or {}).get("status", {})
    return f"{status.get('sync', {}).get('status')} {status.get('health', {}).get('status')}"


def is_suspended(acting: Team) -> bool:
    plan = acting.cluster.api.get(installing.ALULA, "LaunchPlan", PLAN, "acting-dev")
    return bool(plan["status"]["schedule"]["state"] == "Suspended")


def test_run_now_starts_one_run(acting: Team) -> None:
    until(lambda: health(acting) == "Synced Healthy", "the plan is not healthy")
    done = act(acting, "run")
    assert done.returncode == 0, done.stderr
    (run,) = until(lambda: asked(acting), "no run was started")
    ended = acting.place("dev").ended(run["metadata"]["name"])
    assert ended["status"]["phase"] == "Succeeded", ended["status"]
    assert ended["metadata"]["labels"]["alula.dev/launch-plan"] == PLAN
    assert len(asked(acting)) == 1


def signed_in() -> str:
    """A token of Argo CD's server."""
    login = json.dumps({"username": "admin", "password": "password"}).encode()
    return str(json.loads(ask("/api/v1/session", login))["token"])


def test_links_lead_from_a_workflow_to_its_runs_and_to_the_commit_that_it_was_built_from(acting: Team) -> None:
    where = "namespace=acting-dev&resourceName=greetings-greet&version=v1alpha1&kind=Workflow&group=alula.dev"
    path = f"/api/v1/applications/acting-dev/resource/links?{where}"
    found = json.loads(ask(path, token=signed_in()))["items"]
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=acting.code, check=True, capture_output=True, text=True)
    runs_of = "https://argo.example.org/workflows/acting-dev?label=alula.dev%2Fworkflow%3Dgreetings-greet"
    assert {each["title"]: each["url"] for each in found} == {
        "Runs": runs_of,
        "Source commit": f"https://git.example.org/data/code/commit/{done.stdout.strip()}",
    }


def test_the_tree_shows_what_was_compiled_below_its_workflow_and_no_run(acting: Team) -> None:
    tree = json.loads(ask("/api/v1/applications/acting-dev/resource-tree", token=signed_in()))["nodes"]
    below = {(x["group"], x["kind"], x["name"]): [y["name"] for y in x.get("parentRefs") or ()] for x in tree}
    for template in (FLOW, f"lp-{PLAN}"):
        assert below["argoproj.io", "WorkflowTemplate", template] == [FLOW]
    assert below["alula.dev", "LaunchPlan", PLAN] == []
    assert runs(acting), "there are some"
    assert not [each for each in below if each[:2] == ("argoproj.io", "Workflow")]


def ask(path: str, body: bytes | None = None, token: str = "") -> bytes:
    """One request to Argo CD's server."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(f"http://127.0.0.1:{argocd.SERVER_PORT}{path}", body, headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=20) as answer:
        return bytes(answer.read())


def test_suspending_by_hand_is_no_drift_and_outlives_a_sync(acting: Team) -> None:
    assert act(acting, "suspend").returncode == 0
    until(lambda: is_suspended(acting), "the schedule is not suspended")
    until(lambda: health(acting) == "Synced Suspended", "Argo CD does not show it")
    (acting.gitops / "README.md").write_text("another commit\n")
    acting.argo.refresh("acting-dev")
    acting.argo.synced("acting-dev", acting.commit("Elsewhere"), health="Suspended")
    assert is_suspended(acting)
    assert act(acting, "resume").returncode == 0
    until(lambda: not is_suspended(acting), "the schedule is not resumed")
    until(lambda: health(acting) == "Synced Healthy", "Argo CD does not show it")


def test_retry_starts_the_last_failed_run_again_with_its_inputs(acting: Team) -> None:
    place = acting.place("dev")
    failed = place.run(f"lp-{PLAN}", {"name": '"grace"'})
    acting.cluster.api.patch(installing.ARGO, "Workflow", failed, "acting-dev", {"spec": {"shutdown": "Terminate"}})
    assert place.ended(failed)["status"]["phase"] in ("Failed", "Error")
    before = {each["metadata"]["name"] for each in runs(acting)}
    assert act(acting, "retry").returncode == 0
    (run,) = until(lambda: [x for x in asked(acting) if x["metadata"]["name"] not in before], "no run was started")
    assert run["metadata"]["annotations"]["alula.dev/restarted-from"] == failed
    assert run["spec"]["arguments"]["parameters"] == [{"name": "name", "value": '"grace"'}]
    assert place.ended(run["metadata"]["name"])["status"]["phase"] == "Succeeded"


def test_retry_of_a_run_that_failed_before_the_release_changed_runs_what_ran_then(acting: Team) -> None:
    place = acting.place("dev")
    failed = place.run(f"lp-{PLAN}", {"name": '"grace"'})
    acting.cluster.api.patch(installing.ARGO, "Workflow", failed, "acting-dev", {"spec": {"shutdown": "Terminate"}})
    ended = place.ended(failed)
    old = ended["metadata"]["labels"]["alula.dev/revision"]
    flow = acting.code / "flows" / "greetings.py"
    flow.write_text(flow.read_text().replace('"hello", name', '"good evening,", name'))
    commit_code(acting)
    acting.register(f"registry.example.org/acting@sha256:{10:064x}")
    acting.argo.synced("acting-dev", acting.commit("Register another greeting"))
    plan = until(lambda: replaced(acting, old), "the new release is not compiled")
    before = {each["metadata"]["name"] for each in runs(acting)}
    assert act(acting, "retry").returncode == 0
    (run,) = until(lambda: [x for x in asked(acting) if x["metadata"]["name"] not in before], "no run was started")
    again = place.ended(run["metadata"]["name"])
    assert again["status"]["phase"] == "Succeeded", again["status"]
    assert again["metadata"]["labels"]["alula.dev/revision"] == old != plan["status"]["revision"]
    assert installing.nodes(again)[run["metadata"]["name"]]["outputs"]["parameters"][0]["value"] == '"hello grace"'
    own = again["spec"]["workflowTemplateRef"]["name"]
    assert own == old
    until(lambda: own not in templates(acting), "the template of the old revision stays for ever", timeout=240)
    assert f"lp-{PLAN}" in templates(acting)


def replaced(acting: Team, revision: str) -> dict[str, Any] | None:
    """The plan, once it is compiled to another revision."""
    plan = dict(acting.cluster.api.get(installing.ALULA, "LaunchPlan", PLAN, "acting-dev"))
    return plan if plan["status"].get("revision") != revision else None


def templates(acting: Team) -> set[str]:
    found = acting.cluster.api.list(installing.ARGO, "WorkflowTemplate", "acting-dev")
    return {each["metadata"]["name"] for each in found}


def test_a_hand_edited_definition_is_set_right_and_what_is_added_is_shown(acting: Team) -> None:
    patch = {"spec": {"description": "by hand", "inputs": []}}
    acting.cluster.api.patch(installing.ALULA, "LaunchPlan", PLAN, "acting-dev", patch)
    body = lambda: acting.cluster.api.get(installing.ALULA, "LaunchPlan", PLAN, "acting-dev")["spec"]  # noqa: E731
    until(lambda: body().get("inputs"), "git's inputs did not come back", timeout=60)
    assert body()["description"] == "by hand", "a field that git lacks stays"
    said = acting.alula("status", "--cluster", "--domain", "dev").stdout
    assert f"launch plan {PLAN}" in said and "differs from git in description" in said
    assert "Argo CD: Synced at " in said


def is_seen(acting: Team) -> bool:
    """Whether the plan's status is about what it says now: a run that starts then is of this release."""
    plan = acting.cluster.api.get(installing.ALULA, "LaunchPlan", PLAN, "acting-dev")
    return bool(plan["status"]["observedGeneration"] == plan["metadata"]["generation"])


def test_a_promotion_may_require_a_healthy_source_and_a_run(acting: Team) -> None:
    acting.cluster.api.patch(installing.ALULA, "LaunchPlan", PLAN, "acting-dev", {"spec": {"description": None}})
    words = ("promote", "--from", "dev", "--to", "prod", "--require-healthy", "--require-run", PLAN)
    until(lambda: is_seen(acting), "alula did not look at the plan again")
    assert acting.run(f"lp-{PLAN}", "dev")["status"]["phase"] == "Succeeded"
    until(lambda: health(acting) == "Synced Healthy", "the plan is not healthy")
    done = acting.alula(*words, check=False)
    assert done.returncode == 0, done.stderr
    assert f"Succeeded-Run: acting-dev/lp-{PLAN}-" in acting.git("log", "-1", "--format=%B")
