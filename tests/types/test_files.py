"""Files, directories and paths: by reference, lazy, with their names."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from alula import Directory, File
from alula.types import compiling
from alula.types.carriers import REFUSAL
from alula.types.mismatches import Mismatch
from alula.types.unsupported import Unsupported
from alula_api.contract import values
from alula_data import content
from alula_data.stores import memory
from tests.types.shelf import Shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf")


def travel(annotation: Any, value: Any, shelf: Shelf) -> Any:
    compiled = compiling.compile(annotation)
    wire = values.codec(compiled.schema).normal(compiled.to_json(value, shelf))
    return compiled.from_json(wire, shelf)


def test_a_file_travels_with_its_name_and_content(tmp_path: Path, shelf: Shelf) -> None:
    (tmp_path / "report.html").write_text("<p>ü</p>", encoding="utf-8")
    back = travel(File["html"], File(tmp_path / "report.html"), shelf)
    assert back.name == "report.html"
    assert back.format == "html"
    assert back.size == len("<p>ü</p>".encode())
    assert back.digest == hashlib.sha256("<p>ü</p>".encode()).hexdigest()
    assert shelf.fetched == []
    assert back.read_text() == "<p>ü</p>"
    assert back.read_bytes() == "<p>ü</p>".encode()
    with back.open() as stream:
        assert stream.read() == "<p>ü</p>"
    assert shelf.fetched == ["report.html"]


def test_a_file_can_be_given_to_whatever_takes_paths(tmp_path: Path, shelf: Shelf) -> None:
    (tmp_path / "a.txt").write_text("a")
    with open(travel(File, File(tmp_path / "a.txt"), shelf)) as stream:
        assert stream.read() == "a"


def test_a_file_that_came_in_goes_out_without_being_fetched(tmp_path: Path, shelf: Shelf) -> None:
    (tmp_path / "a.txt").write_text("a")
    once = travel(File, File(tmp_path / "a.txt"), shelf)
    twice = travel(File, once, shelf)
    assert twice == once
    assert shelf.fetched == []


def test_an_input_cannot_be_written(tmp_path: Path, shelf: Shelf) -> None:
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(ValueError, match="can only be read"):
        travel(File, File(tmp_path / "a.txt"), shelf).open("w")


def test_new_gives_a_place_to_write_to(shelf: Shelf) -> None:
    made = File.new("report.html")
    assert not made.path.exists()
    made.path.write_text("x")
    assert travel(File["html"], made, shelf).read_text() == "x"
    assert File.new("report.html").path != made.path
    with pytest.raises(ValueError, match="without folders"):
        File.new("a/report.html")


def test_a_format_is_the_same_type_however_it_is_written() -> None:
    assert File["csv"] is File[Literal["csv"]] is File["CSV"]
    assert compiling.compile(Annotated[File, "csv"]).schema == compiling.compile(File["csv"]).schema
    assert compiling.compile(Annotated[list[Annotated[File, "csv"]], "many"]).schema["items"]["format"] == "csv"
    with pytest.raises(Unsupported, match="'a/b' is not a file format"):
        compiling.compile(Annotated[File, "a/b"])
    assert compiling.compile(File["csv"]).schema == {"x-alula-type": "file", "format": "csv"}
    assert compiling.compile(File).schema == {"x-alula-type": "file"}


@pytest.mark.parametrize(
    ("name", "format"), [("a.htm", "html"), ("a.JPEG", "jpg"), ("a.tar.gz", "tar.gz"), ("a", "csv")]
)
def test_an_extension_that_means_the_format_is_taken(name: str, format: str, tmp_path: Path, shelf: Shelf) -> None:
    (tmp_path / name).write_text("x")
    assert travel(File[format], File(tmp_path / name), shelf).format == format


def test_an_extension_that_means_another_format_is_refused(tmp_path: Path, shelf: Shelf) -> None:
    (tmp_path / "a.csv").write_text("x")
    with pytest.raises(Mismatch, match=r"format html, got a\.csv"):
        travel(File["html"], File(tmp_path / "a.csv"), shelf)


def test_files_are_equal_by_name_and_content(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text("a")
    assert File(tmp_path / "one" / "a.txt") == File(tmp_path / "two" / "a.txt")
    (tmp_path / "two" / "a.txt").write_text("b")
    assert File(tmp_path / "one" / "a.txt") != File(tmp_path / "two" / "a.txt")
    assert File(tmp_path / "one" / "a.txt") != "a.txt"


def test_a_path_is_a_file_that_is_there_before_the_task(tmp_path: Path, shelf: Shelf) -> None:
    (tmp_path / "a.bin").write_bytes(b"\0")
    back = travel(Path, tmp_path / "a.bin", shelf)
    assert isinstance(back, Path)
    assert back.read_bytes() == b"\0"
    assert shelf.fetched == ["a.bin"]


def test_a_directory_travels_whole(tmp_path: Path, shelf: Shelf) -> None:
    (tmp_path / "out" / "deep").mkdir(parents=True)
    (tmp_path / "out" / "deep" / "a.txt").write_text("a")
    back = travel(Directory, Directory(tmp_path / "out"), shelf)
    assert back.name == "out"
    assert (back.path / "deep" / "a.txt").read_text() == "a"
    assert len(back.digest) == 64


def test_a_new_directory_is_an_empty_folder_to_fill(shelf: Shelf) -> None:
    made = Directory.new("out")
    assert isinstance(made, Directory)
    assert [*made.path.iterdir()] == []
    (made.path / "a.txt").write_text("a")
    assert (travel(Directory, made, shelf).path / "a.txt").read_text() == "a"
    assert Directory.new("out").path != made.path
    with pytest.raises(ValueError, match="expected a folder's name without folders before it, got 'a/b'"):
        Directory.new("a/b")


def test_a_program_stays_one_and_that_is_part_of_its_identity(tmp_path: Path) -> None:
    carrier = content.Content(memory.MemoryStore(), work=str(tmp_path / "in"))
    (tmp_path / "run.sh").write_text("#!/bin/sh\necho ran\n")
    plain = compiling.compile(File).to_json(File(tmp_path / "run.sh"), carrier)
    (tmp_path / "run.sh").chmod(0o755)
    program = compiling.compile(File).to_json(File(tmp_path / "run.sh"), carrier)
    codec = values.codec(compiling.compile(File).schema)
    assert program == {**plain, "executable": True}
    assert codec.normal(program) == program
    assert codec.identity(program) != codec.identity(plain)
    assert subprocess.check_output([compiling.compile(File).from_json(program, carrier).path], text=True) == "ran\n"
    assert compiling.compile(File).from_json(plain, carrier).path.stat().st_mode & 0o111 == 0


def test_files_travel_inside_containers(tmp_path: Path, shelf: Shelf) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)
    value = {"all": [File(tmp_path / "a.txt"), File(tmp_path / "b.txt")]}
    back = travel(dict[str, list[File[Literal["txt"]]]], value, shelf)
    assert [item.read_text() for item in back["all"]] == ["a.txt", "b.txt"]


def test_a_plain_call_gets_the_very_file_but_checked(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    given = File(tmp_path / "a.txt")
    assert compiling.compile(File).check(given) is given
    with pytest.raises(Mismatch, match="there is no file"):
        compiling.compile(File).check(File(tmp_path / "missing.txt"))


def test_a_file_cannot_be_a_constant_of_a_definition(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(Mismatch, match="cannot be written into a definition"):
        compiling.compile(list[File]).to_json([File(tmp_path / "a.txt")], REFUSAL)
    with pytest.raises(Mismatch, match="cannot be written into a definition"):
        compiling.compile(File).to_json("a.txt", REFUSAL)


def test_a_file_whose_path_looks_like_an_address_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shelf: Shelf
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:").mkdir()
    (tmp_path / "s3:" / "a.txt").write_text("a")
    assert travel(File, File("s3:/a.txt"), shelf).read_text() == "a"


def test_a_reference_of_another_type_is_refused(tmp_path: Path, shelf: Shelf) -> None:
    (tmp_path / "a.txt").write_text("a")
    wire = compiling.compile(File).to_json(File(tmp_path / "a.txt"), shelf)
    with pytest.raises(Mismatch, match="directory"):
        compiling.compile(Directory).from_json(wire, shelf)
    with pytest.raises(Mismatch, match="reference"):
        compiling.compile(File).from_json("a.txt", shelf)
