"""Where local runs keep their data."""

from __future__ import annotations

from pathlib import Path

import pytest

from alula.local.options import Options
from alula.local.store import place
from alula_data import errors
from alula_data.stores import opening
from tests.local import flows


def test_the_projects_own_store_keeps_itself_out_of_git(tmp_path: Path) -> None:
    store = place.DataRoot(str(tmp_path / ".alula" / "store" / "shop" / "local")).store()
    assert (tmp_path / ".alula" / ".gitignore").read_text() == "*\n"
    (tmp_path / ".alula" / ".gitignore").write_text("mine\n")
    store.put("a", b"1")
    place.DataRoot(str(tmp_path / ".alula" / "store" / "shop" / "local")).store()
    assert (tmp_path / ".alula" / ".gitignore").read_text() == "mine\n"


def test_any_other_store_gets_no_file_of_that_kind(tmp_path: Path) -> None:
    place.DataRoot(str(tmp_path / "data" / "shop" / "local")).store()
    assert [*tmp_path.iterdir()] == []


def test_a_store_on_a_server_of_ones_own_is_found_by_the_variable_that_pods_get(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[str, str]] = []
    monkeypatch.setattr(opening, "open_store", lambda url, *, endpoint: opened.append((url, endpoint)))
    monkeypatch.setenv("ALULA_STORE_ENDPOINT", "http://127.0.0.1:9000")
    place.DataRoot("s3://bucket/shop/local").store()
    assert opened == [("s3://bucket/shop/local", "http://127.0.0.1:9000")]


def test_an_address_that_nothing_can_open_is_refused_before_anything_runs() -> None:
    with pytest.raises(errors.StoreError, match="use file://, s3://, gs:// or az://"):
        place.of(flows.chain, Options(store="foo://bar"))
    assert place.of(flows.chain, Options(store="s3://bucket", project="p", domain="d")).prefix == "s3://bucket/p/d"
