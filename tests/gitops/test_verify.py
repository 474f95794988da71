"""`alula verify`: what is sound, and each thing that is not with its sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.gitops.conftest import Edit, Gitops

RELEASE = "dev/release/penguins"
TRAIN, COUNT = f"{RELEASE}/workflow-penguins-train.yaml", f"{RELEASE}/workflow-penguins-count.yaml"
OWN = "dev/kustomization.yaml"
PLAN = """\
apiVersion: alula.dev/v1alpha1
kind: LaunchPlan
metadata: {name: hourly}
spec: {workflow: penguins-train, fixedInputs: [{name: trees, value: '3'}]}
"""


def test_a_sound_repository_is_said_to_be_so(gitops: Gitops) -> None:
    done = gitops("verify")
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith("penguins/dev: 2 workflows, 1 launch plan; release penguins ")


def patched(gitops: Gitops, patch: str) -> None:
    text = gitops.path(OWN).read_text()
    gitops.path(OWN).write_text(f"{text}patches:\n- patch: |\n    " + patch.replace("\n", "\n    ") + "\n")


def patch(tasks: str, name: str = "penguins-train") -> str:
    return f"apiVersion: alula.dev/v1alpha1\nkind: Workflow\nmetadata: {{name: {name}}}\nspec: {{tasks: {tasks}}}"


def waiting(name: str, other: str) -> str:
    """A launch plan that starts after another one."""
    return PLAN.replace("hourly", name).replace("'3'}]", f"'3'}}], trigger: {{launchPlan: {other}}}")


def plan(gitops: Gitops, text: str = PLAN, *, listed: bool = True) -> None:
    gitops.path("dev/plans").mkdir()
    gitops.path("dev/plans/hourly.yaml").write_text(text)
    if listed:
        gitops.edit(OWN, "- release/penguins\n", "- release/penguins\n- plans/hourly.yaml\n")


def test_patches_and_plans_of_a_domain_are_sound(gitops: Gitops) -> None:
    patched(gitops, patch("[{name: fit, resources: {requests: {memory: 512Mi}}}]"))
    plan(gitops)
    done = gitops("verify")
    assert (done.code, done.err.partition(";")[0]) == (0, "penguins/dev: 2 workflows, 2 launch plans")


def digest_of_another_image(gitops: Gitops) -> None:
    """A conflict settled by hand: the files of one release, the digests of another."""
    before = gitops.path(f"{RELEASE}/kustomization.yaml").read_text()
    gitops.write(gitops.project.joinpath("flows/penguins.py").read_text().replace("10m", "20m"))
    gitops.register(image="penguins:2")
    gitops.path(f"{RELEASE}/kustomization.yaml").write_text(before)


def without_openapi(gitops: Gitops) -> None:
    gitops.edit(OWN, "components:\n- ../../openapi\n", "")
    patched(gitops, patch("[{name: fit, timeout: 5m}]"))


def linked(gitops: Gitops) -> None:
    gitops.path("dev/plans").mkdir()
    gitops.path("dev/plans/hourly.yaml").symlink_to("/etc/passwd")


EDITS: dict[str, tuple[Edit, str]] = {
    "a line": (
        lambda it: it.edit(TRAIN, "timeout: 10m", "timeout: 90m"),
        f"{TRAIN}:LINE: error NOT_REGISTERED: it was edited: `timeout: 90m` stands where `timeout: 10m` was registered",
    ),
    "the ends of lines": (
        lambda it: it.path(TRAIN).write_bytes(it.path(TRAIN).read_bytes().replace(b"\n", b"\r\n")),
        f"{TRAIN}: error NOT_REGISTERED: it was edited: the ends of its lines are not those that were registered",
    ),
    "a file that is gone": (
        lambda it: it.path(COUNT).unlink(),
        f"{COUNT}: error NOT_REGISTERED: the lock lists it, but there is no file workflow-penguins-count.yaml",
    ),
    "a file too many": (
        lambda it: it.path(f"{RELEASE}/mine.yaml").write_text("a: 1\n"),
        f"{RELEASE}/mine.yaml: error NOT_REGISTERED: the lock does not list this file",
    ),
    "no lock": (
        lambda it: it.path(f"{RELEASE}/release.lock").unlink(),
        f"{RELEASE}/release.lock: error NOT_REGISTERED: there is no such file",
    ),
    "a lock that is none": (
        lambda it: it.path(f"{RELEASE}/release.lock").write_text("{}"),
        f"{RELEASE}/release.lock: error NOT_REGISTERED: it is not as `alula register` wrote it",
    ),
    "a conflict": (
        lambda it: it.edit(TRAIN, "spec:\n", "<<<<<<< HEAD\nspec:\n=======\n>>>>>>> other\n"),
        f"{TRAIN}:LINE: error BAD_REPOSITORY: a merge conflict is not settled here",
    ),
    "a conflict in the lock": (
        lambda it: it.edit(f"{RELEASE}/release.lock", "workflow", "<<<<<<< HEAD\n=======\n>>>>>>> x\nworkflow"),
        f"{RELEASE}/release.lock:3: error BAD_REPOSITORY: a merge conflict is not settled here",
    ),
    "digests of other files": (
        digest_of_another_image,
        f"{RELEASE}/kustomization.yaml: error STALE_DIGESTS: the digests were made for other files than lie here",
    ),
    "an edited kustomization of a release": (
        lambda it: it.edit(f"{RELEASE}/kustomization.yaml", "resources:", "namePrefix: x-\nresources:"),
        f"{RELEASE}/kustomization.yaml: error NOT_REGISTERED: it is not as `alula register` wrote it",
    ),
    "a patch without merge keys": (
        without_openapi,
        f"{OWN}: error PATCH_MISFIT: the patches of this domain lose the task load\n  in Workflow penguins-train",
    ),
    "a patch of a task that there is not": (
        lambda it: patched(it, patch("[{name: fitt, timeout: 5m}]")),
        f"{OWN}: error PATCH_MISFIT: a patch of this domain is for the task fitt, which the release has not\n"
        "  in Workflow penguins-train\n  hint: did you mean fit?",
    ),
    "a patch of a workflow that there is not": (
        lambda it: patched(it, patch("[{name: fit, timeout: 5m}]", "penguins-trai")),
        f"{OWN}: error BAD_RESOURCE: kustomize refuses it: no resource matches strategic merge patch",
    ),
    "a plan that no resource names": (
        lambda it: plan(it, listed=False),
        "dev/plans/hourly.yaml: error PATCH_MISFIT: what kustomize builds lacks LaunchPlan hourly",
    ),
    "a plan of an input that there is not": (
        lambda it: plan(it, PLAN.replace("trees", "tree")),
        "dev/plans/hourly.yaml: error UNKNOWN_INPUT: workflow penguins-train has no input `tree`",
    ),
    "another namespace": (
        lambda it: it.edit(OWN, "penguins-dev", "penguins-prod"),
        f"{OWN}: error NOT_ALLOWED: it is for the namespace penguins-prod, and this folder is for penguins-dev",
    ),
    "a link": (
        linked,
        "dev/plans/hourly.yaml: error BAD_REPOSITORY: it is a link, or no plain file",
    ),
    "a domain that is a link": (
        lambda it: it.path("prod").symlink_to("dev"),
        "prod: error BAD_REPOSITORY: it is a link, or no plain file",
    ),
    "a name that no namespace has": (
        lambda it: shutil.copytree(it.path("dev"), it.path("Prod $(id)")),
        "Prod $(id): error BAD_NAME: 'Prod $(id)' is not a name that a namespace can have",
    ),
    "an owner": (
        lambda it: plan(it, PLAN.replace("{name: hourly}", "{name: hourly, ownerReferences: []}")),
        "dev/plans/hourly.yaml: error NOT_ALLOWED: ownerReferences is not for git",
    ),
    "a forged annotation": (
        lambda it: plan(it, PLAN.replace("{name: hourly}", "{name: hourly, annotations: {alula.dev/compiled: x}}")),
        "dev/plans/hourly.yaml: error NOT_ALLOWED: alula.dev/compiled is not for git",
    ),
    "a sync option that deletes": (
        lambda it: plan(
            it,
            PLAN.replace(
                "{name: hourly}", "{name: hourly, annotations: {argocd.argoproj.io/sync-options: 'Force=true'}}"
            ),
        ),
        "dev/plans/hourly.yaml: error NOT_ALLOWED: argocd.argoproj.io/sync-options: Force=true makes Argo CD delete",
    ),
    "a newer version": (
        lambda it: plan(it, PLAN.replace("v1alpha1", "v2")),
        "dev/plans/hourly.yaml: error BAD_RESOURCE: apiVersion: ",
    ),
    "a Domain": (
        lambda it: plan(it, "apiVersion: alula.dev/v1alpha1\nkind: Domain\nmetadata: {name: domain}\n"),
        "dev/plans/hourly.yaml: error NOT_ALLOWED: a Domain is the platform team's",
    ),
    "another domain's release": (
        lambda it: (
            it.edit(OWN, "- release/penguins\n", "- release/penguins\n- ../prod/release/penguins\n")
            and shutil.copytree(it.path("dev/release"), it.path("prod/release"))
        ),
        f"{OWN}: error NOT_ALLOWED: resources names '../prod/release/penguins', which is not in this domain's folder",
    ),
    "an address": (
        lambda it: it.edit(OWN, "- release/penguins\n", "- release/penguins\n- github.com/example/evil?ref=main\n"),
        f"{OWN}: error NOT_FOUND: resources names 'github.com/example/evil?ref=main', and there is no such file",
    ),
    "a lock that leads elsewhere": (
        lambda it: it.path(f"{RELEASE}/release.lock").write_text(f"../../secret.yaml\n{'0' * 64}\n"),
        "error NOT_REGISTERED: the lock lists it, but there is no file ../../secret.yaml",
    ),
    "the lock of another release": (
        lambda it: it.path(f"{RELEASE}/release.lock").write_text(f"workflow-other.yaml\n{'0' * 64}\n"),
        f"{TRAIN}: error NOT_REGISTERED: the lock does not list this file",
    ),
    "launch plans that wait for each other": (
        lambda it: plan(it, f"{waiting('hourly', 'later')}---\n{waiting('later', 'hourly')}"),
        "dev/plans/hourly.yaml: error BAD_TRIGGER: the launch plans hourly -> later -> hourly wait for each other in a "
        "circle",
    ),
    "two files of one name": (
        lambda it: plan(it, PLAN.replace("hourly", "nightly"), listed=False),
        "dev/plans/hourly.yaml: error DUPLICATE_NAME: two files of this domain hold LaunchPlan nightly",
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_each_thing_that_is_wrong_has_its_place_and_its_sentence(gitops: Gitops, edit: str) -> None:
    change, expected = EDITS[edit]
    change(gitops)
    done = gitops("verify")
    assert done.code == 1
    before, _, after = expected.partition(":LINE:")
    said = done.err.replace(f"{gitops.folder}/penguins/", "")
    assert before in said
    assert after in said
    assert "Traceback" not in done.err


GUARDS = "platform/penguins/dev"


def with_guards(gitops: Gitops) -> None:
    """The platform team's folder of the domain, as `alula init` makes it."""
    done = gitops.alula("init", "--gitops", str(gitops.folder), "--project", "penguins", "--domain", "dev")
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("guards.yaml", "restricted", "privileged", "guards.yaml: error STALE_GUARDS: the guards are not those of"),
        (
            "domain.yaml",
            "spec: {schedules: Disabled}",
            "spec: {guards: {quota: {pods: '9'}}}",
            "hint: run `alula domain render ",
        ),
        ("domain.yaml", "spec: {schedules: Disabled}", "spec: {quota: {running: -1}}", "domain.yaml: error "),
        ("kustomization.yaml", "- guards.yaml\n", "", "it leaves guards.yaml out, so Argo CD does not apply it"),
        ("kustomization.yaml", "penguins-dev", "penguins-prod", "this folder is for penguins-dev"),
        ("guards.yaml", None, None, "guards.yaml: error STALE_GUARDS: the guards are not those of"),
        ("domain.yaml", None, None, "there is no domain.yaml, from which the guards follow"),
    ],
)
def test_guards_are_those_that_follow_from_the_domain_beside_them(
    gitops: Gitops, file: str, old: str | None, new: str, expected: str
) -> None:
    with_guards(gitops)
    assert gitops("verify").code == 0
    own = gitops.folder / GUARDS / file
    if old is None:
        own.unlink()
    else:
        text = own.read_text()
        assert old in text
        own.write_text(text.replace(old, new))
    done = gitops("verify")
    assert (done.code, "Traceback" in done.err) == (1, False)
    assert expected in done.err


