"""From an empty gitops repository to production and back, on a real Argo CD: the story that docs/gitops.md tells.

The scenarios follow each other: each begins with what the one before it left.
"""

from __future__ import annotations

import pathlib
import shutil
import time
from typing import Any

import pytest
import yaml

from e2e import installing
from e2e.cluster import argocd
from e2e.gitops.conftest import DOMAINS, Team, team

FLOW = "greetings-greet"
PLAN = """\
apiVersion: alula.dev/v1alpha1
kind: LaunchPlan
metadata: {name: greet-weekly}
spec:
  workflow: greetings-greet
  fixedInputs: [{name: name, value: production}]
"""


@pytest.fixture(scope="module")
def story(
    installation: installing.Installation, argo_cd: argocd.ArgoCD, tmp_path_factory: pytest.TempPathFactory
) -> Team:
    return team("story", installation, argo_cd, tmp_path_factory.mktemp("story"))


def image(number: int) -> str:
    """An image by its digest, as CI knows it after the push."""
    return f"registry.example.org/story@sha256:{number:064x}"


def flow(story: Team) -> pathlib.Path:
    return story.code / "flows" / "greetings.py"


def edit(file: pathlib.Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def version(story: Team, domain: str, name: str = FLOW) -> str:
    file = story.gitops / f"story/{domain}/release/story/workflow-{name}.yaml"
    return str(yaml.safe_load(file.read_text())["spec"]["version"])


def parameters(run: dict[str, Any]) -> dict[str, Any]:
    outputs = installing.nodes(run)[run["metadata"]["name"]].get("outputs", {}).get("parameters", [])
    return {each["name"]: each.get("value") for each in outputs}


def uids(story: Team, namespace: str) -> dict[tuple[str, str], str]:
    """What must outlive a mistake: definitions and runs."""
    kinds = ((installing.ALULA, "Workflow"), (installing.ALULA, "LaunchPlan"), (installing.ARGO, "Workflow"))
    return {
        (f"{api} {kind}", each["metadata"]["name"]): each["metadata"]["uid"]
        for api, kind in kinds
        for each in story.cluster.api.list(api, kind, namespace)
    }


def test_an_empty_repository_becomes_two_domains_that_are_healthy(story: Team) -> None:
    for domain in DOMAINS:
        place = story.place(domain)
        found = story.cluster.api.get(installing.ALULA, "Domain", "domain", place.namespace)
        own = story.gitops / f"platform/story/{domain}/domain.yaml"
        storage = f"{{root: {found['spec']['storage']['root']}, secret: alula-store}}"
        edit(own, "spec: {", f"spec: {{storage: {storage}, ")
    commit = story.commit("Begin")
    story.cluster.kubectl("apply", "--server-side", "-k", str(story.gitops / "platform/argocd"))
    for domain, schedules in zip(DOMAINS, ("Disabled", None), strict=True):
        story.argo.synced(story.application(domain), commit)
        story.argo.synced(f"platform-story-{domain}", commit)
        held = story.cluster.api.get(installing.ALULA, "Domain", "domain", story.place(domain).namespace)
        assert held["spec"].get("schedules") == schedules
        story.place(domain).condition("Domain", "domain", "GuardsInSync", "True")


def test_a_release_that_is_merged_runs_in_dev(story: Team) -> None:
    story.register(image(1))
    assert story.alula("verify").stderr.startswith("story/dev: 1 workflow, 1 launch plan; release story ")
    began = time.monotonic()
    commit = story.commit("Register story in dev")
    template = story.compiled("Workflow", FLOW, "dev", version(story, "dev"))
    seconds = time.monotonic() - began
    print(f"commit to compiled template by webhook: {seconds:.1f} s")
    application = story.argo.synced(story.application("dev"), commit)
    kinds = {(each["kind"], each["name"]) for each in application["status"]["resources"]}
    assert kinds == {("Workflow", FLOW), ("LaunchPlan", "greet-nightly")}
    assert template["metadata"]["ownerReferences"][0]["kind"] == "Workflow"
    run = story.run(FLOW, "dev", name='"ada"')
    assert run["status"]["phase"] == "Succeeded", run["status"]
    assert run["metadata"]["labels"]["alula.dev/version"] == version(story, "dev")


def test_production_gets_it_by_one_commit_unless_a_plan_of_its_own_would_break(story: Team) -> None:
    prod = story.gitops / "story/prod"
    assert story.alula("promote", "--from", "dev", "--to", "prod").stderr.startswith("committed ")
    story.push()
    (prod / "plans").mkdir()
    (prod / "plans/greet-weekly.yaml").write_text(PLAN)
    edit(prod / "kustomization.yaml", "- release/story\n", "- release/story\n- plans/greet-weekly.yaml\n")
    commit = story.commit("Greet production each week")
    story.argo.synced(story.application("prod"), commit)
    assert story.run("lp-greet-weekly", "prod")["status"]["phase"] == "Succeeded"

    text = flow(story).read_text()
    flow(story).write_text(
        text.replace('greet(name: str = "world")', "greet()").replace("words(name))", 'words("you"))')
        .replace(', inputs={"name": "night owls"}', "")
    )  # fmt: skip
    story.register(image(2))
    commit = story.commit("Register story in dev, without a name")
    story.argo.synced(story.application("dev"), commit)
    refused = story.alula("promote", "--from", "dev", "--to", "prod", check=False)
    assert refused.returncode == 1
    assert "story/prod/plans/greet-weekly.yaml: error UNKNOWN_INPUT" in refused.stderr
    assert "(launch plan greet-weekly fixes it)" in refused.stderr
    assert story.git("rev-parse", "HEAD") == commit

    flow(story).write_text(text.replace('"hello", name', '"good evening,", name'))
    story.register(image(3))
    story.commit("Register story in dev, with a name again")
    story.alula("promote", "--from", "dev", "--to", "prod")
    assert "~ workflow greetings-greet, task words: code changed" in story.git("log", "-1", "--format=%B")
    story.argo.synced(story.application("prod"), story.push())
    story.compiled("Workflow", FLOW, "prod", version(story, "prod"))
    assert story.run("lp-greet-weekly", "prod")["status"]["phase"] == "Succeeded"


def test_a_bad_release_is_rolled_back_while_the_nightly_plan_runs(story: Team) -> None:
    good = version(story, "prod")
    text = flow(story).read_text()
    slow = text.replace('return " ".join(parts)', 'import time\n    time.sleep(20)\n    return "bad"')
    flow(story).write_text(slow)
    story.register(image(4))
    story.commit("Register story in dev, slow and wrong")
    story.alula("promote", "--from", "dev", "--to", "prod")
    story.argo.synced(story.application("prod"), story.push())
    bad = version(story, "prod")
    story.compiled("LaunchPlan", "lp-greet-nightly", "prod", bad)
    place = story.place("prod")
    running = place.run("lp-greet-nightly")
    deadline = time.monotonic() + 60
    while "join" not in str(story.cluster.api.get(installing.ARGO, "Workflow", running, place.namespace).get("status")):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    story.alula("rollback", "--domain", "prod")
    story.argo.synced(story.application("prod"), story.push())
    assert version(story, "prod") == good
    story.compiled("LaunchPlan", "lp-greet-nightly", "prod", good)
    ended = place.ended(running)
    assert ended["status"]["phase"] == "Succeeded", ended["status"]
    assert ended["metadata"]["labels"]["alula.dev/version"] == bad
    after = story.run("lp-greet-nightly", "prod")
    assert after["metadata"]["labels"]["alula.dev/version"] == good
    assert after["status"]["phase"] == "Succeeded"
    flow(story).write_text(text)


def test_a_folder_that_is_deleted_by_mistake_stops_nothing_and_comes_back(story: Team) -> None:
    namespace = "story-prod"
    before = uids(story, namespace)
    shutil.rmtree(story.gitops / "story/prod")
    story.commit("Delete production")

    def is_lost(found: dict[str, Any]) -> bool:
        return "app path does not exist" in str(found.get("status", {}).get("conditions"))

    story.argo.refresh(story.application("prod"))
    story.argo.wait(story.application("prod"), is_lost, "without its folder")
    assert story.run("lp-greet-weekly", "prod")["status"]["phase"] == "Succeeded"
    story.git("revert", "--no-edit", "HEAD")
    commit = story.push()
    story.argo.refresh(story.application("prod"))
    story.argo.synced(story.application("prod"), commit)
    after = uids(story, namespace)
    assert before.items() <= after.items()
