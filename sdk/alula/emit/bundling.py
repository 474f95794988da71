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


def write(root: Path, code: Code, folder: Path) -> Code:
    """Write the bundle to `<folder>/<digest>`, for CI to upload; returns the code with the bundle."""
    code, data = packed(root, code)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / code.bundle_digest).write_bytes(data)
    return code


def upload(root: Path, code: Code, store: str, project: str) -> Code:
    """Put the bundle to `<store>/<project>/releases/<digest>` unless it is there; returns the code with the bundle.

    Raises:
        alula_data.errors.StoreError: the store cannot be reached or refuses.
    """
    code, data = packed(root, code)
    releases = f"{store.rstrip('/')}/{project}/releases"
    endpoint = os.environ.get(pods.Env.STORE_ENDPOINT, "")
    opening.open_store(releases, endpoint=endpoint).put_if_absent(code.bundle_digest, data)
    return code


def packed(root: Path, code: Code) -> tuple[Code, bytes]:
    """The code with the bundle of the project at `root`, and its bytes."""
    files = bundles.files(root)
    data = bundles.pack(root, files)
    return replace(code, bundle_digest=bundles.digest(files), bundle_size=len(data)), data