def test_a_place_for_notices_is_one_of_the_domain(gitops: Gitops) -> None:
    with_guards(gitops)
    own = gitops.folder / GUARDS / "domain.yaml"
    places = "notifications: [{name: team, slack: {}}]"
    own.write_text(own.read_text().replace("spec: {schedules: Disabled}", f"spec: {{schedules: Disabled, {places}}}"))
    plan(gitops, PLAN.replace("value: '3'}]", "value: '3'}], notifications: [{place: taem}]"))
    done = gitops("verify")
    assert (done.code, "Traceback" in done.err) == (1, False)
    assert "plans/hourly.yaml: error UNKNOWN_PLACE: the domain has no place `taem` for notices" in done.err
    assert "hint: did you mean `team`?" in done.err
    gitops.edit("dev/plans/hourly.yaml", "taem", "team")
    assert gitops("verify").code == 0


def test_what_a_platform_team_adds_beside_the_guards_stays(gitops: Gitops) -> None:
    with_guards(gitops)
    own = gitops.folder / GUARDS
    (own / "secret.yaml").write_text("apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n")
    text = (own / "kustomization.yaml").read_text() + "- secret.yaml\n"
    (own / "kustomization.yaml").write_text(text)
    assert gitops("verify").code == 0
    assert gitops.alula("domain", "render", str(own)).code == 0
    assert (own / "kustomization.yaml").read_text() == text


