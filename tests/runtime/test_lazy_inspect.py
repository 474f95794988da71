"""A module that is put off is the real one as soon as anybody looks."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

BEGIN = "import sys\nfrom alula.runtime import lazy_inspect\nlazy_inspect.defer('inspect')\n"


def after(script: str) -> object:
    done = subprocess.run([sys.executable, "-c", BEGIN + script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_users_dataclasses_do_not_load_it() -> None:
    script = (
        "import json, dataclasses\n"
        "@dataclasses.dataclass\nclass C:\n    'Has a docstring, as dataclasses makes none then.'\n    a: int\n"
        "print(json.dumps(['dataclasses' in sys.modules, 'tokenize' in sys.modules]))"
    )
    expected = [True, sys.version_info >= (3, 13)]  # there dataclasses itself uses it
    assert after(script) == expected


@pytest.mark.parametrize(
    "use",
    [
        "import inspect\nfound = inspect.isfunction(lambda: 0)",
        "from inspect import isfunction\nfound = isfunction(lambda: 0)",
        "import importlib\nfound = importlib.import_module('inspect').isfunction(lambda: 0)",
        "import inspect as a\na.signature\nimport inspect as b\nfound = b.Parameter is a.Parameter",
        "import dataclasses\n@dataclasses.dataclass\nclass C:\n    a: int\nfound = C.__doc__ == 'C(a: int)'",
        "import asyncio, inspect\nasync def f(): pass\nfound = inspect.iscoroutinefunction(f)",
        "import inspect\nfound = not hasattr(inspect, 'no_such_name') and inspect.__file__.endswith('inspect.py')",
    ],
)
def test_a_look_at_it_gives_the_real_one(use: str) -> None:
    assert after(f"{use}\nimport json\nprint(json.dumps(found))") is True


def test_what_is_loaded_already_stays() -> None:
    use = "import inspect, json\ninspect.signature\nlazy_inspect.defer('inspect')\n"
    assert after(f"{use}print(json.dumps(type(sys.modules['inspect']).__name__))") == "module"
