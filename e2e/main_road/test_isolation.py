"""One domain's pods cannot touch another domain's data: each has an account of its own on the object store."""

from __future__ import annotations

import pytest

from alula_data import errors, stores
from e2e import installing


def opened(place: installing.Place, keys_of: installing.Place) -> stores.Store:
    return stores.open_store(place.prefix, endpoint=place.bucket.endpoint, environment=keys_of.bucket.environment())


def test_a_domain_reads_and_writes_its_own_prefix(installation: installing.Installation) -> None:
    mine = installation.place("penguins", "dev")
    store = opened(mine, mine)
    store.put("cas/probe", b"mine")
    assert store.get("cas/probe") == b"mine"
    store.delete("cas/probe")


@pytest.mark.parametrize("verb", ["get", "put", "put_if_absent", "head", "list", "delete"])
def test_another_domains_keys_are_refused(installation: installing.Installation, verb: str) -> None:
    mine, other = installation.place("penguins", "dev"), installation.place("echo", "dev")
    opened(mine, mine).put("cas/secret", b"mine")
    stranger = opened(mine, other)
    calls = {
        "get": lambda: stranger.get("cas/secret"),
        "put": lambda: stranger.put("cas/secret", b"theirs"),
        "put_if_absent": lambda: stranger.put_if_absent("cas/new", b"theirs"),
        "head": lambda: stranger.head("cas/secret"),
        "list": lambda: list(stranger.list("cas/")),
        "delete": lambda: stranger.delete("cas/secret"),
    }
    with pytest.raises(errors.StoreError):
        calls[verb]()
    assert opened(mine, mine).get("cas/secret") == b"mine"
