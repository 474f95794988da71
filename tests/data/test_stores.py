"""The contract of stores on all that needs no server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alula_data import retries
from alula_data.stores import filesystems, folders, memory
from alula_data.stores.protocols import Store
from tests.data.store_contract import StoreContract

AT_ONCE = retries.Policy(attempts=1)


class TestFolders(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return folders.FolderStore(str(tmp_path / "made" / "at first write"))

    @pytest.fixture
    def racers(self, store: folders.FolderStore) -> list[Store]:
        return [folders.FolderStore(store.root) for _ in range(40)]


class TestFoldersWithoutHardLinks(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
        def link(*_: Any) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr("os.link", link)
        return folders.FolderStore(str(tmp_path))

    @pytest.fixture
    def racers(self, store: folders.FolderStore) -> list[Store]:
        return [folders.FolderStore(store.root) for _ in range(40)]


class TestMemory(StoreContract):
    allows_file_and_folder = True

    @pytest.fixture
    def store(self) -> Store:
        return memory.MemoryStore("test")

    @pytest.fixture
    def racers(self, store: Store) -> list[Store]:
        return [store] * 40


class TestFsspecLocal(StoreContract):
    atomic_create = False

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        import fsspec

        return filesystems.FileSystemStore(str(tmp_path), policy=AT_ONCE, files=fsspec.filesystem("file"))

    @pytest.fixture
    def racers(self, store: Store) -> list[Store]:
        return [store] * 20


class TestFsspecMemory(StoreContract):
    atomic_create = False

    @pytest.fixture
    def store(self) -> Store:
        import fsspec

        files = fsspec.filesystem("memory")
        files.store.clear()
        files.pseudo_dirs[:] = [""]
        return filesystems.FileSystemStore("memory://root/x", policy=AT_ONCE, files=files)

    @pytest.fixture
    def racers(self, store: Store) -> list[Store]:
        return [store] * 20
