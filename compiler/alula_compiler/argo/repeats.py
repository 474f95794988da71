"""A repeat in Argo's terms: a DAG with a task for each round that there may be.

Each round waits for the one before, and asks of what that one published whether there is another: where there is not,
Argo skips it and omits those behind it, which takes no time and no pod. The outputs are those of the newest round that
ran. An error in the question fails its round and with it the run.
"""

from __future__ import annotations

from alula_api.contract import names
from alula_api.contract.graphs import rounds
from alula_api.contract.graphs.calls import RepeatCall
from alula_api.contract.graphs.conditions import Read
from alula_api.contract.graphs.specs import NodeSpec
from alula_compiler.argo import decisions
from alula_compiler.argo.model import Names, Object

_WHOLE = "[]"


def template(node: NodeSpec, call: RepeatCall, named: Names) -> Object:
    """Return the DAG of a repeat, which nodes of the same call with the same inputs share."""
    ports = [port for port, _ in node.inputs]
    paths = set(named.paths(call.step))
    taken: list[Object] = [{"name": port} for port in ports]
    taken += [{"name": names.path_parameter(port), "default": _WHOLE} for port in ports if port in paths]
    tasks = [_round(number, ports, paths, call, named) for number in range(1, call.max + 1)]
    outputs = [{"name": each, "valueFrom": {"expression": _newest(each, call.max)}} for each in call.outputs]
    return {
        "name": named.of(node),
        "inputs": {"parameters": taken},
        "outputs": {"parameters": outputs},
        "dag": {"tasks": tasks},
    }


def _round(number: int, ports: list[str], paths: set[str], call: RepeatCall, named: Names) -> Object:
    made: Object = {"name": rounds.name(number), "template": named.single(call.step)}
    state: dict[str, str] = {}
    if number > 1:
        before, state = rounds.name(number - 1), dict(call.state)
        made["depends"] = f"{before}.Succeeded"
        made["when"] = "{{=!" + _asked(call, before) + "}}"
    parameters: list[Object] = []
    for port in ports:
        if port in call.own:
            continue
        own = "{{inputs.parameters." + port + "}}"
        value = "{{" + f"tasks.{before}.outputs.parameters.{state[port]}" + "}}" if port in state else own
        parameters.append({"name": port, "value": value})
        if port in paths:
            path = names.path_parameter(port)
            whole = _WHOLE if port in state else "{{inputs.parameters." + path + "}}"
            parameters.append({"name": path, "value": whole})
    return {**made, "arguments": {"parameters": parameters}}


def _asked(call: RepeatCall, before: str) -> str:
    """Whether the condition holds after a round."""
    outputs = {each.name: each.output for each in call.watched}

    def term(read: Read) -> str:
        output = outputs[read.name]
        if not output:
            return f"inputs.parameters['{read.name}']"
        return f"tasks['{before}'].outputs.parameters['{output}']"

    return decisions.Decision(term, {each.name: each.type for each in call.watched}).text(call.until)


def _newest(output: str, most: int) -> str:
    made = (f"tasks['{rounds.name(number)}']?.outputs?.parameters?.['{output}']" for number in range(most, 0, -1))
    return " ?? ".join([*made, "'null'"])
