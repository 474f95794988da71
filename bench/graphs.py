"""The workloads: generated modules of chains and fans, and what is done with them."""

from __future__ import annotations

import importlib
import json
import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import alula

HEAD = "from alula import task, workflow\n\n"


def tasks(shape: str, count: int, *, cache: bool = False) -> str:
    """A module with a chain of `count` calls of one task, a fan (one, `count - 2` side by side, a join), a map, one in
    batches of 20, or a chain of conditionals."""
    decorator = "@task(cache=True)" if cache else "@task"
    text = f"{HEAD}{decorator}\ndef inc(x: int) -> int:\n    return x + 1\n\n"
    text += "@task\ndef join(xs: list[int]) -> int:\n    return sum(xs)\n\n"
    if shape in ("map", "batches"):
        text = text.replace("import task", "import map_task, task")
        text += f"@task\ndef numbers(x: int) -> list[int]:\n    return list(range(x, {count}))\n\n"
        batch = ", batch=20" if shape == "batches" else ""
        body = f"    return join(map_task(inc{batch})(numbers(x)))\n"
    elif shape == "branches":
        text = text.replace("import task", "import conditional, task")
        text += "@workflow\ndef step(x: int) -> int:\n"
        text += '    return conditional("odd").if_(x > 3).then(inc(x)).else_().then(inc(x))\n\n'
        body = f"    for _ in range({count}):\n        x = step(x)\n    return x\n"
    elif shape == "chain":
        body = f"    for _ in range({count}):\n        x = inc(x)\n    return x\n"
    else:
        body = f"    first = inc(x)\n    return join([inc(first) for _ in range({count} - 2)])\n"
    return f"{text}@workflow\ndef flow(x: int = 0) -> int:\n{body}"


def write_module(folder: Path, name: str, source: str) -> Any:
    """Write a module and import it."""
    (folder / "pyproject.toml").write_text('[tool.alula]\nproject = "bench"\nimage = "bench:1"\n')
    (folder / f"{name}.py").write_text(source)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    return importlib.import_module(name)


def _fresh(module: Any) -> Any:
    return importlib.reload(module)


def emitter(module: Any) -> Callable[[], object]:
    """Trace, check and write the file that stands in git."""
    from alula.emit import resources
    from alula_api.kinds import yamltext

    def emit() -> str:
        return yamltext.dump(resources.workflow(_fresh(module).flow, resources.Code("bench:1")))

    return emit


def compiler(module: Any) -> Callable[[], object]:
    """Compile the resource; emission is not counted."""
    import alula_compiler
    from alula.emit import resources

    resource = resources.workflow(module.flow, resources.Code("bench:1"))
    resource["spec"]["version"] = "1"
    return lambda: alula_compiler.compile(resource)


def dumper(count: int) -> Callable[[], object]:
    """The floor: an Argo manifest of so many steps as a plain dict, through PyYAML's C dumper."""
    import yaml

    def dump() -> str:
        steps = [
            {
                "name": f"n{index}",
                "template": "inc",
                "dependencies": [f"n{index - 1}"],
                "arguments": {"parameters": [{"name": "x", "value": f"{{{{tasks.n{index - 1}.outputs.result}}}}"}]},
            }
            for index in range(1, count)
        ]
        return str(
            yaml.dump({"spec": {"templates": [{"name": "main", "dag": {"tasks": steps}}]}}, Dumper=yaml.CSafeDumper)
        )

    return dump


def run(module: Any) -> Callable[[], object]:
    """A plain call of the workflow."""
    return lambda: module.flow(x=0)


def apart(module: Any) -> Callable[[], object]:
    """A run with each task in a process of its own."""
    return lambda: alula.run(module.flow, x=0)


def threaded(module: Any) -> Callable[[], object]:
    """A run in threads."""
    return lambda: alula.run(module.flow, x=0, threads=True)


def forks(count: int) -> Callable[[], object]:
    """The floor of a process a task: this process is forked, hears of each child that it runs, and reaps it."""

    def fork() -> None:
        for _ in range(count):
            ear, mouth = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.write(mouth, b"1")
                os._exit(0)
            os.close(mouth)
            os.read(ear, 1)
            os.close(ear)
            os.waitpid(pid, 0)

    return fork


