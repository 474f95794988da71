"""Whatever people write, the passes, the plan and Argo's DAGs mean what the workflow means."""

from __future__ import annotations

import dataclasses
import json
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import alula_compiler
from alula_api.contract import jsontext
from alula_api.contract.graphs import bindings, calls
from alula_compiler import engines, passes, problems, reading
from alula_compiler import program as ir
from alula_compiler.argo import build, limits, texts
from tests.compiler import compiled, meaning, strategies

ENGINE = dataclasses.replace(compiled.ENGINE, limits=engines.Limits(run_nodes=100_000, spec_bytes=10_000_000))


def stages(resource: dict[str, Any], engine: engines.Engine = ENGINE) -> dict[str, ir.Program]:
    """Return the program after each pass, by the pass's name; nothing may be reported."""
    read = reading.read(resource, [], None)
    assert read.program is not None, read.diagnostics
    program = read.program
    report = problems.Report()
    found = {}
    for one in passes.PASSES:
        program = one(program, engine, report)
        assert report.diagnostics() == ()
        verify(program, ordered="check_graph" in found)
        found[one.__module__.rpartition(".")[2]] = program
    return found


def verify(program: ir.Program, ordered: bool) -> None:
    """Every binding leads to something that is there, and (once they are in order) was there before."""
    tasks = {task.name: task for task in program.tasks}
    graphs = {graph.name: graph for graph in program.graphs}
    assert len(tasks) == len(program.tasks) and len(graphs) == len(program.graphs)
    for graph in program.graphs:
        inputs = {port.name for port in graph.inputs}
        outputs = {}
        for node in graph.nodes:
            (called,) = calls.parts(node.call)
            found = tasks[called.task] if isinstance(called, calls.TaskCall) else graphs[called.graph]
            outputs[node.id] = {port.name for port in found.outputs}
        assert len(outputs) == len(graph.nodes)
        seen: set[str] = set()
        for node in graph.nodes:
            assert not ordered or seen.issuperset(node.depends())
            seen.add(node.id)
            for leaf in node.reads():
                assert not isinstance(leaf, bindings.FromInput) or leaf.input in inputs
                assert not isinstance(leaf, bindings.FromNode) or leaf.output in outputs[leaf.node]
        for output in graph.outputs:
            for leaf in bindings.leaves(output.binding):
                assert not isinstance(leaf, bindings.FromInput) or leaf.input in inputs
                assert not isinstance(leaf, bindings.FromNode) or leaf.output in outputs[leaf.node]


@given(strategies.workflows())
def test_specialised_graphs_mean_what_the_written_ones_mean(resource: dict[str, Any]) -> None:
    found = stages(resource)
    written = meaning.of_program(found["check_graph"])
    assert meaning.of_program(found["whole_values"]) == written
    for graph in found["whole_values"].graphs:
        for node in graph.nodes:
            assert isinstance(node.call, calls.TaskCall) or all(_is_whole(binding) for _, binding in node.inputs)
        assert graph.is_main or all(_is_whole(output.binding) for output in graph.outputs)


def _is_whole(binding: bindings.Binding) -> bool:
    return isinstance(binding, bindings.Constant) or (not isinstance(binding, bindings.Items) and not binding.path)


@given(strategies.workflows(most=16), st.integers(2, 6))
def test_pieces_keep_every_edge_and_order_and_none_is_too_large(resource: dict[str, Any], most: int) -> None:
    bounds = dataclasses.replace(ENGINE.limits, dag_tasks=most)
    found = stages(resource, dataclasses.replace(ENGINE, limits=bounds))
    before, after = found["whole_values"], found["split_graphs"]
    whole = meaning.of_program(before)
    cut = meaning.of_program(after, meaning.pieces_of(before, after))
    assert (cut.calls, cut.outputs) == (whole.calls, whole.outputs)
    assert all(cut.before[path] >= waits for path, waits in whole.before.items())
    assert all(len(graph.nodes) <= most for graph in after.graphs)


@given(strategies.workflows(most=12), st.integers(3, 9))
def test_plan_and_argo_s_templates_mean_what_was_written(resource: dict[str, Any], most: int) -> None:
    bounds = dataclasses.replace(ENGINE.limits, dag_tasks=most)
    found = stages(resource, dataclasses.replace(ENGINE, limits=bounds))
    whole = meaning.of_program(found["whole_values"])
    pieces = meaning.pieces_of(found["whole_values"], found["split_graphs"])
    made = build.build(found["split_graphs"], ENGINE)
    plan = meaning.of_plan(made.plans["w"], pieces)
    argo = meaning.of_argo(made.objects[0]["spec"], pieces)
    assert (plan.calls, plan.outputs) == (whole.calls, whole.outputs)
    assert (argo.calls, argo.outputs) == (whole.calls, whole.outputs)
    assert all(argo.before[path] >= waits for path, waits in whole.before.items())
    for one in made.objects[0]["spec"]["templates"]:
        assert len(one.get("dag", {}).get("tasks", [])) <= most + 1


