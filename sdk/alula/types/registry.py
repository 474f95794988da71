"""The types that alula carries, in order: the first claim on an annotation compiles it.

A package adds types by the entry point group `alula.types`: each entry names a `Claim`, or a tuple of them. They come
after ours, so that no installed package changes what a type of ours means, and are loaded only when nothing of ours
claims an annotation.
"""

from __future__ import annotations

import dataclasses
import enum
import sys
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from alula.types import anything, choices, files, frames, mappings, records, scalars, sequences, times, unions
from alula.types.pytypes import PyType
from alula.types.unsupported import Unsupported

GROUP = "alula.types"
"""The entry points of other packages."""


class Compiler(Protocol):
    """What a claim may ask while an annotation is compiled."""

    def any(self, annotation: Any) -> PyType:
        """The type of a part.

        Raises:
            Unsupported: Nothing claims it.
        """

    def hints(self, cls: type) -> dict[str, Any]:
        """The annotations of a class, strings resolved, `Annotated` kept."""

    def record(self, annotation: Any, make: Callable[[str], PyType]) -> PyType:
        """A class whose fields may hold the class itself; `make` gets its label and compiles the fields."""


class Claim(NamedTuple):
    """One kind of annotation.

    Attributes:
        claims: Whether an annotation is of this kind; imports nothing, asks no server, never raises.
        compile: The type of such an annotation; may raise `Unsupported`.
    """

    claims: Callable[[Any], bool]
    compile: Callable[[Any, Compiler], PyType]


_SIMPLE: dict[Any, PyType] = {**scalars.TYPES, **times.TYPES, **anything.TYPES, Path: files.path_type()}
_NEVER = (typing.Never, typing.NoReturn)
_BARE = (list, set, frozenset, tuple)


def _of(*origins: Any) -> Callable[[Any], bool]:
    return lambda annotation: typing.get_origin(annotation) in origins


def _is_simple(annotation: Any) -> bool:
    return (isinstance(annotation, type) or annotation in (None, Any)) and annotation in _SIMPLE


def _is_alias(annotation: Any) -> bool:
    return isinstance(annotation, typing.NewType) or type(annotation).__name__ == "TypeAliasType"


def _is_plain(annotation: Any) -> bool:
    return isinstance(annotation, type) and typing.get_origin(annotation) is None


def _subclass_of(cls: type) -> Callable[[Any], bool]:
    return lambda annotation: _is_plain(annotation) and issubclass(annotation, cls)


def _is_dataclass(annotation: Any) -> bool:
    cls = typing.get_origin(annotation) or annotation
    return isinstance(cls, type) and dataclasses.is_dataclass(cls)


def _is_namedtuple(annotation: Any) -> bool:
    return _subclass_of(tuple)(annotation) and hasattr(annotation, "_fields")


def _is_model(annotation: Any) -> bool:
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and _subclass_of(pydantic.BaseModel)(annotation)


def _aliased(annotation: Any, compiler: Compiler) -> PyType:
    new_type = isinstance(annotation, typing.NewType)
    return compiler.any(annotation.__supertype__ if new_type else annotation.__value__)


def _annotated(annotation: Any, compiler: Compiler) -> PyType:
    first, *notes = typing.get_args(annotation)
    if times.Naive in notes:
        return times.NAIVE
    formats = [note for note in notes if isinstance(note, str)]
    if first is files.File and formats:  # `Annotated[File, "csv"]`, which type checkers know
        named: Any = files.File
        return compiler.any(named[formats[0]])
    return compiler.any(first)


def _union(annotation: Any, compiler: Compiler) -> PyType:
    return unions.union(annotation, tuple(map(compiler.any, typing.get_args(annotation))))


def _array(annotation: Any, compiler: Compiler) -> PyType:
    cls, arguments = typing.get_origin(annotation) or annotation, typing.get_args(annotation)
    if _is_plain(annotation):
        return sequences.sequence(annotation, cls, anything.ANY)
    if cls is tuple and arguments[-1:] != (...,):
        return sequences.record_of(annotation, tuple, tuple(map(compiler.any, arguments)))
    item = compiler.any(arguments[0])
    if cls in {set, frozenset} and item.schema and not mappings.is_hashable(arguments[0], item.schema):
        reason = f"{item.label} cannot be an item of a {cls.__name__} here"
        raise Unsupported(annotation, reason, f"list[{item.label}]")
    return sequences.sequence(annotation, cls, item)