def alone(module: Any, count: int) -> Callable[[], object]:
    """The task called as a function, types checked."""

    def call() -> None:
        for index in range(count):
            module.inc(x=index)

    return call


HOLDING = """
import os, re, time
from pathlib import Path
import pandas as pd
from alula import task, workflow

@task
def hold(number: int, count: int, folder: str) -> list[int]:
    frame = pd.DataFrame({"x": range(10)})
    Path(folder, f"{number}").touch()
    while len([*Path(folder).iterdir()]) < count:
        time.sleep(0.01)
    own, files = size("self")
    if number == 0 and count > 1:  # also the template, and the process that runs the workflow
        parent = os.getppid()
        others = [size(parent), size(int(Path(f"/proc/{parent}/stat").read_text().split()[3]))]
        own, files = own + sum(each[0] for each in others), max(files, *(each[1] for each in others))
    time.sleep(0.5)  # until all have looked
    return [own, files + 0 * len(frame)]

def size(pid: object) -> tuple[int, int]:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = {name: int(kilobytes) for name, kilobytes in re.findall("^([A-Za-z_]+): +([0-9]+) kB", text, re.M)}
    return found["Pss_Anon"], found["Rss"] - found["Anonymous"]

@task
def total(sizes: list[list[int]]) -> int:
    return sum(own for own, _ in sizes) + max(files for _, files in sizes)
"""


def memory(folder: Path, count: int) -> float:
    """MiB that a run takes while `count` tasks of a project with pandas run; what they share counts once.

    That is the proportional sizes of what they have allocated, and once the files (libraries) that the largest process
    has mapped: others on the machine may map the same files, which would make the whole's proportional size smaller.
    """
    name = f"holding_{count}"
    marks = folder / f"{name}_marks"
    marks.mkdir()
    calls = ", ".join(f"hold({number}, {count}, folder)" for number in range(count))
    text = f"{HOLDING}\n@workflow\ndef flow(folder: str) -> int:\n    return total([{calls}])\n"
    module = write_module(folder, name, text)
    kilobytes: int = alula.run(module.flow, folder=str(marks), workers=count).value
    return kilobytes / 1024