@given(strategies.workflows(most=12), st.integers(3, 9), st.integers(0, 1 << 32).map(random.Random))
def test_a_walk_of_the_plan_starts_what_argo_s_templates_start_when_they_do_and_with_what_they_give(
    resource: dict[str, Any], most: int, order: random.Random
) -> None:
    bounds = dataclasses.replace(ENGINE.limits, dag_tasks=most)
    found = stages(resource, dataclasses.replace(ENGINE, limits=bounds))
    pieces = meaning.pieces_of(found["whole_values"], found["split_graphs"])
    made = build.build(found["split_graphs"], ENGINE)
    argo = meaning.of_argo(made.objects[0]["spec"], pieces)
    walked = meaning.walked(made.plans["w"], pieces, order)
    assert set(walked) == set(argo.calls)
    for path, (task, inputs) in argo.calls.items():
        assert walked[path].task == task
        assert walked[path].ended >= argo.before[path]
        for name, value in inputs.items():
            match value:
                case ("call", maker, output, ()):
                    assert walked[path].inputs[name] == meaning.output(maker, output)
                case ("input", source, ()):
                    assert walked[path].inputs[name] == meaning.output("", source)
                case ("const", constant):
                    assert walked[path].inputs[name] == constant


@settings(max_examples=50)
@given(strategies.workflows(), st.randoms(use_true_random=False))
def test_the_order_in_the_resource_changes_no_meaning(resource: dict[str, Any], random: Any) -> None:
    before = meaning.of_program(stages(resource)["check_graph"])
    for graph in resource["spec"]["graphs"]:
        random.shuffle(graph["nodes"])
    random.shuffle(resource["spec"]["graphs"])
    random.shuffle(resource["spec"]["tasks"])
    after = meaning.of_program(stages(resource)["check_graph"])
    assert after == before


@settings(max_examples=50)
@given(strategies.workflows())
def test_compiling_twice_gives_the_same_bytes_and_leaves_the_resource_alone(resource: dict[str, Any]) -> None:
    before = json.dumps(resource)
    first = alula_compiler.compile(resource, engine=ENGINE)
    second = alula_compiler.compile(json.loads(before), engine=ENGINE)
    assert json.dumps(first.objects) == json.dumps(second.objects)
    assert json.dumps(dict(first.plans)) == json.dumps(dict(second.plans))
    assert json.dumps(resource) == before


def expanded(text: str, env: dict[str, str]) -> str:
    """The kubelet's expansion of `$(NAME)` and `$$`, written from its rules."""
    found, rest = "", text
    while rest:
        if rest.startswith("$$"):
            found, rest = found + "$", rest[2:]
        elif rest.startswith("$(") and ")" in rest:
            name, _, after = rest[2:].partition(")")
            found, rest = found + env.get(name, f"$({name})"), after
        else:
            found, rest = found + rest[0], rest[1:]
    return found


@given(strategies.HOSTILE)
def test_exact_text_survives_argo_and_the_kubelet(text: str) -> None:
    written = texts.exact(text)
    assert "{{" not in written
    assert texts.stray_tags(written) == []
    assert expanded(written, {"ALULA_BRACE": "{", "A": "wrong", "": "wrong"}) == text
    assert (texts.BRACE_NAME in written) == texts.needs_brace(text)


@given(strategies.HOSTILE)
def test_readable_text_is_dead_and_the_same_but_for_spaces(text: str) -> None:
    written = texts.readable(text)
    assert "{{" not in written
    assert written.replace(" ", "") == text.replace(" ", "")


_TEXTS = strategies.HOSTILE.map(lambda text: jsontext.resource_safe(jsontext.dumps(text)))


@given(
    description=strategies.HOSTILE,
    constants=st.lists(_TEXTS, min_size=3, max_size=3),
    env=strategies.HOSTILE,
    key=strategies.HOSTILE.filter(bool),
    member=strategies.HOSTILE,
)
def test_no_text_that_people_write_is_live(
    description: str, constants: list[str], env: str, key: str, member: str
) -> None:
    any_type: dict[str, Any] = {}
    hostile = {"description": _printable(description)}
    choice = {"enum": [_printable(member)], "type": "string", "title": _printable(description)}
    task = {
        **compiled.task(
            "say", {}, {"o0": any_type}, key=_printable(key) or "k", env=[{"name": "E", "value": _printable(env)}]
        ),
        "inputs": [
            {"name": "t", "type": any_type, "default": constants[0], **hostile},
            {"name": "xs", "type": any_type},
        ],
        "cache": {"version": _printable(key) or "k"},
        **hostile,
    }
    leaves = [{"value": constants[1]}, {"input": "i"}, {"value": constants[2]}]
    nodes = [{"id": "a", "task": "say", "inputs": {"xs": {"items": leaves}}}]
    inputs = [{"name": "i", "type": any_type, "default": constants[0], **hostile}, {"name": "c", "type": choice}]
    outputs = [{"name": "o0", "type": any_type, "from": {"value": constants[2]}, **hostile}]
    graphs = [{"name": "main", "nodes": nodes}]
    resource = compiled.workflow(tasks=[task], graphs=graphs, inputs=inputs, outputs=outputs, **hostile)
    found = alula_compiler.compile(resource, engine=ENGINE)
    assert found.diagnostics == ()
    assert limits.stray_tags(list(found.objects)) == []
    argo = meaning.of_argo(found.objects[0]["spec"])
    assert argo.outputs == {"o0": ("const", json.loads(constants[2]))}
    task_name, given_inputs = argo.calls["a"]
    assert (task_name, given_inputs["t"]) == ("say", ("const", json.loads(constants[0])))
    assert [one[1] for one in given_inputs["xs"][1]] == [json.loads(constants[1]), "i", json.loads(constants[2])]


def _printable(text: str) -> str:
    """Without the control characters that the resource's own schema refuses."""
    return "".join(character for character in text if character.isprintable())
