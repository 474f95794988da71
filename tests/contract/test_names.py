"""Names, labels, codes, durations: what has a form of its own."""

from __future__ import annotations

import datetime
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract import diagnostics, durations, exits, labels, names
from alula_api.contract.codes import Code
from tests import strategies

IDENTIFIERS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,70}", fullmatch=True)


@given(strategies.texts(100), st.integers(20, 63))
def test_every_text_has_a_dns_label(text: str, limit: int) -> None:
    label = names.dns_label(text, limit)
    assert names.is_dns_label(label) and len(label) <= limit
    assert names.dns_label(label, limit) == label or len(label) > limit


@given(
    st.lists(strategies.texts(), unique=True, min_size=2, max_size=2) | st.lists(IDENTIFIERS, min_size=2, max_size=2)
)
def test_different_texts_share_a_label_only_by_case_and_separators(pair: list[str]) -> None:
    plain = [re.sub("[-_.]+", "-", text.lower()).strip("-") for text in pair]
    assert plain[0] == plain[1] or names.dns_label(pair[0]) != names.dns_label(pair[1])


def test_labels_stay_readable() -> None:
    assert names.dns_label("load_data") == names.dns_label("Load-Data") == "load-data"
    assert names.dns_label("größe").startswith("gr-e-") and names.dns_label("") != ""
    assert names.object_name("flows.penguins", "train") == "penguins-train"
    assert names.object_name("m" * 99, "f" * 99) != names.object_name("m" * 99, "f" * 98 + "g")
    longest = names.object_name("m" * 99, "f" * 99)
    assert len(longest) == names.MOST_OBJECT_NAME
    assert len(names.scheduled_run(longest, 9_999_999_999)) <= names.MOST_LABEL
    assert len(names.revision_name(names.launch_plan_template(longest), "0" * 8)) <= names.MOST_LABEL


@given(
    st.lists(
        st.sampled_from(
            [
                "train",
                "train-2",
                "train_2",
                "Train",
                "admit",
                "x" * 63,
                "x" * 64,
                "é",
                "数据",
                "データ",
                "__",
                "_02_clean",
                "02-clean",
                "n_02_clean",
                "01 load",
                "9" * 63,
            ]
        ),
        max_size=40,
    )
)
def test_node_ids_are_all_different_labels(calls: list[str]) -> None:
    ids = names.NodeIds()
    given = [ids.allocate(name) for name in calls]
    assert len(set(given)) == len(given) and names.ADMIT not in given
    assert all(names.is_node_id(one) for one in given)


def test_the_id_of_a_node_begins_with_a_letter_and_stays_readable() -> None:
    assert names.node_id("_02_clean") == "n-02-clean"
    assert names.node_id("01 load").startswith("n-01-load-")
    assert names.node_id("load_data") == "load-data"
    assert names.node_id("9" * 63) == "n-" + "9" * 61
    assert not names.is_node_id("02-clean")


@given(strategies.texts(100))
def test_every_text_has_the_id_of_a_node(text: str) -> None:
    assert names.is_node_id(names.node_id(text))


def test_node_ids_count_the_calls_of_a_task() -> None:
    ids = names.NodeIds()
    assert [ids.allocate(name) for name in ("train", "load_data", "train", "train-2", "train", "admit")] == [
        "train", "load-data", "train-2", "train-2-2", "train-3", "admit-2",
    ]  # fmt: skip


def test_10_000_node_ids_of_one_task_take_no_time() -> None:
    ids = names.NodeIds()
    assert [ids.allocate("t") for _ in range(10_000)][-1] == "t-10000"
    assert ids._next["t"] == 10_000


@pytest.mark.parametrize(
    ("text", "value"), [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968), ("hello", 0x4F9F2CAB)]
)
def test_argos_node_ids_are_fnv1a_of_32_bits(text: str, value: int) -> None:
    assert names.argo_node_id("run", text) == f"run-{value}"


def test_the_root_node_is_called_like_its_run() -> None:
    assert names.argo_node_name("penguins-x7") == names.argo_node_id("penguins-x7", "penguins-x7") == "penguins-x7"
    assert names.argo_node_name("penguins-x7", "sub", "train") == "penguins-x7.sub.train"


