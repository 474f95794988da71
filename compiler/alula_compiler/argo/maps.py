r"""A map in Argo's terms: a DAG of one task, which runs once for each index of a list.

The list stands in the arguments as its items (`alula_api.contract.lists`), so the engine picks an item for each index
without looking into it, and puts what the items publish together to a list of the same form. An item gets a list of its
own item alone and the path `0` in it. Nothing is collected by a pod, and lists of different lengths fail before the
first item, with a sentence in place of their number. Outputs are total: without items they are empty lists.

An item that may fail lies in a DAG of its own, which succeeds whatever comes of it and publishes `null` for each output
of one that failed: so the lists keep their order. A last task, of no pod, counts those that succeeded; it too has a
sentence in place of a number, where they are too few.
"""

from __future__ import annotations

import functools

from alula_api.contract import lists, names
from alula_api.contract.graphs.bindings import Items, path_of
from alula_api.contract.graphs.calls import MapCall, TaskCall
from alula_api.contract.graphs.specs import GraphSpec, NodeSpec
from alula_api.contract.references import STORED
from alula_compiler.argo import batches, expressions
from alula_compiler.argo.model import Names, Object, map_key

_WHOLE = "[]"
_BEGIN = f'{{"{STORED}":{{"{lists.ITEMS}":'
_END = "}}"


def templates(node: NodeSpec, call: MapCall, named: Names) -> list[Object]:
    """Return the DAG of a map, which nodes with the same inputs share, and that of an item that may fail."""
    arguments = _arguments(node, call, named)
    parameters = [each["name"] for each in arguments]
    called = named.tries[map_key(node, call)] if call.is_tolerant else named.item(node)
    item = {
        "name": names.ITEM,
        "template": called,
        "withSequence": {"count": batches.count(call) if named.know_batches else _count(call)},
        "arguments": {"parameters": arguments},
    }
    bound = [port for port, _ in node.inputs if port not in (*call.over, *call.along)]
    taken: list[Object] = [{"name": port} for port, _ in node.inputs]
    taken += [{"name": names.path_parameter(port), "default": _WHOLE} for port in bound]
    made: Object = {"name": named.of(node), "inputs": {"parameters": taken}}
    if call.concurrency:
        made["parallelism"] = call.concurrency  # counts the items: pods, and DAGs of graphs
    listed = _list_of if call.batch is None else functools.partial(batches.joined, call)
    made_of = {each: _bounded(listed(each)) if each in call.of_lists else listed(each) for each in call.outputs}
    made_of |= {names.item_parameter(each): f"toJson('=' + ({made_of[each]}))" for each in call.as_items}
    outputs = [{"name": each, "valueFrom": {"expression": text}} for each, text in made_of.items()]
    outputs += [{"name": each, "valueFrom": {"expression": _list_of_published(of)}} for each, of in call.parts]
    if outputs:
        made["outputs"] = {"parameters": outputs}
    if not call.is_tolerant:
        return [{**made, "dag": {"tasks": [item]}}]
    return [{**made, "dag": {"tasks": [item, _enough(call)]}}, _try(called, call, parameters, named.item(node))]


def _arguments(node: NodeSpec, call: MapCall, named: Names) -> list[Object]:
    """What an item gets: of each list its own item, all else as the map has it."""
    arguments: list[Object] = []
    for port in call.over:
        own = batches.own(call, port) if named.know_batches else _own_item(port)
        arguments.append({"name": port, "value": own})
        if isinstance(call.item, TaskCall) and call.batch is None:  # the nodes of a graph know the path
            arguments.append({"name": names.path_parameter(port), "value": expressions.path(lists.FIRST)})
    arguments += [{"name": port, "value": "{{=" + f"{_items(port)}[asInt(item)]" + "}}"} for port in call.along]
    paths = named.paths_of_item(node, call)
    for port in (port for port, _ in node.inputs if port not in (*call.over, *call.along)):
        for parameter in (port, *((names.path_parameter(port),) if port in paths else ())):
            arguments.append({"name": parameter, "value": "{{inputs.parameters." + parameter + "}}"})
    return arguments


def _try(name: str, call: MapCall, parameters: list[str], attempt: str) -> Object:
    """The DAG of an item that may fail, or of a batch of them."""
    passed = [{"name": each, "value": "{{inputs.parameters." + each + "}}"} for each in parameters]
    ended = " || ".join(
        f"{names.ATTEMPT}.{phase}" for phase in ("Succeeded", "Failed", "Errored", "Skipped", "Omitted")
    )
    listed = [*map(names.item_parameter, call.outputs), *(of for _, of in call.parts)]
    published = [{"name": each, "valueFrom": {"expression": _tried(each)}} for each in listed]
    succeeded = f"{_SUCCEEDED} ? 'true' : 'null'" if call.batch is None else batches.SUCCESSES
    return {
        "name": name,
        "inputs": {"parameters": [{"name": each} for each in parameters]},
        "outputs": {"parameters": [{"name": names.SUCCEEDED, "valueFrom": {"expression": succeeded}}, *published]},
        "dag": {
            "tasks": [
                {
                    "name": names.ATTEMPT,
                    "template": attempt,
                    "arguments": {"parameters": passed},
                },
                {"name": names.NOTHING, "template": names.NOTHING, "depends": ended},
            ]
        },
    }


