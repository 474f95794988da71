"""Small projects made at random, in which every number is a token that may be edited. For the property of what counts.

`python -m tests.code.random_projects COUNT [SEED]` tries COUNT edits of them and prints the first that breaks it.
"""

from __future__ import annotations

import random
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.code.projects import Project

TOKEN = re.compile(r"<(\d+)>")
ROOT = re.compile(r"(?<![\w.'])(?!getattr\b)[A-Za-z_]\w*")
"""A name in an expression that its module binds."""


class Block(NamedTuple):
    """Statements of a module's top level, and an expression of which the task may make use."""

    text: str
    value: str


class Made(NamedTuple):
    """A project: its files with their tokens marked, and the tokens of which no edit can matter."""

    files: dict[str, str]
    idle: frozenset[tuple[str, int]]


class Maker:
    """Makes one project."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.count = 0
        self.plain = rng.random() < 0.5

    def name(self, prefix: str = "n") -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def token(self) -> str:
        return f"<{self.rng.randint(0, 9)}>"

    def block(self, inner: str) -> Block:
        """One block; `inner` is an expression of what stands above it, or a token."""
        return self.rng.choice(PLAIN_BLOCKS if self.plain else [*PLAIN_BLOCKS, *OTHER_BLOCKS])(self, inner)

    def module(self, imports: list[Block], size: int) -> tuple[str, list[str]]:
        """The text of a module and the expressions that it offers."""
        blocks = [*imports]
        for _ in range(size):
            above = [block.value for block in blocks if block.value]
            inner = self.rng.choice(above) if above and self.rng.random() < 0.6 else self.token()
            blocks.append(self.block(inner))
        return "\n".join(block.text for block in blocks) + "\n", [block.value for block in blocks if block.value]

    def imported(self, module: str, values: list[str]) -> list[Block]:
        """An import of another module, and expressions that use what it offers."""
        name = self.rng.choice(["from", "as", "dotted", "late", *([] if self.plain else ["star", "value"])])
        chosen = self.rng.sample(values, min(len(values), 2))
        roots = sorted({root for value in chosen for root in ROOT.findall(value)})
        if name == "from":
            return [Block(f"from {module} import {', '.join(roots)}", ""), *(Block("", value) for value in chosen)]
        if name == "star":
            return [Block(f"from {module} import *", ""), *(Block("", value) for value in chosen)]
        alias, prefix = self.name("m"), module
        text = f"import {module}"
        if name in {"as", "value", "late"}:
            text, prefix = f"import {module} as {alias}", alias
        access = f"getattr({prefix}, '{{0}}')" if name == "value" else f"{prefix}.{{0}}"
        shown = [ROOT.sub(lambda found: access.format(found[0]), value) for value in chosen]
        if name == "late":
            made = [self.name("late") for _ in shown]
            late = [f"def {f}():\n    {text}\n    return {value}" for f, value in zip(made, shown, strict=True)]
            return [Block("\n".join(late), ""), *(Block("", f"{f}()") for f in made)]
        return [Block(text, ""), *(Block("", value) for value in shown)]

    def project(self) -> Made:
        deep, offered = self.module([], self.rng.randint(1, 4))
        middle, more = self.module(self.imported("flows.c", offered), self.rng.randint(1, 4))
        top, all_values = self.module(self.imported("flows.b", more), self.rng.randint(1, 5))
        used = self.rng.sample(all_values, min(len(all_values), self.rng.randint(1, 3)))
        idle = (
            f"@task(cache=True)\ndef other(n: int) -> int:\n    return n + {self.token()}\n\n"
            f"@workflow\ndef w(n: int = {self.token()}) -> int:\n    other(n)\n    return other({self.token()})\n\n"
            f"plan = LaunchPlan('nightly', w, inputs={{'n': {self.token()}}})\n\n"
            f"def unnamed(n):\n    return n * {self.token()}\n\n"
            f"if __name__ == '__main__':\n    print({self.token()})\n"
        )
        task = f"@task(cache=True)\ndef it(n: int) -> str:\n    return repr(({', '.join(used)}, {self.token()}))\n"
        head = "from alula import LaunchPlan, task, workflow\n"
        files = {"flows/c.py": deep, "flows/b.py": middle, "flows/a.py": f"{head}{top}\n{task}\n{idle}"}
        count, total = idle.count("<"), files["flows/a.py"].count("<")
        last = range(total - count, total) if self.plain else ()
        return Made(files, frozenset(("flows/a.py", number) for number in last))


def plain_constant(make: Maker, inner: str) -> Block:
    name = make.name()
    inner = make.token() if make.plain and "(" in inner else inner  # a call of the project's own may change things
    return Block(f"{name} = {inner}", name)


def a_list(make: Maker, inner: str) -> Block:
    name = make.name()
    inner = make.token() if make.plain and "(" in inner else inner
    return Block(f"{name} = [{inner}, {make.token()}]", f"{name}[0]")


def a_helper(make: Maker, inner: str) -> Block:
    name = make.name("f")
    return Block(f"def {name}(x={make.token()}):\n    return {inner} + x * {make.token()}\n", f"{name}()")


def a_lambda(make: Maker, inner: str) -> Block:
    name = make.name("f")
    return Block(f"{name} = lambda: {inner} + {make.token()}", f"{name}()")


def a_class(make: Maker, inner: str) -> Block:
    name = make.name("C")
    return Block(f"class {name}:\n    rate = {make.token()}\n    def get(self):\n        return {inner} + self.rate\n",
                 f"{name}().get()")  # fmt: skip


def a_subclass(make: Maker, inner: str) -> Block:
    base, name = make.name("C"), make.name("C")
    head = f"class {base}:\n    def get(self):\n        return {inner}\n\n"
    text = f"{head}class {name}({base}):\n    rate = {make.token()}\n"
    return Block(text, f"({name}().get() + {name}.rate)")


def a_decorated(make: Maker, inner: str) -> Block:
    deco, name = make.name("d"), make.name("f")
    text = (
        f"import functools\n\ndef {deco}(k):\n    def wrap(f):\n        @functools.wraps(f)\n        def run(*a):\n"
        f"            return f(*a) + k + {make.token()}\n        return run\n    return wrap\n\n"
        f"@{deco}({make.token()})\ndef {name}():\n    return {inner}\n"
    )
    return Block(text, f"{name}()")


def an_if(make: Maker, inner: str) -> Block:
    name = make.name()
    return Block(f"if {make.token()} > {make.token()}:\n    {name} = {inner}\nelse:\n    {name} = {make.token()}", name)


def a_loop(make: Maker, inner: str) -> Block:
    name = make.name()
    return Block(f"{name} = {inner}\nfor _ in range({make.token()}):\n    {name} += {make.token()}", name)


def a_try(make: Maker, inner: str) -> Block:
    name = make.name()
    return Block(
        f"try:\n    {name} = {inner} // {make.token()}\nexcept ZeroDivisionError:\n    {name} = {make.token()}", name
    )


def a_registry(make: Maker, inner: str) -> Block:
    table, register, name = make.name("T"), make.name("register"), make.name("f")
    text = (
        f"{table} = {{}}\n\ndef {register}(f):\n    {table}['k'] = f\n    return f\n\n"
        f"@{register}\ndef {name}():\n    return {inner} + {make.token()}\n"
    )
    return Block(text, f"{table}['k']()")


def a_setup(make: Maker, inner: str) -> Block:
    table, setup = make.name("T"), make.name("setup")
    text = f"{table} = {{}}\n\ndef {setup}(v):\n    {table}.update(v=v + {make.token()})\n\n{setup}({inner})"
    return Block(text, f"{table}['v']")


def a_global(make: Maker, inner: str) -> Block:
    name, setup = make.name(), make.name("setup")
    return Block(
        f"{name} = {make.token()}\n\ndef {setup}():\n    global {name}\n    {name} = {inner}\n\n{setup}()", name
    )


def a_subscript(make: Maker, inner: str) -> Block:
    table = make.name("T")
    return Block(f"{table} = {{'a': {make.token()}}}\n{table}['b'] = {inner}", f"({table}['a'] + {table}['b'])")


def an_alias(make: Maker, inner: str) -> Block:
    table, alias = make.name("T"), make.name("T")
    return Block(f"{table} = [{inner}]\n{alias} = {table}\n{alias}.append({make.token()})", f"{table}[1]")


def an_attribute(make: Maker, inner: str) -> Block:
    name = make.name("C")
    return Block(f"class {name}:\n    rate = {make.token()}\n\n{name}.rate = {inner}", f"{name}.rate")


def a_dispatch(make: Maker, inner: str) -> Block:
    name = make.name("register")
    text = (
        f"import functools\n\n@functools.singledispatch\ndef {name}(x):\n    return {make.token()}\n\n"
        f"@{name}.register\ndef _(x: int):\n    return {inner} + {make.token()}\n"
    )
    return Block(text, f"{name}(1)")


def by_string(make: Maker, inner: str) -> Block:
    name, other = make.name(), make.name("f")
    return Block(f"{name} = {inner}\n\ndef {other}():\n    return globals()['{name}'] + {make.token()}\n", f"{other}()")


def a_call(make: Maker, inner: str) -> Block:
    build, name = make.name("f"), make.name()
    return Block(f"def {build}(x):\n    return [x, {make.token()}]\n\n{name} = {build}({inner})", f"{name}[1]")


def a_seed(make: Maker, inner: str) -> Block:
    name = make.name("f")
    return Block(f"import random\nrandom.seed({make.token()})\n\ndef {name}():\n    return {inner}\n", f"{name}()")


PLAIN_BLOCKS: list[Callable[[Maker, str], Block]] = [
    plain_constant, a_list, a_helper, a_lambda, a_class, a_subclass, a_decorated, a_seed,
]  # fmt: skip
OTHER_BLOCKS: list[Callable[[Maker, str], Block]] = [
    an_if, a_loop, a_try, a_registry, a_setup, a_global, a_subscript, an_alias, an_attribute, a_dispatch, by_string,
    a_call,
]  # fmt: skip


def written(text: str, edited: int = -1) -> str:
    """The source of marked text, with one token changed."""
    count = iter(range(1 << 30))
    return TOKEN.sub(lambda found: str(int(found[1]) + (next(count) == edited)), text)


class Verdict(NamedTuple):
    """What an edit did."""

    result: bool
    version: bool
    idle: bool


def try_one(project: Project, rng: random.Random, edits: int = 1) -> tuple[Made, list[tuple[str, int, Verdict]]]:
    """Make a project, edit one token anywhere, and see what changed; with more edits, each of the first state."""
    made = Maker(rng).project()
    tokens = [(file, number) for file, text in made.files.items() for number in range(len(TOKEN.findall(text)))]
    first = {name: written(text) for name, text in made.files.items()}
    before = _run(project, first)
    found = []
    for _ in range(edits):
        file, number = rng.choice(tokens) if rng.random() < 0.7 or not made.idle else rng.choice(sorted(made.idle))
        after = _run(project, {file: written(made.files[file], number)})
        project.write(file, first[file])
        found.append((file, number, Verdict(before[0] != after[0], before[1] != after[1], (file, number) in made.idle)))
    return made, found


def _run(project: Project, files: dict[str, str]) -> tuple[str, str]:
    for name, text in files.items():
        project.write(name, text)
    it = project.load("flows/a.py").it
    return it.function(5), it.version


EDITS = 4
"""Of each project: what it gives before an edit is found out once for all of them."""


def main() -> int:
    """Try many edits, print what breaks the property."""
    sys.dont_write_bytecode = True
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    tried = differed = same = projects = 0
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder) / "acme")
        while tried < count:
            made, found = try_one(project, random.Random(seed), EDITS)
            for file, number, verdict in found:
                tried += 1
                differed += verdict.result
                same += verdict.idle
                if (verdict.result and not verdict.version) or (verdict.idle and verdict.version):
                    print(f"seed {seed}: token {number} of {file}: {verdict}")
                    for name, text in made.files.items():
                        print(f"--- {name}\n{text}")
                    return 1
            seed, projects = seed + 1, projects + 1
            if projects % 250 == 0:
                print(f"{tried} edits of {projects} projects: no counterexample", flush=True)
    print(f"{tried} edits of {projects} projects, 0 counterexamples: {differed} changed the result, {same} could not")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
