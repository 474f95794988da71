"""The canonical text of a parse tree: what it leaves out, and that every Python at hand writes the same."""

from __future__ import annotations

import ast
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from alula.code import syntax

SOURCE = '''
"""A docstring."""
@decorate(1)
async def f(a, /, b: int = 3, *c, k=-1.5, **kw) -> "x":
    "Another."
    x = f"a{a!r:>{b}}b" "c" f"{a=}"
    match a:
        case {"k": 1, **rest}: pass
        case [1, *_]: return None
        case C(x=1) | None: ...
    try: pass
    except* E as e: raise
    lambda *, z=1: (yield)
    {**a, 1: 2}
    y: int
    return 1j, b"\\xff", "\\ud800é", ..., True, 10**3, 1e400, a[1:2, ...]
class A(B, metaclass=M):
    """And another."""
'''
DIGEST = "189e9c8d6fcb1ab07f74f11b8dba8180727884a83ddc629de909ff57a4588936"
PROGRAM = (
    "import ast, hashlib, importlib.util, sys\n"
    "spec = importlib.util.spec_from_file_location('syntax', sys.argv[1])\n"
    "syntax = importlib.util.module_from_spec(spec)\n"
    "spec.loader.exec_module(syntax)\n"
    "tree = ast.parse(sys.stdin.buffer.read().decode())\n"
    "print(hashlib.sha256(syntax.text(tree).encode()).hexdigest())\n"
)


def digest(text: str) -> str:
    return hashlib.sha256(syntax.text(ast.parse(text)).encode()).hexdigest()


def test_the_digest_of_a_tree_is_fixed() -> None:
    assert digest(SOURCE) == DIGEST


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_every_python_has_the_same_digest(version: str) -> None:
    program = sys.executable if sys.version.startswith(f"{version}.") else shutil.which(f"python{version}")
    environment = {**os.environ, "PYENV_VERSION": version}  # where pyenv stands between, it must be told
    if program is None or subprocess.run([program, "-V"], env=environment, capture_output=True, check=False).returncode:
        pytest.skip(f"Python {version} is not on this machine")
    command = [program, "-c", PROGRAM, str(Path(syntax.__file__))]
    ran = subprocess.run(command, input=SOURCE.encode(), env=environment, capture_output=True, check=False)
    assert ran.stdout.decode().strip() == DIGEST, ran.stderr.decode()


@pytest.mark.parametrize(
    "text",
    ["x = (1)", "x = 1  # why", "x   =   1", "\n\nx = 1\n", '"""Doc."""\nx = 1', "x = 0x1", "x = 1;", "x = \\\n    1"],
)
def test_layout_and_comments_are_left_out(text: str) -> None:
    assert syntax.text(ast.parse(text)) == syntax.text(ast.parse("x = 1"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = True"), ("x = 1", "x = 1.0"), ("x = '1'", "x = 1"),
        ("x = 'a'", "x = b'a'"), ("x = ()", "x = []"),
        ("x = -1", "x = 1"), ("x = None", "x = ..."), ("x: int", "x: int = 1"), ("f(a, b=1)", "f(a, 1)"),
        ("{**a, 1: 2}", "{1: 2, **a}"), ("x = 'None'", "x = None"), ("f'{a}'", "f'{a!s}'"), ("f'{a}b'", "f'{a}' + 'b'"),
        ("(x for x in y)", "[x for x in y]"), ("del a", "a"), ("f('a', 'b')", "f('a,b')"),
        ("global a, b", "global b, a"),
        ("x = 0.0", "x = -0.0"), ("x = 1e400", "x = 1e308"), ("x = 'a' 'b'", "x = 'a', 'b'"),
    ],
)  # fmt: skip
def test_what_means_something_else_has_another_text(one: str, other: str) -> None:
    assert syntax.text(ast.parse(one)) != syntax.text(ast.parse(other))


def test_nesting_costs_no_recursion() -> None:
    tree: ast.expr = ast.Constant(1)
    for _ in range(20_000):
        tree = ast.UnaryOp(ast.USub(), tree)
    assert syntax.text(tree).count("UnaryOp") == 20_000