def frames(folder: Path, rows: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """A frame written with proof and read, and the floor: pandas writing and reading it, with the same compression."""
    import numpy
    import pandas

    from alula.types.frames import tables

    random = numpy.random.default_rng(7)
    words = numpy.array([f"word {number}" for number in range(1000)], dtype=object)
    frame = pandas.DataFrame({
        "i": random.integers(0, 10**9, rows), "f": random.normal(size=rows),
        "s": words[random.integers(0, 1000, rows)], "t": pandas.date_range("2026", periods=rows, freq="s"),
    })  # fmt: skip
    ours, theirs = folder / "ours.parquet", folder / "theirs.parquet"

    def travel() -> None:
        tables.write(frame, ours)
        tables.read(ours)

    def pandas_alone() -> None:
        frame.to_parquet(theirs, compression="zstd")
        pandas.read_parquet(theirs)

    return travel, pandas_alone


def project(folder: Path, modules: int) -> tuple[list[str], Path]:
    """A project whose task's code reaches all of its modules; returns the arguments that digest it once.

    Each module has helpers, a class and a constant, and its first helper calls those of two others.
    """
    root = folder / "wide"
    (root / "wide").mkdir(parents=True)
    (root / "pyproject.toml").write_text('[project]\nname = "wide"\n')
    (root / "wide" / "__init__.py").write_text("")
    for number in range(modules):
        others = [each for each in (2 * number + 1, 2 * number + 2) if each < modules]
        after = "".join(f"from wide import m{each}\n" for each in others)
        call = " + ".join(f"m{each}.helper7(x)" for each in others) or "x"
        helpers = "".join(
            f"def helper{index}(x: int) -> int:\n    rows = [RATE * each for each in range(x)]\n"
            f"    return sum(rows) + Model(x).get() + {call if index == 0 else f'helper{index - 1}(x)'}\n\n\n"
            for index in range(8)
        )
        model = "class Model:\n    def __init__(self, x: int) -> None:\n        self.x = x\n\n"
        model += "    def get(self) -> int:\n        return self.x * RATE\n\n\n"
        (root / "wide" / f"m{number}.py").write_text(f"{after}\nRATE = {number}\n\n\n{model}{helpers}")
    flow = "from alula import task\nfrom wide import m0\n\n\n@task(cache=True)\ndef f(x: int) -> int:\n"
    (root / "flow.py").write_text(f"{flow}    return m0.helper7(x)\n")
    return ["-c", "import flow; flow.f.version"], root


def json_round_trips(count: int) -> Callable[[], object]:
    """The floor of handing one value over."""

    def trip() -> None:
        for index in range(count):
            json.loads(json.dumps({"x": index}))
            json.loads(json.dumps(index))

    return trip


def sqlite(folder: Path, count: int = 1000) -> Callable[[], object]:
    """The floor of a local cache hit: one lookup by key in a sqlite file."""
    connection = sqlite3.connect(folder / "floor.db")
    connection.execute("create table if not exists entries (key text primary key, value text)")
    connection.executemany("insert or replace into entries values (?, ?)", [(f"{i:064d}", "1") for i in range(count)])
    connection.commit()

    def look() -> None:
        for index in range(count):
            connection.execute("select value from entries where key = ?", (f"{index:064d}",)).fetchone()

    return look


def pod(module: Any, folder: Path) -> tuple[list[str], dict[str, str]]:
    """The process of a pod on a local store, int to int: its arguments and its environment."""
    from alula_api.contract import pods

    call = pods.Call(
        entrypoint=module.inc.entrypoint,
        task=module.inc.key,
        interface=module.inc.interface.digest,
        cache="",
        retries=0,
        inputs=(("x", "1"),),
        items=(),
        paths={},
        outputs=("o0",),
    )
    environment = {
        pods.Env.RUN: "bench",
        pods.Env.RUN_UID: "0",
        pods.Env.NODE: "bench.inc",
        pods.Env.ATTEMPT: "0",
        pods.Env.STORE: f"file://{folder / 'store'}",
        pods.Env.INLINE_LIMIT: "4096",
        pods.Env.OUT: str(folder / "out"),
        pods.Env.TERMINATION_LOG: str(folder / "termination-log"),
        "PYTHONPATH": str(folder),
    }
    return ["-m", "alula.runtime", *pods.argv(call)], environment


def kfp_executor(interpreter: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    """The peer's process for the same task: what a container of a compiled KFP component runs."""
    component = folder / "component.py"
    component.write_text(
        "from kfp import dsl\nfrom kfp.dsl import *\nfrom typing import *\n\n"
        "def inc(x: int) -> int:\n    return x + 1\n"
    )
    out = folder / "kfp-out"
    given = {
        "inputs": {"parameterValues": {"x": 1}},
        "outputs": {
            "parameters": {"Output": {"outputFile": str(out / "Output")}},
            "outputFile": str(out / "executor_output.json"),
        },
    }
    words = ["--component_module_path", str(component), "--executor_input", json.dumps(given)]
    argv = [interpreter, "-m", "kfp.dsl.executor_main", *words, "--function_to_execute", "inc"]
    return argv, {"_KFP_RUNTIME": "true"}  # as in its containers: it imports less


def walk(count: int) -> Callable[[], object]:
    """The contract's walk over a chain, without the tasks."""
    from alula_api.contract.graphs import bindings, calls, plans, walks

    steps = [plans.Step("n0", calls.TaskCall("inc"), (("x", bindings.FromInput("x")),))]
    for index in range(1, count):
        before = f"n{index - 1}"
        inputs = (("x", bindings.FromNode(before, "o0")),)
        steps.append(plans.Step(f"n{index}", calls.TaskCall("inc"), inputs, (before,)))
    plan = plans.Plan({"main": plans.Graph(("x",), tuple(steps))})

    def go() -> None:
        going = walks.Walk(plan, {"x": 0})
        while (spot := going.take()) is not None:
            going.finish(spot, {"o0": 1})

    return go


def dictionary_walk(count: int) -> Callable[[], object]:
    """The floor: the same chain sorted by the standard library, with a dictionary of outputs."""
    import graphlib

    edges = {f"n{index}": [f"n{index - 1}"] if index else [] for index in range(count)}

    def go() -> None:
        sorter = graphlib.TopologicalSorter(edges)
        sorter.prepare()
        outputs: dict[str, int] = {}
        while sorter.is_active():
            for name in sorter.get_ready():
                outputs[name] = 1
                sorter.done(name)

    return go