def test_what_was_registered_is_not_known_without_git(gitops: Gitops) -> None:
    shutil.rmtree(gitops.folder / ".git")
    gitops.edit(TRAIN, "timeout: 10m", "timeout: 90m")
    done = gitops("verify")
    assert (done.code, "it was edited: it is not the file that was registered" in done.err) == (1, True)


def test_without_kustomize_what_cannot_be_checked_is_a_problem(gitops: Gitops, monkeypatch: pytest.MonkeyPatch) -> None:
    from alula.emit import kustomize

    monkeypatch.setattr(kustomize, "builder", lambda: None)
    assert gitops("verify").code == 0
    patched(gitops, patch("[{name: fit, timeout: 5m}]"))
    done = gitops("verify")
    assert done.code == 1
    assert "patches cannot be checked: neither kubectl nor kustomize is on PATH" in done.err


def test_one_domain_may_be_checked_alone(gitops: Gitops) -> None:
    gitops.register(domain="prod")
    gitops.path(COUNT).unlink()
    assert gitops("verify", "--domain", "prod").code == 0
    done = gitops("verify", "--domain", "prd")
    assert (done.code, "there is no domain prd" in done.err) == (2, True)


@pytest.mark.parametrize("form", ["sarif", "github", "gitlab"])
def test_forges_get_file_line_and_sentence(gitops: Gitops, form: str) -> None:
    gitops.edit(TRAIN, "timeout: 10m", "timeout: 90m")
    done = gitops("verify", "-o", form)
    assert (done.code, done.err) == (1, "")
    if form == "github":
        assert done.out.startswith(f"::error file={gitops.path(TRAIN)},line=")
        assert ",title=NOT_REGISTERED::it was edited: `timeout: 90m` stands" in done.out
        assert "%0Ahint: do not edit a release" in done.out
        return
    found = json.loads(done.out)
    if form == "gitlab":
        assert [set(each) for each in found] == [{"description", "check_name", "fingerprint", "severity", "location"}]
        assert found[0]["location"]["lines"]["begin"] > 1
    else:
        (result,) = found["runs"][0]["results"]
        where = result["locations"][0]["physicalLocation"]
        assert (result["ruleId"], where["artifactLocation"]["uri"]) == ("NOT_REGISTERED", str(gitops.path(TRAIN)))
    assert json.loads(gitops("verify", "-o", form, "--domain", "dev").out) == found


