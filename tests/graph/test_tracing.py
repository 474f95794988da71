"""Right workflows: nodes, ids, bindings, parts, order and places."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import itertools
import threading
from typing import Any, NamedTuple

import pytest

import alula
from alula import Cache, File, errors, task, workflow
from alula.declare.workflows import Workflow
from alula.graph import tracer
from alula_api.contract.graphs.bindings import Constant, FromInput, FromNode, Items


@dataclasses.dataclass
class Scores:
    accuracy: float
    by_class: dict[str, float]
    folds: list[float]


class Split(NamedTuple):
    train: list[int]
    test: list[int]


@task
def inc(n: int, by: int = 1) -> int:
    return n + by


@task
def add(a: int, b: int) -> int:
    return a + b


@task
def total(values: list[int]) -> int:
    return sum(values)


@task
def both(n: int) -> tuple[int, str]:
    return n, str(n)


@task
def split(n: int) -> Split:
    return Split([n], [n])


@task
def size(parts: Split) -> int:
    return len(parts.train)


@task
def score() -> Scores:
    return Scores(0.5, {"a": 1.0}, [0.5])


@task
def show(share: float) -> None: ...


@task
def pair(value: tuple[int, float]) -> float:
    return value[1]


@task
def at(when: list[datetime.date | None]) -> int:
    return len(when)


@task(name="Träge Task.v2")
def slow(n: int) -> int:
    return n


@task
def table() -> dict[str, dict[str, int]]:
    return {}


@task
def anything() -> Any:
    return {"a": [1]}


@workflow
def inner(n: int, by: int = 2) -> int:
    return inc(n, by=by)


def bindings(graph: Any, node: str) -> Any:
    return next(dict(item.bindings) for item in graph.nodes if item.id == node)


def test_a_chain_binds_each_node_to_the_one_before() -> None:
    @workflow
    def chain(n: int) -> int:
        return inc(inc(inc(n)))

    graph = chain.graph
    assert [node.id for node in graph.nodes] == ["inc", "inc-2", "inc-3"]
    assert bindings(graph, "inc") == {"n": FromInput("n")}
    assert bindings(graph, "inc-3") == {"n": FromNode("inc-2", "o0")}
    assert graph.outputs == (("o0", FromNode("inc-3", "o0")),)


def test_constants_are_json_and_omitted_inputs_are_left_out() -> None:
    @workflow
    def constants() -> int:
        add(1, b=2)
        show(3)
        at([datetime.date(2026, 1, 31), None])
        return inc(7)

    graph = constants.graph
    assert bindings(graph, "add") == {"a": Constant("1"), "b": Constant("2")}
    assert bindings(graph, "show") == {"share": Constant("3.0")}
    assert bindings(graph, "at") == {"when": Constant('["2026-01-31",null]')}
    assert bindings(graph, "inc") == {"n": Constant("7")}


def test_several_outputs_are_a_tuple_of_promises() -> None:
    @workflow
    def several(n: int) -> tuple[int, str]:
        number, text = both(n)
        return number, text

    assert several.graph.outputs == (("o0", FromNode("both", "o0")), ("o1", FromNode("both", "o1")))


def test_named_outputs_keep_their_names_and_can_be_passed_whole() -> None:
    @workflow
    def named(n: int) -> Split:
        parts = split(n)
        size(parts)
        return Split(parts.test, parts[0])

    graph = named.graph
    assert bindings(graph, "size") == {"parts": Items((FromNode("split", "train"), FromNode("split", "test")))}
    assert graph.outputs == (("train", FromNode("split", "test")), ("test", FromNode("split", "train")))


def test_the_parts_of_a_value_are_paths() -> None:
    @workflow
    def parts(given: Scores) -> float:
        scores = score()
        show(scores.accuracy)
        show(scores.by_class["a"])
        show(scores.folds[0])
        show(given.accuracy)
        inc(table()["x"]["y"])
        return scores.folds[3]

    graph = parts.graph
    assert bindings(graph, "show") == {"share": FromNode("score", "o0", ("accuracy",))}
    assert bindings(graph, "show-2") == {"share": FromNode("score", "o0", ("by_class", "a"))}
    assert bindings(graph, "show-3") == {"share": FromNode("score", "o0", ("folds", "0"))}
    assert bindings(graph, "show-4") == {"share": FromInput("given", ("accuracy",))}
    assert bindings(graph, "inc") == {"n": FromNode("table", "o0", ("x", "y"))}
    assert graph.outputs == (("o0", FromNode("score", "o0", ("folds", "3"))),)


def test_a_tuple_that_is_one_value_can_be_unpacked() -> None:
    @workflow
    def unpacks(value: tuple[int, float], parts: Split) -> int:
        number, share = value
        show(share)
        show(value[-1])
        total(parts.test)
        return inc(number)

    graph = unpacks.graph
    assert bindings(graph, "inc") == {"n": FromInput("value", ("0",))}
    assert bindings(graph, "show") == bindings(graph, "show-2") == {"share": FromInput("value", ("1",))}
    assert bindings(graph, "total") == {"values": FromInput("parts", ("1",))}


def test_a_list_of_promises_and_constants_is_put_together() -> None:
    @workflow
    def lists(n: int) -> int:
        at([datetime.date(2026, 1, 31), None])
        pair((inc(n), 2))
        return total([inc(n), n, 3])

    graph = lists.graph
    assert bindings(graph, "total") == {"values": Items((FromNode("inc-2", "o0"), FromInput("n"), Constant("3")))}
    assert bindings(graph, "pair") == {"value": Items((FromNode("inc", "o0"), Constant("2.0")))}


def test_a_list_of_promises_goes_into_and_out_of_workflows() -> None:
    @workflow
    def collects(values: list[int]) -> list[int]:
        return [total(values), values[0], 3]

    @workflow
    def passes(n: int) -> int:
        return total(collects([inc(n), 2]))

    graph = passes.graph
    assert bindings(graph, "test-tracing-collects") == {"values": Items((FromNode("inc", "o0"), Constant("2")))}
    assert collects.graph.outputs == (
        ("o0", Items((FromNode("total", "o0"), FromInput("values", ("0",)), Constant("3")))),
    )


def test_a_run_may_end_in_a_part_or_a_list() -> None:
    @workflow
    def partly(n: int) -> tuple[float, list[int]]:
        return score().accuracy, [inc(n), n]

    (graph,) = partly.closure.graphs
    assert graph.outputs == (
        ("o0", FromNode("score", "o0", ("accuracy",))),
        ("o1", Items((FromNode("inc", "o0"), FromInput("n")))),
    )

    @workflow
    def whole(n: int) -> float:
        share, _ = partly(n)
        return pair((n, share))

    assert [item.name for item in whole.closure.tasks] == ["pair", "score", "inc"]


def test_ids_are_readable_dns_labels() -> None:
    @workflow
    def named() -> int:
        return slow(slow(1))

    first, second = named.graph.nodes
    assert first.id.startswith("tr-ge-task-v2-")
    assert second.id == f"{first.id}-2"


def test_every_node_knows_the_line_of_its_call() -> None:
    @workflow
    def lines(n: int) -> int:
        first = inc(n)
        return add(
            first,
            inc(first),
        )

    start = lines.source.line
    assert lines.source.file == "tests/graph/test_tracing.py"
    assert {node.id: node.source.line - start for node in lines.graph.nodes} == {"inc": 2, "inc-2": 5, "add": 3}
    assert {node.source.file for node in lines.graph.nodes} == {"tests/graph/test_tracing.py"}


def test_order_without_data_is_kept() -> None:
    @workflow
    def ordered(n: int) -> int:
        first, second, third = show(1), show(2), inc(n)
        first >> third
        [first, third] >> second
        return third

    graph = ordered.graph
    assert [node.id for node in graph.nodes] == ["show", "inc", "show-2"]
    assert [node.after for node in graph.nodes] == [(), ("show",), ("show", "inc")]


def test_order_is_the_same_in_a_call() -> None:
    @workflow
    def ordered(n: int) -> None:
        alula.order(show(1), [both(n), show(2)], show(3))

    assert [(node.id, node.after) for node in ordered.graph.nodes] == [
        ("show", ()),
        ("both", ("show",)),
        ("show-2", ("show",)),
        ("show-3", ("both", "show-2")),
    ]

    @workflow
    def wrong(n: int) -> None:
        alula.order(show(1), 3, n)

    with pytest.raises(errors.DefinitionError) as caught:
        _ = wrong.graph
    assert [each.message for each in caught.value.diagnostics][:2] == [
        "`>>` orders tasks, got the int 3",
        "`>>` orders tasks, got the input n",
    ]
    with pytest.raises(errors.DefinitionError, match=r"order\(\) stands in a workflow"):
        alula.order(1, 2)


def test_chained_order_and_its_mirror() -> None:
    @workflow
    def mirrored() -> None:
        a, b, c = show(1), show(2), show(3)
        a >> b >> c
        a << c

    with pytest.raises(Exception, match="show >> show-2 >> show-3 >> show"):
        _ = mirrored.graph

    @workflow
    def straight() -> None:
        a, b, c = show(1), show(2), show(3)
        c << b << a

    assert [node.after for node in straight.graph.nodes] == [(), ("show",), ("show-2",)]


def test_several_outputs_can_be_ordered_as_a_whole() -> None:
    @workflow
    def ordered(n: int) -> None:
        result = both(n)
        result >> show(1)
        show(2) >> both(n)

    assert [(node.id, node.after) for node in ordered.graph.nodes] == [
        ("both", ()),
        ("show", ("both",)),
        ("show-2", ()),
        ("both-2", ("show-2",)),
    ]


def test_a_workflow_inside_a_workflow_is_a_node() -> None:
    @workflow
    def outer(n: int) -> int:
        return add(inner(n), inner(n, 3))

    graph = outer.graph
    assert [node.id for node in graph.nodes] == ["test-tracing-inner", "test-tracing-inner-2", "add"]
    assert graph.nodes[0].called == (inner,)
    assert bindings(graph, "test-tracing-inner-2") == {"n": FromInput("n"), "by": Constant("3")}
    closure = outer.closure
    assert closure.workflows == (outer, inner)
    assert [item.name for item in closure.tasks] == ["add", "inc"]
    assert closure.graphs == (outer.graph, inner.graph)


def test_a_workflow_may_return_its_input_and_constants() -> None:
    @workflow
    def passes(n: int) -> tuple[int, float, str]:
        return n, 1, "x"

    assert passes.graph.outputs == (("o0", FromInput("n")), ("o1", Constant("1.0")), ("o2", Constant('"x"')))


def test_helpers_that_only_put_tasks_together_are_fine() -> None:
    def twice(n: int) -> int:
        return inc(inc(n))

    @workflow
    def helped(n: int) -> int:
        results = [twice(n) for _ in range(2)]
        return total(results)

    assert [node.id for node in helped.graph.nodes] == ["inc", "inc-2", "inc-3", "inc-4", "total"]


def test_promises_can_be_looked_at_and_kept_in_dicts_and_lists() -> None:
    seen: list[str] = []

    @workflow
    def looks(n: int) -> int:
        result = inc(n)
        seen.append(repr(result))
        assert len({"result": result, "n": [n]}) == 2
        assert hasattr(result, "__len__")
        assert result is not n
        return result

    assert looks.graph.nodes[0].id == "inc"
    assert seen == ["<promise of the result of task inc>"]


def test_a_part_of_any_value_is_a_promise_of_any_value() -> None:
    @workflow
    def digs() -> Any:
        return anything()["a"][0]

    assert digs.graph.outputs == (("o0", FromNode("anything", "o0", ("a", "0"))),)


def test_a_workflow_is_traced_once_and_only_when_it_is_used() -> None:
    traced: list[int] = []

    @workflow
    def counted(n: int) -> int:
        traced.append(1)
        return inc(n)

    assert traced == []
    assert counted.graph is counted.graph
    assert traced == [1]


def test_a_trace_does_not_reach_other_threads_and_ends_with_the_function() -> None:
    results: list[Any] = []

    @workflow
    def threaded(n: int) -> int:
        worker = threading.Thread(target=lambda: results.append(inc(1)))
        worker.start()
        worker.join()
        return inc(n)

    assert len(threaded.graph.nodes) == 1
    assert results == [2]
    assert tracer.active.get() is None


def test_the_annotations_may_name_local_classes() -> None:
    @dataclasses.dataclass
    class Local:
        x: int

    @task
    def make() -> Local:
        return Local(1)

    @task
    def take(value: Local, path: File | None = None) -> Local:
        return value

    @workflow
    def local() -> Local:
        return take(make())

    assert [node.id for node in local.graph.nodes] == ["make", "take"]
    assert take(Local(2)) == Local(2)


def chain_of(length: int) -> Workflow[..., Any]:
    @workflow
    def chain(n: int) -> int:
        for _ in range(length):
            n = inc(n)
        return n

    return chain


@pytest.mark.parametrize("length", [1000, 10_000])
def test_a_long_chain_needs_no_stack(length: int) -> None:
    graph = chain_of(length).graph
    assert len(graph.nodes) == length
    assert graph.outputs == (("o0", FromNode(f"inc-{length}", "o0")),)


def test_a_wide_fan_is_gathered_by_one_task() -> None:
    @workflow
    def fan(n: int) -> int:
        return total([inc(n) for _ in range(5000)])

    graph = fan.graph
    gathered = dict(graph.nodes[-1].bindings)["values"]
    assert isinstance(gathered, Items)
    assert len(gathered.leaves) == 5000


def test_a_long_order_turned_around_needs_no_stack() -> None:
    @workflow
    def backwards() -> None:
        steps = [show(index) for index in range(3000)]
        for later, earlier in itertools.pairwise(steps):
            earlier >> later

    graph = backwards.graph
    assert [graph.nodes[0].id, graph.nodes[-1].id] == ["show-3000", "show"]


def test_many_workflows_inside_each_other_need_no_stack() -> None:
    def wrap(target: Any, index: int) -> Any:
        @workflow(name=f"level-{index}")
        def level(n: int) -> int:
            return target(n)

        return level

    current: Any = inc
    for index in range(2000):
        current = wrap(current, index)
    assert len(current.closure.workflows) == 2000


def test_a_call_can_be_named_and_the_others_keep_their_ids() -> None:
    @workflow
    def flow(n: int) -> list[int]:
        first = inc(n)
        named = [inc.named(f"inc-{city}")(first, by=2) for city in ("rome", "oslo")]
        return [*named, inc(first)]

    assert [node.id for node in flow.graph.nodes] == ["inc", "inc-rome", "inc-oslo", "inc-2"]
    assert flow.graph.nodes[1].bindings == {"n": FromNode("inc", "o0"), "by": Constant("2")}
    assert flow.graph.nodes[1].source.line == flow.graph.source.line + 3
    assert flow(1) == [4, 4, 3]


def test_an_id_by_position_goes_round_a_name_that_was_given_before() -> None:
    @workflow
    def flow(n: int) -> int:
        return inc(inc(inc.named("inc-2")(n)))

    assert [node.id for node in flow.graph.nodes] == ["inc-2", "inc", "inc-3"]


def test_a_workflow_inside_another_can_be_named() -> None:
    @workflow
    def inner(n: int) -> int:
        return inc(n)

    @workflow
    def outer(n: int) -> int:
        return inner.named("twice")(inner.named("once")(n))

    assert [node.id for node in outer.graph.nodes] == ["once", "twice"]
    assert outer(1) == 3


def test_outside_a_workflow_a_named_call_is_the_call_and_its_name_is_checked() -> None:
    assert inc.named("inc-rome")(3) == 4
    with pytest.raises(errors.DefinitionError, match="a call cannot be named 'Inc Rome'"):
        inc.named("Inc Rome")(3)
    assert repr(inc.named("inc-rome")) == "<task inc named inc-rome>"


def _scaled(factor: int) -> Any:
    def decorate(function: Any) -> Any:
        @functools.wraps(function)
        def run(x: int) -> int:
            return int(function(x)) * factor

        return run

    return decorate


def _plain(x: int) -> int:
    return x


def _environment(x: int) -> int:
    return x


ALIKE = {
    "wrapped otherwise": (task(_scaled(2)(_plain)), task(_scaled(3)(_plain))),
    "with another environment": (task(_environment), task(environment={"A": "1"})(_environment)),
    "with another default": tuple(
        task(functools.wraps(_plain)(lambda x, factor=factor: x * factor)) for factor in (2, 3)
    ),
}


@pytest.mark.parametrize("pair", ALIKE.values(), ids=ALIKE)
def test_tasks_that_only_look_alike_are_two_of_one_name(pair: tuple[Any, Any]) -> None:
    @workflow
    def both(x: int) -> list[int]:
        return [pair[0](x), pair[1](x)]

    with pytest.raises(errors.DefinitionError, match="two tasks are called"):
        _ = both.graph


def test_a_task_that_is_wrapped_twice_alike_is_one() -> None:
    pair = [task(_scaled(2)(_plain)) for _ in range(2)]
    pair[1].source = pair[0].source

    @workflow
    def both(x: int) -> list[int]:
        return [each(x) for each in pair]

    assert len(both.closure.tasks) == 1


def test_what_one_decorator_made_does_not_share_a_version_that_is_given() -> None:
    pair = [task(cache=Cache(version="1"))(_scaled(factor)(_plain)) for factor in (2, 3)]

    @workflow
    def one(x: int) -> int:
        return pair[0](x)  # type: ignore[no-any-return]

    with pytest.raises(errors.DefinitionError, match="has one name and one cache version with another"):
        _ = one.graph
