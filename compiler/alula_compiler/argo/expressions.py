r"""Where a value is read from, in Argo's two notations: a simple tag, and a term of an expression.

An expression is never made of people's text: names have a form without quotes, and constants are string literals.
"""

from __future__ import annotations

import json

from alula_api.contract import jsontext
from alula_compiler import program as ir


def constant(text: str) -> str:
    """Return a written value as it stands in a parameter: Argo-safe JSON."""
    return jsontext.argo_safe(text)


def tag(leaf: ir.FromInput | ir.FromNode, graph: ir.Graph) -> str:
    """Return the simple tag that stands for a whole value in a DAG of `graph`."""
    return "{{" + _dotted(leaf, graph) + "}}"


def argument(binding: ir.Binding, graph: ir.Graph) -> str:
    """Return the one argument that a binding becomes. Lists become a JSON list of JSON texts, with nothing spliced."""
    if isinstance(binding, ir.Items):
        terms = ",".join(_term(leaf, graph) for leaf in binding.leaves)
        return "{{=toJson([" + terms + "])}}"
    if isinstance(binding, ir.Constant):
        return constant(binding.text)
    return tag(binding, graph)


def literal(text: str) -> str:
    """Return a string literal of an expression that has the Argo-safe JSON of a written value as its value."""
    return json.dumps(constant(text))


def _term(leaf: ir.Leaf, graph: ir.Graph) -> str:
    if isinstance(leaf, ir.Constant):
        # Inside a tag a closing brace would end it, so structural braces are written as the literal's own escapes.
        return literal(leaf.text).replace("{", "\\u007b").replace("}", "\\u007d")
    if isinstance(leaf, ir.FromInput) and graph.name != ir.MAIN:
        return f"inputs.parameters['{leaf.input}']"
    node, output = (ir.ADMIT, leaf.input) if isinstance(leaf, ir.FromInput) else (leaf.node, leaf.output)
    return f"tasks['{node}'].outputs.parameters['{output}']"


def _dotted(leaf: ir.FromInput | ir.FromNode, graph: ir.Graph) -> str:
    if isinstance(leaf, ir.FromInput) and graph.name != ir.MAIN:
        return f"inputs.parameters.{leaf.input}"
    node, output = (ir.ADMIT, leaf.input) if isinstance(leaf, ir.FromInput) else (leaf.node, leaf.output)
    return f"tasks.{node}.outputs.parameters.{output}"


def output(binding: ir.Binding, graph: ir.Graph) -> ir.Object:
    """Return the `valueFrom` of an output of `graph`.

    Inputs of a nested graph are already substituted where outputs are read, so they and constants need an expression.
    """
    if isinstance(binding, ir.Constant):
        return {"expression": literal(binding.text)}
    if isinstance(binding, ir.FromInput) and graph.name != ir.MAIN:
        return {"expression": f"inputs.parameters['{binding.input}']"}
    assert not isinstance(binding, ir.Items), "lists leave a graph as single outputs"
    return {"parameter": tag(binding, graph)}


def path(steps: tuple[str, ...]) -> str:
    """Return an attribute path as it stands in a parameter: an Argo-safe JSON list."""
    return constant(jsontext.dumps(list(steps)))
