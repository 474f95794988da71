"""A carrier that keeps content in a folder, for tests of what travels by reference."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from alula_api.contract.references import Reference


class Shelf:
    """Stores by digest, and counts what was fetched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fetched: list[str] = []

    def commit_file(self, path: Path, *, type: str, name: str = "", format: str = "") -> Reference:
        if type == "directory":
            files = sorted(item for item in path.rglob("*") if item.is_file())
            listing = "".join(f"{item.relative_to(path)} {item.read_text()}\n" for item in files)
            digest = hashlib.sha256(listing.encode()).hexdigest()
            shutil.copytree(path, self.folder / digest / name)
            return Reference(type=type, digest=digest, size=len(listing), name=name, format=format)
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        (self.folder / digest).mkdir(parents=True, exist_ok=True)
        (self.folder / digest / name).write_bytes(data)
        return Reference(type=type, digest=digest, size=len(data), name=name, format=format)

    def fetch(self, reference: Reference) -> Path:
        self.fetched.append(reference.name)
        return self.folder / reference.digest / reference.name
