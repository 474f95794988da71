"""One set of checks: what is run here, registered and compiled is taken by all three, or refused by all three.

Forms of workflows as people write them, and generated ones. Each is run here, registered and compiled; what is refused
has the same codes everywhere. Limits of size are the compiler's alone and are tested elsewhere.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alula.emit import repeat
from tests.emit.conftest import Alula

HEAD = """
import dataclasses
import functools
from typing import NamedTuple

from alula import Cron, LaunchPlan, Resources, task, workflow


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
    "a whole list inside a list": of("int", "return wrapped(xs(x))"),
    "a part into a task": of("int", "return one(d(x).a)"),
    "a workflow that passes on": of(
        "int", "return one(same(x))", before="@workflow\ndef same(x: int) -> int:\n    return x\n\n\n"
    ),
    "a workflow that passes on to nobody": of(
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
    "None where it may be": of("int | None", "return None"),
}
REFUSED = {
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
    "a workflow called like our own graph": of(
        "int", "return half(x)", before="@workflow(name='main')\ndef half(x: int) -> int:\n    return one(x)\n\n\n"
    ),
    "an environment of Argo": of(
        "int",
        "return big(x)",
        before="@task(environment={'ARGO_X': '1'})\ndef big(x: int) -> int:\n    return x\n\n\n",
    ),
}
_CODE = re.compile(r"error ([A-Z_]+):")
_count = iter(range(10**6))


@pytest.fixture
def verdicts(
    tmp_path: Path, alula: Alula, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], dict[str, tuple[bool, frozenset[str]]]]]:
    """For a module, what each command says: whether it takes it, and with which codes it does not."""
    monkeypatch.setattr(repeat, "SEEDS", ())  # the traces of other processes have tests of their own
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.alula]\nproject = 'p'\nimage = 'p:1'\n")
    path, modules = [*sys.path], set(sys.modules)

    def judge(source: str) -> dict[str, tuple[bool, frozenset[str]]]:
        number = next(_count)
        file = f"form_{number}.py"
        (tmp_path / file).write_text(HEAD + source)
        commands: dict[str, list[str]] = {
            "run": ["run", "-q", "--workers", "1", "--no-cache", f"{file}:wf"],
            "register": ["register", "--repo", f"g{number}", file],
            "compile": ["compile", file],
        }
        found = {}
        for name, words in commands.items():
            done = alula(*words)
            found[name] = (done.code == 0, frozenset(_CODE.findall(done.err)))
        return found

    yield judge
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith("form_"):
            del sys.modules[name]


@pytest.mark.parametrize("source", TAKEN.values(), ids=TAKEN)
def test_a_form_is_taken_by_all(verdicts: Any, source: str) -> None:
    assert verdicts(source) == dict.fromkeys(("run", "register", "compile"), (True, frozenset()))


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED)
def test_a_form_is_refused_by_all_with_the_same_codes(verdicts: Any, source: str) -> None:
    found = verdicts(source)
    taken, codes = found["run"]
    assert not taken and codes
    assert found == dict.fromkeys(found, (False, codes))


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
        lines.append(f"{name} = {call}({given})")
        ints += [target.format(name)] if "[" not in call and target else []
        if call in ("xs", "listed"):
            lists.append(name)
        lists.append(f"[{', '.join(draw(st.lists(st.sampled_from(ints), min_size=1, max_size=3)))}]")
    returned = draw(st.sampled_from(["int", "list[int]", "list[list[int]]"]))
    value = draw(st.sampled_from(ints if returned == "int" else lists))
    lines.append(f"return {value if returned != 'list[list[int]]' else f'[{value}, {value}]'}")
    return of(returned, *lines)


_CALLS = [
    ("one", "int", "{}"), ("d", "int", "{}.a"), ("xs", "int", "{}[0]"), ("dd", "int", "{}['k']"),
    ("pair", "int", "{}[0]"), ("total", "list", "{}"), ("listed", "int", "{}[1]"), ("part", "int", "{}"),
    ("summed", "list", "{}"), ("wrapped", "list", "{}"),
]  # fmt: skip


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(modules())
def test_generated_workflows_are_taken_by_all_or_refused_by_all(verdicts: Any, source: str) -> None:
    found = verdicts(source)
    assert found == dict.fromkeys(found, found["run"])
