"""alula installed as the README says: images built and named in an overlay, everything applied by kubectl."""

from __future__ import annotations

import base64
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from e2e import conformance, installing
from e2e.cluster import clusters, images, processes
from e2e.main_road.conftest import PENGUINS, Road
from tests.engine.cases import CASES, CORE, FAILURES, PROJECT

CONTROLLER, TASKS = "localhost/alula:e2e", "localhost/penguins:e2e"
NAMESPACE = "penguins-dev"
WHOLE = os.environ.get("ALULA_CONFORMANCE") == "whole"
RUNS = conformance.Runs(CASES if WHOLE else CORE, "flows")
TIMED = conformance.Runs(FAILURES if WHOLE else (), "flows")
"""Those in which a task fails while another is at work: what else runs would change when."""


@pytest.fixture(scope="session")
def road(building_cluster: clusters.RealCluster, tmp_path_factory: pytest.TempPathFactory) -> Road:
    """The penguins on their way to a real domain."""
    real_cluster = building_cluster
    bucket = real_cluster.s3.bucket("penguins-dev")
    project = tmp_path_factory.mktemp("images") / "penguins"
    shutil.copytree(PENGUINS, project, ignore=shutil.ignore_patterns("__pycache__", ".alula", "golden"))
    for file in (pathlib.Path(__file__).with_name("following.py"), pathlib.Path(__file__).with_name("settled.py")):
        shutil.copy(file, project / "flows")
    shutil.copytree(PROJECT, project / "flows", dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (project / "flows" / "together.py").write_text(RUNS.module())
    _build(real_cluster, project)
    overlay = _overlay(tmp_path_factory.mktemp("installation"), bucket.endpoint)
    # The keys come first: a container that starts before them has none, as they are optional.
    real_cluster.kubectl("create", "namespace", "alula-system")
    _keys(real_cluster, "alula-system", bucket.environment())
    _apply_overlay(real_cluster, overlay)
    _keys(real_cluster, NAMESPACE, bucket.environment())
    real_cluster.apply(_guards(), NAMESPACE)
    gitops = tmp_path_factory.mktemp("gitops")
    subprocess.run(["git", "init", "--quiet", str(gitops)], check=True)
    return Road(installing.Place(real_cluster, "penguins", "dev", bucket), project, gitops)


def _build(cluster: clusters.RealCluster, project: pathlib.Path) -> None:
    """Both images, side by side."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for building in [pool.submit(_build_controller, cluster), pool.submit(_build_tasks, cluster, project)]:
            building.result()


def _build_controller(cluster: clusters.RealCluster) -> None:
    """The controller's image, from the repository."""
    cluster.build_image(installing.ROOT, CONTROLLER, arguments={"BASE": images.PYTHON, "EXTRAS": "controller"})


def _build_tasks(cluster: clusters.RealCluster, context: pathlib.Path) -> None:
    """The tasks' image, from the project and a wheel."""
    with processes.outside():
        wheel = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(context), str(installing.ROOT)]
        subprocess.run([sys.executable, *wheel], check=True, env=processes.MACHINE)
    (name,) = (file.name for file in context.glob("alula-*.whl"))
    cluster.build_image(context, TASKS, arguments={"BASE": images.PYTHON, "ALULA": f"./{name}"})


def _overlay(folder: pathlib.Path, endpoint: str) -> pathlib.Path:
    """The repository's dev overlay, edited as the README says."""
    for name in ("kustomize", "crds"):
        shutil.copytree(installing.ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    overlay = folder / "kustomize" / "overlays" / "dev"
    kustomization = overlay / "kustomization.yaml"
    named = "newName: registry.example.org/alula, newTag: 0.1.0"
    text = kustomization.read_text()
    assert named in text
    kustomization.write_text(text.replace(named, "newName: localhost/alula, newTag: e2e"))
    roots = {"default": {"url": "s3://penguins-dev", "endpoint": endpoint}}
    (overlay / "settings.env").write_text(f"ALULA_ROOTS={json.dumps(roots)}\nALULA_LOG_FORMAT=text\n")
    return overlay


def _apply_overlay(cluster: clusters.RealCluster, overlay: pathlib.Path) -> None:
    cluster.kubectl("apply", "--server-side", "-k", str(overlay / ".." / ".." / ".." / "crds"))
    cluster.await_crds(*installing.KINDS)
    cluster.kubectl("apply", "--server-side", "-k", str(overlay))


def _keys(cluster: clusters.RealCluster, namespace: str, environment: dict[str, str]) -> None:
    data = {
        name: base64.b64encode(environment[name].encode()).decode()
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    }
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "alula-store"}, "data": data}
    cluster.apply(secret, namespace)


def _guards() -> list[installing.Object]:
    """What a platform team puts around a domain: a cpu quota, and what pods get that ask for nothing."""
    return [
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "quota"},
            "spec": {"hard": {"requests.cpu": "2", "limits.cpu": "4"}},
        },
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": {"name": "defaults"},
            "spec": {"limits": [{"type": "Container", "defaultRequest": {"cpu": "100m"}, "default": {"cpu": "1"}}]},
        },
    ]
