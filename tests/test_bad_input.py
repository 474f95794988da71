"""What a user sees at a terminal when something is wrong: whole transcripts, so that the wording is reviewed at once.

Each golden under `golden/bad_input` shows the sources (of the project `bad_input`), the commands, and all they print.
No command may show a traceback of ours, and each ends with the exit code that its kind of mistake has.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

import alula.testing
from alula.cli import main
from alula_data import retries
from alula_data.stores import opening
from tests import goldens, projects

PROJECT = Path(__file__).parent / "bad_input"
GOLDEN = Path(__file__).parent / "golden" / "bad_input"
LABEL, SELL = "flows/edges.py:label", "flows/inputs.py:sell"
WHOLE = "--order.amount 2 --table table.csv --gift"

CASES: dict[str, tuple[list[str], list[str]]] = {
    "edge-of-the-wrong-type": (
        ["flows/edges.py"],
        [f"alula run {LABEL}", "alula compile flows/edges.py", "alula register flows/edges.py"],
    ),
    "missing-input": (["flows/inputs.py"], [f"alula run {SELL}", f"alula run {SELL} --gift --order.tags a"]),
    "unknown-flag": (
        ["flows/inputs.py"],
        [
            f"alula run {SELL} {WHOLE} --sise LARGE --order.amonut 3",
            f"alula run {SELL} {WHOLE} --workers 1",
            f"alula run {SELL} {WHOLE} -q",
            f"alula run --worker 1 {SELL} {WHOLE}",
            f"alula run {SELL} {WHOLE} LARGE",
            f"alula run flows/inputs.py:gifts {WHOLE}",
            "alula compile --outfile x .",
            "alula regsiter flows/inputs.py",
        ],
    ),
    "value-that-does-not-fit": (
        ["flows/inputs.py"],
        [
            f"alula run {SELL} --order few --table gone.csv --gift=maybe --size medium --speed fats --discount much "
            "--day yesterday --every often",
            f"""alula run {SELL} --order '{{"amount": "two", "tag": []}}' --table flows --no-gift""",
            f"alula run {SELL} {WHOLE} --order.tags '[1]' --discount 1 --discount 2",
            f"alula run --workers 0 --domain Dev {SELL} {WHOLE}",
        ],
    ),
    "result-that-does-not-fit": (["flows/results.py"], ["alula run -q flows/results.py"]),
    "workflow-that-calls-no-tasks": (
        ["flows/functions.py"],
        ["alula compile flows/functions.py"],
    ),
    "parameter-without-a-type": (
        ["flows/annotations.py"],
        [f"alula run flows/annotations.py:{name}" for name in ("search", "find", "count")],
    ),
    "two-tasks-of-one-name": (
        ["flows/twins.py", "flows/namesake.py"],
        ["alula run flows/twins.py", "alula register flows/twins.py", "alula register flows/namesake.py"],
    ),
    "promise-as-a-value": (["flows/promises.py"], ["alula compile flows/promises.py"]),
    "file-that-cannot-be-imported": (
        ["flows/broken.py", "flows/raising.py", "flows/unfinished.py"],
        [
            "alula run flows/broken.py",
            "alula run flows/raising.py",
            "alula run flows/unfinished.py",
            "alula run flows/edgse.py",
            "alula run flows/edges.py:lable",
            "alula run flows/promises.py",
            "alula run flows",
        ],
    ),
    "malformed-resource": (
        [f"resources/{name}.yaml" for name in ("fields", "meaning", "type", "kind", "version", "syntax", "orphan")],
        [
            *(f"alula compile resources/{name}.yaml" for name in ("fields", "meaning", "type", "kind", "version")),
            *(f"alula compile resources/{name}.yaml" for name in ("syntax", "binary", "foreign", "orphan")),
            "alula compile resources/trailing.json",
            "alula compile resources/gone.yaml",
        ],
    ),
    "place-that-cannot-be-written": (
        [],
        [
            "alula register --repo table.csv flows/stored.py",
            "alula register --domain 'the cloud' flows/stored.py",
            "alula compile --out nowhere/argo.yaml flows/stored.py",
        ],
    ),
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "shop"
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__", ".alula"))
    (folder / "table.csv").write_text("a\n1\n")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "100")
    with alula.testing.local(tmp_path / "store"), projects.forgotten(folder):
        yield folder


@pytest.fixture
def alula_at_a_terminal(project: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """Runs one command line in this process; returns what it shows and its exit code."""

    def call(line: str) -> str:
        capsys.readouterr()
        code = main.main(shlex.split(line)[1:])
        found = capsys.readouterr()
        text = found.err + found.out
        assert "Traceback" not in text or str(Path(main.__file__).parents[1]) not in text, text
        assert code in (0, main.FAILED, main.USAGE), text
        return f"$ {line}\n{steady(text, project)}{'' if text.endswith(chr(10)) else chr(10)}[exit code {code}]\n"

    return call


def steady(text: str, project: Path) -> str:
    """A transcript without what differs from run to run."""
    text = text.replace(str(project.parent), "/home/me").replace(sys.prefix, "/home/me/.venv")
    text = re.sub(r"\breleases/[0-9a-f]{64}", "releases/<digest>", text)
    text = re.sub(r"\[ *[\d.]+m?s\]", "[   1ms]", text)
    text = re.sub(r"\b(after|in) [\d.]+m?s\b", r"\1 1ms", text)
    text = re.sub(r"(?m)^(  . \w+) +[\d.]+m?s\b *", r"\1  1ms  ", text)
    return re.sub(r"-\d{8}-\d{6}-[0-9a-f]{4}\b", "-20260131-120000-0000", text)


def sources(files: Sequence[str]) -> str:
    """The files with numbered lines."""
    parts = []
    for name in files:
        lines = (PROJECT / name).read_text().splitlines()
        parts.append(f"# {name}\n" + "".join(f"{n:>3}  {line}".rstrip() + "\n" for n, line in enumerate(lines, 1)))
    return "\n".join(parts)


def transcript(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_at_a_terminal_is_told_in_words(case: str, alula_at_a_terminal: Callable[[str], str]) -> None:
    files, lines = CASES[case]
    said = [alula_at_a_terminal(line) for line in lines]
    assert not any("[exit code 0]" in text for text in said)
    goldens.check(GOLDEN / f"{case}.txt", transcript(sources(files), *said))


def test_a_store_that_cannot_be_reached_is_told_in_words(
    alula_at_a_terminal: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = retries.Policy(attempts=1)
    really = opening.open_store
    monkeypatch.setattr(opening, "open_store", lambda url, **more: really(url, **{**more, "policy": impatient}))
    monkeypatch.setenv("ALULA_STORE_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "access-key-of-nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-key-of-nobody")
    said = [
        alula_at_a_terminal("alula run --workers 1 --store s3://bucket/data flows/stored.py"),
        alula_at_a_terminal(f"alula run --store s3://bucket/data {SELL} {WHOLE}"),
        alula_at_a_terminal("alula register --bundle --store s3://bucket/data flows/stored.py"),
        alula_at_a_terminal("alula run --store s4://bucket/data flows/stored.py"),
        alula_at_a_terminal("alula run -q --store table.csv flows/stored.py"),
    ]
    assert "of-nobody" not in "".join(said)
    goldens.check(GOLDEN / "store-that-cannot-be-reached.txt", transcript(sources(["flows/stored.py"]), *said))


def test_a_damaged_object_behind_a_cache_entry_is_made_anew_and_told(
    alula_at_a_terminal: Callable[[str], str], tmp_path: Path
) -> None:
    line = "alula run --workers 1 --processes flows/stored.py"
    first = alula_at_a_terminal(line)
    (note,) = (tmp_path / "store").rglob("note.txt")

    def damaged(text: str) -> str:
        note.chmod(0o644)
        note.write_text(text)
        return alula_at_a_terminal(line)

    shorter, same_size = damaged("hell"), damaged("hallo")
    (entry,) = (tmp_path / "store").rglob("cache/*/*.json")
    entry.chmod(0o644)
    entry.write_bytes(entry.read_bytes().replace(b'"v":2', b'"v":7'))
    malformed = alula_at_a_terminal(line)
    said = [
        first,
        "# the stored file is cut short",
        shorter,
        "# a letter of the stored file is changed",
        same_size,
        "# a digit of the cache entry is changed",
        malformed,
        "# and once more",
        alula_at_a_terminal(line),
    ]
    assert [text.count("result  5\n") for text in said] == [1, 0, 1, 0, 1, 0, 1, 0, 1]
    goldens.check(GOLDEN / "damaged-object-behind-a-cache-entry.txt", transcript(sources(["flows/stored.py"]), *said))


def test_a_task_that_is_killed_is_told_in_words(alula_at_a_terminal: Callable[[str], str]) -> None:
    said = alula_at_a_terminal("alula run --workers 2 flows/killed.py")
    goldens.check(GOLDEN / "task-that-is-killed.txt", transcript(sources(["flows/killed.py"]), said))
