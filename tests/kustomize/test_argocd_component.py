"""What Argo CD makes of our kinds: each Lua text run by Argo CD's own interpreter."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from alula.emit import kustomize
from e2e.cluster import binaries, errors

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def argocd() -> str:
    try:
        return binaries.find("argocd")[0]
    except errors.Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ConfigMap of an Argo CD that has the component."""
    folder = tmp_path_factory.mktemp("argocd")
    head = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm", "namespace": "argocd"}}
    (folder / "cm.yaml").write_text(yaml.safe_dump({**head, "data": {"accounts.ci": "apiKey"}}))
    component = (ROOT / "kustomize/components/argocd").resolve()
    relative = Path("../" * (len(folder.parts) - 1)) / component.relative_to("/")
    kustomization = {"resources": ["cm.yaml"], "components": [str(relative)]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    command = kustomize.builder()
    assert command is not None
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (folder / "built.yaml").write_text(done.stdout)
    return folder / "built.yaml"


def test_the_keys_are_added_to_those_that_argo_cd_has(settings: Path) -> None:
    data = yaml.safe_load(settings.read_text())["data"]
    customizations = {key.removeprefix("resource.customizations.") for key in data}
    assert customizations == {
        "accounts.ci",
        *(f"health.alula.dev_{kind}" for kind in ("Workflow", "LaunchPlan", "Domain")),
        *(f"actions.alula.dev_{kind}" for kind in ("Workflow", "LaunchPlan")),
    }


def test_the_helm_values_of_the_docs_are_these_keys_and_the_links_of_the_page(settings: Path) -> None:
    page, gitops = ((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("argocd-helm.md", "gitops.md"))
    values = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    found = dict(values["configs"]["cm"])
    (shown,) = re.findall(r"(?ms)^```yaml\n(resource\.links:.*?)^```", gitops)
    assert found.pop("resource.links") == yaml.safe_load(shown)["resource.links"]
    data = yaml.safe_load(settings.read_text())["data"]
    assert found == {key: text for key, text in data.items() if key != "accounts.ci"}


def condition(type_: str, status: str, reason: str, message: str = "") -> dict[str, str]:
    return {"type": type_, "status": status, "reason": reason, "message": message}


READY = condition("Ready", "True", "Compiled", "compiled to WorkflowTemplate train")
HEALTH: dict[str, tuple[dict[str, Any] | None, str, str]] = {
    "no status": (None, "Progressing", "the controller has not looked at it yet"),
    "another generation": ({"observedGeneration": 1, "conditions": [READY]}, "Progressing", "has not looked at it yet"),
    "ready": ({"observedGeneration": 2, "conditions": [READY]}, "Healthy", "compiled to WorkflowTemplate train"),
    "stalled": (
        {
            "observedGeneration": 2,
            "conditions": [
                condition("Ready", "False", "Invalid", "x"),
                condition("Stalled", "True", "Invalid", "no task fit"),
            ],
        },
        "Degraded",
        "Invalid: no task fit",
    ),
    "waiting": (
        {"observedGeneration": 2, "conditions": [condition("Ready", "False", "X", "train does not compile")]},
        "Progressing",
        "train does not compile",
    ),
    "suspended": (
        {"observedGeneration": 2, "conditions": [condition("Ready", "True", "Suspended", "suspended by hand: ada")]},
        "Suspended",
        "suspended by hand: ada",
    ),
}  # fmt: skip


def definition(kind: str, tmp_path: Path, status: dict[str, Any] | None, **more: Any) -> Path:
    metadata = {"name": "train", "namespace": "x", "generation": 2, **more.pop("metadata", {})}
    body = {"apiVersion": "alula.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": more}
    file = tmp_path / "object.yaml"
    file.write_text(yaml.safe_dump({**body, **({"status": status} if status else {})}))
    return file


def overrides(argocd: str, settings: Path, what: str, file: Path, *words: str) -> str:
    argv = [
        argocd,
        "admin",
        "settings",
        "resource-overrides",
        what,
        str(file),
        *words,
        "--argocd-cm-path",
        str(settings),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("case", HEALTH)
def test_health_follows_the_conditions(argocd: str, settings: Path, tmp_path: Path, case: str) -> None:
    status, health, message = HEALTH[case]
    kind = "LaunchPlan" if case in ("waiting", "suspended") else "Workflow"
    said = overrides(argocd, settings, "health", definition(kind, tmp_path, status))
    assert said.splitlines()[0] == f"STATUS: {health}"
    assert message in said


def actions(argocd: str, settings: Path, file: Path) -> dict[str, bool]:
    """The actions, and whether each can be taken."""
    lines = overrides(argocd, settings, "list-actions", file).splitlines()[1:]
    return {name: disabled == "false" for name, disabled in (line.split() for line in lines)}


def test_actions_are_offered_where_they_mean_something(argocd: str, settings: Path, tmp_path: Path) -> None:
    status = {"observedGeneration": 2, "conditions": [READY]}
    offered = lambda kind, status, **more: actions(argocd, settings, definition(kind, tmp_path, status, **more))  # noqa: E731
    assert offered("Workflow", status) == {"run": True, "retry": True, "reconcile": True}
    assert offered("Workflow", None) == {"run": False, "retry": False, "reconcile": True}
    plan = {"run": True, "retry": True, "suspend": True, "resume": False}
    assert offered("LaunchPlan", status) == plan
    by_hand = {"annotations": {"alula.dev/suspended": "ada: cleaning up"}}
    assert offered("LaunchPlan", status, metadata=by_hand) == {**plan, "suspend": False, "resume": True}
    # What git suspends only git resumes.
    assert offered("LaunchPlan", status, suspend=True) == {**plan, "suspend": False}


ACTIONS = {
    ("Workflow", "run"): "alula.dev/run-requested: Argo CD at 2",
    ("Workflow", "retry"): "alula.dev/retry-requested: Argo CD at 2",
    ("Workflow", "reconcile"): 'alula.dev/reconcile: "2',
    ("LaunchPlan", "run"): "alula.dev/run-requested: Argo CD at 2",
    ("LaunchPlan", "retry"): "alula.dev/retry-requested: Argo CD at 2",
    ("LaunchPlan", "suspend"): "alula.dev/suspended: by hand in Argo CD at 2",
}


@pytest.mark.parametrize(("kind", "action"), ACTIONS)
def test_an_action_sets_an_annotation_and_creates_nothing(
    argocd: str, settings: Path, tmp_path: Path, kind: str, action: str
) -> None:
    file = definition(kind, tmp_path, {"observedGeneration": 2, "conditions": [READY]})
    said = overrides(argocd, settings, "run-action", file, action)
    changed = [line[1:].strip() for line in said.splitlines() if line.startswith((">", "<"))]
    assert changed[0] == "annotations:"
    assert changed[1].replace("'", '"').startswith(ACTIONS[kind, action])
    assert len(changed) == 2


def test_resuming_takes_the_annotation_away(argocd: str, settings: Path, tmp_path: Path) -> None:
    held = {"annotations": {"alula.dev/suspended": "ada: cleaning up", "other": "stays"}}
    file = definition("LaunchPlan", tmp_path, {"observedGeneration": 2, "conditions": [READY]}, metadata=held)
    said = overrides(argocd, settings, "run-action", file, "resume")
    changed = [line for line in said.splitlines() if line.startswith((">", "<"))]
    assert changed == ["<     alula.dev/suspended: 'ada: cleaning up'"]
