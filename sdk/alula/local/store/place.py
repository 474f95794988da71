"""Where a local run keeps its data: the store of the project's domain, opened when it is first needed.

A run of plain values opens nothing and leaves nothing behind. Made by `run`.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from alula import settings
from alula.code import places
from alula_api.contract import pods

if TYPE_CHECKING:
    from alula.interfaces.callee import Callee
    from alula.local.options import Options
    from alula_api.contract.values import Json
    from alula_data.caches import CacheIndex
    from alula_data.content import Content
    from alula_data.stores.protocols import Store


class DataRoot:
    """The prefix of one project and domain."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._content: Content | None = None
        self._index: CacheIndex | None = None

    @property
    def folder(self) -> Path | None:
        """The prefix as a folder; None when the store is not one."""
        scheme, found, rest = self.prefix.partition("://")
        if not found:
            return Path(self.prefix)
        return Path("/" + rest.partition("/")[2]) if scheme == "file" else None

    def store(self) -> Store:
        """The store at the prefix."""
        with self._lock:
            return self._opened()

    def content(self) -> Content:
        """Its files and large values."""
        with self._lock:
            if self._content is None:
                from alula_data.content import Content

                self._content = Content(self._opened())
            return self._content

    def index(self) -> CacheIndex:
        """Its cache index."""
        with self._lock:
            if self._index is None:
                from alula_data.caches import CacheIndex

                self._index = CacheIndex(self._opened())
            return self._index

    def owns(self, url: str) -> bool:
        """Whether the store at `url` is this one."""
        return self._store is not None and self._store.url == url

    def locate(self, reference: Json) -> Path | str | None:
        """Where the data of a reference lies, for people; None for what is none."""
        from alula_api.contract import problems, references

        try:
            found = references.Reference.from_json(reference)
        except problems.InvalidValue:
            return None
        if found.uri:
            return found.uri
        folder = self.folder
        return f"{self.prefix.rstrip('/')}/{found.path()}" if folder is None else folder / found.path()

    def _opened(self) -> Store:
        if self._store is None:
            from alula_data.stores import opening

            self._store = opening.open_store(self.prefix, endpoint=os.environ.get(pods.Env.STORE_ENDPOINT, ""))
            _keep_out_of_git(self.folder)
        return self._store


def _keep_out_of_git(folder: Path | None) -> None:
    """The project's own `.alula` folder has git ignore it."""
    for parent in folder.parents if folder is not None else ():
        if parent.name == settings.FOLDER:
            mark = parent / ".gitignore"
            try:
                if not mark.exists():
                    parent.mkdir(parents=True, exist_ok=True)
                    mark.write_text("*\n", encoding="utf-8")
            except OSError:  # the next write there reports what is wrong
                return


def of(target: Callee, options: Options) -> DataRoot:
    """The place of the project that a workflow or task belongs to, as its settings and `options` say.

    Raises:
        SettingsError: The project's settings cannot be used.
        StoreError: Nothing knows the scheme of the store's address.
    """
    code = getattr(target.function, "__code__", None)
    file = code.co_filename if code is not None else ""
    found = settings.load("." if not file or places.is_interactive(file) else file)
    store = options.store or found.store
    if options.store and "://" not in store:
        store = os.path.abspath(os.path.expanduser(store))  # noqa: PTH100, PTH111
    place = DataRoot("/".join((store.rstrip("/"), options.project or found.project, options.domain or found.domain)))
    _check_scheme(place)
    return place


def _check_scheme(place: DataRoot) -> None:
    """Refuse an address that nothing can open before anything runs; what is known is opened when it is needed."""
    scheme, found, _ = place.prefix.partition("://")
    if found and scheme != "file":
        from alula_data.stores import objects

        if scheme not in objects.SCHEMES:
            place.store()