def _mapping(annotation: Any, compiler: Compiler) -> PyType:
    key, item = typing.get_args(annotation)
    compiled = compiler.any(key)
    if compiled.schema == scalars.STR.schema:  # a NewType of str too
        return mappings.by_text(annotation, compiler.any(item))
    if not mappings.is_hashable(key, compiled.schema):
        raise Unsupported(annotation, f"{compiled.label} cannot be the key of a dict here", "dict[str, T]")
    return mappings.by_key(annotation, compiled, compiler.any(item))


def _dataclass(annotation: Any, compiler: Compiler) -> PyType:
    return compiler.record(annotation, lambda label: records.dataclass(annotation, label, compiler.hints, compiler.any))


def _namedtuple(annotation: Any, compiler: Compiler) -> PyType:
    hints = compiler.hints(annotation)
    if not set(annotation._fields) <= set(hints):
        raise Unsupported(annotation, f"the fields of {annotation.__name__} have no types", "typing.NamedTuple")
    items = tuple(compiler.any(hints[name]) for name in annotation._fields)
    return sequences.record_of(annotation, annotation, items, annotation._fields)


def _model(annotation: Any, compiler: Compiler) -> PyType:
    from alula.types import models

    return compiler.record(annotation, lambda label: models.model(annotation, label, compiler.any))


CLAIMS: tuple[Claim, ...] = (
    Claim(_is_simple, lambda annotation, _: _SIMPLE[annotation]),
    Claim(lambda annotation: annotation in _NEVER, lambda *_: scalars.NEVER),
    Claim(_is_alias, _aliased),
    Claim(_of(typing.Annotated), _annotated),
    Claim(_of(typing.Literal), lambda annotation, _: choices.literal(annotation, typing.get_args(annotation))),
    Claim(_of(typing.Union, types.UnionType), _union),
    Claim(lambda annotation: annotation in _BARE if _is_plain(annotation) else _of(*_BARE)(annotation), _array),
    Claim(_of(dict), _mapping),
    Claim(_subclass_of(enum.Enum), lambda annotation, _: choices.enumeration(annotation)),
    Claim(_subclass_of(files.Stored), lambda annotation, _: files.stored(annotation)),
    Claim(_is_dataclass, _dataclass),
    Claim(_is_namedtuple, _namedtuple),
    Claim(frames.claims, lambda annotation, _: frames.compile(annotation)),
    Claim(_is_model, _model),
)


def compile(annotation: Any, compiler: Compiler) -> PyType | None:
    """The type of an annotation by the first claim on it; None when there is none.

    Raises:
        Unsupported: What claims it cannot carry it, or an installed package is broken.
    """
    for claim in CLAIMS:
        if claim.claims(annotation):
            return claim.compile(annotation, compiler)
    return _of_others(annotation, compiler)


def _of_others(annotation: Any, compiler: Compiler) -> PyType | None:
    """A type of another package, if one claims the annotation."""
    from importlib import metadata

    for entry in sorted(metadata.entry_points(group=GROUP)):
        origin = f"the entry point {entry.name} = {entry.value} of {GROUP}"
        try:
            found = entry.load()
            claims = [found] if isinstance(found, Claim) else [*found]
            claim = next((claim for claim in claims if claim.claims(annotation)), None)
        except Exception as error:  # whatever an installed package raises
            raise Unsupported(annotation, f"{origin} cannot be used: {type(error).__name__}: {error}") from error
        if claim is not None:
            return _checked(claim.compile(annotation, compiler), origin)
    return None


def _checked(made: PyType, origin: str) -> PyType:
    """Refuse a type whose schema the contract does not know: no resource could hold it."""
    from alula_api.contract import schemas

    problems = schemas.check(made.schema)
    if problems:
        raise Unsupported(made.annotation, f"{origin} makes no type of the contract: {problems[0]}")
    return made
