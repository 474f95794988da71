"""The code bundle of a release: the project's files, named by their digest, put where pods of every domain read them.

Called by `alula register`. A release says the digest and never the place.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from alula.emit.resources import Code
from alula_api.contract import pods
from alula_data import bundles
from alula_data.stores import opening


def pack(root: Path) -> tuple[str, bytes]:
    """The bundle of the project at `root`: its digest, and its bytes."""
    files = bundles.files(root)
    return bundles.digest(files), bundles.pack(root, files)


def write(root: Path, code: Code, folder: Path) -> Code:
    """Write the bundle to `<folder>/<digest>`, for CI to upload; returns the code with the bundle."""
    digest, data = pack(root)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / digest).write_bytes(data)
    return replace(code, bundle_digest=digest, bundle_size=len(data))


def upload(root: Path, code: Code, store: str, project: str) -> Code:
    """Put the bundle to `<store>/<project>/releases/<digest>` unless it is there; returns the code with the bundle.

    Raises:
        alula_data.errors.StoreError: the store cannot be reached or refuses.
    """
    digest, data = pack(root)
    endpoint = os.environ.get(pods.Env.STORE_ENDPOINT, "")
    opening.open_store(f"{store.rstrip('/')}/{project}/releases", endpoint=endpoint).put_if_absent(digest, data)
    return replace(code, bundle_digest=digest, bundle_size=len(data))
