"""Large workflows compile with work that grows with their size, or are refused with what to do."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
from typing import Any

import alula_compiler
from alula_compiler import engines
from tests import argo_schemas
from tests.compiler import compiled

NO_LIMITS = dataclasses.replace(compiled.ENGINE, limits=engines.Limits(run_nodes=10**6, spec_bytes=10**9))


def calls(workflow: dict[str, Any], engine: engines.Engine) -> int:
    """Return how many functions compiling calls: the same number whatever else the machine does."""
    count = 0

    def counted(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(counted)
    try:
        alula_compiler.compile(workflow, engine=engine)
    finally:
        sys.setprofile(None)
    return count


def test_a_chain_of_a_thousand_compiles_and_fits() -> None:
    workflow = compiled.chain(1000)
    result = alula_compiler.compile(workflow, engine=compiled.ENGINE)
    assert result.ok
    dags = [one["dag"]["tasks"] for one in result.objects[0]["spec"]["templates"] if "dag" in one]
    assert [len(tasks) for tasks in dags] == [7, 167, 167, 167, 167, 167, 165]
    argo_schemas.require()
    assert argo_schemas.problems(result.objects[0]) == []


def test_work_grows_with_size_and_not_with_its_square() -> None:
    small, large = calls(compiled.chain(200), NO_LIMITS), calls(compiled.chain(2000), NO_LIMITS)
    assert large < small * 11


def test_ten_thousand_nodes_in_a_chain_are_refused_with_the_numbers_and_little_work() -> None:
    workflow = compiled.chain(10_000)
    (found,) = alula_compiler.compile(workflow, engine=compiled.ENGINE).diagnostics
    assert found.code == "TOO_LARGE"
    assert "10,000" in found.message and "3,000" in found.message and found.hint
    assert calls(workflow, compiled.ENGINE) < 10 * calls(compiled.chain(1000), compiled.ENGINE)


def test_a_spec_of_too_many_bytes_is_refused_with_the_numbers() -> None:
    (found,) = alula_compiler.compile(compiled.chain(2000), engine=compiled.ENGINE).diagnostics
    assert found.code == "TOO_LARGE"
    assert "bytes" in found.message and "200,000" in found.message and found.hint


def test_a_fan_of_a_thousand_is_refused_for_its_bytes_and_one_of_five_hundred_fits() -> None:
    (found,) = alula_compiler.compile(compiled.fan(1000), engine=compiled.ENGINE).diagnostics
    assert found.code == "TOO_LARGE"
    assert alula_compiler.compile(compiled.fan(500), engine=compiled.ENGINE).ok


def test_graphs_that_call_each_other_forty_deep_compile_without_recursion_trouble() -> None:
    step = compiled.task("step", {"x": compiled.INT}, {"o0": compiled.INT})
    graphs: list[dict[str, Any]] = []
    for depth in range(40):
        call: dict[str, Any] = {"graph": f"g{depth + 1}"} if depth < 39 else {"task": "step"}
        node = {"id": "a", **call, "inputs": {"x": {"input": "x"} if depth else {"value": "1"}}}
        graph: dict[str, Any] = {"name": f"g{depth}" if depth else "main", "nodes": [node]}
        if depth:
            graph["inputs"] = [{"name": "x", "type": compiled.INT}]
            graph["outputs"] = [{"name": "o0", "type": compiled.INT, "from": {"node": "a", "output": "o0"}}]
        graphs.append(graph)
    assert alula_compiler.compile(compiled.workflow(tasks=[step], graphs=graphs)).ok


def test_graphs_nested_without_end_are_refused_without_a_crash() -> None:
    step = compiled.task("step", {}, {"o0": compiled.INT})
    graphs: list[dict[str, Any]] = [{"name": "main", "nodes": [{"id": "a", "graph": "g0"}]}]
    for depth in range(1900):
        call = {"graph": f"g{depth + 1}"} if depth < 1899 else {"task": "step"}
        graphs.append({"name": f"g{depth}", "nodes": [{"id": "a", **call}]})
    (found,) = alula_compiler.compile(compiled.workflow(tasks=[step], graphs=graphs)).diagnostics
    assert found.code == "TOO_LARGE" and "levels deep" in found.message


def test_calls_that_multiply_are_counted_and_not_walked() -> None:
    step = compiled.task("step", {}, {"o0": compiled.INT})
    graphs: list[dict[str, Any]] = []
    for depth in range(30):
        call = {"graph": f"g{depth + 1}"} if depth < 29 else {"task": "step"}
        nodes = [{"id": f"n{number}", **call} for number in range(10)]
        graphs.append({"name": f"g{depth}" if depth else "main", "nodes": nodes})
    (found,) = alula_compiler.compile(compiled.workflow(tasks=[step], graphs=graphs)).diagnostics
    assert found.code == "TOO_LARGE" and "nodes" in found.message


_PRINT = """
import hashlib, json
from tests.compiler import compiled
found = [compiled.compile_documents(compiled.load(name)) for name in compiled.NAMES]
print(hashlib.sha256(json.dumps([[one.objects, dict(one.plans)] for one in found]).encode()).hexdigest())
"""


def test_another_process_with_another_order_of_hashes_compiles_the_same_bytes() -> None:
    found = [compiled.compile_documents(compiled.load(name)) for name in compiled.NAMES]
    here = hashlib.sha256(json.dumps([[one.objects, dict(one.plans)] for one in found]).encode()).hexdigest()
    for seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": seed, "PATH": ""}
        command = [sys.executable, "-c", _PRINT]
        done = subprocess.run(command, capture_output=True, text=True, cwd=argo_schemas.REPOSITORY, env=environment)
        assert done.stdout.strip() == here, done.stderr
