"""`cache=True`: the version changes with what the function's result can depend on, and with nothing else."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from alula import errors, task
from tests.code.projects import Project

FLOW = '''
from __future__ import annotations

import math
from dataclasses import dataclass

from alula import task
from helpers import cleaning, scaling as scale
from helpers.words import greet
import helpers.numbers

RATE = 0.5
UNUSED = 1
TABLE = {"a": 1}
SIGN = -1


@dataclass
class Forest:
    trees: int = 3


def inner(x: float) -> float:
    return x * RATE


def outer(x: float) -> float:
    return inner(x) + SIGN


def unused() -> int:
    return UNUSED


@task(cache=True, retries=3)
def fit(x: float, forest: Forest) -> float:
    """Fit."""
    local = [inner for inner in (1, 2)]
    return outer(x) + math.pi + cleaning.clean(x) + helpers.numbers.one() + len(greet()) + TABLE["a"] + sum(local)


@task(cache=True)
def other(x: float) -> float:
    return x + scale.factor


if __name__ == "__main__":
    RATE = 3
    print(fit(1.0, Forest()))
'''
FILES = {
    "flows/train.py": FLOW,
    "helpers/__init__.py": "LOADED = True\n",
    "helpers/cleaning.py": (
        "from .numbers import two\n\n\ndef clean(x):\n    return x * two()\n\n\ndef other():\n    return 1\n"
    ),
    "helpers/scaling.py": "factor = 2.0\n\n\ndef unused():\n    return 1\n",
    "helpers/words.py": "from helpers.numbers import *\n\n\ndef greet():\n    return 'x' * three()\n",
    "helpers/numbers.py": "def one():\n    return 1\n\n\ndef two():\n    return 2\n\n\ndef three():\n    return 3\n",
}


@pytest.fixture
def flow(project: Project) -> Project:
    for name, text in FILES.items():
        project.write(name, text)
    return project


def versions(project: Project) -> tuple[str, str]:
    module = project.load("flows/train.py")
    return module.fit.version, module.other.version


def changed(project: Project, name: str, old: str, new: str) -> tuple[bool, bool]:
    """Whether the versions of `fit` and `other` change with an edit."""
    before = versions(project)
    text = (project.root / name).read_text()
    assert old in text
    project.write(name, text.replace(old, new))
    after = versions(project)
    return before[0] != after[0], before[1] != after[1]


CHANGES = {
    "the function itself": ("flows/train.py", "math.pi", "math.e", (True, False)),
    "a helper": ("flows/train.py", "return inner(x) + SIGN", "return inner(x) - SIGN", (True, False)),
    "a helper of a helper": ("flows/train.py", "return x * RATE", "return x / RATE", (True, False)),
    "a constant of a helper": ("flows/train.py", "RATE = 0.5", "RATE = 0.6", (True, False)),
    "another constant of a helper": ("flows/train.py", "SIGN = -1", "SIGN = -2", (True, False)),
    "an entry of a table": ("flows/train.py", '{"a": 1}', '{"a": 2}', (True, False)),
    "a dataclass of the signature": ("flows/train.py", "trees: int = 3", "trees: int = 4", (True, False)),
    "an imported function": ("helpers/words.py", "'x' * three()", "'y' * three()", (True, False)),
    "a function of an imported module": ("helpers/cleaning.py", "return x * two()", "return x + two()", (True, False)),
    "behind an import of an import": ("helpers/numbers.py", "return 2", "return 22", (True, False)),
    "behind a star import": ("helpers/numbers.py", "return 3", "return 33", (True, False)),
    "through a dotted module": ("helpers/numbers.py", "return 1", "return 11", (True, False)),
    "an attribute of a renamed module": ("helpers/scaling.py", "2.0", "3.0", (False, True)),
}
NO_CHANGES = {
    "another function": ("flows/train.py", "return UNUSED", "return UNUSED + 1"),
    "another constant": ("flows/train.py", "UNUSED = 1", "UNUSED = 2"),
    "lines and comments elsewhere": ("flows/train.py", "RATE = 0.5", "# a comment\n\n\nRATE = 0.5"),
    "the options of the decorator": (
        "flows/train.py",
        "@task(cache=True, retries=3)",
        "@task(\n    cache=True, retries=5\n)",
    ),
    "what runs as a script": ("flows/train.py", "RATE = 3", "RATE = 4"),
    "another function of a module": ("helpers/cleaning.py", "def other():\n    return 1", "def other():\n    return 2"),
    "another definition of a module": ("helpers/scaling.py", "return 1", "return 2"),
    "the package itself": ("helpers/__init__.py", "True", "False"),
    "the docstring": ("flows/train.py", '"""Fit."""', '"""Fit it."""'),
    "the ends of lines": ("flows/train.py", "\n", "\r\n"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_version_changes_with(name: str, flow: Project) -> None:
    file, old, new, expected = CHANGES[name]
    assert changed(flow, file, old, new) == expected


@pytest.mark.parametrize("name", NO_CHANGES)
def test_the_version_does_not_change_with(name: str, flow: Project) -> None:
    file, old, new = NO_CHANGES[name]
    assert changed(flow, file, old, new) == (False, False)


def test_the_version_is_a_digest_and_does_not_depend_on_the_folder(flow: Project, tmp_path: Path) -> None:
    twin = Project(tmp_path / "elsewhere" / "deep")
    for name, text in FILES.items():
        twin.write(name, text)
    first = versions(flow)
    flow.forget()
    try:
        second = versions(twin)
    finally:
        twin.forget()
    assert first == second
    assert re.fullmatch("code:[0-9a-f]{64}", first[0])


def test_the_version_is_the_same_however_the_process_started(flow: Project) -> None:
    imported = flow.load("flows/train.py").fit.version
    script = flow.write("flows/script.py", FLOW.replace("print(fit(1.0, Forest()))", "print(fit.version)"))
    renamed = flow.load("flows/script.py").fit.version
    started = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True, text=True, check=True, env={"PYTHONPATH": str(flow.root), "PYTHONHASHSEED": "7"},
    )  # fmt: skip
    assert started.stdout.strip() == renamed
    assert renamed != imported  # the module's name counts: two modules may define different things under one name


def test_the_tree_that_is_hashed_is_fixed(flow: Project) -> None:
    flow.write(
        "flows/small.py",
        "from alula import task\n\nA = 1\n\n\n@task(cache=True)\ndef add(n: int) -> int:\n    return n + A\n",
    )
    text = (
        "flows.small:A\nAssign(targets=[Name(id=A)],value=Constant(value=int:1))\n"
        "flows.small:add\nFunctionDef(args=arguments(args=[arg(annotation=Name(id=int),arg=n)]),"
        "body=[Return(value=BinOp(left=Name(id=n),op=Add(),right=Name(id=A)))],name=add,returns=Name(id=int))"
    )
    assert flow.load("flows/small.py").add.version == f"code:{hashlib.sha256(text.encode()).hexdigest()}"


def test_methods_classes_and_nested_functions_are_followed(flow: Project) -> None:
    source = """
    from alula import task

    BASE = 1
    STEP = 2


    class Model:
        factor = BASE

        def predict(self, x):
            def inner():
                return x + STEP
            return inner()


    @task(cache=True)
    def it(n: int) -> int:
        return Model().predict(n)
    """
    seen = set()
    for old, new in [("", ""), ("BASE = 1", "BASE = 3"), ("STEP = 2", "STEP = 3")]:
        flow.write("flows/classes.py", source.replace(old, new) if old else source)
        seen.add(flow.load("flows/classes.py").it.version)
    assert len(seen) == 3


def test_statements_of_every_kind_define_names(flow: Project) -> None:
    source = """
    import contextlib
    from alula import task

    TABLE = {}
    SEEN = []
    TABLE.update(a=1)
    SEEN += [1]


    def register(table):
        table["x"] = 1


    register(TABLE)
    try:
        import missing_library
    except ImportError:
        missing_library = None
    with contextlib.nullcontext(2) as CONTEXT:
        pass
    for LAST in range(3):
        pass
    double = lambda n: n * 2
    class Names: A = 1


    def helper(n):
        return n


    ALIAS = helper


    @task(cache=True)
    def it(n: int) -> int:
        return double(n) + TABLE["a"] + len(SEEN) + CONTEXT + LAST + bool(missing_library) + Names.A + ALIAS(n)
    """
    edits = [
        ("", ""), ("a=1", "a=2"), ("SEEN += [1]", "SEEN += [2]"), ('["x"] = 1', '["x"] = 2'), ("= None", "= 0"),
        ("nullcontext(2)", "nullcontext(3)"), ("range(3)", "range(4)"), ("n * 2", "n * 3"), ("A = 1", "A = 2"),
        ("return n\n", "return n + 0\n"),
    ]  # fmt: skip
    seen = set()
    for old, new in edits:
        assert old in source
        flow.write("flows/kinds.py", source.replace(old, new, 1) if old else source)
        seen.add(flow.load("flows/kinds.py").it.version)
    # `register(TABLE)` names the table; what register itself does with it is behind the name.
    assert len(seen) == len(edits)


def test_a_task_made_of_a_lambda_or_a_wrapped_function_has_a_version(flow: Project) -> None:
    flow.write(
        "flows/odd.py",
        "import functools\nfrom alula import task\n\n\n"
        "def twice(function):\n    @functools.wraps(function)\n"
        "    def run(n):\n        return function(n) * 2\n    return run\n\n\n"
        "@task(cache=True)\n@twice\ndef it(n: int) -> int:\n    return n\n",
    )
    before = flow.load("flows/odd.py").it.version
    flow.write("flows/odd.py", (flow.root / "flows/odd.py").read_text().replace("* 2", "* 3"))
    assert flow.load("flows/odd.py").it.version != before


def test_a_module_used_as_a_value_counts_as_a_whole(flow: Project) -> None:
    flow.write(
        "flows/whole.py",
        "from alula import task\nfrom helpers import scaling\n\n\n"
        "@task(cache=True)\ndef it() -> str:\n    return repr(vars(scaling))\n",
    )
    before = flow.load("flows/whole.py").it.version
    flow.write("helpers/scaling.py", FILES["helpers/scaling.py"].replace("return 1", "return 2"))
    assert flow.load("flows/whole.py").it.version != before


def test_an_import_inside_a_function_is_followed(flow: Project) -> None:
    source = """
    from alula import task


    def helper(x):
        import helpers.scaling
        return helpers.scaling.factor * x


    @task(cache=True)
    def it(n: int) -> float:
        from helpers.cleaning import clean
        return clean(helper(n))
    """
    flow.write("flows/late.py", source)

    def version() -> str:
        found: str = flow.load("flows/late.py").it.version
        return found

    first = version()
    flow.write("helpers/numbers.py", FILES["helpers/numbers.py"].replace("return 2", "return 22"))
    second = version()
    flow.write("helpers/scaling.py", FILES["helpers/scaling.py"].replace("2.0", "3.0"))
    third = version()
    flow.write("helpers/scaling.py", FILES["helpers/scaling.py"].replace("2.0", "3.0").replace("return 1", "return 2"))
    assert len({first, second, third}) == 3
    assert version() == third


def test_definitions_that_name_each_other_end(flow: Project) -> None:
    flow.write(
        "flows/circle.py",
        "from alula import task\n\n\ndef a(n):\n    return b(n)\n\n\ndef b(n):\n    return a(n)\n\n\n"
        "@task(cache=True)\ndef it(n: int) -> int:\n    return a(n)\n",
    )
    assert len(flow.load("flows/circle.py").it.version) == len("code:") + 64


def test_a_closure_counts_by_its_value() -> None:
    def make(step: int) -> Any:
        @task(cache=True)
        def add(n: int) -> int:
            return n + step

        return add

    assert make(1).version == make(1).version != make(2).version


def test_a_closure_without_a_text_is_refused() -> None:
    thing = object()

    @task(cache=True)
    def uses(n: int) -> str:
        return repr(thing)

    with pytest.raises(errors.DefinitionError, match="it uses thing, a value of type object without a text") as caught:
        _ = uses.version
    assert 'cache=Cache(version="1")' in caught.value.diagnostics[0].hint


def test_closures_over_modules_functions_and_classes_count() -> None:
    import tests.code.projects as module
    from tests.code.projects import Project as Class

    def helper(n: int) -> int:
        return n

    @task(cache=True)
    def uses(n: int) -> str:
        return f"{module} {Class} {helper(n)} {json} {inner(n)}"

    @task
    def inner(n: int) -> int:
        return n

    import json

    assert len(uses.version) == len("code:") + 64


def test_a_closure_that_is_not_set_yet_is_refused() -> None:
    @task(cache=True)
    def early(n: int) -> int:
        return later + n

    with pytest.raises(errors.DefinitionError, match="the variable later around it is not set yet"):
        _ = early.version
    later = 1
    assert early(1) == 2


def test_a_class_of_a_notebook_is_refused() -> None:
    thing = type("Thing", (), {"__module__": "__main__"})

    @task(cache=True)
    def uses(n: int) -> str:
        return str(thing)

    with pytest.raises(errors.DefinitionError, match="the class thing is not defined in a file"):
        _ = uses.version


def test_code_without_source_is_refused() -> None:
    scope: dict[str, Any] = {"task": task, "__name__": "typed"}
    exec("@task(cache=True)\ndef typed(n: int) -> int: return n", scope)
    with pytest.raises(errors.DefinitionError, match="typed at a prompt, or made by exec"):
        _ = scope["typed"].version


def test_a_notebook_cell_has_a_version() -> None:
    import linecache

    def cell(number: int, source: str, scope: dict[str, Any]) -> None:
        name = f"/tmp/ipykernel_1/{number}.py"
        linecache.cache[name] = (len(source), None, source.splitlines(True), name)
        exec(compile(source, name, "exec"), scope)

    def version(rate: str, helper: str) -> str:
        scope: dict[str, Any] = {"task": task, "__name__": "__main__"}
        cell(1, f"RATE = {rate}\n", scope)
        cell(2, f"def helper(n):\n    return {helper}\n", scope)
        cell(3, "@task(cache=True)\ndef it(n: int) -> float:\n    return helper(n) * RATE\n", scope)
        found: str = scope["it"].version
        return found

    first = version("0.5", "n + 1")
    assert first == version("0.5", "n + 1")
    assert first != version("0.6", "n + 1")
    assert first != version("0.5", "n + 2")


def test_a_file_that_changed_after_its_import_is_refused(flow: Project) -> None:
    module = flow.load("flows/train.py")
    text = (flow.root / "flows/train.py").read_text()
    flow.write("flows/train.py", text.replace("math.pi", "math.tau"))
    with pytest.raises(errors.DefinitionError, match=r"flows/train\.py was changed after it was imported"):
        _ = module.fit.version


def test_a_helper_that_changed_after_its_import_is_refused(flow: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    module = flow.load("flows/train.py")
    flow.write("helpers/scaling.py", FILES["helpers/scaling.py"].replace("2.0", "2.25"))
    with pytest.raises(errors.DefinitionError, match=r"helpers/scaling\.py was changed after it was imported"):
        _ = module.other.version
    assert len(module.fit.version) == len("code:") + 64


def test_a_module_that_is_loaded_anew_has_its_new_version(flow: Project) -> None:
    first = flow.load("flows/train.py").fit.version
    flow.write("flows/train.py", FLOW.replace("math.pi", "math.tau"))
    assert flow.load("flows/train.py").fit.version != first