@pytest.mark.parametrize("text", ["a", "a-b", "9", "a" * 63])
def test_dns_labels_are_known(text: str) -> None:
    assert names.is_dns_label(text)


@pytest.mark.parametrize("text", ["", "-a", "a-", "A", "a_b", "a\n", "é", "a" * 64])
def test_other_texts_are_no_dns_labels(text: str) -> None:
    assert not names.is_dns_label(text)


def test_inputs_are_called_as_argo_allows() -> None:
    assert all(map(names.is_parameter, ["x", "seed_2", "_x", "o0"]))
    assert not any(map(names.is_parameter, ["", "größe", "a.b", "a b", "1x", "x\n", "x" * 64]))


def test_codes_and_labels_have_a_sentence_each() -> None:
    assert all(code.value == code.name == str(code) for code in Code)
    assert all(re.fullmatch(r"[A-Z][A-Z_]+", code.name) for code in Code)
    sentences = [code.sentence for code in Code]
    assert all(re.fullmatch(r"[A-Za-z].*\.", sentence) for sentence in sentences)
    assert len(set(sentences)) == len(sentences)
    keys = {value for name, value in vars(labels).items() if name.isupper() and isinstance(value, str) and "/" in value}
    assert keys == set(labels.SENTENCES)
    assert len({exits.OK, *exits.FINAL, exits.RETRYABLE, 64}) == 5


def test_a_diagnostic_reads_as_place_code_message_and_help() -> None:
    found = diagnostics.Diagnostic(
        Code.EDGE_TYPE,
        "int is not str",
        "flows/p.py:41",
        "workflow p-train, node train, input df",
        "str",
        "write str(x)",
    )
    assert found.render() == (
        "flows/p.py:41: error EDGE_TYPE: int is not str\n"
        "  in workflow p-train, node train, input df\n"
        "  expected str\n"
        "  hint: write str(x)"
    )
    assert diagnostics.Diagnostic(Code.CYCLE, "a needs itself").render() == "error CYCLE: a needs itself"


@pytest.mark.parametrize(
    ("name", "candidates", "expected"),
    [
        ("trian", ["load", "train"], "train"),
        ("Load_Data", ["load-data", "load"], "load-data"),
        ("zzz", ["load", "train"], None),
        ("", [], None),
        ("t" * 10_000, ["train"] * 3, None),
    ],
)
def test_the_nearest_name_is_offered(name: str, candidates: list[str], expected: str | None) -> None:
    assert diagnostics.closest(name, candidates) == expected


@given(st.timedeltas())
def test_iso_durations_have_one_text(value: datetime.timedelta) -> None:
    text = durations.iso(value)
    assert durations.parse_iso(text) == value
    assert durations.iso(durations.parse_iso(text)) == text


@given(st.integers(0, 10**12))
def test_go_durations_have_one_text(milliseconds: int) -> None:
    text = durations.text(milliseconds / 1000)
    assert round(durations.seconds(text) * 1000) == milliseconds
    assert durations.text(durations.seconds(text)) == text


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("1h30m", 5400), ("1.5h", 5400), ("500ms", 0.5), ("2d", 172_800), ("0s", 0)]
)
def test_go_durations_are_read(text: str, seconds: float) -> None:
    assert durations.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "s", "-1s", "1 h", "1h ", "1y", "PT1H", "1" * 60 + "s", "１s", "1h\n"])
def test_other_texts_are_no_go_durations(text: str) -> None:
    with pytest.raises(ValueError, match="must be a duration such as 90s"):
        durations.seconds(text)


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1Y", "P1M", "1D", "PT1.5H", "P1D1H", "--PT1S", "PT1S ", "PT-1S", "P" + "9" * 99 + "D"]
)
def test_other_texts_are_no_iso_durations(text: str) -> None:
    with pytest.raises(ValueError, match="must be a duration such as"):
        durations.parse_iso(text)


def test_a_duration_past_all_timedeltas_is_refused() -> None:
    with pytest.raises(ValueError, match="1,000,000,000 days"):
        durations.parse_iso("P9999999999D")
    with pytest.raises(ValueError, match="zero or more"):
        durations.text(-1)
