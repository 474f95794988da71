"""Runs that wait outlive what they were started from: a Workflow that is deleted, or made anew, under held runs."""

from __future__ import annotations

import pathlib
from typing import Any

import yaml

from e2e.cluster import api
from e2e.controller import definitions
from e2e.controller.conftest import Scene, until

ALULA = "alula.dev/v1alpha1"
ARGO = "argoproj.io/v1alpha1"
OWNED = "ownerReferences"


def template(scene: Scene, name: str) -> dict[str, Any] | None:
    try:
        return dict(scene.api.get(ARGO, "WorkflowTemplate", name, scene.space))
    except api.ApiError as error:
        assert error.code == 404
        return None


def over(scene: Scene, run: str) -> bool:
    return bool((scene.api.get(ARGO, "Workflow", run, scene.space).get("status") or {}).get("finishedAt"))


def held(scene: Scene, name: str, x: str) -> str:
    """A run that waits at `admit`, while no controller answers."""
    run = scene.place.run(name, {"x": x})
    until(lambda: "nodes" in (scene.api.get(ARGO, "Workflow", run, scene.space).get("status") or {}))
    return run


def test_runs_that_wait_are_admitted_though_their_workflow_was_made_anew_or_deleted(
    restarted: Scene, tmp_path: pathlib.Path
) -> None:
    scene = restarted
    scene.define(definitions.workflow("anew"), definitions.workflow("gone"))
    revision = scene.api.get(ALULA, "Workflow", "anew", scene.space)["status"]["revision"]
    scene.installation.kill()
    runs = [held(scene, "anew", "2100"), held(scene, "anew", "2101"), held(scene, "gone", "2102")]

    replacement = tmp_path / "anew.yaml"
    body = definitions.workflow("anew", version="v2", outputs=[])
    body["spec"]["inputs"][0]["default"] = "8"
    replacement.write_text(yaml.safe_dump(body))
    scene.place.cluster.kubectl("replace", "--force", "-f", str(replacement), "-n", scene.space)
    scene.api.delete(ALULA, "Workflow", "gone", scene.space)
    until(lambda: template(scene, "gone") is None and template(scene, "anew") is None, 60)
    scene.installation.start()

    # It comes back for as long as the run is under way, which may be short.
    until(lambda: template(scene, "gone") or over(scene, runs[2]), 60)
    assert OWNED not in ((template(scene, "gone") or {}).get("metadata") or {})
    for run in runs:
        ended = scene.place.ended(run)
        assert ended["status"]["phase"] == "Succeeded", ended["status"].get("message")
        assert ended["metadata"]["labels"]["alula.dev/admitted"].startswith(ended["metadata"]["uid"] + ".")
    workflow = scene.place.ready("Workflow", "anew")
    made = until(lambda: template(scene, "anew"))
    assert [owner["uid"] for owner in made["metadata"][OWNED]] == [workflow["metadata"]["uid"]]
    assert workflow["status"]["revision"] != revision

    until(lambda: template(scene, "gone") is None, 90, 1)
    old = scene.api.get(ALULA, "WorkflowRevision", revision, scene.space)
    assert old["metadata"]["annotations"]["alula.dev/replaced"]
    assert OWNED not in old["metadata"]
