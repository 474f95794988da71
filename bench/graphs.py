"""The workloads: generated modules of chains and fans, and what is done with them."""

from __future__ import annotations

import importlib
import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import alula

HEAD = "from alula import task, workflow\n\n"


def tasks(shape: str, count: int, *, cache: bool = False) -> str:
    """A module with a chain of `count` calls of one task, or a fan: one, `count - 2` beside each other, a join."""
    decorator = "@task(cache=True)" if cache else "@task"
    text = f"{HEAD}{decorator}\ndef inc(x: int) -> int:\n    return x + 1\n\n"
    text += "@task\ndef join(xs: list[int]) -> int:\n    return sum(xs)\n\n"
    if shape == "chain":
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
def hold(number: int, count: int, folder: str) -> int:
    frame = pd.DataFrame({"x": range(10)})
    Path(folder, f"{number}").touch()
    while len([*Path(folder).iterdir()]) < count:
        time.sleep(0.01)
    found = size(os.getpid())
    if number == 0:  # also the template, and the process that runs the workflow
        found += size(os.getppid()) + size(int(Path(f"/proc/{os.getppid()}/stat").read_text().split()[3]))
    time.sleep(0.5)  # until all have looked
    return found + 0 * len(frame)

def size(pid: int) -> int:
    return int(re.search("Pss: +([0-9]+)", Path(f"/proc/{pid}/smaps_rollup").read_text()).group(1))

@task
def total(sizes: list[int]) -> int:
    return sum(sizes)
"""


def memory(folder: Path, count: int) -> float:
    """MiB that a run takes while `count` tasks of a project with pandas run; what they share counts once."""
    name = f"holding_{count}"
    marks = folder / f"{name}_marks"
    marks.mkdir()
    calls = ", ".join(f"hold({number}, {count}, folder)" for number in range(count))
    text = f"{HOLDING}\n@workflow\ndef flow(folder: str) -> int:\n    return total([{calls}])\n"
    module = write_module(folder, name, text)
    kilobytes: int = alula.run(module.flow, folder=str(marks), workers=count).value
    return kilobytes / 1024


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
    from alula_api.contract.graphs import bindings, plans, walks

    steps = [plans.Step("n0", plans.TaskCall("inc"), (("x", bindings.FromInput("x")),))]
    for index in range(1, count):
        before = f"n{index - 1}"
        inputs = (("x", bindings.FromNode(before, "o0")),)
        steps.append(plans.Step(f"n{index}", plans.TaskCall("inc"), inputs, (before,)))
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