_SUCCEEDED = f"tasks['{names.ATTEMPT}']?.status == 'Succeeded'"


def _tried(parameter: str) -> str:
    published = f"tasks['{names.ATTEMPT}']?.outputs?.parameters?.['{parameter}']"
    return f"{_SUCCEEDED} ? ({published} ?? 'null') : 'null'"


def _enough(call: MapCall) -> Object:
    """The task that fails where too few items succeeded; of an empty list it has nothing to ask, and is omitted.

    What it reads must not be optional: an expression without a missing value would be evaluated before there is any.
    """
    listed = f"fromJSON(tasks['{names.ITEM}'].outputs.parameters['{names.SUCCEEDED}'])"
    count, successes = f"len({listed})", f"len(filter({listed}, # == 'true'))"
    if call.batch is not None:
        count, successes = batches.length(call), f"sum(map({listed}, int(#)))"
    numerator, denominator = call.share
    share = f"int(({numerator} * {count} + {denominator - 1}) / {denominator})"
    needed = f"max({call.min_successes or 0}, {share})"
    told = lists.TOO_FEW.format(*(f"' + string({each}) + '" for each in (successes, count, needed)))
    return {
        "name": names.ENOUGH,
        "template": names.NOTHING,
        "depends": f"{names.ITEM}.Succeeded",
        "withSequence": {"count": "{{=" + f"{successes} >= {needed} ? '1' : '{told}'" + "}}"},
    }


def arguments(node: NodeSpec, graph: GraphSpec) -> list[Object]:
    """Return the arguments of a map or a repeat: lists as their items, all else as it is."""
    parameters: list[Object] = []
    along = node.call.along if isinstance(node.call, MapCall) else ()
    for name, binding in node.inputs:
        if isinstance(binding, Items):
            value = items(binding, graph, published=name in along)
        else:
            value = expressions.argument(binding, graph)
        parameters.append({"name": name, "value": value})
        if path_of(binding):
            parameters.append({"name": names.path_parameter(name), "value": expressions.path(path_of(binding))})
    return parameters


def items(binding: Items, graph: GraphSpec, *, published: bool) -> str:
    """Return the list of several sources as its items. A text of each is made twice: one is the item, one its text; of
    what is published of them one is enough."""
    terms = (expressions.term(leaf, graph) for leaf in binding.leaves)
    texts = ",".join(term if published else f"toJson('=' + {term})" for term in terms)
    return "{{=" + f"{_literal(_BEGIN)} + toJson([{texts}]) + {_literal(_END)}" + "}}"


def _own_item(port: str) -> str:
    own = f"toJson({_items(port)}[asInt(item)])"
    return "{{=" + f"{_literal(_BEGIN + '[')} + {own} + {_literal(']' + _END)}" + "}}"


def _items(port: str) -> str:
    return f"fromJSON(inputs.parameters['{port}'])['{STORED}']['{lists.ITEMS}']"


def _count(call: MapCall) -> str:
    """How many items there are; for lists that differ, or are too short, what is no number, and says so."""
    over = call.over
    lengths = [f"len({_items(port)})" for port in over]
    text = f"string({lengths[0]})"
    if call.needed(0):
        text = f"{lengths[0]} == 0 ? '{lists.TOO_FEW.format(0, 0, call.needed(0))}' : {text}"
    for length in lengths[1:]:
        text = f"{lengths[0]} == {length} ? {text} : {_unequal(over, lengths)}"
    return "{{=" + text + "}}"


def _unequal(over: tuple[str, ...], lengths: list[str]) -> str:
    told = " + ' and ".join(f"{port} has ' + string({length})" for port, length in zip(over, lengths, strict=True))
    return f"'{over[0]} {lists.UNEQUAL}{told}"


def _list_of(output: str) -> str:
    return _list_of_published(names.item_parameter(output))


def _list_of_published(parameter: str) -> str:
    published = f"tasks['{names.ITEM}']?.outputs?.parameters?.['{parameter}']"
    return f"'{_BEGIN}' + ({published} ?? '[]') + '{_END}'"


def _bounded(listed: str) -> str:
    """A list of lists, or where it is too long for an argument its length: who reads that says so."""
    return f"map([{listed}], len(#) > {lists.MAX_LISTS_TEXT} ? '{_BEGIN}' + string(len(#)) + '{_END}' : #)[0]"


def _literal(text: str) -> str:
    """A string literal inside a tag, where a brace would end it."""
    return "'" + text.replace("{", "\\u007b").replace("}", "\\u007d") + "'"
