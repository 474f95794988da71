"""Hand-written resources for the scenarios: what the SDK would emit for `project/tiny.py`, in few lines."""

from __future__ import annotations

from typing import Any

INT = "int"
STR = "str"
IMAGE = "registry.example.org/tiny:1"

TASKS = [
    {
        "name": "add",
        "entrypoint": "tiny:add",
        "inputs": [{"name": "a", "type": INT}, {"name": "b", "type": INT}],
        "outputs": [{"name": "o0", "type": INT}],
        "cache": {"version": "1"},
    },
    {
        "name": "greet",
        "entrypoint": "tiny:greet",
        "inputs": [{"name": "text", "type": STR}],
        "outputs": [{"name": "o0", "type": STR}],
        "cache": {"version": "1"},
    },
    {
        "name": "much",
        "entrypoint": "tiny:much",
        "inputs": [{"name": "letter", "type": STR}],
        "outputs": [{"name": "o0", "type": STR}],
        "cache": {"version": "1"},
    },
    {
        "name": "count",
        "entrypoint": "tiny:count",
        "inputs": [{"name": "text", "type": STR}, {"name": "salt", "type": INT}],
        "outputs": [{"name": "o0", "type": INT}],
        "cache": {"version": "1"},
    },
    {
        "name": "uncached",
        "entrypoint": "tiny:uncached",
        "inputs": [{"name": "a", "type": INT}],
        "outputs": [{"name": "o0", "type": INT}],
    },
]

Object = dict[str, Any]


def out(node: str, output: str = "o0") -> Object:
    return {"node": node, "output": output}


def node(id_: str, task: str, **inputs: Any) -> Object:
    return {"id": id_, "task": task, "inputs": inputs}


def workflow(name: str, nodes: list[Object] | None = None, **spec: Any) -> Object:
    """`add` twice in a row, `greet` beside them, unless told otherwise."""
    chain = [
        node("add", "add", a={"input": "x"}, b={"value": "1"}),
        node("add-2", "add", a=out("add"), b={"value": "2"}),
        node("greet", "greet", text={"input": "label"}),
    ]
    return {
        "apiVersion": "alula.dev/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name},
        "spec": {
            "version": "v1",
            "code": {"image": IMAGE, "runtime": 1},
            "inputs": [{"name": "x", "type": INT, "default": "7"}, {"name": "label", "type": STR, "default": '"hi"'}],
            "outputs": [],
            "tasks": TASKS,
            "graphs": [{"name": "main", "nodes": nodes or chain}],
            **spec,
        },
    }


def nested(name: str) -> Object:
    """A sub-graph in the middle: `first`, then `one` and `two` in it, then `after`."""
    return workflow(
        name,
        outputs=[{"name": "total", "type": INT, "from": out("after")}],
        graphs=[
            {
                "name": "main",
                "nodes": [
                    node("first", "add", a={"input": "x"}, b={"value": "1"}),
                    {"id": "sub", "graph": "inner", "inputs": {"p": out("first"), "q": {"input": "label"}}},
                    node("after", "add", a=out("sub", "r"), b={"value": "2"}),
                ],
            },
            {
                "name": "inner",
                "inputs": [{"name": "p", "type": INT}, {"name": "q", "type": STR}],
                "outputs": [{"name": "r", "type": INT, "from": out("two")}],
                "nodes": [
                    node("one", "add", a={"input": "p"}, b={"value": "3"}),
                    node("two", "add", a=out("one"), b={"value": "4"}),
                    node("aside", "greet", text={"input": "q"}),
                ],
            },
        ],
    )


def deep(name: str) -> Object:
    """Graphs in graphs: `outer` holds `inner`, what is behind it, and a task that rests on `label` alone."""
    ports = [{"name": "p", "type": INT}, {"name": "q", "type": STR}]
    body = nested(name)
    inner = body["spec"]["graphs"][1]
    inner["nodes"][2]["inputs"] = {"text": {"value": '"always the same"'}}
    outer = {
        "name": "outer",
        "inputs": ports,
        "outputs": [{"name": "r", "type": INT, "from": out("behind")}],
        "nodes": [
            {"id": "inside", "graph": "inner", "inputs": {"p": {"input": "p"}, "q": {"input": "q"}}},
            node("behind", "add", a=out("inside", "r"), b={"value": "5"}),
            node("beside", "greet", text={"input": "q"}),
        ],
    }
    body["spec"]["graphs"][0]["nodes"][1]["graph"] = "outer"
    body["spec"]["graphs"].insert(1, outer)
    return body


def stored(name: str) -> Object:
    """A value that is too large to travel inline, and a task that reads it."""
    return workflow(
        name,
        [
            node("much", "much", letter={"input": "label"}),
            node("count", "count", text=out("much"), salt={"input": "x"}),
        ],
        outputs=[{"name": "count", "type": INT, "from": out("count")}],
    )


def launch_plan(name: str, workflow: str, **spec: Any) -> Object:
    return {
        "apiVersion": "alula.dev/v1alpha1",
        "kind": "LaunchPlan",
        "metadata": {"name": name},
        "spec": {"workflow": workflow, **spec},
    }
