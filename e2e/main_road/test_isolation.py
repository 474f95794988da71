"""One domain's pods cannot touch another domain's data: each has an account of its own on the object store."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alula_data import errors
from alula_data.stores import opening
from alula_data.stores.protocols import Store
from e2e import installing

Opened = Callable[[installing.Place, installing.Place], Store]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Callable[[installing.Place, installing.Place], Store]:
    """Opens one place's prefix with the keys of another."""

    def open_with(place: installing.Place, keys_of: installing.Place) -> Store:
        for name, value in keys_of.bucket.environment().items():
            monkeypatch.setenv(name, value)
        return opening.open_store(place.prefix, endpoint=place.bucket.endpoint)

    return open_with


def test_a_domain_reads_and_writes_its_own_prefix(installation: installing.Installation, opened: Opened) -> None:
    mine = installation.place("penguins", "dev")
    store = opened(mine, mine)
    store.put("cas/probe", b"mine")
    assert store.get("cas/probe") == b"mine"
    store.delete("cas/probe")


VERBS: dict[str, Callable[[Store], object]] = {
    "get": lambda store: store.get("cas/secret"),
    "put": lambda store: store.put("cas/secret", b"theirs"),
    "put_if_absent": lambda store: store.put_if_absent("cas/new", b"theirs"),
    "head": lambda store: store.head("cas/secret"),
    "list": lambda store: list(store.list("cas/")),
    "delete": lambda store: store.delete("cas/secret"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_another_domains_keys_are_refused(installation: installing.Installation, opened: Opened, verb: str) -> None:
    mine, other = installation.place("penguins", "dev"), installation.place("echo", "dev", "off")
    opened(mine, mine).put("cas/secret", b"mine")
    with pytest.raises(errors.StoreError):
        VERBS[verb](opened(mine, other))
    assert opened(mine, mine).get("cas/secret") == b"mine"
