"""Random workflows that are right, for properties that must hold whatever people write."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from tests.compiler import notation

INT, CONFIG, INTS, ANY, TEXT = (notation.TYPES[name] for name in ("int", "config", "ints", "any", "text"))

_BITS = [*"{}$()=\\\"'#<>", "{{", "}}", "$$", "$(", "{{=", "$(A)", "a", "é", "\x7f", "🐦"]
HOSTILE = st.lists(st.sampled_from(_BITS), max_size=8).map("".join)
"""Text that Argo, the kubelet, JSON or YAML might take for something else."""

TASKS = {
    "first": "() -> o0: int",
    "load": "() -> o0: config",
    "step": "(x: int, y: int = 1) -> o0: int",
    "two": "(c: config) -> o0: int, o1: config",
    "all": "(xs: ints, y: int = 2) -> o0: int",
    "say": "(t: any) -> o0: int",
}
_PORTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "first": ({}, {"o0": INT}),
    "load": ({}, {"o0": CONFIG}),
    "step": ({"x": INT, "y": INT}, {"o0": INT}),
    "two": ({"c": CONFIG}, {"o0": INT, "o1": CONFIG}),
    "all": ({"xs": INTS, "y": INT}, {"o0": INT}),
    "say": ({"t": ANY}, {"o0": INT}),
}
_OPTIONAL = {("step", "y"), ("all", "y")}
_GRAPH_INPUTS = {"i": INT, "c": CONFIG, "xs": INTS}
_GRAPH_OUTPUTS = {"o0": INT, "o1": CONFIG, "o2": INTS}


class _Sources:
    """What a graph can read so far, by type."""

    def __init__(self, inputs: dict[str, Any]) -> None:
        self.ints: list[Any] = [{"value": "5"}]
        self.configs: list[Any] = [{"value": '{"size":3,"name":"{{n}}"}'}]
        self.lists: list[Any] = []
        for name, schema in inputs.items():
            self.add({"input": name}, schema)

    def add(self, binding: dict[str, Any], schema: Any) -> None:
        if schema == INT:
            self.ints.append(binding)
        elif schema == CONFIG:
            self.configs.append(binding)
            self.ints.append({**binding, "path": ["size"]})
        elif schema == INTS:
            self.lists.append(binding)

    def draw(self, draw: st.DrawFn, schema: Any) -> Any:
        if schema == ANY:
            return {"value": json.dumps(draw(HOSTILE))}
        if schema == CONFIG:
            return draw(st.sampled_from(self.configs))
        if schema == INTS:
            several = st.lists(st.sampled_from(self.ints), max_size=3).map(lambda leaves: {"items": leaves})
            return draw(st.one_of(several, *([st.sampled_from(self.lists)] if self.lists else [])))
        return draw(st.sampled_from(self.ints))


def _nodes(draw: st.DrawFn, inputs: dict[str, Any], inner: list[str], most: int) -> tuple[list[Any], _Sources]:
    sources = _Sources(inputs)
    nodes: list[Any] = []
    for number in range(draw(st.integers(0, most))):
        call = draw(st.sampled_from([*TASKS, *inner]))
        ports, outputs = _PORTS[call] if call in TASKS else (_GRAPH_INPUTS, _GRAPH_OUTPUTS)
        given = {}
        for name, schema in ports.items():
            if (call, name) not in _OPTIONAL or draw(st.booleans()):
                given[name] = sources.draw(draw, schema)
        node = {"id": f"n{number}", "task" if call in TASKS else "graph": call, "inputs": given}
        if nodes and draw(st.booleans()):
            node["after"] = [draw(st.sampled_from([one["id"] for one in nodes]))]
        nodes.append(node)
        for name, schema in outputs.items():
            sources.add({"node": node["id"], "output": name}, schema)
    return nodes, sources


@st.composite
def workflows(draw: st.DrawFn, most: int = 9, depth: int = 2) -> dict[str, Any]:
    """A Workflow with up to `depth` graphs inside `main`, each able to call the ones after it."""
    resource = notation.resource({"tasks": TASKS, "inputs": {"i": "int = 7", "c": "config", "xs": "ints = [1]"}})
    spec = resource["spec"]
    spec["graphs"] = []
    names = ["main", *(f"g{number}" for number in range(draw(st.integers(0, depth))))]
    for index, name in enumerate(names):
        nodes, sources = _nodes(draw, _GRAPH_INPUTS, names[index + 1 :], most)
        outputs = []
        for port, schema in _GRAPH_OUTPUTS.items():
            outputs.append({"name": port, "type": schema, "from": sources.draw(draw, schema)})
        graph = {"name": name, "nodes": draw(st.permutations(nodes))}
        if name == "main":
            spec["outputs"] = outputs
        else:
            graph |= {"inputs": [{"name": k, "type": t} for k, t in _GRAPH_INPUTS.items()], "outputs": outputs}
        spec["graphs"].append(graph)
    return resource
