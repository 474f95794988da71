"""Whether the guards of a domain are those that follow from its Domain; nothing is written but a condition."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest

from alula_api.kinds import guards as rendering
from alula_api.kinds.domains import Domain
from alula_controller.cluster import errors
from alula_controller.domains import guards
from alula_controller.domains.places import Place
from alula_controller.settings import Root

SPEC = {
    "guards": {
        "quota": {"pods": "200", "limits.cpu": "0.5"},
        "containers": {"requests": {"cpu": "10m"}},
        "egress": [{"cidr": "10.0.0.0/8", "ports": [443]}],
    },
    "pools": [{"name": "lake", "limit": 3}],
}
PLACE = Place("penguins", "dev", Root("root", "s3://x"))


def domain(spec: dict[str, Any] = SPEC) -> dict[str, Any]:
    return {"metadata": {"name": "domain", "namespace": "penguins-dev", "generation": 1}, "spec": spec}


class Cluster:
    """The guards as Argo CD applied them; the API server adds fields and writes amounts in its own way."""

    def __init__(self, refused: str = "") -> None:
        made = rendering.render(Domain.model_validate({**domain(), **guards._HEAD}), "penguins", "dev", "penguins-dev")
        self.objects = {(each["kind"], each["metadata"]["name"]): copy.deepcopy(each) for each in made}
        for each in self.objects.values():
            each["metadata"] |= {"uid": "u", "resourceVersion": "7"}
        quota = self.objects["ResourceQuota", "alula-quota"]
        quota["spec"]["hard"]["limits.cpu"] = "500m"
        quota["status"] = {"used": {"pods": "3"}}
        self.refused = refused
        self.asked: list[str] = []

    async def find(self, path: str) -> dict[str, Any] | None:
        self.asked.append(path)
        if self.refused and self.refused in path:
            raise errors.Refused(f"find {path}: forbidden", "Forbidden", 403)
        plurals = {each.path("penguins-dev" if each.namespaced else ""): kind for kind, each in guards.KINDS.items()}
        folder, _, name = path.rpartition("/")
        return self.objects.get((plurals[folder], name))


def look(cluster: Cluster, spec: dict[str, Any] = SPEC) -> tuple[str, str]:
    found = asyncio.run(guards.look(cluster, domain(spec), PLACE))  # type: ignore[arg-type]
    assert found.type == "GuardsInSync"
    return found.status, found.message


def test_guards_that_follow_from_the_domain_are_in_sync_whatever_the_api_server_adds() -> None:
    assert look(Cluster()) == ("True", "8 objects follow from this Domain and are there")


def change(kind: str, name: str, path: str, value: Any) -> Any:
    def edit(cluster: Cluster) -> None:
        *way, last = path.split(".")
        found = cluster.objects[kind, name]
        for step in way:
            found = found[int(step) if step.isdigit() else step]
        found[last] = value

    return edit


CHANGES = {
    "a higher quota": (
        change("ResourceQuota", "alula-quota", "spec.hard", {"pods": "900", "limits.cpu": "500m"}),
        "ResourceQuota alula-quota differs in spec.hard.pods",
    ),
    "weaker pods": (
        change("Namespace", "penguins-dev", "metadata.labels", {"alula.dev/project": "penguins"}),
        "Namespace penguins-dev differs in metadata.labels.alula.dev/domain",
    ),
    "another way out": (
        change("NetworkPolicy", "alula-pods", "spec.egress", [{}]),
        "NetworkPolicy alula-pods differs in spec.egress",
    ),
    "more rights": (
        change("Role", "alula-task", "rules", [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]),
        "Role alula-task differs in rules[0].apiGroups[0]",
    ),
    "no pool": (
        lambda cluster: cluster.objects.pop(("ConfigMap", "alula-pools")),
        "ConfigMap alula-pools is not there",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_differs_is_named(what: str) -> None:
    edit, expected = CHANGES[what]
    cluster = Cluster()
    edit(cluster)
    status, message = look(cluster)
    assert status == "False"
    assert message.startswith(expected)
    assert message.endswith("`alula domain render` writes what should be there")


def test_what_the_domain_no_longer_asks_for_is_named_too() -> None:
    status, message = look(Cluster(), {"guards": SPEC["guards"]})
    assert (status, "ConfigMap alula-pools is there, and does not follow from this Domain" in message) == (
        "False",
        True,
    )


def test_without_the_rights_it_is_unknown_and_one_question_is_asked() -> None:
    cluster = Cluster(refused="/")
    status, message = look(cluster)
    assert (status, len(cluster.asked)) == ("Unknown", 1)
    assert message.startswith("the guards cannot be read: find /api")


def test_a_domain_that_cannot_be_read_has_unknown_guards() -> None:
    assert look(Cluster(), {"quota": {"running": -1}})[0] == "Unknown"
