"""A team's two repositories beside a cluster that has alula and Argo CD: code, and what runs."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import subprocess
import time
from collections.abc import Sequence
from typing import Any

import pytest
import yaml

from e2e import installing
from e2e.cluster import argocd

Object = dict[str, Any]

DOMAINS = ("dev", "prod")


@dataclasses.dataclass
class Team:
    """One project: its code, the clone of its gitops repository, and Argo CD, which follows that."""

    name: str
    installation: installing.Installation
    argo: argocd.ArgoCD
    code: pathlib.Path
    gitops: pathlib.Path

    @property
    def cluster(self) -> Any:
        return self.installation.cluster

    def place(self, domain: str) -> installing.Place:
        return self.installation.place(self.name, domain)

    def alula(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """The command line in the gitops repository."""
        return installing.alula(self.cluster, *words, cwd=self.gitops, check=check)

    def register(self, image: str, *words: str) -> None:
        """As the CI of the code does; the image holds the code as it is now."""
        copy = self.code.parent / f"image-{image[-12:]}"
        subprocess.run(["cp", "-r", str(self.code), str(copy)], check=True)
        self.cluster.pods.image(image, env={"PYTHONPATH": str(copy)})
        words = ("register", "--repo", str(self.gitops), "--image", image, *words, "flows")
        installing.alula(self.cluster, *words, cwd=self.code)

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.gitops, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        """Commit all of it, as a merged pull request does, and push."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", message)
        return self.push()

    def push(self, *, announced: bool = True) -> str:
        """Push what is committed, and tell Argo CD; returns the commit."""
        before = self.git("for-each-ref", "--format=%(objectname)", "refs/remotes/origin/main")
        self.git("push", "--quiet", "origin", "main")
        commit = self.git("rev-parse", "HEAD")
        if announced:
            files = self.git("diff", "--name-only", before, commit).split() if before else []
            self.argo.announce(self.name, before or "0" * 40, commit, files)
        return commit

    def follow_as(self, name: str) -> None:
        """Call the ApplicationSets of this repository otherwise: this Argo CD follows another one already."""
        sets = self.gitops / "platform/argocd/applicationsets.yaml"
        text = sets.read_text().replace("name: alula\n", f"name: {name}\n")
        sets.write_text(text.replace("alula-platform", f"{name}-platform"))

    def application(self, domain: str) -> str:
        return f"{self.name}-{domain}"

    def run(self, template: str, domain: str, **inputs: str) -> Object:
        """Start a run, once Argo has seen the template, and wait for its end."""
        place = self.place(domain)
        deadline = time.monotonic() + 120
        while True:
            ended = place.ended(place.run(template, inputs))
            unseen = f'"{template}" not found' in str(ended["status"].get("message"))
            if not unseen or time.monotonic() > deadline:
                return ended
            time.sleep(1)

    def compiled(self, kind: str, name: str, domain: str, version: str, timeout: float = 60) -> Object:
        """Wait until the template of a definition has a version, and return it."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.cluster.api.list(argocd.API, "WorkflowTemplate", f"{self.name}-{domain}")
            for each in found:
                named = each["metadata"]["name"] == name
                if named and each["metadata"]["labels"].get("alula.dev/version") == version:
                    return dict(each)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{kind} {name} has no template of version {version}: {found}")
            time.sleep(0.05)


@pytest.fixture(scope="session")
def argo_cd(installation: installing.Installation) -> argocd.ArgoCD:
    """Argo CD on the cluster that alula is installed on."""
    return argocd.ArgoCD(installation.cluster)


def teach(argo: argocd.ArgoCD, folder: pathlib.Path) -> None:
    """Let an Argo CD know alula's kinds, by the component, and the links that docs/gitops.md shows."""
    (folder / "cm.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm, namespace: argocd}\n")
    component = "/".join([*[".."] * (len(folder.parts) - 1), *installing.ROOT.parts[1:], "kustomize/components/argocd"])
    (folder / "kustomization.yaml").write_text(f"resources: [cm.yaml]\ncomponents: [{component}]\n")
    page = (installing.ROOT / "docs/gitops.md").read_text()
    (links,) = re.findall(r"(?ms)^```yaml\n(resource\.links:.*?)^```", page)
    argo.configure(yaml.safe_load(installing.kustomize(folder))["data"] | yaml.safe_load(links))


def team(
    name: str,
    installation: installing.Installation,
    argo: argocd.ArgoCD,
    folder: pathlib.Path,
    domains: Sequence[str] = DOMAINS,
) -> Team:
    """A project of code and an empty gitops repository, both as `alula init` makes them.

    Args:
        name: The project.
        installation: The cluster of its domains.
        argo: The Argo CD that follows it.
        folder: Where both are put.
        domains: The domains that live on this cluster.
    """
    made = Team(name, installation, argo, folder / name, folder / "gitops")
    url = argo.repository(name)
    bare = argo.repositories / f"{name}.git"
    subprocess.run(["git", "clone", "--quiet", str(bare), str(made.gitops)], check=True, capture_output=True)
    for key, value in (("user.name", "Ada"), ("user.email", "ada@example.org"), ("init.defaultBranch", "main")):
        made.git("config", key, value)
    made.git("checkout", "--quiet", "-B", "main")
    installing.alula(installation.cluster, "init", str(made.code), "--project", name, cwd=folder)
    made.alula("init", "--gitops", ".", "--project", name, "--url", url)
    for domain in domains:
        made.place(domain)  # the namespace, as Argo CD finds it, and the bucket with its account
    return made
