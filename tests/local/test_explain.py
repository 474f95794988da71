"""Why a cached task ran after all."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alula.local.store import explain, history
from alula.local.store.explain import Parts
from alula.local.store.history import History
from alula_data.stores.memory import MemoryStore

BEFORE = Parts(
    key="k1",
    task="flows:fit",
    version="1",
    interface="i1",
    environment="",
    pinned=True,
    inputs={"seed": "a", "df": "b"},
    shown={"seed": "7", "df": "parquet frame"},
    origins={"df": "load"},
)

CASES = {
    "a node that was never seen": (BEFORE, None, "never run before"),
    "an input of another value": (
        replace(BEFORE, key="k2", inputs={"seed": "c", "df": "b"}, shown={"seed": "8", "df": "parquet frame"}),
        BEFORE,
        "input seed changed (7 → 8)",
    ),
    "an input that looks the same and comes from a node": (
        replace(BEFORE, key="k2", inputs={"seed": "a", "df": "c"}),
        BEFORE,
        "input df changed (from load)",
    ),
    "an input that looks the same": (
        replace(BEFORE, key="k2", inputs={"seed": "a", "df": "c"}, origins={}),
        BEFORE,
        "input df changed",
    ),
    "another version of the user's own": (
        replace(BEFORE, key="k2", version="2"),
        BEFORE,
        "its version changed (1 → 2)",
    ),
    "other code": (
        replace(BEFORE, key="k2", version="f00", pinned=False),
        replace(BEFORE, version="ba4", pinned=False),
        "its code changed",
    ),
    "a version in place of the code's digest": (
        replace(BEFORE, key="k2", version="2"),
        replace(BEFORE, version="ba4", pinned=False),
        "its code changed",
    ),
    "other types and inputs": (
        replace(BEFORE, key="k2", interface="i2", inputs={"seed": "a", "n": "z"}),
        BEFORE,
        "its types changed, input n is new, input df is gone",
    ),
    "another task under the same id": (
        replace(BEFORE, key="k2", task="flows:train"),
        BEFORE,
        "it is another task now (flows:fit → flows:train)",
    ),
    "more changes than anybody reads": (
        replace(BEFORE, key="k2", version="2", interface="i2", inputs={"seed": "c", "df": "d"}, shown={}),
        BEFORE,
        "its version changed (1 → 2), its types changed, input seed changed and 1 more changes",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_reason_names_what_differs(case: str) -> None:
    now, before, expected = CASES[case]
    assert explain.explain(now, before) == expected


def test_a_value_that_is_gone_says_so() -> None:
    assert explain.gone() == "its cached value is lost"
    where = f"its output o0 is gone or damaged: cas/cd/{'cd2eb083' * 8}/a.txt"
    assert explain.gone(where) == "its cached value is lost: its output o0 is gone or damaged: cas/cd/cd2eb083.../a.txt"


texts = st.text(max_size=8)
parts = st.builds(
    lambda task, version, interface, environment, pinned, key, inputs: Parts(
        key, task, version, interface, environment, pinned,
        {name: value[0] for name, value in inputs.items()},
        {name: value[1] for name, value in inputs.items()},
        {name: value[2] for name, value in inputs.items() if value[2]},
    ),
    texts, texts, texts, texts, st.booleans(), texts,
    st.dictionaries(texts, st.tuples(texts, texts, texts), max_size=3),
)  # fmt: skip
seen = st.dictionaries(texts, parts, max_size=5)


@settings(max_examples=30)
@given(seen, seen)
def test_a_history_gives_back_what_it_was_told_last(first: dict[str, Parts], second: dict[str, Parts]) -> None:
    store = MemoryStore("history")
    history.write(store, "w", history.read(store, "w").updated(first))
    history.write(store, "w", history.read(store, "w").updated(second))
    found = history.read(store, "w")
    for node, expected in {**first, **second}.items():
        assert found.parts(node) == expected
        assert found.key(node) == expected.key


BROKEN = [
    "", "{", "[]", "null", '{"v": 2}', '{"v": 1, "tasks": [], "nodes": {"a": [0, "k", {}, true]}}',
    '{"v": 1, "tasks": [["t", "1", "i", true]], "nodes": {"a": []}}', '{"v": 1, "tasks": 3, "nodes": {"a": 4}}',
]  # fmt: skip


@pytest.mark.parametrize("text", BROKEN)
def test_a_history_that_cannot_be_read_counts_as_never_written(text: str) -> None:
    store = MemoryStore("broken")
    store.put(history.path("w"), text.encode())
    assert history.read(store, "w").key("a") == ""
    assert history.read(store, "w").parts("a") is None


def test_a_node_of_a_history_that_is_malformed_was_never_run() -> None:
    store = MemoryStore("half")
    nodes = {"a": [0, "k", {"x": 3}, True], "b": [0, "k", []]}
    store.put(history.path("w"), json.dumps({"v": 1, "tasks": [["t", "1", "i", "", True]], "nodes": nodes}).encode())
    found = history.read(store, "w")
    assert found.parts("a") is None
    assert found.parts("b") is None


def test_a_history_knows_what_failed() -> None:
    found = History([], {}).updated({"a": BEFORE, "b": BEFORE}, {"a"})
    assert [found.failed(node) for node in "abc"] == [True, False, False]
    assert not found.updated({"a": BEFORE}).failed("a")


def test_a_history_forgets_tasks_that_no_node_has() -> None:
    found = History([], {}).updated({"a": BEFORE}).updated({"a": replace(BEFORE, version="2")})
    assert json.loads(found.to_text())["tasks"] == [["flows:fit", "2", "i1", "", True]]


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("7", "8", "7 → 8"),
        ('{"depth":3}', '{"depth":4}', '{"depth":3} → {"depth":4}'),
        ('{"depth":3,"rate":0.5,"tags":[],"color"…', '{"depth":4,"rate":0.5,"tags":[],"color"…',
         '{"depth":3,"rate":0.5,"t… → {"depth":4,"rate":0.5,"t…'),
        ('{"kind":"forest","trees":60,"depth":3}', '{"kind":"forest","trees":60,"depth":12}',
         '…:60,"depth":3} → …:60,"depth":12}'),
        ("'a long text that goes on'", "'a long text that goes on and on'", "…that goes on' → …that goes on and on'"),
    ],
)  # fmt: skip
def test_of_long_inputs_what_differs_is_shown(old: str, new: str, shown: str) -> None:
    before = replace(BEFORE, inputs={"n": "1"}, shown={"n": old})
    now = replace(BEFORE, key="k2", inputs={"n": "2"}, shown={"n": new})
    assert explain.explain(now, before) == f"input n changed ({shown})"
