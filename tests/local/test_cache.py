"""The local cache: hits, misses and their reasons, and what is broken."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pandas as pd
import pytest

import alula
from alula import Cache, task, workflow
from alula.local.work import executor
from alula.progress.reports import RunResult
from alula_api.contract import keys, values
from tests.local.marks import Marks

calls = Marks()


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path) -> None:
    calls.kept_in(tmp_path / "calls")


@task(cache=Cache(version="1"))
def double(x: int) -> int:
    calls.append(("double", x))
    return 2 * x


@task(cache=Cache(version="1"))
def big(x: int) -> list[int]:
    calls.append(("big", x))
    return [x] * 100_000


@task(cache=Cache(version="1"))
def parity(x: int) -> int:
    calls.append(("parity", x))
    return x % 2


@task(cache=Cache(version="1"))
def table(rows: int) -> pd.DataFrame:
    calls.append(("table", rows))
    return pd.DataFrame({"a": range(rows)})


@task(cache=Cache(version="1"))
def height(frame: pd.DataFrame) -> int:
    calls.append(("height", len(frame)))
    return len(frame)


@task
def length(items: list[int]) -> int:
    return len(items)


@workflow
def chain(seed: int = 1) -> int:
    return double(parity(double(seed)))


@workflow
def bulky(x: int) -> int:
    return length(big(x))


@workflow
def tabled(rows: int) -> int:
    return height(table(rows))


@workflow
def twins(x: int) -> tuple[int, int]:
    return double(x), double(x)


def states(result: RunResult) -> dict[str, str]:
    return {node.id: f"{node.state}: {node.why}" if node.why else node.state for node in result.nodes}


def run(target, **given) -> RunResult:
    return alula.run(target, **{"workers": 1, "processes": True, **given})


def entries(store: Path) -> list[Path]:
    return [*store.rglob("cache/*/*.json")]


def test_the_second_run_is_cached_and_computes_nothing() -> None:
    assert states(run(chain)) == dict.fromkeys(("double", "parity", "double-2"), "done: never run before")
    calls.clear()
    result = run(chain)
    assert set(states(result).values()) == {"cached"}
    assert result.value == 0
    assert calls == []


def test_a_plain_call_uses_the_same_cache() -> None:
    run(chain)
    calls.clear()
    assert chain() == 0
    assert calls == []


def test_what_depends_on_a_changed_input_runs_again_and_says_why() -> None:
    run(chain, seed=1)
    result = run(chain, seed=2)
    assert states(result) == {
        "double": "done: input x changed (1 → 2)",
        "parity": "done: input x changed (2 → 4)",
        "double-2": "cached",  # parity is 0 again
    }


def test_the_reason_compares_with_the_last_run_not_with_the_last_miss() -> None:
    run(chain, seed=1)
    run(chain, seed=2)
    run(chain, seed=1)
    assert run(chain, seed=3).node("double").why == "input x changed (1 → 3)"


def test_equal_content_hits_whatever_made_it() -> None:
    run(tabled, rows=3)
    calls.clear()

    @workflow
    def other(rows: int) -> int:
        return height(table(rows))

    assert set(states(run(other, rows=3)).values()) == {"cached"}
    assert calls == []


def test_no_cache_runs_everything_and_leaves_the_cache_alone(store: Path) -> None:
    run(chain)
    before = {path: path.read_bytes() for path in entries(store)}
    calls.clear()
    assert set(states(run(chain, cache="off")).values()) == {"done"}
    assert len(calls) == 3
    assert {path: path.read_bytes() for path in entries(store)} == before


def test_overwriting_runs_everything_and_replaces_the_entries(store: Path) -> None:
    run(chain)
    before = {path: path.read_bytes() for path in entries(store)}
    result = run(chain, cache="overwrite")
    assert set(states(result).values()) == {"done: the cache is overwritten"}
    after = {path: path.read_bytes() for path in entries(store)}
    assert after.keys() == before.keys()
    assert all(after[path] != before[path] for path in after)
    assert set(states(run(chain)).values()) == {"cached"}


def test_a_broken_entry_is_a_miss_and_is_mended(store: Path) -> None:
    run(chain)
    for path in entries(store):
        path.chmod(0o644)
        path.write_text("{")
    result = run(chain)
    assert result.value == 0
    assert all(node.why.startswith("its cached value is lost: the entry is") for node in result.nodes)
    assert set(states(run(chain)).values()) == {"cached"}


def test_an_entry_whose_data_is_gone_is_a_miss(store: Path) -> None:
    run(tabled, rows=3)
    for path in store.rglob("frame.parquet"):
        path.unlink()
    calls.clear()
    result = run(tabled, rows=3)
    assert result.node("table").why.startswith("its cached value is lost: its output o0 is gone or damaged: cas/")
    assert result.node("height").state == "cached"
    assert calls == [("table", 3)]


def test_data_that_is_damaged_is_made_anew_in_a_second_run(store: Path) -> None:
    run(tabled, rows=3)
    for path in store.rglob("frame.parquet"):
        path.chmod(0o644)
        path.write_bytes(b"x" * path.stat().st_size)
    [entry] = [path for path in entries(store) if json.loads(path.read_text().split("\n")[0])["node"] == "height"]
    entry.unlink()
    calls.clear()
    result = run(tabled, rows=3)
    assert result.value == 3
    assert calls == [("table", 3), ("height", 3)]


WAYS_WITHIN = [{"threads": True, "processes": False}, {"workers": 1, "processes": False}]


@pytest.mark.parametrize("way", WAYS_WITHIN, ids=str)
def test_what_shares_a_process_reads_the_cache_and_says_once_that_it_keeps_nothing(way: dict, store: Path) -> None:
    result = run(chain, seed=1, **way)
    assert entries(store) == []
    assert [warning for warning in result.warnings if "not kept in the cache" in warning] == [executor.UNKEPT]
    assert chain(1) == result.value
    assert entries(store) == []
    assert run(chain, seed=1).node("double").why == "never run before"
    found = run(chain, seed=1, **way)
    assert set(states(found).values()) == {"cached"}
    assert found.warnings == ()


def test_a_large_value_lies_in_the_store_and_comes_back(store: Path) -> None:
    assert run(bulky, x=1).value == 100_000
    assert [*store.rglob("value.json")]
    assert all(path.stat().st_size < keys.MOST_ENTRY for path in entries(store))
    calls.clear()
    assert run(bulky, x=1).value == 100_000
    assert calls == []


def test_equal_keys_in_one_run_are_fine() -> None:
    for seed in range(20):
        assert run(twins, x=seed, workers=4).value == (2 * seed, 2 * seed)
        assert run(twins, x=seed, workers=4).value == (2 * seed, 2 * seed)


def test_the_key_is_the_contracts(store: Path) -> None:
    run(twins, x=4)
    expected = keys.cache_key(
        double.key, "1", double.interface.digest, {"x": values.codec({"type": "integer"}).identity(4)}
    )
    assert [path.stem for path in entries(store)] == [expected]


def test_a_failure_keeps_nothing(store: Path) -> None:
    @task(cache=Cache(version="1"))
    def broken() -> int:
        raise ValueError("no")

    @workflow
    def breaking() -> int:
        return broken()

    for _ in range(2):
        with pytest.raises(alula.RunFailed):
            run(breaking)
    assert entries(store) == []


def test_the_run_after_a_failure_says_so_or_what_changed_since() -> None:
    broken = [True]

    @task(cache=Cache(version="1"))
    def fragile(x: int) -> int:
        if broken[0]:
            raise ValueError("no")
        return x

    @workflow
    def breaking(x: int) -> int:
        return fragile(double(x))

    with pytest.raises(alula.RunFailed):
        run(breaking, x=1)
    broken[0] = False
    assert states(run(breaking, x=1)) == {"double": "cached", "fragile": "done: it failed the last time"}
    assert states(run(breaking, x=1)) == {"double": "cached", "fragile": "cached"}
    broken[0] = True
    with pytest.raises(alula.RunFailed):
        run(breaking, x=2)
    broken[0] = False
    assert run(breaking, x=3).node("fragile").why == "input x changed (4 → 6)"


def test_a_cache_that_cannot_be_written_costs_a_warning_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from alula_data import caches, errors

    def refuse(*_: object) -> None:
        raise errors.Denied("file:///store", "cache/x")

    monkeypatch.setattr(caches.CacheIndex, "record", refuse)
    result = run(chain)
    assert result.value == 0
    assert any("could not be kept in the cache" in warning for warning in result.warnings)


def test_a_store_that_cannot_be_reached_fails_the_task_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    from alula_data import caches, errors

    def refuse(*_: object) -> None:
        raise errors.Unavailable("s3://key:hidden@bucket/store", "cache/x", "timed out")

    monkeypatch.setattr(caches.CacheIndex, "find", refuse)
    with pytest.raises(alula.RunFailed, match="the store cannot be reached: s3://bucket/store") as caught:
        run(chain)
    record = caught.value.result.failures[0].failure
    assert record is not None
    assert (record.code, record.kind, record.traceback) == ("STORE_UNAVAILABLE", "system", "")


FLOW = """
from alula import task, workflow

