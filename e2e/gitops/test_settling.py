"""What Argo CD, alula and the API server do when a part of them is away, when people meet, and when all is well.

One project with three domains shares an Argo CD with the other scenarios; each scenario leaves it Synced and Healthy.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from typing import Any

import pytest
import yaml

from e2e import installing
from e2e.cluster import argocd
from e2e.gitops.conftest import Team, teach, team
from e2e.gitops.test_taking_actions import until

Object = dict[str, Any]

SPACES = {domain: f"settling-{domain}" for domain in ("dev", "staging", "prod")}
FLOW = "greetings-greet"
RELEASED = "settling/dev/release/settling/workflow-greetings-greet.yaml"
WORKFLOWS = 16
"""Of each domain beside the greeting: with it 51 in all."""
SETTLED_SECONDS = 8
"""So long nothing is written once a sync is worked off: what comes back of a write is looked at a second later."""
QUIET_SECONDS = float(os.environ.get("ALULA_QUIET_SECONDS", "20"))
"""So long nothing may be written; `make quiet` looks for ten minutes."""
SMALL = """\
from alula import Cache, task, workflow

@task(cache=Cache("1"))
def double(n: int) -> int:
    return 2 * n
"""
ONE = """
@workflow
def small_{number}(n: int = {number}) -> int:
    return double(n)
"""
SLOW = """\
import time

from alula import task, workflow

@task
def wait(seconds: int) -> str:
    time.sleep(seconds)
    return "waited"

@workflow
def slow(seconds: int = 25) -> str:
    return wait(seconds)
