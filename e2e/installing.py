"""alula installed on a test cluster as a platform team would: kustomize's base, domains with their own S3 accounts, and
the controller as a process with exactly the rights that the base grants.

Used by every scenario that needs more than the bare servers.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import pathlib
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from e2e.cluster import clusters, processes, s3

ROOT = pathlib.Path(__file__).resolve().parents[1]
ALULA = "alula.dev/v1alpha1"
ARGO = "argoproj.io/v1alpha1"
KINDS = ("workflows.alula.dev", "launchplans.alula.dev", "domains.alula.dev", "workflowrevisions.alula.dev")
ROOTS = 40
"""So many domains a session may have: the controller learns its roots when it starts."""

RELEASES = "system:serviceaccount:argocd:argocd-application-controller"
"""Whose definitions the policies take in strict domains."""

Object = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Place:
    """One project-domain: its namespace, and its bucket with an account of its own."""

    cluster: clusters.Cluster
    project: str
    domain: str
    bucket: s3.Bucket

    @property
    def namespace(self) -> str:
        return f"{self.project}-{self.domain}"

    @property
    def prefix(self) -> str:
        """Where this domain's data lies."""
        return f"{self.bucket.url}/{self.project}/{self.domain}"

    def ready(self, kind: str, name: str, timeout: float = 60) -> Object:
        """Wait until a definition's newest generation is Ready, and return it."""
        return self.condition(kind, name, "Ready", "True", timeout)

    def condition(self, kind: str, name: str, type_: str, status: str, timeout: float = 60) -> Object:
        """Wait until a definition has a condition for its newest generation, and return the definition."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.cluster.api.get(ALULA, kind, name, self.namespace)
            for each in found.get("status", {}).get("conditions", []):
                current = each.get("observedGeneration") == found["metadata"]["generation"]
                if current and (each["type"], each["status"]) == (type_, status):
                    return found
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{kind} {name} is not {type_}={status}: {json.dumps(found.get('status'), indent=1)}"
                )
            time.sleep(0.1)

    def run(self, template: str, inputs: Mapping[str, str] | None = None) -> str:
        """Start a run as `kubectl create` does, with the texts of its inputs as they are; returns its name."""
        parameters = [{"name": name, "value": text} for name, text in (inputs or {}).items()]
        spec = {"workflowTemplateRef": {"name": template}, "arguments": {"parameters": parameters}}
        body = {"apiVersion": ARGO, "kind": "Workflow", "metadata": {"generateName": f"{template}-"}, "spec": spec}
        return str(self.cluster.api.create(body, self.namespace)["metadata"]["name"])

    def ended(self, run: str, timeout: float = 180) -> Object:
        """Wait until a run has ended, and return it."""
        return self.cluster.await_workflow(self.namespace, run, timeout)


class Installation:
    """alula on one cluster. `start` and `kill` the controller at will."""

    def __init__(self, cluster: clusters.Cluster) -> None:
        self.cluster = cluster
        cluster.kubectl("apply", "--server-side", "-f", "-", input=kustomize("e2e/installation"))
        cluster.await_crds(*KINDS)
        self._buckets = [cluster.s3.bucket(f"alula-root-{number}") for number in range(ROOTS)]
        self._account = cluster.login("alula-system", "alula-controller")
        self._places: dict[str, tuple[Place, str]] = {}
        self.controller: processes.Process | None = None
        self.start()

    def start(self) -> None:
        """Start the controller."""
        self.controller = self.spawn()

    def spawn(self, name: str = "alula-controller", **changed: str) -> processes.Process:
        """Start a controller with its own ServiceAccount, the S3 server's root account, and some variables changed."""
        roots = {f"root-{n}": {"url": each.url, "endpoint": each.endpoint} for n, each in enumerate(self._buckets)}
        environment = {
            **self.cluster.s3.as_root(self._buckets[0]).environment(),
            "KUBECONFIG": str(self._account.kubeconfig),
            "ALULA_ROOTS": json.dumps(roots),
            "ALULA_DEFAULT_ROOT": "root-0",
            "ALULA_PORT": "8080",
            "ALULA_LOG_FORMAT": "text",
            "ALULA_LEASE_SECONDS": "3",
            "ALULA_LEAST_INTERVAL": "1",
            **changed,
        }
        return self.cluster.spawn(name, [sys.executable, "-m", "alula_controller"], environment)

    def kill(self) -> None:
        """End the controller as a node failure would: SIGKILL."""
        assert self.controller is not None
        self.controller.kill()
        self.controller.wait(10)

    def place(self, project: str, domain: str, policies: str = "open") -> Place:
        """A project-domain of its own, made on first use, with the admission policies of that name.

        Raises:
            ValueError: It was made with others.
        """
        key = f"{project}-{domain}"
        if key not in self._places:
            number = len(self._places)
            place = Place(self.cluster, project, domain, self._buckets[number])
            labels = {"alula.dev/project": project, "alula.dev/domain": domain, "alula.dev/policies": policies}
            self.cluster.namespace(place.namespace, labels)
            install_domain(self.cluster, place, f"root-{number}")
            self._places[key] = place, policies
        found, made_with = self._places[key]
        if made_with != policies:
            raise ValueError(f"{key} has the policies {made_with!r}, and {policies!r} are asked for")
        return found


def install_domain(cluster: clusters.Cluster, place: Place, root: str) -> None:
    """Give a namespace what `kustomize/domain` holds, its root of storage and the keys of its account."""
    released = cluster.api.acting_as(RELEASES, "system:masters")
    for item in yaml.safe_load_all(kustomize("kustomize/domain")):
        if item["kind"] == "Domain":
            item["spec"]["storage"]["root"] = root
        for subject in item.get("subjects", []):
            subject["namespace"] = place.namespace
        released.apply(item, place.namespace)
    keys = {"AWS_ACCESS_KEY_ID": place.bucket.access_key, "AWS_SECRET_ACCESS_KEY": place.bucket.secret_key}
    data = {name: base64.b64encode(text.encode()).decode() for name, text in keys.items()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "alula-store"}, "data": data}
    cluster.apply(secret, place.namespace)


def kustomize(folder: str | pathlib.Path) -> str:
    """What kustomize builds of a folder of this repository, or of an absolute one."""
    kubectl = clusters.find_kubectl()
    done = subprocess.run([kubectl, "kustomize", str(ROOT / folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def alula(
    cluster: clusters.Cluster,
    *arguments: str,
    cwd: pathlib.Path,
    env: Mapping[str, str] | None = None,
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user would, in a project's folder."""
    argv: Sequence[str] = [sys.executable, "-m", "alula", *arguments]
    return cluster.run(argv, cwd=cwd, env=env, check=check)


def nodes(run: Object) -> dict[str, Object]:
    """The nodes of a run by the name that people see, unpacked."""
    from alula_api.argo import nodes as argo

    return {node["displayName"]: node for node in argo.read(run["status"]).values()}