FACTOR = 3

@task(cache=True)
def scale(x: int) -> int:
    print("computed")
    return FACTOR * x

@workflow
def scaled(x: int = 2) -> int:
    return scale(x)

if __name__ == "__main__":
    print(scaled())
"""


def project(folder: Path, text: str = FLOW) -> Path:
    (folder / "flows").mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text('[project]\nname = "keys"\nversion = "0"\n')
    (folder / "flows" / "scaling.py").write_text(textwrap.dedent(text))
    return folder


def python(folder: Path, *words: str) -> str:
    done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_keys_are_the_same_from_a_script_the_command_line_a_test_and_an_import(tmp_path: Path, store: Path) -> None:
    folder = project(tmp_path / "project")
    assert "computed" in python(folder, "-m", "alula", "run", "flows/scaling.py:scaled")
    [entry] = entries(store)
    (folder / "test_it.py").write_text(
        "from flows import scaling\n\ndef test_it():\n    assert scaling.scaled() == 6\n"
    )
    ways = [
        ("flows/scaling.py",),
        ("-m", "alula", "run", "flows.scaling:scaled"),
        ("-c", "from flows.scaling import scaled; scaled()"),
        ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", "-o", "pythonpath=.", "test_it.py"),
        ("-m", "alula", "run", "--workers=1", "flows/scaling.py:scaled"),
        ("-m", "alula", "run", "--threads", "flows/scaling.py:scaled"),
    ]
    for way in ways:
        assert "computed" not in python(folder, *way), way
        assert entries(store) == [entry], way


def test_changed_code_runs_again_and_says_so(tmp_path: Path, store: Path) -> None:
    folder = project(tmp_path / "project")
    python(folder, "-m", "alula", "run", "flows/scaling.py")
    project(folder, FLOW.replace("FACTOR = 3", "FACTOR = 4"))
    output = python(folder, "-m", "alula", "run", "flows/scaling.py")
    assert "scale started: its code changed" in output
    assert "result  8" in output
