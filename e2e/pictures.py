"""Photographs a cached run in Argo's own UI, for the docs: `python -m e2e.pictures docs/images/cached-run.png`."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile

from alula_api.contract import names
from e2e import installing
from e2e.cluster import processes, screenshots, starting
from e2e.main_road.conftest import PENGUINS, Road


def main(path: str) -> int:
    """Start a cluster, run the penguins twice, and photograph the second run."""
    for name in processes.MISLEADING:
        os.environ.pop(name, None)
    cluster = starting.start("pictures")
    try:
        with cluster.entered(), tempfile.TemporaryDirectory() as gitops:
            installation = installing.Installation(cluster)
            cluster.pods.image("registry.example.org/penguins:0.1.0", env={"PYTHONPATH": str(PENGUINS)})
            subprocess.run(["git", "init", "--quiet", gitops], check=True)
            road = Road(installation.place("penguins", "dev"), PENGUINS, pathlib.Path(gitops))
            road.register("flows/penguins.py")
            road.apply()
            road.place.ready("Workflow", "penguins-train")
            road.remote("flows/penguins.py:train")
            run, _ = road.remote("flows/penguins.py:train")
            name = run["metadata"]["name"]
            node = names.argo_node_id(name, names.argo_node_name(name, "report"))
            url = f"{cluster.argo_server()}/workflows/{road.place.namespace}/{name}?nodeId={node}&tab=workflow"
            screenshots.take(url, path, text="report", width=1500, height=950, settle=3)
    finally:
        cluster.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