def test_a_folder_without_domains_is_a_usage_error(alula: object, tmp_path: Path, gitops: Gitops) -> None:
    (tmp_path / "empty").mkdir()
    done = gitops.alula("verify", "--repo", str(tmp_path / "empty"))
    assert (done.code, "holds no domain" in done.err) == (2, True)


ACROSS = (
    PLAN.replace("hourly", "follow")
    .replace("'3'}]", "'3'}], trigger: {launchPlan: OTHER, domain: DOMAIN, inputs: [{name: trees, output: o0}]}")
    .replace(", fixedInputs: [{name: trees, value: '3'}]", "")
)


def two_domains(gitops: Gitops, spec: str, *, to: str = "nightly", domain: str = "dev", back: bool = False) -> None:
    """dev and prod, the Domain of the latter with this spec, and a launch plan there that follows one of dev."""
    gitops.commit("before")
    assert gitops("promote", "--from", "dev", "--to", "prod").code == 0
    done = gitops.alula("init", "--gitops", str(gitops.folder), "--project", "penguins", "--domain", "prod")
    assert done.code == 0, done.err
    own = gitops.folder / "platform/penguins/prod/domain.yaml"
    own.write_text(f"apiVersion: alula.dev/v1alpha1\nkind: Domain\nmetadata: {{name: domain}}\nspec: {spec}\n")
    plan_in(gitops, "prod", ACROSS.replace("OTHER", to).replace("DOMAIN", domain))
    if back:
        plan_in(gitops, "dev", ACROSS.replace("OTHER", "follow").replace("DOMAIN", "prod"))


