r"""Where a value is read from, in Argo's two notations: a simple tag, and a term of an expression.

An expression is never made of people's text: names have a form without quotes, and constants are string literals.
"""

from __future__ import annotations

import json
from typing import TypeAlias

from alula_api.contract import jsontext, names
from alula_api.contract.graphs.bindings import Binding, Constant, FirstOf, FromInput, FromNode, Items, Leaf
from alula_api.contract.graphs.specs import GraphSpec
from alula_api.contract.jsontext import Json
from alula_compiler.argo.model import Object

Source: TypeAlias = FromInput | FromNode


def constant(text: str) -> str:
    """Return a written value as it stands in a parameter: Argo-safe JSON."""
    return jsontext.argo_safe(text)


def argument(binding: Binding, graph: GraphSpec) -> str:
    """Return the one argument that a binding becomes. Lists become a JSON list of JSON texts, with nothing spliced."""
    if isinstance(binding, Items):
        return "{{=toJson([" + ",".join(term(leaf, graph) for leaf in binding.leaves) + "])}}"
    assert not isinstance(binding, FirstOf), "check_graph has refused it"
    return constant(binding.text) if isinstance(binding, Constant) else _tag(binding, graph)


def output(binding: Binding, graph: GraphSpec) -> Object:
    """Return the `valueFrom` of an output of `graph`: of a part of a value the whole, of a list its whole items.

    Inputs of a nested graph are already substituted where outputs are read, so they and constants need an expression.
    """
    assert not isinstance(binding, FirstOf), "check_graph has refused it"
    if isinstance(binding, Items):
        items = ' + "," + '.join(term(leaf, graph) for leaf in binding.leaves)
        return {"expression": f'"[" + {items} + "]"' if items else '"[]"'}
    if isinstance(binding, Constant):
        return {"expression": _literal(binding.text)}
    if _node(binding, graph) is None:
        return {"expression": term(binding, graph)}
    return {"parameter": _tag(binding, graph)}


def written(value: Json) -> Object:
    """Return the `valueFrom` of an output that is always the same."""
    return {"expression": _literal(jsontext.dumps(value))}


def path(steps: tuple[str, ...]) -> str:
    """Return an attribute path as it stands in a parameter: an Argo-safe JSON list."""
    return constant(jsontext.dumps(list(steps)))


def _node(leaf: FromInput | FromNode, graph: GraphSpec) -> str | None:
    """The task of the DAG that gives the value; None for an input of the DAG itself. `admit` has those of `main`."""
    if isinstance(leaf, FromNode):
        return leaf.node
    return names.ADMIT if graph.is_main else None


def _name(leaf: FromInput | FromNode) -> str:
    return leaf.input if isinstance(leaf, FromInput) else leaf.output


def _tag(leaf: FromInput | FromNode, graph: GraphSpec) -> str:
    node = _node(leaf, graph)
    source = "inputs" if node is None else f"tasks.{node}.outputs"
    return "{{" + f"{source}.parameters.{_name(leaf)}" + "}}"


def term(leaf: Leaf, graph: GraphSpec) -> str:
    """Return a source as a term of an expression."""
    if isinstance(leaf, Constant):
        # Inside a tag a closing brace would end it, so structural braces are written as the literal's own escapes.
        return _literal(leaf.text).replace("{", "\\u007b").replace("}", "\\u007d")
    node = _node(leaf, graph)
    source = "inputs" if node is None else f"tasks['{node}'].outputs"
    return f"{source}.parameters['{_name(leaf)}']"


def _literal(text: str) -> str:
    """A string literal of an expression that has the Argo-safe JSON of a written value as its value."""
    return json.dumps(constant(text))
