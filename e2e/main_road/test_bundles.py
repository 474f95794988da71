"""Code that is not in the image reaches the pods as a bundle by its digest, put into the store at registration."""

from __future__ import annotations

import pathlib
import subprocess

import pytest

from e2e import installing
from e2e.main_road.conftest import Road

SOURCE = """
from alula import task, workflow

from words import greeting

@task
def greet(name: str) -> str:
    return f"{greeting()}, {name}"

@workflow
def hello(name: str = "world") -> str:
    return greet(name)
"""


@pytest.fixture(scope="module")
def bundled(installation: installing.Installation, tmp_path_factory: pytest.TempPathFactory) -> Road:
    """A project whose image holds nothing of it."""
    project = tmp_path_factory.mktemp("bundled")
    settings = '[tool.alula]\nproject = "bundled"\nimage = "registry.example.org/bare:1"\n'
    (project / "pyproject.toml").write_text(settings)
    (project / "flow.py").write_text(SOURCE)
    (project / "words.py").write_text('def greeting() -> str:\n    return "Hello"\n')
    installation.cluster.pods.image("registry.example.org/bare:1", env={})
    gitops = tmp_path_factory.mktemp("gitops")
    subprocess.run(["git", "init", "--quiet", str(gitops)], check=True)
    return Road(installation.place("bundled", "dev"), project, gitops)


def registered(road: Road) -> str:
    """Register with a bundle, apply, and return the bundle's digest."""
    arguments = ["register", "--repo", str(road.gitops), "--bundle", "--store", road.place.bucket.url, "flow.py"]
    environment = road.place.bucket.environment()
    installing.alula(road.place.cluster, *arguments, cwd=road.project, env=environment)
    road.apply()
    road.place.ready("Workflow", "flow-hello")
    code = road.place.cluster.api.get(installing.ALULA, "Workflow", "flow-hello", road.place.namespace)["spec"]["code"]
    assert type(code["bundle"]["size"]) is int
    return str(code["bundle"]["digest"])


def test_a_bundle_brings_the_code_and_a_changed_file_is_another_bundle(bundled: Road) -> None:
    first = registered(bundled)
    run, outputs = bundled.remote("flow.py:hello", "--name", "Ada")
    assert (run["status"]["phase"], outputs) == ("Succeeded", {"o0": "Hello, Ada"})

    pathlib.Path(bundled.project, "words.py").write_text('def greeting() -> str:\n    return "Good day"\n')
    second = registered(bundled)
    assert first != second
    run, outputs = bundled.remote("flow.py:hello", "--name", "Ada")
    assert (run["status"]["phase"], outputs) == ("Succeeded", {"o0": "Good day, Ada"})