"""


def image(number: int) -> str:
    return f"registry.example.org/settling@sha256:{number:064x}"


@pytest.fixture(scope="module")
def settling(
    installation: installing.Installation, argo_cd: argocd.ArgoCD, tmp_path_factory: pytest.TempPathFactory
) -> Team:
    """A team with 17 workflows and more in each of three domains, all Synced and Healthy."""
    folder = tmp_path_factory.mktemp("settling")
    teach(argo_cd, folder)
    made = team("settling", installation, argo_cd, folder)
    made.place("staging")
    made.place("staging")
    url = argo_cd.url("settling")
    made.alula("init", "--gitops", ".", "--project", "settling", "--domain", "staging", "--url", url)
    made.follow_as("settling")
    made.commit("Begin")
    made.cluster.kubectl("apply", "--server-side", "-k", str(made.gitops / "platform/argocd"))
    flows = made.code / "flows"
    (flows / "small.py").write_text(SMALL + "".join(ONE.format(number=number) for number in range(WORKFLOWS)))
    (flows / "slow.py").write_text(SLOW)
    made.register(image(1))
    made.git("add", "--all")
    made.git("commit", "--quiet", "-m", "Register settling in dev")
    for domain in ("staging", "prod"):
        made.alula("promote", "--from", "dev", "--to", domain)
    commit = made.push()
    for domain in SPACES:
        argo_cd.synced(made.application(domain), commit)
    return made


def versions(settling: Team) -> dict[tuple[str, str, str], str]:
    """The resource version of all that alula reads or writes in the three domains, revisions and Domains too."""
    kinds = (
        (installing.ALULA, "Workflow"),
        (installing.ALULA, "LaunchPlan"),
        (installing.ALULA, "Domain"),
        (installing.ALULA, "WorkflowRevision"),
        (installing.ARGO, "WorkflowTemplate"),
    )
    return {
        (space, f"{api} {kind}", each["metadata"]["name"]): each["metadata"]["resourceVersion"]
        for space in SPACES.values()
        for api, kind in kinds
        for each in settling.cluster.api.list(api, kind, space)
    }


def edit(settling: Team, number: int, word: str) -> None:
    """Register another greeting in dev."""
    flow = settling.code / "flows" / "greetings.py"
    flow.write_text(re.sub(r'return \["[^"]*", name\]', f'return ["{word}", name]', flow.read_text()))
    settling.register(image(number))


def started(settling: Team, seconds: int) -> str:
    """A run that is under way for some time."""
    place = settling.place("dev")
    run = place.run("slow-slow", {"seconds": str(seconds)})
    until(lambda: place.cluster.api.get(installing.ARGO, "Workflow", run, place.namespace).get("status"), "no run")
    return run


def health(application: Object) -> str:
    return str(application["status"]["health"]["status"])


def greeted(settling: Team, domain: str = "dev") -> str:
    run = settling.run(FLOW, domain, name='"ada"')
    assert run["status"]["phase"] == "Succeeded", run["status"]
    return str(installing.nodes(run)[run["metadata"]["name"]]["outputs"]["parameters"][0]["value"])


def test_fifty_workflows_in_three_domains_settle_and_then_nothing_is_written(settling: Team) -> None:
    found = versions(settling)
    assert len([key for key in found if key[1] == f"{installing.ALULA} Workflow"]) >= 50
    deadline = time.monotonic() + 120
    before = None
    while found != before:  # the last status of a sync may come after Healthy
        assert time.monotonic() < deadline, "it does not settle"
        before = found
        time.sleep(SETTLED_SECONDS)
        found = versions(settling)
    time.sleep(QUIET_SECONDS)
    assert versions(settling) == before


@pytest.mark.parametrize("announced", [True, False])
def test_a_commit_is_in_force_soon_with_a_webhook_and_by_polling(settling: Team, *, announced: bool) -> None:
    """Prints how soon, with 54 workflows and the settings of `e2e.cluster.argocd`; docs/gitops.md has the figures."""
    seconds = []
    for number in range(3 if announced else 1):
        edit(settling, 100 + 10 * announced + number, f"ciao {number} {announced},")
        version = yaml.safe_load((settling.gitops / RELEASED).read_text())["spec"]["version"]
        settling.git("commit", "--quiet", "--all", "-m", "Register another greeting")
        began = time.monotonic()
        settling.push(announced=announced)
        settling.compiled("Workflow", FLOW, "dev", version)
        seconds.append(time.monotonic() - began)
    shown = ", ".join(f"{each:.1f}" for each in sorted(seconds))
    print(f"commit to compiled template {'by webhook' if announced else 'by polling'}: {shown} s")
    settling.argo.synced("settling-dev", settling.git("rev-parse", "HEAD"))


def test_of_two_promotions_at_once_the_second_is_refused_by_the_remote_and_then_made_anew(settling: Team) -> None:
    edit(settling, 2, "salve,")
    settling.commit("Register another greeting")
    other = settling.gitops.parent / "other"
    subprocess.run(["git", "clone", "--quiet", str(settling.gitops), str(other)], check=True)
    url = settling.git("remote", "get-url", "origin")
    for words in (
        ["remote", "set-url", "origin", url],
        ["config", "user.name", "Bob"],
        ["config", "user.email", "b@c"],
    ):
        subprocess.run(["git", *words], cwd=other, check=True)
    settling.alula("promote", "--from", "dev", "--to", "staging", "--push")
    promote = ("promote", "--repo", ".", "--from", "dev", "--to", "prod", "--push")
    refused = installing.alula(settling.cluster, *promote, cwd=other, check=False)
    assert refused.returncode != 0
    assert "refuses the branch main" in refused.stderr and "git pull --ff-only origin main" in refused.stderr, (
        refused.stderr
    )
    subprocess.run(["git", "pull", "--quiet", "--rebase", "origin", "main"], cwd=other, check=True, capture_output=True)
    subprocess.run(["git", "push", "--quiet", "origin", "main"], cwd=other, check=True, capture_output=True)
    settling.git("pull", "--quiet", "--ff-only", "origin", "main")
    assert settling.alula("verify").returncode == 0
    commit = settling.push()
    for domain in SPACES:
        settling.argo.refresh(settling.application(domain))
        settling.argo.synced(settling.application(domain), commit)
    until(lambda: greeted(settling, "prod") == '"salve, ada"', "the release did not come")


def test_while_argo_cd_is_down_runs_go_on_and_what_was_committed_comes_afterwards(settling: Team) -> None:
    servers = ("application-controller", "repo-server", "applicationset-controller")
    settling.argo.kill(*servers)
    try:
        edit(settling, 3, "ave,")
        settling.git("commit", "--quiet", "--all", "-m", "Register")
        commit = settling.push(announced=False)
        assert greeted(settling) == '"salve, ada"'
    finally:
        settling.argo.start(*servers)
    settling.argo.synced("settling-dev", commit)
    until(lambda: greeted(settling) == '"ave, ada"', "the release did not come")


def test_while_alula_is_down_runs_wait_and_what_was_applied_is_compiled_afterwards(settling: Team) -> None:
    settling.installation.kill()
    edit(settling, 4, "good day,")
    settling.commit("Register while alula is away")
    settling.argo.wait(
        "settling-dev", lambda found: found["status"]["health"]["status"] == "Progressing", "Progressing"
    )
    place = settling.place("dev")
    waiting = place.run(FLOW, {"name": '"ada"'})
    settling.installation.start()
    settling.argo.synced("settling-dev", settling.git("rev-parse", "HEAD"))
    assert place.ended(waiting)["status"]["phase"] == "Succeeded"
    until(lambda: greeted(settling) == '"good day, ada"', "the release did not come")


def test_an_api_server_that_restarts_during_a_sync_does_not_stop_it(settling: Team) -> None:
    edit(settling, 5, "hi,")
    commit = settling.commit("Register as the API server goes")
    settling.cluster.plane.restart_api(lambda: time.sleep(2))
    settling.argo.refresh("settling-dev")
    settling.argo.synced("settling-dev", commit)
    until(lambda: greeted(settling) == '"hi, ada"', "the release did not come")
    # Forbidden once to watch its ConfigMap, by a server that does not know the roles yet, Argo 4.0.5 reads a closed
    # channel for ever, on two cores: that would slow all scenarios after this one.
    settling.cluster.restart_argo()


def test_replacing_by_force_loses_no_run(settling: Team) -> None:
    place = settling.place("dev")
    running = place.run("slow-slow", {"seconds": "15"})
    until(
        lambda: settling.cluster.api.get(installing.ARGO, "Workflow", running, place.namespace).get("status"), "no run"
    )
    before = runs(settling)
    options = {"syncOptions": ["Replace=true", "Force=true"], "sync": {"revision": settling.git("rev-parse", "HEAD")}}
    operation = {"sync": {**options["sync"], "syncOptions": options["syncOptions"]}}
    settling.cluster.api.patch(argocd.API, "Application", "settling-dev", argocd.NAMESPACE, {"operation": operation})
    settling.argo.wait(
        "settling-dev",
        lambda found: (
            found["status"].get("operationState", {}).get("operation", {}).get("sync", {}).get("syncOptions")
            == options["syncOptions"]
            and found["status"]["operationState"]["phase"] in ("Succeeded", "Failed", "Error")
        ),
        "synced by force",
    )
    settling.argo.synced("settling-dev", settling.git("rev-parse", "HEAD"))
    assert place.ended(running)["status"]["phase"] == "Succeeded"
    assert before.items() <= runs(settling).items()


def runs(settling: Team) -> dict[str, str]:
    """The runs of dev by name, with their uids."""
    found = settling.cluster.api.list(installing.ARGO, "Workflow", "settling-dev")
    return {each["metadata"]["name"]: each["metadata"]["uid"] for each in found}


def test_a_deleted_crd_loses_no_run_and_what_is_rebuilt_from_git_fires_nothing(settling: Team) -> None:
    """All definitions of all domains are gone at once, as on a cluster that is rebuilt from git."""
    place = settling.place("dev")
    running = place.run("slow-slow", {"seconds": "20"})
    until(
        lambda: settling.cluster.api.get(installing.ARGO, "Workflow", running, place.namespace).get("status"), "no run"
    )
    plan = settling.cluster.api.get(installing.ALULA, "LaunchPlan", "greet-nightly", place.namespace)
    before = runs(settling)
    names = ("workflows.alula.dev", "launchplans.alula.dev")
    settling.cluster.kubectl("delete", "crd", *names, "--wait=true", "--timeout=90s")
    settling.cluster.kubectl("apply", "--server-side", "-f", "-", input=installing.kustomize("crds"))
    settling.cluster.await_crds(*names)
    commit = settling.git("rev-parse", "HEAD")
    for domain in SPACES:
        settling.argo.refresh(settling.application(domain), hard=True)
    until(lambda: again(settling, plan), "the plan is not back", timeout=180)
    for domain in SPACES:
        settling.argo.synced(settling.application(domain), commit)
    assert place.ended(running)["status"]["phase"] == "Succeeded"
    time.sleep(5)
    assert runs(settling) == before, "what was rebuilt fires nothing"
    assert greeted(settling) == '"hi, ada"'


def again(settling: Team, plan: Object) -> bool:
    found = settling.cluster.api.list(installing.ALULA, "LaunchPlan", "settling-dev")
    return any(
        each["metadata"]["name"] == plan["metadata"]["name"] and each["metadata"]["uid"] != plan["metadata"]["uid"]
        for each in found
    )
