"""One set of checks: what is run here, registered, compiled and run in pods is taken by all four, or refused by all.

Forms of workflows as people write them, and generated ones. Each is run here, registered and compiled; what was
compiled is run, each task in a pod's process, and gives what the run here gave. What is refused has the same codes
everywhere. Limits of size are the compiler's alone and are tested elsewhere.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alula.emit import repeat
from tests import projects
from tests.emit.compiled_runs import CompiledRun, Failed
from tests.emit.conftest import Alula, Done
from tests.runtime.pod import Pod

HEAD = """
import dataclasses
import functools
from typing import NamedTuple

from alula import Cron, LaunchPlan, Resources, conditional, is_none, map_task, repeat, task, workflow


@dataclasses.dataclass
class D:
    a: int
    xs: list[int]


class Two(NamedTuple):
    left: int
    right: str


@task
def one(x: int) -> int:
    return x + 1


@task
def d(x: int) -> D:
    return D(x, [x, 2])


@task
def xs(x: int) -> list[int]:
    return [x, 1]


@task
def dd(x: int) -> dict[str, int]:
    return {"k": x}


@task
def pair(x: int) -> tuple[int, str]:
    return x, "r"


@task
def two(x: int) -> Two:
    return Two(x, "r")


@task
def total(values: list[int]) -> int:
    return sum(values)


@task
def table(values: list[list[int]]) -> int:
    return len(values)


@task
def of(value: D) -> int:
    return value.a


@task
def maybe(x: int) -> int | None:
    return x if x > 1 else None


@task
def shown(value: int | None) -> str:
    return f"{value}"


@task
def ratio(x: int) -> float:
    return x / 2


@task
def nothing() -> None:
    pass


@workflow
def listed(x: int) -> list[int]:
    return [one(x), x, 3]


@workflow
def summed(values: list[int]) -> int:
    return total(values)


@workflow
def part(x: int) -> int:
    return d(x).a


@workflow
def wrapped(values: list[int]) -> int:
    return table([values, [1]])


