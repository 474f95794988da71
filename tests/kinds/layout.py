"""A gitops repository with one domain, as `alula register` lays it out, of objects that a test has made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alula_api.kinds import openapi, yamltext


def write(repo: Path, objs: list[dict[str, Any]], **domain: Any) -> Path:
    """Write the objects, the domain's kustomization with the fields given, and the merge keys; returns its folder."""
    keys, folder = repo / openapi.FOLDER, repo / "penguins" / "dev"
    release = folder / "release" / "penguins"
    for each in (keys, release):
        each.mkdir(parents=True, exist_ok=True)
    (keys / openapi.FILE_NAME).write_text(openapi.text())
    (keys / "kustomization.yaml").write_text(openapi.component())
    names = [f"{number}.yaml" for number in range(len(objs))]
    for name, obj in zip(names, objs, strict=True):
        (release / name).write_text(yamltext.dump(obj), encoding="utf-8")
    (release / "kustomization.yaml").write_text(yamltext.dump({"resources": names}))
    own = {"resources": ["release/penguins"], "components": [openapi.COMPONENT], **domain}
    (folder / "kustomization.yaml").write_text(yamltext.dump(own))
    return folder
