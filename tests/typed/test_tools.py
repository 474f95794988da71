"""mypy strict, pyright and ruff accept the examples, the README's code and every form of `uses.py`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RULES = "E,F,W,B,UP,C4,SIM,PIE,RET,PTH,RUF,S,PL,D1"
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples as their own projects, the README's module, and the forms, in one folder."""
    folder = tmp_path_factory.mktemp("typed")
    shutil.copytree(ROOT / "examples" / "features", folder / "features", ignore=shutil.ignore_patterns("golden"))
    shutil.copytree(ROOT / "examples" / "penguins" / "flows", folder / "penguins")
    shutil.copy(ROOT / "tests" / "typed" / "uses.py", folder / "uses.py")
    (folder / "readme.py").write_text('"""As in the README."""\n\n' + _readme(), encoding="utf-8")
    return folder


def _readme() -> str:
    (found,) = re.findall(r"```python\n# flows/greet\.py\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    assert isinstance(found, str)
    return found


def _run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def test_mypy_strict_accepts_them(code: Path) -> None:
    config = "[mypy]\nstrict = True\nmypy_path = {paths}\n[mypy-sklearn.*,joblib.*]\nignore_missing_imports = True\n"
    paths = ":".join(str(ROOT / name) for name in ("sdk", "crds", "compiler"))
    (code / "mypy.ini").write_text(config.format(paths=paths))
    files = sorted(str(path) for path in code.rglob("*.py"))
    done = _run(
        sys.executable, "-m", "mypy", "--follow-imports=silent", "--explicit-package-bases", *files, folder=code
    )
    assert done.stdout.startswith("Success: no issues found") and done.returncode == 0, done.stdout + done.stderr
    assert not re.search(r"type: ignore|noqa", "".join(Path(each).read_text("utf-8") for each in files))


def test_pyright_accepts_them(code: Path) -> None:
    pyright = BIN / "basedpyright"
    if not pyright.exists():
        pytest.skip("basedpyright is not installed: make setup")
    settings = {
        "include": ["."],
        "typeCheckingMode": "standard",
        "pythonVersion": "3.11",
        "extraPaths": [str(ROOT / name) for name in ("sdk", "crds", "compiler")],
    }
    (code / "pyrightconfig.json").write_text(json.dumps(settings))
    done = _run(str(pyright), "--pythonpath", sys.executable, "--outputjson", folder=code)
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] >= 6
    assert [f"{each['file']}: {each['message']}" for each in found["generalDiagnostics"]] == []


def test_ruff_accepts_them(code: Path) -> None:
    ruff = ["ruff", "check", "--isolated", "--line-length=120", "--target-version=py311", f"--select={RULES}"]
    # What a function does with numbers is no matter of ours.
    done = _run(str(BIN / ruff[0]), *ruff[1:], "--ignore=PLR2004", ".", folder=code)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("spelling", ['File["csv"]', "int"])
def test_the_check_can_fail(code: Path, tmp_path: Path, spelling: str) -> None:
    wrong = (
        (code / "uses.py")
        .read_text("utf-8")
        .replace('table: Annotated[File, "csv"]) -> int', f"table: {spelling}) -> int")
    )
    (tmp_path / "uses.py").write_text(wrong, encoding="utf-8")
    (tmp_path / "mypy.ini").write_text(f"[mypy]\nstrict = True\nmypy_path = {ROOT}/sdk:{ROOT}/crds\n")
    done = _run(sys.executable, "-m", "mypy", "--follow-imports=silent", "uses.py", folder=tmp_path)
    assert done.returncode == 1 and "uses.py" in done.stdout


def test_mypy_refuses_every_misuse_by_name(tmp_path: Path) -> None:
    text = (ROOT / "tests" / "typed" / "misuses.py").read_text("utf-8")
    (tmp_path / "misuses.py").write_text(text, encoding="utf-8")
    (tmp_path / "bare.py").write_text(re.sub(r"  # type: ignore.*", "", text), encoding="utf-8")
    (tmp_path / "mypy.ini").write_text(f"[mypy]\nstrict = True\nmypy_path = {ROOT}/sdk:{ROOT}/crds\n")
    mypy = (sys.executable, "-m", "mypy", "--follow-imports=silent")
    accepted = _run(*mypy, "misuses.py", folder=tmp_path)
    assert accepted.returncode == 0, accepted.stdout
    wrong = [number for number, line in enumerate(text.splitlines(), 1) if "# type: ignore" in line]
    told = _run(*mypy, "bare.py", folder=tmp_path).stdout
    assert sorted({int(line) for line in re.findall(r"^bare\.py:(\d+): error", told, re.M)}) == wrong
