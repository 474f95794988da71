"""What is built of which module, and where it is kept; read by the build and by `e2e.cluster.binaries`.

A recipe is a folder beside this file: a Go module whose go.mod names one project at one version and whose go.sum pins
everything that it needs. What is built of it lies in the harness's cache under the digest of that folder, so that a
changed recipe is built anew and nothing else is. Runs nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
import re
from collections.abc import Mapping

FOLDER = pathlib.Path(__file__).parent
GO = (1, 26)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How to build one project.

    Args:
        name: of the folder.
        module: that gives the version.
        packages: the executables, and the Go package of each.
        stamps: variables of the program that hold its version, set by the linker.
        manifests: a folder of the module with manifests, and the name under which they are kept.
        missing: files that the published module lacks, by their places in it, and what stands in for them here.
    """

    name: str
    module: str
    packages: Mapping[str, str]
    stamps: tuple[str, ...] = ()
    manifests: tuple[str, str] | None = None
    missing: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def folder(self) -> pathlib.Path:
        """The folder with go.mod and go.sum."""
        return FOLDER / self.name

    @property
    def version(self) -> str:
        """The module's version, as go.mod has it."""
        found = re.search(rf"^\s*{re.escape(self.module)} (v\S+)", (self.folder / "go.mod").read_text(), re.MULTILINE)
        assert found, f"{self.folder}/go.mod does not name {self.module}"
        return found[1]

    def built(self, cache: pathlib.Path) -> pathlib.Path:
        """The folder of what is built: executables by their names, and `manifests`."""
        digest = hashlib.sha256(f"{self}\n".encode())
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                digest.update(f"{path.relative_to(self.folder)}\n".encode() + path.read_bytes())
        return cache / "servers" / f"{self.name}-{self.version}-{digest.hexdigest()[:16]}"


_ARGO = "github.com/argoproj/argo-workflows/v4"
_KUBE = ("k8s.io/component-base/version.gitVersion", "k8s.io/client-go/pkg/version.gitVersion")

RECIPES = (
    Recipe("etcd", "go.etcd.io/etcd/server/v3", {"etcd": "go.etcd.io/etcd/server/v3"}),
    Recipe("versitygw", "github.com/versity/versitygw", {"versitygw": "github.com/versity/versitygw/cmd/versitygw"}),
    Recipe("kustomize", "sigs.k8s.io/kustomize/kustomize/v5", {"kustomize": "sigs.k8s.io/kustomize/kustomize/v5"}),
    Recipe("kube", "k8s.io/kubernetes", {"kube": "."}, _KUBE),
    Recipe(
        "argo",
        _ARGO,
        {name: f"{_ARGO}/cmd/{name}" for name in ("workflow-controller", "argoexec", "argo")},
        (f"{_ARGO}.version", f"{_ARGO}.gitTag"),
        ("manifests/base/crds/full", "argo-workflows"),
        {
            "ui/dist/app/index.html": "no_web_ui.html",
            "workflow/executor/osspecific/signal_linux.go": "signal_linux.go",
        },
    ),
)

# Manifests of versions that no server is built of: what is compiled must fit them too.
MANIFESTS = {"argo-workflows-4.1": (_ARGO, "v4.1.2", "manifests/base/crds/full")}
