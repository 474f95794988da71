"""The command line as a whole: help, unknown commands, exit codes, and what goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from alula.cli import flags, main
from alula.cli import run as run_module
from alula_data import errors as data_errors
from tests import goldens
from tests.cli.conftest import Alula

GOLDEN = Path(__file__).parent / "golden"


def test_help_lists_the_commands(run: Alula) -> None:
    done = run("--help")
    goldens.check(GOLDEN / "main.txt", done.out)
    assert (done.code, done.err) == (0, "")
    assert run().out == run("help").out == run("-h").out == done.out


def test_help_of_a_command_is_its_own(run: Alula) -> None:
    assert run("help", "run").out == run("run", "--help").out


def test_the_version_is_told(run: Alula) -> None:
    done = run("--version")
    assert done.code == 0
    assert done.out.startswith("alula ")


def test_an_unknown_command_is_told_with_the_nearest_one(run: Alula) -> None:
    done = run("rnu", "x")
    assert done.code == 2
    assert done.err == "error BAD_OPTION: there is no command rnu\n  hint: did you mean run?\n"
    assert "there is no option --hepl" in run("--hepl").err


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_command_is_called_as_it_is_listed(name: str) -> None:
    assert main.find(name).name == name


@pytest.mark.parametrize("name", main.COMMANDS)
def test_the_flags_of_a_command_have_a_name_and_a_letter_each(name: str) -> None:
    listed = main.find(name).all_flags
    for words in ([flag.name for flag in listed], [flag.letter for flag in listed if flag.letter]):
        assert len(words) == len(set(words))


@pytest.mark.parametrize("command", main.COMMANDS)
def test_every_command_has_help(command: str, run: Alula) -> None:
    done = run(*command.split(), "--help")
    assert done.code == 0
    assert done.out.startswith(f"usage: alula {command}")


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys\nfrom alula.cli import main\nassert main.main(['--help']) == 0\n"
        "heavy = {'pydantic', 'yaml', 'fsspec', 'asyncio', 'argparse', 'difflib', 'kubernetes', 'alula_compiler',\n"
        "         'alula.emit', 'alula.local', 'alula.remote', 'alula.cli.targets'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_python_m_alula_is_alula() -> None:
    done = subprocess.run([sys.executable, "-m", "alula", "nothing"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no command nothing" in done.stderr


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(found: flags.Scan) -> int:
        raise error

    monkeypatch.setattr(run_module, "COMMAND", run_module.COMMAND._replace(main=fail))


def test_an_interrupt_ends_with_130(run: Alula, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, KeyboardInterrupt())
    done = run("run", "x")
    assert (done.code, done.err) == (130, "interrupted\n")


def test_a_store_that_cannot_be_reached_is_no_traceback(run: Alula, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, data_errors.Unavailable("s3://user:secret@bucket/x", "cas/aa", "timed out"))
    done = run("run", "x")
    assert done.code == 1
    assert "STORE_UNAVAILABLE" in done.err
    assert "s3://bucket/x/cas/aa" in done.err
    assert "secret" not in done.err
    assert "Traceback" not in done.err


def test_a_mistake_of_ours_shows_all_that_a_report_needs(run: Alula, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, ZeroDivisionError("oops"))
    done = run("run", "x")
    assert done.code == 70
    assert "Traceback" in done.err
    assert "error INTERNAL: alula " in done.err
    assert "ZeroDivisionError: oops" in done.err


def test_a_reader_that_goes_away_is_no_error(project: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "alula", "run", "-q", "flows/single.py"], stdout=write, stderr=subprocess.PIPE,
        check=False,
    )  # fmt: skip
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this platform has no /dev/full")
def test_a_disk_that_is_full_is_a_message(project: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "alula", "run", "-q", "flows/single.py", "--x", "4"],
            cwd=project, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        1,
        "error OUTPUT_LOST: stdout cannot be written: No space left on device\n",
    )