"""


def of(returns: str, *lines: str, before: str = "") -> str:
    body = "\n".join(f"    {line}" for line in lines)
    return f"{before}@workflow\ndef wf(x: int = 1) -> {returns}:\n{body}\n"


MAKE = "def make(n):\n    @task\n    def plus(x: int) -> int:\n        return x + n\n\n    return plus\n\n\n"
HIDDEN = (
    "@task\ndef plus(x: int) -> int:\n    return x\n\n\n{}\n\n\n@task\ndef plus(x: int) -> int:\n    return -x\n\n\n"
)


def decided(condition: str, *lines: str, returns: str = "int") -> str:
    """A workflow that gives one thing where a condition holds, and another where it does not."""
    return of(returns, *lines, f'return conditional("way").if_({condition}).then(one(x)).else_().then(one(one(x)))')


CONDITIONS = {
    "of an input, true": decided("x == 1"),
    "of an input, false": decided("x > 1"),
    "of a result": decided("one(x) >= 2"),
    "of a field and an index": decided("(d(x).a < 2) & (xs(x)[1] == 1)"),
    "of a key, denied": decided('~(dd(x)["k"] == 1)'),
    "of texts": decided("two(x).right == 'r'"),
    "of texts with quotes and braces": decided("two(x).right == '{{\"\\'}}'"),
    "of a float and an int": decided("ratio(x) > 0.25"),
    "of a float that has no point": decided("ratio(one(x)) == 1.0"),
    "of two results": decided("one(x) != xs(x)[0]"),
    "of None": decided("is_none(maybe(x)) | (maybe(x) > 3)"),
    "of what is not None": decided("maybe(one(x)) == 2"),
    "of several, joined": decided("(x > 5) | ((one(x) == 2) & ~(x == 3))"),
    "with several cases": of(
        "str",
        'way = conditional("way").if_(x > 1).then("many").elif_(x == 1).then("one")',
        'return way.else_().then("none")',
    ),
    "whose branch gives what is there": of(
        "int", "made = one(x)", 'return conditional("way").if_(made > 1).then(made).else_().then(x)'
    ),
    "whose branch is a part of a value": of(
        "int",
        "made = d(x)",
        'return conditional("way").if_(made.a > 1).then(one(made.xs[1])).else_().then(one(made.a))',
    ),
    "whose branches are workflows": of(
        "int", 'return conditional("way").if_(x > 1).then(summed([x, x])).else_().then(summed([one(x), x]))'
    ),
    "whose branch is an item of a list": of(
        "int", 'return conditional("way").if_(x > 1).then(one(x)).else_().then(listed(x)[0])'
    ),
    "with several results": of(
        "tuple[int, str]",
        'left, right = conditional("way").if_(x > 1).then((one(x), "a")).else_().then((x, two(x).right))',
        "return left, right",
    ),
    "inside a branch": of(
        "int",
        'return conditional("way").if_(x == 1).then(',
        '    conditional("in").if_(one(x) > 5).then(one(7)).else_().then(one(one(x)))',
        ").else_().then(3)",
    ),
    "inside a workflow, for each of its calls": of(
        "list[int]",
        "return [way(1), way(one(x)), way(7)]",
        before="@workflow\ndef way(n: int) -> int:\n"
        '    return conditional("c").if_(n > 2).then(one(n)).elif_(n == 2).then(n).else_().then(0)\n\n\n',
    ),
    "that gives None": of("str", 'return shown(conditional("way").if_(x > 1).then(one(x)).or_none())'),
    "that gives what it has": of("str", 'return shown(conditional("way").if_(x > 0).then(one(x)).or_none())'),
    "without a last branch, beside what goes on": of(
        "int", 'way = conditional("way").if_(x > 1).then(one(x))', "after = one(2)", "way >> after", "return one(x)"
    ),
    "read by another": of(
        "int",
        'first = conditional("first").if_(x > 1).then(one(x)).else_().then(one(one(x)))',
        'return conditional("second").if_(first == 3).then(one(first)).else_().then(0)',
    ),
    "in a list": of("list[int]", 'return [x, conditional("way").if_(x > 1).then(one(x)).else_().then(4), one(x)]'),
}
TAKEN = {
    "a result": of("int", "return one(x)"),
    "an input": of("int", "return x"),
    "a constant": of("int", "return 7"),
    "nothing": of("None", "nothing()"),
    "two results": of("tuple[int, str]", "return one(x), 'a'"),
    "all results of a task": of("tuple[int, str]", "return pair(x)"),
    "a NamedTuple": of("Two", "return two(x)"),
    "a list of results": of("list[int]", "return [one(x), one(2)]"),
    "a list of one": of("list[int]", "return [one(x)]"),
    "a list of results, inputs and constants": of("list[int]", "return [one(x), x, 5]"),
    "a list with parts": of("list[int]", "return [d(x).a, xs(x)[1], dd(x)['k']]"),
    "a tuple of results as one value": of("dict[str, int]", "return dd(x)"),
    "a field": of("int", "return d(x).a"),
    "a field that is a list": of("list[int]", "return d(x).xs"),
    "an index": of("int", "return xs(x)[0]"),
    "an index in a field": of("int", "return d(x).xs[1]"),
    "a key": of("int", 'return dd(x)["k"]'),
    "one of several results": of("int", "return pair(x)[0]"),
    "a field of a NamedTuple": of("str", "return two(x).right"),
    "a list of a loop": of("list[int]", "return [one(i) for i in range(3)]"),
    "a list of a chain": of("list[int]", "made = [one(x)]", "made.append(one(made[-1]))", "return made"),
    "a list of a workflow": of("list[int]", "return listed(x)"),
    "an item of a list of a workflow": of("int", "return listed(x)[1]"),
    "a part of a workflow": of("int", "return part(x)"),
    "a list of parts of workflows": of("list[int]", "return [part(x), part(2)]"),
    "a list into a workflow": of("int", "return summed([one(x), 2])"),
    "a list of a workflow into a workflow": of("int", "return summed(listed(x))"),
    "lists and texts with braces": of("tuple[list[int], list[str]]", "return [one(x)], [two(x).right, '{{x}}', '\"']"),
    "a list of numbers of two kinds": of("list[float]", "return [one(x), 1.5]"),
    "a list with None": of("list[int | None]", "return [one(x), None]"),
    "lists that are joined and repeated": of("list[int]", "return [one(x)] + [x] * 2"),
    "an empty list": of("list[int]", "return []"),
    "an input called like a hold's output": of("int", "return one(admitted)").replace("x: int", "admitted: int"),
    "a whole list inside a list": of("int", "return wrapped(xs(x))"),
    "a part into a task": of("int", "return one(d(x).a)"),
    "a workflow that passes on": of(
        "int", "return one(same(x))", before="@workflow\ndef same(x: int) -> int:\n    return x\n\n\n"
    ),
    "a workflow that passes on to no node": of(
        "int", "return same(x)", before="@workflow\ndef same(x: int) -> int:\n    return x\n\n\n"
    ),
    "a workflow of constants": of(
        "int", "return one(same())", before="@workflow\ndef same() -> int:\n    return 3\n\n\n"
    ),
    "an order": of("int", "first = nothing()", "last = one(x)", "first >> last", "return last"),
    "a named call": of("int", 'return one.named("first")(x)'),
    "a task in no letters": of("int", "return 数据(x)", before="@task\ndef 数据(x: int) -> int:\n    return x\n\n\n"),
    "a task that begins with a digit": of(
        "int", "return _02_clean(x)", before="@task\ndef _02_clean(x: int) -> int:\n    return x\n\n\n"
    ),
    "a task named by a digit": of(
        "int", "return load(x)", before="@task(name='01 load')\ndef load(x: int) -> int:\n    return x\n\n\n"
    ),
    "a task of underscores": of("int", "return __(x)", before="@task\ndef __(x: int) -> int:\n    return x\n\n\n"),
    "a workflow named by a digit": of(
        "int",
        "return half(x)",
        before="@workflow(name='02-half')\ndef half(x: int) -> int:\n    return one(x)\n\n\n",
    ),
    "resources": of(
        "int",
        "return big(x)",
        before="@task(resources=Resources(cpu=('500m', 2), memory='1Gi'))\ndef big(x: int) -> int:\n    return x\n\n\n",
    ),
    "a plan in a time zone": of("int", "return one(x)")
    + "\n\nplan = LaunchPlan('nightly', wf, schedule=Cron('0 2 * * *', timezone='Asia/Kathmandu'))\n",
    "a task made inside a function": of("int", "return plus(x)", before=MAKE + "plus = make(2)\n\n\n"),
    "a task that is a lambda": of(
        "int",
        "return plus(x)",
        before="plus = lambda x: x\nplus.__annotations__ = {'x': int, 'return': int}\nplus = task(plus)\n\n\n",
    ),
    "a task whose name another has taken, by its other name": of(
        "int", "return first(x)", before=HIDDEN.format("first = plus")
    ),
    **{f"a condition: {name}": text for name, text in CONDITIONS.items()},
    "None where it may be": of("int | None", "return None"),
}
REFUSED = {
    "a branch that gives a part of a value": decided("x == 1").replace("one(one(x))", "d(x).a"),
    "a branch that gives a part of what was there": of(
        "int", "made = d(x)", 'return conditional("way").if_(x > 1).then(made.xs[0]).else_().then(one(x))'
    ),
    "a branch that gives a part through a workflow": decided("x == 1").replace("one(one(x))", "part(x)"),
    "a branch that gives a list": of(
        "list[int]", 'return conditional("way").if_(x > 1).then([one(x), x]).else_().then([1])'
    ),
    "a branch that gives a list of a workflow": of(
        "list[int]", 'return conditional("way").if_(x > 1).then(listed(x)).else_().then(xs(x))'
    ),
    "branches of different types": of("int", 'return conditional("way").if_(x > 1).then(one(x)).else_().then("a")'),
    "a comparison of different kinds": decided("one(x) == 'a'"),
    "an output that need not be there": of("int", 'return conditional("way").if_(x > 1).then(one(x))'),
    "an output that waits for what need not be taken": of(
        "int", 'wait = conditional("way").if_(x > 1).then(nothing())', "made = one(x)", "wait >> made", "return made"
    ),
    "a node of a branch read outside": of(
        "int", 'conditional("way").if_(x > 1).then(made := one(x)).else_().then(x)', "return one(made)"
    ),
    "a list inside a list": of("list[list[int]]", "return [[one(x)], [2]]"),
    "a list of a workflow inside a list": of("int", "return table([listed(x), [1]])"),
    "a list inside a list of a workflow": of("int", "return wrapped([one(x)])"),
    "a list of another type": of("list[str]", "return [one(x)]"),
    "an edge of another type": of("int", "return total(one(x))"),
    "a part that is not there": of("int", "return d(x).b"),
    "too few results": of("tuple[int, int]", "return (one(x),)"),
    "a comparison": of("int", "return one(1) if one(x) > 1 else 2"),
    "is None": of("int", "made = one(x)", "return 2 if made is None else made"),
    "isinstance": of("int", "return one(x) if isinstance(x, int) else 2"),
    "a key of a dict": of("int", "return {one(x): 3}[one(x)]"),
    "a cache of Python": of(
        "int", "return plus(x)", before="@functools.lru_cache\ndef plus(x: int) -> int:\n    return x + 1\n\n\n"
    ),
    "a set of results": of("set[int]", "return {one(x), one(2)}"),
    "a name that no call can have": of("int", 'return one.named("02-first")(x)'),
    "a request above its limit": of(
        "int",
        "return big(x)",
        before="@task(resources=Resources(memory=('2Gi', '1Gi')))\ndef big(x: int) -> int:\n    return x\n\n\n",
    ),
    "a time zone of another planet": of("int", "return one(x)")
    + "\n\nplan = LaunchPlan('nightly', wf, schedule=Cron('@daily', timezone='Mars/Phobos'))\n",
    "a cron line that never fires": of("int", "return one(x)")
    + "\n\nplan = LaunchPlan('nightly', wf, schedule=Cron('0 0 31 2 *'))\n",
    "a circle": of("int", "return wf(x)"),
    "two tasks that a wrapper tells apart": of(
        "list[int]",
        "return [twice(x), thrice(x)]",
        before="def scaled(k, f):\n    @functools.wraps(f)\n    def run(x):\n        return f(x) * k\n\n"
        "    return run\n\n\ndef base(x: int) -> int:\n    return x\n\n\n"
        "twice, thrice = task(scaled(2, base)), task(scaled(3, base))\n\n\n",
    ),
    "a part of a list that is cut": of("list[int]", "return xs(x)[0:1]"),
    "a part from the end": of("int", "return xs(x)[-1]"),
    "a task made inside a function that no name holds": of(
        "int", "return held[0](x)", before=MAKE + "held = [make(2)]\n\n\n"
    ),
    "a task whose name another has taken": of("int", "return held[0](x)", before=HIDDEN.format("held = [plus]")),
    "a workflow called like our own graph": of(
        "int", "return half(x)", before="@workflow(name='main')\ndef half(x: int) -> int:\n    return one(x)\n\n\n"
    ),
    "an environment of Argo": of(
        "int",
        "return big(x)",
        before="@task(environment={'ARGO_X': '1'})\ndef big(x: int) -> int:\n    return x\n\n\n",
    ),
}
REFUSED |= {
    "a condition on an item of a map's list": of(
        "int", "made = map_task(one)(xs(x))", 'return conditional("way").if_(made[0] > 1).then(one(x)).else_().then(x)'
    ),
    "a map over what lies in a map's list": of(
        "list[int]", "made = map_task(d)(xs(x))", "return map_task(one)(made[0].xs)"
    ),
    "a map over a list with a part in it": of("list[int]", "return map_task(one)([d(x).a, one(x)])"),
    "a mapped workflow that passes its item on": of("list[int]", "return map_task(part)(xs(x))"),
    "a repeated workflow that runs no task": of(
        "int",
        "return repeat(same, until=lambda x: x > 1, max=2)(x)",
        before="@workflow\ndef same(x: int) -> int:\n    return x\n\n\n",
    ),
}
AT = "@workflow\ndef at(values: list[int]) -> int:\n    return values[7]\n\n\n"
BREAKS = {
    "a task that fails": of("int", "return bad(x)", before="@task\ndef bad(x: int) -> int:\n    return 1 // 0\n\n\n"),
    "a result of another type": of(
        "int", "return bad(x)", before="@task\ndef bad(x: int) -> int:\n    return 'one'\n\n\n"
    ),
    "an index that is not there": of("int", "return one(xs(x)[5])"),
    "a key that is not there": of("int", 'return one(dd(x)["z"])'),
    "a key that is not there in a list": of("int", 'return total([x, dd(x)["z"]])'),
    "an index that is not there in a workflow's list": of("int", "return one(at(xs(x)))", before=AT),
}
_CODE = re.compile(r"error ([A-Z_]+):")
_count = iter(range(10**6))


class Verdict(NamedTuple):
    """Whether a form is taken, the codes for which it is not, the outputs of what runs, and what was reported."""

    taken: bool
    codes: frozenset[str]
    outputs: Any = None
    report: str = ""


WAYS = ("run", "register", "compile", "pods")
Verdicts = Callable[[str], dict[str, Verdict]]


@pytest.fixture
def verdicts(
    tmp_path: Path, alula: Alula, monkeypatch: pytest.MonkeyPatch, zygote: subprocess.Popen[str]
) -> Iterator[Verdicts]:
    """For a module, what each way with it says. Nothing is run in pods that is not compiled."""
    monkeypatch.setattr(repeat, "SEEDS", ())  # the traces of other processes have tests of their own
    monkeypatch.chdir(tmp_path)

    def judge(source: str) -> dict[str, Verdict]:
        number = next(_count)
        home = tmp_path / f"{number}"
        home.mkdir()
        pod = Pod(home, zygote)
        monkeypatch.chdir(pod.project)
        pod.write("[tool.alula]\nproject = 'p'\nimage = 'p:1'\n", "pyproject.toml")
        file = f"form_{number}.py"
        pod.write(HEAD + source, file)
        run = alula("run", "-q", "--json", "--workers", "1", "--no-cache", f"{file}:wf")
        register = alula("register", "--repo", str(home / "releases"), file)
        compiled = alula("compile", file)
        found = {name: _verdict(done) for name, done in zip(WAYS, (run, register, compiled), strict=False)}
        if not found["run"].taken:
            return found | {"pods": _in_pods(compiled, file, pod) if found["compile"].taken else found["compile"]}
        return found | {
            "run": found["run"]._replace(outputs=json.loads(run.out)["outputs"]),
            "pods": _in_pods(compiled, file, pod),
        }

    with projects.forgotten(tmp_path):
        yield judge


def _verdict(done: Done) -> Verdict:
    return Verdict(done.code == 0, frozenset(_CODE.findall(done.err)), None, done.err)


def _in_pods(compiled: Done, file: str, pod: Pod) -> Verdict:
    name = f"\n  name: {Path(file).stem.replace('_', '-')}-wf\n"
    (text,) = (each for each in compiled.out.split("\n---\n") if name in each)
    spec = yaml.load(text, yaml.CSafeLoader)["spec"]
    try:
        return Verdict(True, frozenset(), CompiledRun(spec, pod).outputs())
    except Failed:
        (record,) = pod.records()
        return Verdict(False, frozenset(), None, record.message)


@pytest.mark.parametrize("source", TAKEN.values(), ids=TAKEN)
def test_a_form_is_taken_by_all_and_means_the_same(verdicts: Verdicts, source: str) -> None:
    found = verdicts(source)
    assert {name: verdict[:2] for name, verdict in found.items()} == dict.fromkeys(WAYS, (True, frozenset()))
    assert found["pods"].outputs == found["run"].outputs


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED)
def test_a_form_is_refused_by_all_with_the_same_codes(verdicts: Verdicts, source: str) -> None:
    found = verdicts(source)
    assert not found["run"].taken
    assert found["run"].codes
    assert {name: verdict[:2] for name, verdict in found.items()} == dict.fromkeys(WAYS, found["run"][:2])


@pytest.mark.parametrize("source", BREAKS.values(), ids=BREAKS)
def test_what_fails_when_it_runs_fails_here_and_in_pods_for_the_same_reason(verdicts: Verdicts, source: str) -> None:
    found = verdicts(source)
    assert found["register"].taken
    assert found["compile"].taken
    assert not found["run"].taken
    assert not found["pods"].taken
    assert found["pods"].report.rpartition("cannot be read: ")[2] in found["run"].report


@st.composite
def modules(draw: st.DrawFn) -> str:
    """Workflows that call tasks and each other, with what comes to hand; some fit, some do not."""
    ints = ["x", "4"]
    lists = ["[x, 1]"]
    lines = []
    for number in range(draw(st.integers(1, 5))):
        call, kind, target = draw(st.sampled_from(_CALLS))
        given = draw(st.sampled_from(ints if kind == "int" else lists))
        if draw(st.integers(0, 9)) == 0:
            given = draw(st.sampled_from(ints + lists))
        name = f"v{number}"
        if draw(st.integers(0, 3)) == 0:
            lines.append(draw(_conditional(name, ints)))
            ints.append(name)
            continue
        lines.append(f"{name} = {call}({given})")
        ints += [target.format(name)] if "[" not in call and target else []
        if call in ("xs", "listed"):
            lists.append(name)
        lists.append(f"[{', '.join(draw(st.lists(st.sampled_from(ints), min_size=1, max_size=3)))}]")
    returned = draw(st.sampled_from(["int", "list[int]", "list[list[int]]"]))
    value = draw(st.sampled_from(ints if returned == "int" else lists))
    lines.append(f"return {value if returned != 'list[list[int]]' else f'[{value}, {value}]'}")
    return of(returned, *lines)


@st.composite
def _conditional(draw: st.DrawFn, name: str, ints: list[str]) -> str:
    """A value that one of two or three branches gives: calls, values that are there, parts, constants."""
    gives = st.one_of(
        st.builds("one({})".format, st.sampled_from(ints)),
        st.builds("part({})".format, st.sampled_from(ints)),
        st.builds("listed({})[1]".format, st.sampled_from(ints)),
        st.sampled_from(ints),
    )
    reads = st.builds("({} {} {})".format, st.sampled_from(ints), st.sampled_from(["<", "==", ">="]), st.integers(0, 4))
    asked = st.lists(reads, min_size=1, max_size=2).map(" & ".join)
    cases = [f".if_({draw(asked)}).then({draw(gives)})"]
    cases += [f".elif_({draw(asked)}).then({draw(gives)})"] if draw(st.booleans()) else []
    return f'{name} = conditional("{name}"){"".join(cases)}.else_().then({draw(gives)})'


_CALLS = [
    ("one", "int", "{}"), ("d", "int", "{}.a"), ("xs", "int", "{}[0]"), ("dd", "int", "{}['k']"),
    ("pair", "int", "{}[0]"), ("total", "list", "{}"), ("listed", "int", "{}[1]"), ("part", "int", "{}"),
    ("summed", "list", "{}"), ("wrapped", "list", "{}"),
]  # fmt: skip


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(modules())
def test_generated_workflows_are_taken_by_all_and_mean_the_same_or_are_refused_by_all(
    verdicts: Verdicts, source: str
) -> None:
    found = verdicts(source)
    assert {name: verdict[:2] for name, verdict in found.items()} == dict.fromkeys(WAYS, found["run"][:2])
    assert found["pods"].outputs == found["run"].outputs
