"""From a URL to a store, loading only what that store needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from alula_data import errors
from alula_data.stores import filesystems, folders, opening


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}"])
def test_paths_and_file_urls_are_folders(tmp_path: Path, form: str) -> None:
    folder = tmp_path / "with space %20"
    store = opening.open_store(form.format(folder))
    assert isinstance(store, folders.FolderStore)
    store.put("a", b"1")
    assert (folder / "a").read_bytes() == b"1"
    assert opening.open_store(store.url).get("a") == b"1"


def test_a_relative_path_and_a_home_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert opening.open_store("store").url == f"file://{tmp_path}/store"
    assert opening.open_store("~/store").url == f"file://{tmp_path}/home/store"


def test_nothing_is_written_before_something_is_put(tmp_path: Path) -> None:
    store = opening.open_store(str(tmp_path / "new"))
    assert store.head("a") is None
    assert list(store.list()) == []
    assert not (tmp_path / "new").exists()


def test_a_memory_is_the_same_for_everybody_who_names_it() -> None:
    opening.open_store("memory://shared").put("a", b"1")
    assert opening.open_store("memory://shared").get("a") == b"1"
    assert opening.open_store("memory://other").head("a") is None


def test_anything_else_is_asked_of_fsspec(tmp_path: Path) -> None:
    store = opening.open_store(f"local://{tmp_path}")
    assert isinstance(store, filesystems.FileSystemStore)
    store.put("a/b", b"1")
    assert (tmp_path / "a" / "b").read_bytes() == b"1"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "set ALULA_STORE"),
        ("file://host/path", "write file:///folder"),
        ("file://relative", "write file:///folder"),
        ("nosuch://x/y", "use file://, s3://, gs:// or az://"),
        ("webhdfs://user:canary@host/x", "webhdfs://host"),
    ],
)
def test_what_cannot_be_opened_is_said(url: str, said: str) -> None:
    with pytest.raises(errors.StoreError) as raised:
        opening.open_store(url).get("a")
    assert said in str(raised.value)
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("url", ["/tmp/x", "file:///tmp/x", "memory://x", "s3://bucket/x"])
def test_a_store_loads_no_library_but_its_own(url: str) -> None:
    script = f"""
import json, sys
from alula_data.stores.opening import open_store
open_store({url!r})
print(json.dumps([*sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert not loaded & {"fsspec", "asyncio", "pydantic", "yaml"}
    assert ("obstore" in loaded) == url.startswith("s3:")
