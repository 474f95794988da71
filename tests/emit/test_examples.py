"""Every example as a release and as Argo objects: whole files beside the example, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alula.cli import main
from tests import goldens, projects

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
FILES = [
    *sorted((EXAMPLES / "features").glob("*.py")),
    EXAMPLES / "penguins" / "flows" / "penguins.py",
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_is_the_release_and_the_argo_objects_beside_it_and_registering_again_writes_nothing(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = next(folder for folder in file.parents if (folder / "pyproject.toml").exists())
    monkeypatch.chdir(project)
    register = ["register", "--repo", str(tmp_path), str(file.relative_to(project))]
    assert main.main(register) == 0
    (folder,) = tmp_path.glob("*/dev")
    (release,) = folder.glob("release/*")
    golden = project / "golden" / file.stem
    for written in sorted(release.glob("*-*.yaml")):
        goldens.check(golden / written.name, written.read_text(encoding="utf-8"))

    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert main.main(register) == 0
    assert "nothing changed" in capsys.readouterr().err
    assert before == {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before}

    assert main.main(["compile", str(folder)]) == 0
    goldens.check(golden / "argo.yaml", capsys.readouterr().out)


@pytest.fixture(autouse=True)
def _modules() -> Iterator[None]:
    with projects.forgotten(EXAMPLES):
        yield
