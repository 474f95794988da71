"""`alula promote` and `alula rollback`: one commit, or nothing; what is refused, and with which words."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alula.emit import digests
from alula.gitops.repositories import Repository
from tests.gitops.conftest import SOURCE, Gitops

RELEASE = "release/penguins"
PLAN = """\
apiVersion: alula.dev/v1alpha1
kind: LaunchPlan
metadata: {name: weekly}
spec: {workflow: penguins-train, fixedInputs: [{name: trees, value: '3'}], schedule: {cron: ['0 4 * * 1']}}
"""
WITHOUT_TREES = SOURCE.replace(
    ", trees: int = 10) -> int:\n    return fit(load(day), trees)", ") -> int:\n    return fit(load(day))"
)


def files(gitops: Gitops, domain: str) -> dict[str, bytes]:
    folder = gitops.path(f"{domain}/{RELEASE}")
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def promote(gitops: Gitops, *words: str) -> str:
    done = gitops("promote", "--from", "dev", "--to", "prod", *words)
    assert done.code == 0, done.err
    return done.err


def tree(gitops: Gitops) -> tuple[str, str, dict[str, bytes]]:
    """Everything that a refused command leaves as it was."""
    found = {
        str(each): each.read_bytes() for each in gitops.folder.rglob("*") if each.is_file() and ".git/" not in str(each)
    }
    return gitops.git("rev-parse", "HEAD"), gitops.git("status", "--porcelain"), found


def refused(gitops: Gitops, *words: str) -> str:
    before = tree(gitops)
    done = gitops(*(words or ("promote", "--from", "dev", "--to", "prod")))
    assert done.code in (1, 2), done.err
    assert tree(gitops) == before
    assert "Traceback" not in done.err
    return done.err.replace(f"{gitops.folder}/", "")


def test_a_promotion_is_one_commit_with_the_same_bytes_and_its_message_says_what_changes(gitops: Gitops) -> None:
    head = gitops.git("rev-parse", "HEAD")
    promote(gitops)
    assert files(gitops, "prod") == files(gitops, "dev")
    assert gitops.git("rev-list", "--count", f"{head}..HEAD") == "1"
    assert gitops.git("status", "--porcelain") == ""
    version = gitops.git("log", "-1", "--format=%s").rpartition(" ")[2]
    assert gitops.git("log", "-1", "--format=%B").splitlines() == [
        f"Promote penguins from dev to prod: penguins {version}",
        "",
        f"penguins: release {version}",
        "~ launch plan nightly: added",
        "~ workflows penguins-count, penguins-train: added",
        "",
        f"Promoted-From: penguins/dev@{head}",
    ]
    assert "namespace: penguins-prod\n" in gitops.path("prod/kustomization.yaml").read_text()
    assert gitops("verify").code == 0
    assert "nothing to do" in promote(gitops)


def test_a_dry_run_prints_the_message_and_writes_nothing(gitops: Gitops) -> None:
    before = tree(gitops)
    done = gitops("promote", "--from", "dev", "--to", "prod", "--dry-run")
    assert (done.code, tree(gitops)) == (0, before)
    assert done.out.startswith("Promote penguins from dev to prod: penguins ")


def test_some_workflows_go_alone_with_their_plans_and_digests(gitops: Gitops) -> None:
    promote(gitops)
    gitops.registered(SOURCE.replace("10m", "20m"), "--version", "v2", image="penguins:2")
    promote(gitops, "penguins-count")
    dev, prod = files(gitops, "dev"), files(gitops, "prod")
    same = {name for name in dev if dev[name] == prod[name]}
    assert same == {"workflow-penguins-count.yaml"}
    blocks = digests.read(prod["kustomization.yaml"].decode(), "here")
    assert [(each.workflows, each.code.image, each.release == "v2") for each in blocks] == [
        (("penguins-count",), "penguins:2", True),
        (("penguins-train",), "penguins:1", False),
    ]
    assert gitops("verify").code == 0
    promote(gitops)
    assert files(gitops, "prod") == dev


def test_a_workflow_that_the_source_has_no_more_goes_when_it_is_named(gitops: Gitops) -> None:
    promote(gitops)
    gitops.registered(SOURCE.partition("nightly =")[0].replace("@workflow\ndef train", "def train"))
    promote(gitops, "penguins-train")
    assert sorted(files(gitops, "prod")) == ["kustomization.yaml", "release.lock", "workflow-penguins-count.yaml"]
    said = refused(gitops, "promote", "--from", "dev", "--to", "prod", "penguins-cuont")
    assert (
        "error UNKNOWN_WORKFLOW: penguins/dev has no workflow penguins-cuont\n  hint: did you mean penguins-count?"
        in said
    )


def weekly(gitops: Gitops) -> None:
    """A plan that only prod has, which fixes an input."""
    promote(gitops)
    gitops.path("prod/plans").mkdir()
    gitops.path("prod/plans/weekly.yaml").write_text(PLAN)
    gitops.edit("prod/kustomization.yaml", f"- {RELEASE}\n", f"- {RELEASE}\n- plans/weekly.yaml\n")
    gitops.commit("A plan of prod's own")


def test_an_input_that_a_plan_of_the_target_fixes_cannot_go(gitops: Gitops) -> None:
    weekly(gitops)
    gitops.registered(WITHOUT_TREES)
    said = refused(gitops)
    assert "penguins/prod/plans/weekly.yaml: error UNKNOWN_INPUT: workflow penguins-train has no input `trees`" in said
    assert "! workflow penguins-train, input trees: removed (was int = 10) (launch plan weekly fixes it)\n" in said
    assert said.endswith("refused: nothing was written\n")
    gitops.registered()
    assert "nothing to do" in promote(gitops)


def test_patches_of_the_target_stay_and_are_named_where_they_no_longer_fit(gitops: Gitops) -> None:
    promote(gitops)
    own = gitops.path("prod/kustomization.yaml")
    patch = "apiVersion: alula.dev/v1alpha1\n    kind: Workflow\n    metadata: {name: penguins-train}\n"
    own.write_text(
        f"{own.read_text()}patches:\n- patch: |\n    {patch}    spec: {{tasks: [{{name: fit, timeout: 2h}}]}}\n"
    )
    gitops.commit("A patch of prod's own")
    gitops.registered(SOURCE.replace("10m", "20m"))
    promote(gitops)
    assert "timeout: 2h" in own.read_text()
    gitops.registered(SOURCE.replace("fit(", "fit_all("))
    said = refused(gitops)
    assert "penguins/prod/kustomization.yaml: error PATCH_MISFIT: a patch of this domain is for the task fit" in said


def test_a_value_in_the_data_of_the_source_cannot_go(gitops: Gitops) -> None:
    gitops.registered(SOURCE.replace('day: str = "today", trees', 'day: str = "s3://lake/penguins/dev/x.csv", trees'))
    said = refused(gitops)
    assert "workflow-penguins-train.yaml: error NOT_PROMOTABLE: s3://lake/penguins/dev/x.csv lies in the data" in said


def test_what_is_not_committed_is_not_promoted(gitops: Gitops) -> None:
    gitops.edit("dev/kustomization.yaml", "# This", "# That")
    assert "penguins/dev/kustomization.yaml differ from what is committed" in refused(gitops)


def test_an_edited_source_is_refused_at_its_own_place(gitops: Gitops) -> None:
    gitops.edit(f"dev/{RELEASE}/workflow-penguins-train.yaml", "timeout: 10m", "timeout: 90m")
    gitops.commit()
    said = refused(gitops)
    assert "penguins/dev/release/penguins/workflow-penguins-train.yaml: error NOT_REGISTERED" in said
    assert "prod" not in said


def test_a_link_in_a_commit_is_refused(gitops: Gitops) -> None:
    gitops.path("dev/plans").mkdir()
    gitops.path("dev/plans/x.yaml").symlink_to("/etc/passwd")
    gitops.commit()
    assert "penguins/dev/plans/x.yaml: error BAD_REPOSITORY: it is a link" in refused(gitops)


WRONG_WORDS = {
    "--to": (["promote", "--from", "dev"], "--to DOMAIN is missing"),
    "same": (["promote", "--from", "dev", "--to", "dev"], "--from and --to are the same domain"),
    "a path": (["promote", "--from", "../x", "--to", "prod"], "the domain '../x' is not a name"),
    "a branch": (
        ["promote", "--from", "dev", "--to", "prod", "--branch", "a..b"],
        "error BAD_NAME: no branch can be called 'a..b'",
    ),
    "a flag": (
        ["promote", "--from", "dev", "--to", "prod", "--branch=--force"],
        "error BAD_NAME: no branch can be called '--force'",
    ),
    "no release": (["promote", "--from", "test", "--to", "prod"], "penguins/test has no release"),
    "no source": (["promote", "--from", "dev", "--to", "prod", "--source", "x"], "penguins/dev has no source x"),
    "no remote": (["rollback", "--domain", "dev"], "there is nothing to go back to"),
    "no commit": (["rollback", "--domain", "dev", "--to", "nonsense"], "there is no commit 'nonsense'"),
}


@pytest.mark.parametrize("words", WRONG_WORDS)
def test_words_that_mean_nothing_are_refused(gitops: Gitops, words: str) -> None:
    given, expected = WRONG_WORDS[words]
    assert expected in refused(gitops, *given)


def test_a_bare_repository_a_folder_without_git_and_no_identity_are_refused(gitops: Gitops, tmp_path: Path) -> None:
    gitops.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    words = ("promote", "--from", "dev", "--to", "prod", "--project", "penguins", "--repo")
    assert "is a bare repository" in gitops.alula(*words, str(tmp_path / "bare.git")).err
    assert "there is no folder" in gitops.alula(*words, str(tmp_path / "none")).err
    gitops.git("config", "--unset", "user.name")
    gitops.git("config", "--unset", "user.email")
    gitops.git("config", "user.useConfigOnly", "true")
    assert "git does not know who you are" in refused(gitops)


def test_a_detached_checkout_is_enough_and_a_branch_leaves_it_as_it_is(gitops: Gitops, tmp_path: Path) -> None:
    gitops.git("clone", "--quiet", "--bare", ".", str(tmp_path / "remote.git"))
    gitops.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    gitops.git("checkout", "--quiet", "--detach")
    before = tree(gitops)
    said = promote(gitops, "--branch", "promote-it", "--push")
    assert (tree(gitops), said.endswith("pushed to origin promote-it\n")) == (before, True)
    pushed = gitops.git("ls-remote", "origin", "refs/heads/promote-it").split()[0]
    assert pushed == gitops.git("rev-parse", "promote-it")
    assert "there is a branch 'promote-it' already" in refused(
        gitops, "promote", "--from", "dev", "--to", "prod", "--branch", "promote-it"
    )
    promote(gitops)
    assert gitops.git("rev-list", "--count", "main..HEAD") == "1"


def test_two_promotions_at_once_make_two_commits_and_lose_nothing(gitops: Gitops) -> None:
    words = [sys.executable, "-m", "alula", "promote", "--repo", str(gitops.folder), "--from", "dev", "--to"]
    running = [
        subprocess.Popen([*words, domain], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for domain in ("test", "prod")
    ]
    said = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    assert files(gitops, "test") == files(gitops, "prod") == files(gitops, "dev")
    assert (gitops.git("rev-list", "--count", "HEAD"), gitops.git("status", "--porcelain")) == ("3", "")


def test_files_are_compared_with_their_commit_only_when_no_other_command_takes_one_over(
    gitops: Gitops, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository(gitops.folder)
    file = gitops.folder / "penguins/dev/kustomization.yaml"
    committed = file.read_bytes()
    with open(gitops.folder / ".git/alula.lock", "wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        file.write_bytes(b"half of it")

        def ends(_: float) -> None:
            file.write_bytes(committed)
            fcntl.flock(other, fcntl.LOCK_UN)

        monkeypatch.setattr(time, "sleep", ends)
        assert repository.changed(["penguins/dev"]) == []
    file.write_bytes(b"something else")
    assert repository.changed(["penguins/dev"]) == ["penguins/dev/kustomization.yaml"]


def test_a_file_system_without_locks_is_done_without(gitops: Gitops, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(fcntl, "flock", refuses)
    repository = Repository(gitops.folder)
    assert repository.changed(["penguins/dev"]) == []
    assert repository.advance(repository.head())


def test_a_promotion_that_is_killed_leaves_the_tree_as_it_was_or_whole(gitops: Gitops) -> None:
    before = tree(gitops)
    words = [sys.executable, "-m", "alula", "promote", "--repo", str(gitops.folder), "--from", "dev", "--to", "prod"]
    killed = 0
    for delay in (0.3, 0.8, 1.3, 1.8):
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        deadline = time.monotonic() + 30
        while (gitops.folder / ".git/index.lock").exists() and time.monotonic() < deadline:
            time.sleep(0.05)  # git itself goes on to its end
        assert gitops.git("status", "--porcelain") == ""
        if gitops.git("rev-parse", "HEAD") == before[0]:
            assert tree(gitops) == before
    assert killed
    promote(gitops)
    assert files(gitops, "prod") == files(gitops, "dev")


def test_a_rollback_is_a_commit_that_gives_back_the_release_before(gitops: Gitops) -> None:
    promote(gitops)
    old, back = files(gitops, "prod"), gitops.git("rev-parse", "HEAD")
    gitops.registered(SOURCE.replace("10m", "20m"), image="penguins:2")
    promote(gitops)
    bad = gitops.git("rev-parse", "HEAD")
    assert files(gitops, "prod") != old
    gitops.edit("prod/kustomization.yaml", "# This", "# That")
    gitops.commit("Settings that stay")
    assert gitops("rollback", "--domain", "prod").code == 0
    assert files(gitops, "prod") == old
    assert "# That" in gitops.path("prod/kustomization.yaml").read_text()
    message = gitops.git("log", "-1", "--format=%B")
    assert message.startswith("Roll back penguins in prod to penguins ")
    assert f"Takes-Back: {bad}\n" in message
    assert gitops("rollback", "--domain", "prod", "--to", bad).code == 0
    assert files(gitops, "prod") == files(gitops, "dev")
    assert gitops("rollback", "--domain", "prod", "--to", back, "--dry-run").code == 0


def test_a_rollback_is_checked_as_a_promotion_is(gitops: Gitops) -> None:
    gitops.registered(WITHOUT_TREES)
    promote(gitops)
    gitops.registered()
    weekly(gitops)
    said = refused(gitops, "rollback", "--domain", "prod")
    assert "weekly.yaml: error UNKNOWN_INPUT: workflow penguins-train has no input `trees`" in said


def test_a_shallow_clone_is_said_to_be_one(gitops: Gitops, tmp_path: Path) -> None:
    promote(gitops)
    gitops.git("clone", "--quiet", "--depth=1", f"file://{gitops.folder}", str(tmp_path / "shallow"))
    done = gitops.alula("rollback", "--domain", "prod", "--repo", str(tmp_path / "shallow"))
    assert (done.code, "this clone is shallow: git fetch --unshallow" in done.err) == (1, True)
