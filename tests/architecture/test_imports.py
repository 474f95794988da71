"""What an import may cost: base dependencies suffice for every package, and `import alula` loads almost nothing."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ["pydantic", "fsspec", "yaml", "kubernetes", "asyncio", "obstore", "pandas", "numpy", "kopf", "aiohttp"]


def modules_after(statement: str, *, block: tuple[str, ...] = ()) -> set[str]:
    """The names in `sys.modules` after `statement` in a fresh interpreter in which `block` cannot be imported."""
    blocked = f"import sys, json\nfor name in {block!r}: sys.modules[name] = None\n"
    script = f"{blocked}{statement}\nprint(json.dumps([*sys.modules]))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("heavy", HEAVY)
def test_import_alula_stays_light(heavy: str) -> None:
    assert heavy not in modules_after("import alula; from alula import task, workflow, File, LaunchPlan, Resources")


def test_import_alula_loads_fewer_modules_than_the_lightest_peer() -> None:
    bare = modules_after("pass")
    assert len(modules_after("import alula; from alula import task, workflow") - bare) <= 150


def test_the_list_of_commands_loads_what_it_prints_and_no_more() -> None:
    loaded = modules_after("from alula.cli import main\nassert 'register' in main._help()")
    assert loaded.isdisjoint(
        ["dataclasses", "hashlib", "inspect", "pathlib", "subprocess", "alula_api.contract.values"]
    )


POD = """
import os, sys, tempfile
folder = tempfile.mkdtemp()
open(folder + "/flow.py", "w").write(
    "from alula import task, workflow\\n\\n@task(retries=1)\\ndef inc(x: int) -> int:\\n    return x + 1\\n\\n"
    "@workflow\\ndef flow(x: int = 0) -> int:\\n    return inc(x)\\n"
)
os.chdir(folder)
os.environ.update(ALULA_OUT=folder + "/out", ALULA_RUN="r", ALULA_NODE="r.inc", ALULA_TERMINATION_LOG=folder + "/log")
words = ["--entrypoint", "flow:inc", "--task", "flow:inc", "--interface", DIGEST, "--input", "x", "1", "--output", "o0"]
sys.argv[1:] = words
from alula.runtime.__main__ import main
assert main() == 0
assert open(folder + "/out/o0").read() == "2"
"""


@pytest.fixture(scope="module")
def pod() -> set[str]:
    """The modules that a task of `int -> int` loads in its pod, beside those of a bare interpreter."""
    from alula_api.contract import keys

    digest = keys.interface_digest([("x", {"type": "integer"})], [("o0", {"type": "integer"})])
    return modules_after(POD.replace("DIGEST", repr(digest))) - modules_after("import tempfile, json")


@pytest.mark.parametrize(
    "heavy",
    ["pydantic", "fsspec", "yaml", "asyncio", "obstore", "dis", "difflib", "ast", "dataclasses", "pathlib",
     "datetime", "threading", "alula.graph.closures", "alula.types.compiling", "alula_data"],
)  # fmt: skip
def test_a_pods_task_loads_nothing_that_it_does_not_need(pod: set[str], heavy: str) -> None:
    assert heavy not in pod


def test_a_pods_task_loads_no_more_modules_than_today(pod: set[str]) -> None:
    ours = {name for name in pod if name.startswith("alula")}
    assert len(ours) <= 70
    assert len(pod - ours) <= 40


def test_what_two_states_of_a_repository_mean_is_said_without_models_and_compiler() -> None:
    loaded = modules_after("import alula.cli.diff, alula.gitops.difference_text, alula.gitops.states")
    assert not loaded & {"pydantic", "alula_compiler", "kubernetes"}


EXTRAS = ("obstore", "pandas", "pyarrow", "numpy", "kopf", "kubernetes", "aiohttp", "prometheus_client", "sklearn")


@pytest.mark.parametrize(
    "package",
    ["alula", "alula_data", "alula_api.kinds.reading", "alula_api.contract", "alula_compiler", "alula.cli.main"],
)
def test_a_package_imports_with_base_dependencies_only(package: str) -> None:
    assert package in modules_after(f"import {package}", block=EXTRAS)


def test_the_controller_says_in_one_sentence_which_extra_it_needs() -> None:
    blocked = f"import sys\nfor name in {EXTRAS!r}: sys.modules[name] = None\n"
    script = f"{blocked}import runpy; runpy.run_module('alula_controller', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "alula[controller]" in done.stderr
    assert "Traceback" not in done.stderr
