"""The runtime's arguments, and what a pod says when it fails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract import failures, pods, values
from tests import strategies

WORDS = strategies.texts() | st.sampled_from(["--input", "--output", "--path", "-", "--", "--cache"])
PAIRS = st.lists(st.tuples(WORDS, WORDS), max_size=4).map(tuple)
CALLS = st.builds(
    pods.Call,
    entrypoint=WORDS,
    task=WORDS,
    interface=WORDS,
    cache=WORDS,
    retries=st.integers(0, 2**31),
    system_retries=st.integers(0, 5),
    inputs=PAIRS,
    items=PAIRS,
    paths=st.dictionaries(WORDS, st.lists(WORDS, max_size=3).map(tuple), max_size=3),
    outputs=st.lists(WORDS, max_size=3).map(tuple),
    parts=st.lists(
        st.tuples(WORDS, WORDS, st.lists(WORDS, max_size=3).map(tuple), st.sampled_from(["scalar", "items", "item"])),
        max_size=3,
    ).map(tuple),
    batches=st.lists(
        st.tuples(WORDS, WORDS, st.lists(WORDS, max_size=3).map(tuple), st.integers(0, 1000)), max_size=3
    ).map(tuple),
    each=st.lists(
        st.builds(
            pods.Each,
            WORDS,
            WORDS,
            st.lists(st.lists(WORDS, max_size=3).map(tuple), min_size=2, max_size=3).map(tuple),
            st.sampled_from(["scalar", "items", "batches"]),
            st.integers(0, 1000),
        ),
        max_size=3,
    ).map(tuple),
    over=st.lists(WORDS, min_size=1, max_size=3).map(tuple),
    parallel=st.integers(1, 1000),
    failing=st.sampled_from(pods.FAILING),
    backoff=st.tuples(WORDS, WORDS, WORDS),
)


@given(CALLS)
def test_a_call_is_read_back_whatever_its_words_are(call: pods.Call) -> None:
    words = pods.argv(call)
    assert pods.parse_argv(words) == call
    assert pods.argv(pods.parse_argv(words)) == words


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--entrypoint", "m:f", "--task", "t"], "--interface is missing"),
        (["--entrypoint"], "--entrypoint has too few words after it"),
        (["--input", "x"], "--input has too few words after it"),
        (["--task", "a", "--task", "b"], "--task is given twice"),
        (["--inptu", "x", "1"], "the runtime has no flag '--inptu'"),
        (["x" * 200], "the runtime has no flag 'xxx"),
        (["--retries", "-1"], "--retries must be a number"),
        (["--retries", "٣"], "--retries must be a number"),
        (["--system-retries", "all"], "--system-retries must be a number"),
        (["--path", "x", "{}"], "--path must be a JSON list of texts"),
        (["--path", "x", "[1]"], "--path must be a JSON list of texts"),
        (["--part-each", "p", "o", "[[]]", "scalar", "0"], "--part-each must be a JSON list of two paths or more"),
        (["--part-each", "p", "o", "[[], 1]", "scalar", "0"], "--part-each must be a JSON list of texts"),
        (["--part-each", "p", "o", "[[], []]", "item", "0"], "--part-each must be one of scalar, items, batches"),
        (["--path", "x", "["], "--path: "),
        (["--part", "x", "o0"], "--part has too few words after it"),
        (["--part", "x", "o0", "{}"], "--part must be a JSON list of texts"),
        (["--part-batches", "x", "o0", "[]"], "--part-batches has too few words after it"),
        (["--part-batches", "x", "o0", "[]", "-1"], "--part-batches must be a number"),
        (["--failing", "never"], "--failing must be one of stop, go-on, tolerate"),
    ],
)
def test_arguments_that_are_wrong_are_named(words: list[str], message: str) -> None:
    full = ["--entrypoint", "m:f", "--task", "t", "--interface", "i"]
    first = words if "missing" in message or "twice" in message else [*full, *words]
    with pytest.raises(ValueError) as caught:
        pods.parse_argv(first if "given twice" not in message else [*words])
    assert str(caught.value).startswith(message) or "is given twice" in str(caught.value)


def test_the_inline_limit_shares_256_kib_among_the_nodes() -> None:
    assert [pods.inline_limit(nodes) for nodes in (1, 64, 100, 2048, 10_000)] == [4096, 4096, 2621, 128, 128]


RECORDS = st.builds(
    failures.FailureRecord,
    kind=st.sampled_from([failures.USER, failures.SYSTEM]),
    code=st.sampled_from(["TASK_FAILED", "INPUT_LOST"]),
    message=st.text(max_size=50)
    | strategies.texts()
    | st.text("{}=", max_size=20)
    | strategies.texts().map(lambda t: t * 500),
    exception=st.sampled_from(["", "TypeError", "mod.{{Error}}"]),
    traceback=strategies.texts().map(lambda t: t * 50),
    attempt=st.integers(0, 5),
    retryable=st.booleans(),
    inputs=st.dictionaries(strategies.texts(), strategies.texts(), max_size=2),
    source=st.sampled_from(["", "flows/p.py:12"]),
)


@given(RECORDS)
def test_a_termination_message_is_short_and_harmless(record: failures.FailureRecord) -> None:
    message = failures.termination_message(record)
    assert 0 < len(message.encode()) <= 4096
    assert "{{" not in message and "}}" not in message
    assert all(character == "\n" or character.isprintable() or ord(character) > 0x9F for character in message)


@given(RECORDS)
def test_a_termination_message_names_the_memory_in_its_first_line_whatever_was_raised(
    record: failures.FailureRecord,
) -> None:
    message = failures.termination_message(record, "1536Mi")
    assert pods.remark("1536Mi") in message.partition("\n")[0]
    assert len(message.encode()) <= 4096


@given(RECORDS)
def test_a_failure_record_reads_back(record: failures.FailureRecord) -> None:
    assert failures.FailureRecord.from_json(values.parse(values.dumps(record.to_json()))) == record


def test_a_termination_message_begins_with_the_error() -> None:
    record = failures.FailureRecord(
        "user",
        "TASK_FAILED",
        "bad {{x}}\nmore",
        "TypeError",
        '  File "p.py", line 12, in f',
        attempt=2,
        source="flows/p.py:12",
    )
    assert failures.termination_message(record) == (
        'TypeError: bad { {x} } (flows/p.py:12, attempt 2)\nmore\n  File "p.py", line 12, in f'
    )
    assert failures.termination_message(failures.FailureRecord("system", "INPUT_LOST", "")) == "INPUT_LOST (attempt 1)"


def test_a_long_message_is_cut_at_the_end_of_a_character() -> None:
    cut = failures.cut("é" * 5000)
    assert cut == "é" * 2046 + "\n…" and len(cut.encode()) == 4096
    assert failures.cut("{" * 9) == "{ { { { { { { { {"


@pytest.mark.parametrize(
    ("json", "message"),
    [
        (3, "must be a failure record"),
        ({}, "$.kind is missing; $.code is missing; $.message is missing"),
        ({"kind": "user", "code": "X", "message": 3}, "$.message must be str, not 3"),
        ({"kind": "user", "code": "X", "message": "", "attempt": True}, "$.attempt must be int"),
        ({"kind": "user", "code": "X", "message": "", "inputs": {"a": 1}}, "$.inputs must be dict"),
    ],
)
def test_a_broken_failure_record_is_refused(json: object, message: str) -> None:
    with pytest.raises(values.InvalidValue) as caught:
        failures.FailureRecord.from_json(json)  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_fields_of_later_versions_are_left_out() -> None:
    record = failures.FailureRecord.from_json({"kind": "user", "code": "X", "message": "m", "v": 2, "later": []})
    assert (record.v, record.message) == (2, "m")


def test_a_record_has_a_place_of_its_own() -> None:
    assert failures.path("p-x7", "train", 2) == "runs/p-x7/train/2/failure.json"
    for run, node in (("..", "a"), ("a", "b/c"), ("", "a")):
        with pytest.raises(ValueError, match="part of a path"):
            failures.path(run, node, 1)
