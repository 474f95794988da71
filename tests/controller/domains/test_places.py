"""Where a namespace keeps its data."""

from __future__ import annotations

import pytest

from alula_controller.cluster.watches import Seen
from alula_controller.conditions import Reason
from alula_controller.domains import places
from alula_controller.domains.places import NoPlace, Place
from alula_controller.domains.view import DomainView
from tests.controller import scenes


def test_project_and_domain_come_from_the_labels_and_the_root_from_the_installation() -> None:
    place = places.locate(scenes.SETTINGS, scenes.namespace(), DomainView())
    assert isinstance(place, Place)
    assert place.store == "memory://scenes/demo/dev"
    assert place.releases == "memory://scenes/demo/releases"


def test_a_domain_chooses_among_the_installations_roots() -> None:
    place = places.locate(scenes.SETTINGS, scenes.namespace(), DomainView.of(scenes.domain(storage={"root": "other"})))
    assert isinstance(place, Place)
    assert place.store == "s3://other/demo/dev"


def test_a_root_that_the_installation_does_not_have_is_no_place() -> None:
    place = places.locate(
        scenes.SETTINGS, scenes.namespace(), DomainView.of(scenes.domain(storage={"root": "s3://evil"}))
    )
    assert isinstance(place, NoPlace)
    assert place.reason == Reason.UNKNOWN_ROOT
    assert "main, other" in place.message


@pytest.mark.parametrize(("project", "domain"), [("", ""), ("demo", ""), ("", "dev"), ("a.b", "dev"), ("demo", "Dev")])
def test_missing_or_odd_labels_are_no_place_and_the_message_says_what_to_type(project: str, domain: str) -> None:
    place = places.locate(scenes.SETTINGS, scenes.namespace(project=project, domain=domain), DomainView())
    assert isinstance(place, NoPlace)
    assert place.reason == Reason.NAMESPACE_NOT_LABELLED
    assert "kubectl label namespace demo-dev alula.dev/project=" in place.message


def test_no_domain_keeps_its_data_where_all_domains_read_their_code() -> None:
    place = places.locate(scenes.SETTINGS, scenes.namespace(domain="releases"), DomainView())
    assert isinstance(place, NoPlace)
    assert place.reason == Reason.NAMESPACE_NOT_LABELLED
    assert "releases" in place.message


def other(name: str, created: str, project: str = "demo") -> Seen:
    return Seen("", name, f"uid-of-{name}", "1", created, {"alula.dev/project": project, "alula.dev/domain": "dev"})


def test_the_namespace_that_was_first_keeps_a_pair() -> None:
    mine = scenes.namespace(creationTimestamp="2026-01-02T00:00:00Z")
    older = [other("first", "2026-01-01T00:00:00Z")]
    place = places.locate(scenes.SETTINGS, mine, DomainView(), older)
    assert isinstance(place, NoPlace)
    assert place.reason == Reason.PAIR_CLAIMED
    assert "first" in place.message
    younger = [other("second", "2026-01-03T00:00:00Z"), other("third", "2026-01-01T00:00:00Z", "another")]
    assert isinstance(places.locate(scenes.SETTINGS, mine, DomainView(), younger), Place)


def test_a_namespace_is_no_rival_of_itself() -> None:
    mine = scenes.namespace(creationTimestamp="2026-01-02T00:00:00Z")
    assert isinstance(places.locate(scenes.SETTINGS, mine, DomainView(), [Seen.of(mine)]), Place)