def plan_in(gitops: Gitops, domain: str, text: str) -> None:
    gitops.path(f"{domain}/plans").mkdir(exist_ok=True)
    gitops.path(f"{domain}/plans/follow.yaml").write_text(text)
    gitops.edit(f"{domain}/kustomization.yaml", "- release/penguins\n", "- release/penguins\n- plans/follow.yaml\n")


@pytest.mark.parametrize(
    ("spec", "changes", "told"),
    [
        ("{triggers: {from: [dev]}}", {}, ""),
        ("{}", {}, "`trigger.domain` is dev, which this domain's Domain does not list in `spec.triggers.from`"),
        (
            "{triggers: {from: [qa]}}",
            {"domain": "qa"},
            "`trigger.domain` is qa, and no namespace that is known here is that domain of project penguins",
        ),
        (
            "{triggers: {from: [dev]}}",
            {"to": "follow", "back": True},
            "the launch plans follow -> dev/follow -> follow wait for each other in a circle",
        ),
    ],
    ids=["listed", "not listed", "not there", "a circle"],
)
def test_a_plan_may_wait_for_runs_of_a_domain_that_its_own_lists(
    gitops: Gitops, spec: str, changes: dict[str, Any], told: str
) -> None:
    two_domains(gitops, spec, **changes)
    done = gitops("verify")
    assert (done.code, told in done.err, "Traceback" in done.err) == (int(bool(told)), True, False), done.err
