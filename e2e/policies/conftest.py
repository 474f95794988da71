"""An open and a strict domain of one project, and what each of several users may do there, asked by dry runs."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from e2e import installing
from e2e.cluster import api
from e2e.controller import definitions
from e2e.controller.conftest import PROJECT, until

Object = dict[str, Any]
RUN = ("argoproj.io/v1alpha1", "Workflow")

EVERYTHING = "system:masters"
"""The group whose rights end at no role, so that only policies are in the way."""
OPERATORS = "alula:operators"

USERS = {
    "person": ("person@example.org", EVERYTHING),
    "operator": ("operator@example.org", OPERATORS),
    "alula": ("system:serviceaccount:alula-system:alula-controller", EVERYTHING),
    "argo": ("system:serviceaccount:argo:argo", EVERYTHING),
    "argo-server": ("system:serviceaccount:argo:argo-server", EVERYTHING),
    "argocd": (installing.RELEASES, EVERYTHING),
    "argocd-server": ("system:serviceaccount:argocd:argocd-server", EVERYTHING),
}


@dataclasses.dataclass(frozen=True)
class Domains:
    """The two domains, each with the workflow `kept` and a run of it that is held at `admit`."""

    installation: installing.Installation
    places: dict[str, installing.Place]
    held: dict[str, Object]

    @property
    def api(self) -> api.Api:
        return self.installation.cluster.api

    def acting(self, user: str, domain: str) -> api.Api:
        """The API server as one of `USERS`, or as the pods of a domain's tasks."""
        if user == "tasks":
            return self.api.acting_as(f"system:serviceaccount:{self.places[domain].namespace}:alula-task", EVERYTHING)
        return self.api.acting_as(*USERS[user])

    def refusal(self, user: str, domain: str, verb: str, body: Object, subresource: str = "") -> str:
        """What the API server says to a dry run; empty when it would do it.

        `create` posts the body. `update` puts a held run, a template or whatever has the body's name into the form of
        the body.
        """
        client, space = self.acting(user, domain), self.places[domain].namespace
        name = body["metadata"]["name"] if verb == "update" else None
        path = client.path(body["apiVersion"], body["kind"], space, name) + (f"/{subresource}" if subresource else "")
        try:
            client.request("POST" if verb == "create" else "PUT", path, body, parameters={"dryRun": "All"})
        except api.ApiError as error:
            return error.message
        return ""

    def changed(self, domain: str, **fields: Any) -> Object:
        """The held run of a domain with other fields: `spec__suspend=True`."""
        body = copy.deepcopy(self.held[domain])
        for path, value in fields.items():
            *parents, last = path.split("__")
            part = body
            for key in parents:
                part = part.setdefault(key, {})
            part[last] = value
        return body


@pytest.fixture(scope="module")
def domains(installation: installing.Installation) -> Iterator[Domains]:
    cluster = installation.cluster
    cluster.pods.image(definitions.IMAGE, env={"PYTHONPATH": str(PROJECT)})
    cluster.apply(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "operators"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "Group", "name": OPERATORS, "apiGroup": "rbac.authorization.k8s.io"}],
        }
    )
    places = {policies: installation.place("guarded", policies, policies) for policies in ("open", "strict")}
    release = cluster.api.acting_as(*USERS["argocd"])
    for place in places.values():
        release.apply(definitions.workflow("kept"), place.namespace)
        place.ready("Workflow", "kept")
    installation.kill()  # runs stay at `admit`, with the nodes that Argo gave them
    try:
        names = {key: place.run("kept", {"x": "1300"}) for key, place in places.items()}
        held = {key: until(lambda key=key: _held(cluster.api, places[key], names[key])) for key in places}
        yield Domains(installation, places, held)
    finally:
        installation.start()


def _held(client: api.Api, place: installing.Place, name: str) -> Object | None:
    found = client.get(*RUN, name, place.namespace)
    nodes = (found.get("status") or {}).get("nodes") or {}
    is_held = any(node["name"] == f"{name}.admit" and node["phase"] == "Running" for node in nodes.values())
    return found if is_held else None
