"""File, Directory and Path: data that travels by reference; bytes move on first use.

Tasks make `File("report.html")` and return it; as an input the same class is a lazy view of what is stored.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, Generic

from alula.types.carriers import REFUSAL, keeping
from alula.types.mismatches import Mismatch, kind
from alula.types.pytypes import Json, PyType

if TYPE_CHECKING:
    from alula.types.carriers import Carrier
    from alula_api.contract.references import Reference

_SAME_FORMAT = {
    "jpeg": "jpg",
    "htm": "html",
    "yml": "yaml",
    "tiff": "tif",
    "markdown": "md",
    "text": "txt",
    "pq": "parquet",
}

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/(?=/?[^/])", re.IGNORECASE)
"""`s3://bucket/x.csv`, also as a path makes `s3:/bucket/x.csv` of it."""
_ADDRESS_HINT = "alula reads no addresses: have a task fetch it and return a File"


def address(value: object) -> str:
    """An address that was given as a path, as it was written; empty for a path."""
    text = value if isinstance(value, str) else str(value) if isinstance(value, Path) else ""
    found = _ADDRESS.match(text)
    if found is None or (isinstance(value, Path) and value.exists()):
        return ""
    return f"{found[1]}://{text[found.end() :].lstrip('/')}"


class Stored:
    """What File and Directory share: a local path, or a reference and the carrier that fetches it on first use."""

    kind: ClassVar[str]
    format: str = ""

    def __init__(self, path: str | os.PathLike[str], *, format: str = "") -> None:
        self._path: Path | None = Path(path)
        self._reference: Reference | None = None
        self._carrier: Carrier | None = None
        if format:
            self.format = format

    @classmethod
    def _of(cls, reference: Reference, carrier: Carrier) -> Any:
        made = cls.__new__(cls)
        made._path, made._reference, made._carrier = None, reference, carrier
        if reference.format:
            made.format = reference.format
        return made

    @property
    def path(self) -> Path:
        """Where the content is on this machine; stored content is fetched and verified on first use."""
        if self._path is None:
            if self._reference is None or self._carrier is None:
                raise AssertionError("a stored value has a path or a reference")
            self._path = self._carrier.fetch(self._reference)
        return self._path

    @property
    def name(self) -> str:
        """The name with its extension, as its maker gave it."""
        return self._reference.name if self._reference is not None else self.path.name

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        shown = self._path or self.name or "?"
        return f"{type(self).__name__}({str(shown)!r})"

    def __eq__(self, other: object) -> bool:
        """Equal content under an equal name."""
        if not isinstance(other, Stored) or other.kind != self.kind:
            return NotImplemented
        return self.name == other.name and self.digest == other.digest

    def __hash__(self) -> int:
        return hash((self.kind, self.name))

    @property
    def digest(self) -> str:
        """What identifies the content."""
        raise NotImplementedError


class _TypedFile(Stored):
    kind = "file"

    @classmethod
    def new(cls, name: str) -> File[Any]:
        """A File in a fresh temporary directory, for a task to write and return.

        Args:
            name: The file's name with its extension, such as `report.html`.
        """
        return cls(_fresh(name, "a file's name"))  # type: ignore[return-value]

    @property
    def size(self) -> int:
        """The size in bytes."""
        return self._reference.size if self._reference is not None else self.path.stat().st_size

    @property
    def digest(self) -> str:
        """The sha256 of the content in hex."""
        if self._reference is not None:
            return self._reference.digest
        import hashlib

        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def open(self, mode: str = "r", **options: Any) -> IO[Any]:
        """Open the content as the built-in `open` does; stored content is read-only."""
        if self._reference is not None and mode.strip("bt") != "r":
            raise ValueError(f"{self.name} is an input, so it can only be read: write to a File of your own")
        return self.path.open(mode, **options)

    def read_text(self, encoding: str = "utf-8") -> str:
        """The whole content as text."""
        return self.path.read_text(encoding=encoding)

    def read_bytes(self) -> bytes:
        """The whole content."""
        return self.path.read_bytes()


if TYPE_CHECKING:
    from typing_extensions import TypeVar  # for type checkers alone: a plain `File` needs no argument

    Format = TypeVar("Format", default=str)

    class File(_TypedFile, Generic[Format]):
        """A file that tasks pass on by reference: `File`, or with a format `Annotated[File, "html"]`."""

    class Directory(Stored):
        """A folder that tasks pass on by reference."""

        @classmethod
        def new(cls, name: str) -> Directory:
            """An empty folder in a fresh temporary directory, for a task to fill and return."""

else:

    class File(_TypedFile):
        """A file that tasks pass on by reference: `File`, or with a format `Annotated[File, "html"]`.

        A task makes one from a local path and returns it: `return File("report.html")`. As an input, `path` (or
        passing the File to `open`, pandas and others that take paths) fetches and verifies the content on first use.
        `File["html"]` and `File[Literal["html"]]` are the same type; type checkers do not know the first of them.
        """

        _formats: ClassVar[dict[str, type]] = {}

        def __class_getitem__(cls, format: object) -> type:
            from alula.types.unsupported import Unsupported

            values = getattr(format, "__args__", ())
            if len(values) == 1 and isinstance(values[0], str):  # File[Literal["html"]]
                format = values[0]
            format = getattr(format, "__forward_arg__", format)
            if type(format).__name__ == "module":  # `File[csv]` is what linters make of `File["csv"]`
                name = getattr(format, "__name__", "")
                raise Unsupported(cls, f"the module {name} is not a file format", f'File[Literal["{name}"]]')
            if not isinstance(format, str) or not format or not format.replace(".", "").replace("-", "").isalnum():
                raise Unsupported(cls, f"{format!r} is not a file format", 'File["csv"]')
            format = format.lower()
            if format not in cls._formats:
                namespace = {"format": format, "__module__": cls.__module__, "__slots__": ()}
                cls._formats[format] = type(f"File[{format}]", (File,), namespace)
            return cls._formats[format]

    class Directory(Stored):
        """A folder that tasks pass on by reference: a task returns `Directory("out")`, another reads its `path`."""

        kind = "directory"

        @classmethod
        def new(cls, name: str) -> Any:
            """An empty folder in a fresh temporary directory, for a task to fill and return.

            Args:
                name: The folder's name.
            """
            made = cls(_fresh(name, "a folder's name"))
            made.path.mkdir()
            return made

        @property
        def digest(self) -> str:
            """What identifies the content; known once the folder is stored."""
            if self._reference is None:
                raise ValueError(f"{self!r} has no digest before it is stored")
            return self._reference.digest


def _fresh(name: str, what: str) -> Path:
    """A path of that name in a new temporary directory."""
    import tempfile

    if not name or Path(name).name != name:
        raise ValueError(f"expected {what} without folders before it, got {name!r}")
    return Path(tempfile.mkdtemp(prefix="alula-")) / name


def _require(path: Path, what: str, folder: bool) -> None:
    if not path.exists():
        raise Mismatch(f"there is no {what} {path}", f"relative paths start at {Path.cwd()}")
    if path.is_dir() != folder:
        raise Mismatch(
            f"{path} is a {'folder' if path.is_dir() else 'file'}",
            f"use {'Directory' if path.is_dir() else 'File'} for it",
        )


def _extension(name: str) -> str:
    suffix = name.rpartition(".")[2].lower() if "." in name.lstrip(".") else ""
    return _SAME_FORMAT.get(suffix, suffix)


def _require_format(name: str, declared: str) -> None:
    """A `report.csv` is no `File["html"]`; a name without extension says nothing."""
    wanted = _SAME_FORMAT.get(declared, declared)
    found = _extension(name)
    if not wanted or not found or name.lower().endswith(f".{declared}") or found == wanted:
        return
    hint = f"name it *.{declared}, or declare File[{found!r}]"
    raise Mismatch(f"expected a file of format {declared}, got {name}", hint)


def _commit(value: Stored, carrier: Carrier, declared: str) -> Json:
    if found := address(value._path):
        raise Mismatch(f"{found} is an address, not a path", _ADDRESS_HINT)
    if carrier is REFUSAL:
        REFUSAL.keep(value, type=value.kind)
    reference = value._reference
    name = value.name
    if value.kind == "file":
        _require_format(name, declared)
    if reference is not None:
        if declared and reference.format not in {"", declared}:
            raise Mismatch(f"expected a file of format {declared}, got {name} of format {reference.format}")
        keeper = keeping(carrier)
        if keeper is None:
            return reference.to_json()
    else:
        _require(value.path, value.kind, value.kind == "directory")
        keeper = keeping(carrier)
    format = declared or value.format
    if keeper is not None:
        kept = keeper.keep(value, type=value.kind, name=name, format=format)
        if kept is not None:
            return kept.to_json()
    if reference is not None:
        return reference.to_json()
    return commit_file(value.path, carrier, type=value.kind, name=name, format=format).to_json()


def commit_file(path: Path, carrier: Carrier, *, type: str, name: str, format: str) -> Reference:
    """Store a file or folder.

    Raises:
        Mismatch: Something in the folder cannot be stored.
    """
    try:
        return carrier.commit_file(path, type=type, name=name, format=format)
    except ValueError as error:
        raise Mismatch(str(error), "keep files, folders and links to what lies in the folder") from None


def _reference(value: Json, type: str) -> Reference:
    from alula_api.contract import references
    from alula_api.contract.problems import InvalidValue

    try:
        reference = references.Reference.from_json(value)
    except InvalidValue as problem:
        raise Mismatch(f"expected a reference to a {type}: {problem}") from None
    if reference.type != type:
        raise Mismatch(f"expected a reference to a {type}, got one to a {reference.type}")
    return reference


def stored(cls: type[Stored]) -> PyType:
    """The type of `File`, `File["html"]` or `Directory`."""
    declared, type_name, label = cls.format, cls.kind, cls.__name__
    base = File if type_name == "file" else Directory

    def to_json(value: object, carrier: Carrier) -> Json:
        if isinstance(value, base):
            return _commit(value, carrier, declared)
        if found := address(value):
            raise Mismatch(f"expected {label}, got the address {found}", _ADDRESS_HINT)
        if carrier is REFUSAL and isinstance(value, (str, os.PathLike)):
            REFUSAL.keep(value, type=type_name)
        hint = f"write {base.__name__}(...)" if isinstance(value, (str, os.PathLike)) else ""
        raise Mismatch(f"expected {label}, got {kind(value)}", hint)

    def from_json(value: Json, carrier: Carrier) -> object:
        reference = _reference(value, type_name)
        keeper = keeping(carrier)
        kept = keeper.kept(reference) if keeper is not None else None
        return base._of(reference, carrier) if kept is None else kept

    schema = {"x-alula-type": type_name}
    if declared:
        schema["format"] = declared
    return PyType(cls, label, schema, to_json, from_json, exact=(cls,) if not declared else ())


def path_type() -> PyType:
    """`pathlib.Path`: a file that is there before the function starts."""
    inner = stored(File)

    def to_json(value: object, carrier: Carrier) -> Json:
        if not isinstance(value, Path):
            if found := address(value):
                raise Mismatch(f"expected Path, got the address {found}", _ADDRESS_HINT)
            hint = "write Path(...)" if isinstance(value, (str, os.PathLike)) else ""
            raise Mismatch(f"expected Path, got {kind(value)}", hint)
        return inner.to_json(File(value), carrier)

    def from_json(value: Json, carrier: Carrier) -> Path:
        path: Path = inner.from_json(value, carrier).path
        return path

    return PyType(Path, "Path", inner.schema, to_json, from_json, exact=(Path, type(Path())))
