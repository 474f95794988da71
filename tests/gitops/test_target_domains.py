"""What the domain that is promoted to demands, and what of it a promotion leaves alone."""

from __future__ import annotations

import pytest

from tests.gitops.conftest import SOURCE, Gitops

DIGEST = f"ghcr.io/acme/penguins@sha256:{1:064x}"
PLAN = """\
apiVersion: alula.dev/v1alpha1
kind: LaunchPlan
metadata: {name: weekly}
spec: {workflow: penguins-train, fixedInputs: [{name: trees, value: '3'}]}
"""


def demand(gitops: Gitops, spec: str, domain: str = "prod") -> None:
    """The platform team's Domain, with its guards."""
    own = gitops.folder / "platform/penguins" / domain
    own.mkdir(parents=True, exist_ok=True)
    head = "apiVersion: alula.dev/v1alpha1\nkind: Domain\nmetadata: {name: domain}\n"
    (own / "domain.yaml").write_text(f"{head}spec: {spec}\n")
    assert gitops.alula("domain", "render", str(own)).code == 0
    gitops.commit("What production demands")


REFUSED = {
    "an image of elsewhere": (
        "{images: {allow: [registry.example.org]}}",
        DIGEST,
        "error IMAGE_NOT_ALLOWED: ",
    ),
    "an image without its digest": (
        "{images: {digests: Required}}",
        "ghcr.io/acme/penguins:1",
        "error IMAGE_NOT_ALLOWED: ",
    ),
    "a task over its limits": (
        "{taskLimits: {resources: {memory: 512Mi}}}",
        DIGEST,
        "error OVER_LIMIT: ",
    ),
    "a timeout over its limits": (
        "{taskLimits: {timeout: 5m}}",
        DIGEST,
        "error OVER_LIMIT: ",
    ),
    "files that were not committed": (
        "{source: Committed}",
        DIGEST,
        "error NOT_PROMOTABLE: no commit of its source is known, and the Domain says `source: Committed`",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_target_does_not_allow_is_not_promoted_and_is_said_before_a_cluster_says_it(
    gitops: Gitops, what: str
) -> None:
    spec, image, expected = REFUSED[what]
    demand(gitops, spec)
    gitops.registered(image=image)
    head = gitops.git("rev-parse", "HEAD")
    done = gitops("promote", "--from", "dev", "--to", "prod")
    assert done.code == 1
    assert expected in done.err
    assert (gitops.git("rev-parse", "HEAD"), gitops.git("status", "--porcelain")) == (head, "")


def test_what_the_target_allows_is_promoted(gitops: Gitops) -> None:
    demand(
        gitops,
        "{images: {allow: [ghcr.io/acme], digests: Required}, taskDefaults: {timeout: 1h}, taskLimits: {timeout: 1h}}",
    )
    gitops.registered(image=DIGEST)
    done = gitops("promote", "--from", "dev", "--to", "prod")
    assert done.code == 0, done.err
    assert gitops("verify").code == 0


def test_a_pod_template_that_the_target_does_not_have_is_refused_before_a_cluster_refuses_it(gitops: Gitops) -> None:
    source = SOURCE.replace("import Cache,", "import Cache, Pod,").replace(
        'timeout="10m")', 'timeout="10m", pod=Pod(template="large"))'
    )
    demand(gitops, "{podTemplates: [{name: larger, nodeSelector: {size: large}}]}")
    gitops.registered(source, image=DIGEST)
    done = gitops("promote", "--from", "dev", "--to", "prod")
    expected = "error UNKNOWN_POD_TEMPLATE: the domain has no pod template `large`"
    assert done.code == 1 and expected in done.err and "did you mean `larger`?" in done.err
    demand(gitops, "{podTemplates: [{name: large, nodeSelector: {size: large}}]}")
    assert gitops("promote", "--from", "dev", "--to", "prod").code == 0
    assert gitops("verify").code == 0
    demand(gitops, "{podTemplates: [{name: larger, nodeSelector: {size: large}}]}")
    assert expected in gitops("verify").err


def test_a_change_of_a_quota_is_a_line_of_the_review(gitops: Gitops) -> None:
    demand(gitops, "{quota: {running: 20}}")
    gitops.registered(image=DIGEST)
    assert gitops("promote", "--from", "dev", "--to", "prod").code == 0
    demand(gitops, "{quota: {running: 5}}")
    said = gitops("diff", "HEAD~1", "HEAD").out
    assert "penguins/prod" in said
    assert "~ domain quota.running: 20 → 5\n" in said


def test_register_and_promote_never_write_into_plans(gitops: Gitops) -> None:
    assert gitops("promote", "--from", "dev", "--to", "prod").code == 0
    for domain in ("dev", "prod"):
        gitops.path(f"{domain}/plans").mkdir()
        gitops.path(f"{domain}/plans/weekly.yaml").write_text(PLAN)
        gitops.edit(f"{domain}/kustomization.yaml", "- release/penguins\n", "- release/penguins\n- plans/weekly.yaml\n")
    gitops.commit("Plans of their own")
    gitops.registered(SOURCE.replace("10m", "20m"))
    assert gitops("promote", "--from", "dev", "--to", "prod").code == 0
    assert gitops("rollback", "--domain", "prod").code == 0
    for domain in ("dev", "prod"):
        assert [each.name for each in gitops.path(f"{domain}/plans").iterdir()] == ["weekly.yaml"]
        assert gitops.path(f"{domain}/plans/weekly.yaml").read_text() == PLAN


def test_one_of_several_sources_of_a_domain_may_be_promoted_alone(gitops: Gitops) -> None:
    own = gitops.project / "pyproject.toml"
    own.write_text(own.read_text().replace("source = 'penguins'", "source = 'reports'"))
    (gitops.project / "flows/penguins.py").unlink()
    gitops.write("from alula import task, workflow\n\n@task\ndef one() -> int:\n    return 1\n\n"
                 "@workflow\ndef report() -> int:\n    return one()\n", "flows/reports.py")  # fmt: skip
    gitops.register()
    gitops.commit("Register reports")
    assert "penguins/dev: 3 workflows" in gitops("verify").err
    done = gitops("promote", "--from", "dev", "--to", "prod", "--source", "reports")
    assert done.code == 0, done.err
    assert [each.name for each in gitops.path("prod/release").iterdir()] == ["reports"]
    assert gitops("promote", "--from", "dev", "--to", "prod").code == 0
    assert gitops("verify", "--domain", "prod").err.startswith("penguins/prod: 3 workflows, 1 launch plan; release ")
