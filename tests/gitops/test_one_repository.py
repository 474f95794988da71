"""Code and what runs in one repository: the gitops folder lies below its root."""

from __future__ import annotations

import subprocess

import yaml

from tests.gitops.conftest import Gitops


def test_code_and_gitops_may_be_two_folders_of_one_repository(gitops: Gitops) -> None:
    whole = gitops.project

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=whole, check=True, capture_output=True, text=True).stdout

    git("init", "--quiet", "--initial-branch=main")
    git("config", "user.name", "Ada")
    git("config", "user.email", "ada@example.org")
    url = "https://git.example.org/penguins.git"
    done = gitops.alula("init", "--gitops", "gitops", "--project", "penguins", "--url", url)
    assert done.code == 0, done.err
    assert gitops.alula("register", "--image", "penguins:1", "flows").code == 0
    git("add", "--all")
    git("commit", "--quiet", "-m", "Begin")
    assert gitops.alula("verify").code == 0
    assert gitops.alula("promote", "--from", "dev", "--to", "prod").code == 0
    changed = git("show", "--name-only", "--format=", "HEAD").splitlines()
    assert changed
    assert all(each.startswith("gitops/penguins/prod/") for each in changed)
    assert gitops.alula("diff", "dev", "prod").err == "nothing differs between dev and prod\n"
    assert gitops.alula("rollback", "--domain", "prod").err.startswith("error NOT_FOUND")
    sets = yaml.safe_load_all((whole / "gitops/platform/argocd/applicationsets.yaml").read_text())
    specs = [each["spec"] for each in sets if each["kind"] == "ApplicationSet"]
    found = [each["path"] for spec in specs for each in spec["generators"][0]["git"]["directories"]]
    assert all(path.startswith("gitops/") for path in found), found
