"""A project of the user's, and its definitions as a cluster has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alula.code import importing
from alula.emit import resources

SOURCE = """
from dataclasses import dataclass
from alula import File, LaunchPlan, task, workflow

@dataclass
class Scores:
    accuracy: float

@task(retries=2)
def fit(seed: int, table: File["csv"] | None) -> Scores:
    return Scores(seed / 10)

@workflow
def train(seed: int = 7, title: str = "hello", table: File["csv"] | None = None) -> Scores:
    return fit(seed, table)

nightly = LaunchPlan("nightly", train, inputs={"title": "last night"}, fixed_inputs={"seed": 42})
"""


def write(folder: Path, name: str, source: str = SOURCE) -> Path:
    """The project with one file; names differ from test to test, because modules are loaded once a process."""
    folder.mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text("[tool.alula]\nproject = 'penguins'\nimage = 'penguins:1'\n")
    file = folder / f"{name}.py"
    file.write_text(source)
    return file


def load(file: Path) -> Any:
    return importing.load(str(file))


READY = {"type": "Ready", "status": "True", "reason": "Compiled", "message": "", "observedGeneration": 1}


def ready(name: str, **more: Any) -> dict[str, Any]:
    return {"observedGeneration": 1, "conditions": [{**READY, **more}], "revision": f"{name}-1a2b3c4d"}


def workflow(module: Any, **condition: Any) -> dict[str, Any]:
    """The Workflow of `train` as the API server returns it."""
    made: dict[str, Any] = resources.workflow(module.train, resources.Code("penguins:1"))
    made["spec"]["version"] = "0a1b2c3d"
    made["metadata"]["generation"] = 1
    return {**made, "status": ready(module.train.name, **condition)}


def plan(module: Any) -> dict[str, Any]:
    made: dict[str, Any] = resources.launch_plan(module.nightly)
    made["metadata"]["generation"] = 1
    return {**made, "status": ready("lp-nightly")}
