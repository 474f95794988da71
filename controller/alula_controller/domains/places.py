"""Where a namespace keeps its data: the installation's roots, and the namespace's own labels. Nothing a tenant writes.

Project and domain come from the labels of the namespace; the root from the Domain's choice among those of the
installation. Used for definitions (what pods are told) and for runs (which cache is read).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from alula_api.contract import labels, names
from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason
from alula_controller.domains.view import DomainView
from alula_controller.settings import Root, Settings


@dataclass(frozen=True)
class Place:
    """A namespace's project, domain and root."""

    project: str
    domain: str
    root: Root

    @property
    def store(self) -> str:
        """The prefix of everything that this domain stores."""
        return f"{self.root.url}/{self.project}/{self.domain}"

    @property
    def releases(self) -> str:
        """The prefix of the project's code bundles."""
        return f"{self.root.url}/{self.project}/{names.RELEASES}"


@dataclass(frozen=True)
class NoPlace:
    """Why a namespace has none, and what to do about it."""

    reason: Reason
    message: str


def locate(
    settings: Settings, namespace: Mapping[str, Any], domain: DomainView, others: Iterable[Seen] = ()
) -> Place | NoPlace:
    """The place of `namespace`, whose Domain is `domain`.

    Args:
        settings: the installation.
        namespace: the Namespace as read.
        domain: the Domain.
        others: namespaces of the cluster, as far as they are known.
    """
    seen = Seen.of(namespace)
    wanted = {key: seen.labels.get(key, "") for key in (labels.PROJECT, labels.DOMAIN)}
    wrong = [key for key, value in wanted.items() if not names.is_dns_label(value)]
    if wrong:
        given = ", ".join(f"{key}={wanted[key]!r}" for key in wrong if wanted[key])
        return NoPlace(
            Reason.NAMESPACE_NOT_LABELLED,
            f"namespace {seen.name} must carry the labels that say its project and domain"
            + (f" as lower-case names, not {given}" if given else "")
            + f": kubectl label namespace {seen.name} {labels.PROJECT}=<project> {labels.DOMAIN}=<domain>",
        )
    project, name = wanted[labels.PROJECT], wanted[labels.DOMAIN]
    if name in names.RESERVED_DOMAINS:
        message = (
            f"no domain can be called {name!r}: the project's store has a folder of that name; label {seen.name} anew"
        )
        return NoPlace(Reason.NAMESPACE_NOT_LABELLED, message)
    rival = _older_rival(seen, wanted, others)
    if rival:
        return NoPlace(
            Reason.PAIR_CLAIMED,
            f"namespace {rival} was first to be project {project}, domain {name}; two namespaces must not share a pair",
        )
    chosen = domain.root or settings.default_root
    root = settings.roots.get(chosen)
    if root is None:
        allowed = ", ".join(sorted(settings.roots)) or "none"
        return NoPlace(Reason.UNKNOWN_ROOT, f"spec.storage.root must be one of {allowed}, not {chosen!r}")
    return Place(project, name, root)


def domains(namespace: str, known: Iterable[Seen]) -> dict[str, str]:
    """The domains of the project of a namespace, itself included, each with its namespace.

    Args:
        namespace: which.
        known: namespaces of the cluster, as far as they are known. One that is not among them has no project, nor has
            one whose pair an older one claims.
    """
    known = tuple(known)
    project = next((seen.labels.get(labels.PROJECT, "") for seen in known if seen.name == namespace), "")
    if not names.is_dns_label(project):
        return {}
    mine = (seen for seen in known if seen.labels.get(labels.PROJECT) == project)
    found: dict[str, str] = {}
    for seen in sorted(mine, key=lambda each: (each.created, each.name)):
        if names.is_dns_label(domain := seen.labels.get(labels.DOMAIN, "")):
            found.setdefault(domain, seen.name)
    return found if namespace in found.values() else {}


def _older_rival(seen: Seen, wanted: Mapping[str, str], others: Iterable[Seen]) -> str:
    """The namespace that had the pair before: by creation, then by name."""
    rivals = [
        (other.created, other.name)
        for other in others
        if other.uid != seen.uid and all(other.labels.get(key) == value for key, value in wanted.items())
    ]
    first = min(rivals, default=None)
    return first[1] if first and first < (seen.created, seen.name) else ""
