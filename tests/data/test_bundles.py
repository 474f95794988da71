"""Bundles: the same digest everywhere, and nothing but plain files below their folder."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alula_api.contract.codes import Code
from alula_data import bundles
from alula_data.bundles import BundleFile
from alula_data.stores import memory

SHA = hashlib.sha256(b"x = 1\n").hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    (made / "flows" / "deep").mkdir(parents=True)
    (made / "pyproject.toml").write_text("[project]\n")
    (made / "flows" / "x.py").write_text("x = 1\n")
    (made / "flows" / "deep" / ("n" * 120 + "é.py")).write_text("")
    (made / "run.sh").write_text("#!/bin/sh\n")
    (made / "run.sh").chmod(0o755)
    return made


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mode & 0o777)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_was_packed_is_unpacked(root: Path, tmp_path: Path) -> None:
    files = bundles.files(root)
    bundles.unpack(bundles.pack(root, files), bundles.digest(files), tmp_path / "code")
    assert {name: data for name, (data, _) in tree(tmp_path / "code").items()} == {
        name: data for name, (data, _) in tree(root).items()
    }
    assert (tmp_path / "code" / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "code" / "flows" / "x.py").stat().st_mode & 0o777 == 0o644


def test_digest_and_archive_depend_on_paths_modes_and_bytes_alone(root: Path) -> None:
    files = bundles.files(root)
    archive = bundles.pack(root, files)
    os.utime(root / "flows" / "x.py", (1, 1))
    (root / "pyproject.toml").chmod(0o600)
    assert bundles.digest(bundles.files(root)) == bundles.digest(tuple(reversed(files)))
    assert bundles.pack(root, bundles.files(root)) == archive
    (root / "pyproject.toml").chmod(0o744)
    assert bundles.digest(bundles.files(root)) != bundles.digest(files)


def test_the_digest_is_that_of_a_list_which_anybody_can_write() -> None:
    text = f'{{"mode":"644","path":"a.py","sha256":"{SHA}"}}\n{{"mode":"755","path":"b","sha256":"{SHA}"}}\n'
    files = [BundleFile("b", "755", SHA), BundleFile("a.py", "644", SHA)]
    assert bundles.listing(files) == text
    assert bundles.digest(files) == hashlib.sha256(text.encode()).hexdigest()


def test_anybody_can_look_into_an_archive(root: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(bundles.pack(root, bundles.files(root))), mode="r:gz") as archive:
        assert archive.getnames()[0] == bundles.LIST_NAME
        assert "flows/x.py" in archive.getnames()
        assert {(member.uid, member.gid, member.mtime) for member in archive} == {(0, 0, 0)}


def test_a_file_that_changed_since_it_was_listed_is_said(root: Path) -> None:
    files = bundles.files(root)
    (root / "flows" / "x.py").write_text("x = 2\n")
    with pytest.raises(bundles.BundleError, match=r"flows/x\.py changed"):
        bundles.pack(root, files)


def test_what_lay_there_before_is_replaced(root: Path, tmp_path: Path) -> None:
    files = bundles.files(root)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "old.py").write_text("")
    bundles.unpack(bundles.pack(root, files), bundles.digest(files), tmp_path / "code")
    assert not (tmp_path / "code" / "old.py").exists()


def test_projects_that_are_too_large_are_refused_with_the_largest_files(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "MOST_BYTES", 1 << 20)
    (root / "big.csv").write_bytes(b"x" * (2 << 20))
    with pytest.raises(bundles.BundleError, match=r"big\.csv \(2 MiB\)") as raised:
        bundles.files(root)
    assert raised.value.code is Code.TOO_LARGE
    (root / "big.csv").unlink()
    monkeypatch.setattr(bundles, "MOST_FILES", 2)
    with pytest.raises(bundles.BundleError, match="2 are allowed"):
        bundles.files(root)


Member = tuple[tarfile.TarInfo, bytes]


def archive(*members: Member, listing: str | None = None, files: list[BundleFile] | None = None) -> tuple[bytes, str]:
    """An archive with a good list by default, and the digest that a release would name."""
    text = (bundles.listing(files or [BundleFile("x.py", "644", SHA)]) if listing is None else listing).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for member, data in (plain(bundles.LIST_NAME, text), *members):
            member.size = len(data) if member.type in (tarfile.REGTYPE, tarfile.GNUTYPE_SPARSE) else 0
            tar.addfile(member, io.BytesIO(data))
    return gzip.compress(buffer.getvalue()), hashlib.sha256(text).hexdigest()


def plain(name: str, data: bytes = b"x = 1\n") -> Member:
    return tarfile.TarInfo(name), data


def special(name: str, kind: bytes, target: str = "") -> Member:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = target
    return member, b""


def sparse(name: str, **headers: str) -> Member:
    """A file with headers of its own in the manner of pax."""
    member, data = plain(name)
    member.pax_headers = headers
    return member, data


def listed(path: str) -> str:
    return f'{{"mode":"644","path":"{path}","sha256":"{SHA}"}}\n'


def escape(path: str) -> tuple[bytes, str]:
    return archive(plain(path.replace("\\u0000", "\0")), listing=listed(path))


HOSTILE: dict[str, Callable[[], tuple[bytes, str]]] = {
    "a symbolic link": lambda: archive(special("x.py", tarfile.SYMTYPE, "/etc/passwd")),
    "a hard link": lambda: archive(special("x.py", tarfile.LNKTYPE, "/etc/passwd")),
    "a link before the file that goes through it": lambda: archive(
        special("x.py", tarfile.SYMTYPE, "/tmp"), plain("x.py/evil"),
        files=[BundleFile("x.py", "644", SHA), BundleFile("x.py/evil", "644", SHA)],
    ),
    "a device": lambda: archive(special("x.py", tarfile.CHRTYPE)),
    "a block device": lambda: archive(special("x.py", tarfile.BLKTYPE)),
    "a pipe": lambda: archive(special("x.py", tarfile.FIFOTYPE)),
    "a folder": lambda: archive(special("x.py", tarfile.DIRTYPE)),
    "an old contiguous file": lambda: archive(special("x.py", tarfile.CONTTYPE)),
    "an absolute path": lambda: escape("/etc/cron.d/evil"),
    "a path up": lambda: escape("../evil"),
    "a path up in the middle": lambda: escape("a/../../evil"),
    "a path with a dot": lambda: escape("./evil"),
    "an empty segment": lambda: escape("a//evil"),
    "a NUL": lambda: escape("a\\u0000b"),
    "a newline": lambda: escape("a\\nb"),
    "a lone surrogate": lambda: escape("a\\ud800b"),
    "a long name": lambda: escape("n" * 300),
    "the name of the list": lambda: escape(bundles.LIST_NAME),
    "a file twice in the list": lambda: archive(plain("x.py"), plain("x.py"), listing=listed("x.py") * 2),
    "a list out of order": lambda: archive(plain("b"), plain("a"), listing=listed("b") + listed("a")),
    "a file twice in the archive": lambda: archive(plain("x.py"), plain("x.py")),
    "a file that the list has not": lambda: archive(plain("x.py"), plain("y.py")),
    "another file than the list has": lambda: archive(plain("y.py")),
    "a file too few": lambda: archive(),
    "other bytes": lambda: archive(plain("x.py", b"x = 2\n")),
    "fewer bytes": lambda: archive(plain("x.py", b"")),
    "a file that stands in the way of a folder": lambda: archive(
        plain("a"), plain("a/b"), files=[BundleFile("a", "644", SHA), BundleFile("a/b", "644", SHA)]
    ),
    "a mode with more rights": lambda: archive(plain("x.py"), listing=listed("x.py").replace("644", "4755")),
    "an unknown field": lambda: archive(plain("x.py"), listing=listed("x.py").replace('"mode"', '"link":"/","mode"')),
    "a list that is not one": lambda: archive(plain("x.py"), listing="x.py\n"),
    "a list without end": lambda: archive(plain("x.py"), listing=listed("x.py").rstrip("\n")),
    "too many files": lambda: archive(
        listing="".join(listed(f"{number:06}") for number in range(bundles.MOST_FILES + 1))
    ),
    "a sparse file that is not one": lambda: archive(
        sparse("x.py", **{"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "q"})
    ),
    "a size that is no number": lambda: archive(sparse("x.py", size="abc")),
    "no list": lambda: (gzip.compress(b"\0" * 10240), SHA),
    "no tar": lambda: (gzip.compress(b"hello" * 1000), SHA),
    "no gzip": lambda: (b"hello", SHA),
    "nothing": lambda: (b"", SHA),
    "cut short": lambda: (archive(plain("x.py"))[0][:-40], archive(plain("x.py"))[1]),
    "another bundle": lambda: (archive(plain("x.py"))[0], "0" * 64),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    data, digest = HOSTILE[name]()
    inside = tmp_path / "inside"
    (inside / "code").mkdir(parents=True)
    (inside / "code" / "old.py").write_text("kept")
    with pytest.raises(bundles.BundleError) as raised:
        bundles.unpack(data, digest, inside / "code")
    assert raised.value.code is Code.BUNDLE_DAMAGED
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")} == {
        "inside",
        "inside/code",
        "inside/code/old.py",
    }


def test_the_good_archive_of_these_tests_is_good(tmp_path: Path) -> None:
    bundles.unpack(*archive(plain("x.py")), tmp_path / "code")
    assert tree(tmp_path / "code") == {"x.py": (b"x = 1\n", 0o644)}


def test_a_header_before_the_list_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "_MOST_LIST", 1 << 20)
    member, data = plain(bundles.LIST_NAME)
    member.pax_headers = {"comment": "y" * (40 << 20)}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    packed = gzip.compress(buffer.getvalue(), 1)
    tracemalloc.start()
    with pytest.raises(bundles.BundleError):
        bundles.unpack(packed, SHA, tmp_path / "code")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 << 20


def test_an_archive_that_is_larger_than_any_bundle_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "MOST_ARCHIVE", 1 << 20)
    store, chunks = memory.MemoryStore(), []

    def endless(key: str) -> Iterator[bytes]:
        while True:
            chunks.append(key)
            yield bytes(1 << 18)

    store.put("good", b"x" * (1 << 20))
    assert len(bundles.fetch(store, "good")) == 1 << 20
    monkeypatch.setattr(store, "stream", endless)
    with pytest.raises(bundles.BundleError, match="has more than 1 MiB"):
        bundles.fetch(store, "endless")
    assert len(chunks) == 5


def test_a_bomb_goes_off_at_the_cap_and_not_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "MOST_BYTES", 1 << 20)
    monkeypatch.setattr(bundles, "MOST_FILES", 10)
    monkeypatch.setattr(bundles, "_MOST_LIST", 1 << 20)
    zeros = b"\0" * (64 << 20)
    data, digest = archive(plain("x.py", zeros), files=[BundleFile("x.py", "644", hashlib.sha256(zeros).hexdigest())])
    assert len(data) < 100_000
    with pytest.raises(bundles.BundleError, match="more than"):
        bundles.unpack(data, digest, tmp_path / "code")
    assert list(tmp_path.iterdir()) == []


@given(data=st.data())
def test_a_damaged_archive_is_refused_or_gives_the_same_files(data: st.DataObject, tmp_path_factory: object) -> None:
    good, digest = archive(plain("x.py"))
    damaged = bytearray(good)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(good) - 1))] ^= data.draw(st.integers(1, 255))
    folder = tmp_path_factory.mktemp("damaged")  # type: ignore[attr-defined]
    try:
        bundles.unpack(bytes(damaged), digest, folder / "code")
    except bundles.BundleError:
        assert list(folder.iterdir()) == []
    else:
        assert tree(folder / "code") == {"x.py": (b"x = 1\n", 0o644)}
