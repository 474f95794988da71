"""Draws the graphs of a Workflow as a Mermaid flowchart, which forges show as a picture.

Called by `generate`. A dotted line leads from a node to the graph that it runs, and from a branch with its condition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Object = Mapping[str, Any]


def drawn(spec: Object) -> str:
    """The chart of a Workflow's `spec`, as its resource has it."""
    graphs = {graph["name"]: f"g{number}" for number, graph in enumerate(spec["graphs"])}
    lines = ["flowchart LR"]
    for graph in spec["graphs"]:
        nodes = graph.get("nodes", [])
        ids = {node["id"]: f"{graphs[graph['name']]}n{number}" for number, node in enumerate(nodes)}
        inner = [f"{ids[node['id']]}{_shape(node)}" for node in nodes]
        inner += [f"{ids[before]} --> {ids[node['id']]}" for node in nodes for before in _before(node)]
        if graph["name"] == "main":
            lines += [f"  {line}" for line in inner]
        else:
            title = _quoted(graph["name"])
            values = [f"{graphs[graph['name']]}v[{_quoted(_value(graph))}]"] if not nodes else []
            lines += [
                f"  subgraph {graphs[graph['name']]}[{title}]",
                *(f"    {each}" for each in inner + values),
                "  end",
            ]
        for node in nodes:
            for name, label in _graphs(node):
                text = f" {_quoted(label)} " if label else ""
                lines.append(f"  {ids[node['id']]} -.{text}{'.->' if label else '->'} {graphs[name]}")
    return "\n".join(lines) + "\n"


def _shape(node: Object) -> str:
    """The node's text, and by its brackets its kind."""
    if "branch" in node:
        return f"{{{_quoted(node['id'])}}}"
    found = node.get("map") or node.get("repeat")
    if found is None:
        task = node.get("task")
        return f"[{_quoted(node['id'], task if task not in (None, node['id']) else '')}]"
    what = found.get("task") or found.get("graph")
    how = f"until {found['until']}" if "until" in found else "for each item"
    return f"[[{_quoted(node['id'], f'{what}, {how}')}]]"


def _graphs(node: Object) -> Iterator[tuple[str, str]]:
    """The graphs that a node runs, each with when."""
    branch = node.get("branch", {})
    for case in branch.get("cases", []):
        yield case["graph"], case["when"]
    if "otherwise" in branch:
        yield branch["otherwise"], "else"
    for found in (node, node.get("map", {}), node.get("repeat", {})):
        if "graph" in found:
            yield found["graph"], ""


def _before(node: Object) -> list[str]:
    """The nodes that it waits for."""
    return [*dict.fromkeys((*_read(node.get("inputs", {})), *node.get("after", [])))]


def _read(binding: Any) -> Iterator[str]:
    if isinstance(binding, Mapping):
        if isinstance(binding.get("node"), str):
            yield binding["node"]
        for each in binding.values():
            yield from _read(each)
    elif isinstance(binding, list):
        for each in binding:
            yield from _read(each)


def _value(graph: Object) -> str:
    """What a graph without nodes gives."""
    (output, *_) = graph.get("outputs") or [{"from": {"value": ""}}]
    return str(output["from"].get("value") or output["from"].get("input", ""))


def _quoted(*lines: str) -> str:
    text = "<br/>".join(line.replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;") for line in lines if line)
    return f'"{text}"'
