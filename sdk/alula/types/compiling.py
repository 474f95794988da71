"""Annotation to `PyType`, once each: the only place that reads `typing`'s objects.

Called by `alula.interfaces.interface`. What it cannot carry it refuses with the nearest type that it can.
"""

from __future__ import annotations

import enum
import types
import typing
from pathlib import Path
from typing import Any

from alula.types import anything, choices, files, frames, mappings, records, scalars, sequences, times, unions
from alula.types.mismatches import Mismatch
from alula.types.pytypes import PyType
from alula.types.unsupported import Unsupported

_SIMPLE: dict[Any, PyType] = {**scalars.TYPES, **times.TYPES, **anything.TYPES, Path: files.path_type()}
_compiled: dict[Any, PyType] = {}

_NEAREST = {
    **dict.fromkeys(
        ("Sequence", "Iterable", "Iterator", "Collection", "Generator", "MutableSequence", "deque"), "list[T]"
    ),
    **dict.fromkeys(("Mapping", "MutableMapping", "defaultdict", "OrderedDict"), "dict[str, T]"),
    **dict.fromkeys(("AbstractSet", "Set", "MutableSet"), "set[T]"),
    **dict.fromkeys(("PurePath", "Decimal", "Fraction", "UUID", "time", "StringIO"), "str"),
    **dict.fromkeys(("PosixPath", "PathLike"), "Path"),
    **dict.fromkeys(("TextIO", "BinaryIO", "IO"), "File"),
    **dict.fromkeys(("bytearray", "memoryview", "BytesIO"), "bytes"),
    "Counter": "dict[str, int]",
    "complex": "tuple[float, float]",
    "object": "Any (JSON values), or a dataclass",
    "Series": "pandas.DataFrame",
    "ndarray": "list[float], or a File that numpy.save wrote",
    "range": "list[int]",
    "Callable": "a str that names it",
}


def compile(annotation: Any, names: dict[str, Any] | None = None) -> PyType:
    """The compiled form of an annotation; equal annotations give the same object.

    Args:
        annotation: A type, not a string.
        names: Local names that the annotations of local classes may use.

    Raises:
        Unsupported: With the reason and the nearest supported type.
    """
    try:
        found = _compiled.get(_key(annotation))
    except TypeError:  # unhashable: Annotated with a list as metadata
        return _Compilation(names).root(annotation)
    if found is None:
        found = _compiled[_key(annotation)] = _Compilation(names).root(annotation)
    return found


def _key(annotation: Any) -> Any:
    """`list[int] == list[bool]` is False, but `Literal[1] == Literal[True]` needs the types told apart."""
    return (annotation, repr(annotation) if typing.get_origin(annotation) is not None else None)


class _Recursion:
    """A dataclass that is being compiled; `used` once something inside refers to it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.used = False
        self.type: PyType | None = None

    def reference(self, annotation: Any) -> PyType:
        self.used = True

        def inner() -> PyType:
            if self.type is None:
                raise Mismatch("the default of a field holds a value of the type that is being defined")
            return self.type

        return PyType(
            annotation,
            self.name,
            {"$ref": f"#/$defs/{self.name}"},
            lambda value, carrier: inner().to_json(value, carrier),
            lambda value, carrier: inner().from_json(value, carrier),
            exact=(_class(annotation),),
        )


class _Compilation:
    """One root annotation on its way; holds the dataclasses that are open and the definitions that they left."""

    def __init__(self, local: dict[str, Any] | None) -> None:
        self.local = local
        self.open: dict[Any, _Recursion] = {}
        self.definitions: dict[str, dict[str, Any]] = {}
        self.names: dict[str, Any] = {}

    def root(self, annotation: Any) -> PyType:
        made = self.any(annotation)
        if not self.definitions:
            return made
        schema = {**made.schema, "$defs": self.definitions}
        return PyType(
            made.annotation, made.label, schema, made.to_json, made.from_json,
            exact=made.exact, same=made.same, elements=made.elements,
        )  # fmt: skip

    def any(self, annotation: Any) -> PyType:
        simple = _SIMPLE.get(annotation) if isinstance(annotation, type) or annotation in (None, Any) else None
        if simple is not None:
            return simple
        origin = typing.get_origin(annotation)
        if origin is None:
            return self.plain(annotation)
        arguments = typing.get_args(annotation)
        if origin is typing.Annotated:
            return times.NAIVE if times.Naive in arguments[1:] else self.any(arguments[0])
        if origin is typing.Literal:
            return choices.literal(annotation, arguments)
        if origin is typing.Union or origin is types.UnionType:
            return unions.union(annotation, tuple(self.any(argument) for argument in arguments))
        if origin is list:
            return sequences.sequence(annotation, origin, self.any(arguments[0]))
        if origin in {set, frozenset}:
            return self.set(annotation, origin, arguments[0])
        if origin is tuple:
            return self.tuple(annotation, arguments)
        if origin is dict:
            return self.mapping(annotation, arguments)
        if isinstance(origin, type) and hasattr(origin, "__dataclass_fields__"):
            return self.dataclass(annotation, origin)
        raise _unsupported(annotation)

    def plain(self, annotation: Any) -> PyType:
        if isinstance(annotation, typing.NewType):
            return self.any(annotation.__supertype__)
        if type(annotation).__name__ == "TypeAliasType":  # `type X = ...` of Python 3.12
            return self.any(annotation.__value__)
        if not isinstance(annotation, type):
            raise _unsupported(annotation)
        if annotation in {list, set, frozenset}:
            return sequences.sequence(annotation, annotation, anything.ANY)
        if annotation is tuple:
            return sequences.sequence(annotation, tuple, anything.ANY)
        if issubclass(annotation, enum.Enum):
            return choices.enumeration(annotation)
        if issubclass(annotation, files._Stored):
            return files.stored(annotation)
        if hasattr(annotation, "__dataclass_fields__"):
            return self.dataclass(annotation, annotation)
        if issubclass(annotation, tuple) and hasattr(annotation, "_fields"):
            hints = _hints(annotation, self.local)
            if not set(annotation._fields) <= set(hints):
                raise Unsupported(annotation, f"the fields of {annotation.__name__} have no types", "typing.NamedTuple")
            items = tuple(self.any(hints[name]) for name in annotation._fields)
            return sequences.record_of(annotation, annotation, items, annotation._fields)
        if frames.is_frame(annotation):
            return frames.frame(annotation)
        raise _unsupported(annotation)

    def tuple(self, annotation: Any, arguments: Any) -> PyType:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return sequences.sequence(annotation, tuple, self.any(arguments[0]))
        return sequences.record_of(annotation, tuple, tuple(self.any(argument) for argument in arguments))

    def set(self, annotation: Any, cls: Any, item: Any) -> PyType:
        compiled = self.any(item)
        if compiled.schema and not _hashable(compiled.schema) and not _is_frozen(item):
            reason = f"{compiled.label} cannot be an item of a {cls.__name__} here"
            raise Unsupported(annotation, reason, f"list[{compiled.label}]")
        return sequences.sequence(annotation, cls, compiled)

    def mapping(self, annotation: Any, arguments: Any) -> PyType:
        key, item = arguments
        compiled = self.any(key)
        if compiled.schema == scalars.STR.schema:  # a NewType of str too
            return mappings.by_text(annotation, self.any(item))
        if not _hashable(compiled.schema) and not _is_frozen(key):
            raise Unsupported(annotation, f"{compiled.label} cannot be the key of a dict here", "dict[str, T]")
        return mappings.by_key(annotation, compiled, self.any(item))

    def dataclass(self, annotation: Any, cls: Any) -> PyType:
        if annotation in self.open:
            return self.open[annotation].reference(annotation)
        label = _label(annotation, cls)
        self.open[annotation] = here = _Recursion(self.distinct(label, annotation))
        try:
            hints = _substituted(_hints(cls, self.local), annotation, cls)
            made = records.dataclass(annotation, cls, label, records.fields(cls, hints, self.any))
        finally:
            del self.open[annotation]
        if here.used:
            here.type = made = records.limited(made)
            self.definitions[here.name] = made.schema
            return PyType(
                annotation, label, {"$ref": f"#/$defs/{here.name}"}, made.to_json, made.from_json, exact=(cls,)
            )
        return made

    def distinct(self, label: str, annotation: Any) -> str:
        """A name for `$defs`: two classes may share one."""
        name, count = label, 1
        while self.names.setdefault(name, annotation) != annotation:
            count += 1
            name = f"{label}-{count}"
        return name


def _hints(cls: Any, local: dict[str, Any] | None) -> dict[str, Any]:
    """The annotations of a class, strings resolved, `Annotated` kept."""
    try:
        try:
            return typing.get_type_hints(cls, include_extras=True)
        except NameError:
            if not local or "<locals>" not in cls.__qualname__:
                raise
            return typing.get_type_hints(cls, localns={**local, cls.__name__: cls}, include_extras=True)
    except NameError as problem:
        raise Unsupported(
            cls, f"an annotation of {cls.__name__} names {problem.name!r}, which does not exist"
        ) from None


def _hashable(schema: dict[str, Any]) -> bool:
    """Whether values of a type can be keys: scalars, and tuples and frozensets of such."""
    if "anyOf" in schema:
        return all(map(_hashable, schema["anyOf"]))
    if schema.get("type") == "array":
        inner = [*schema.get("prefixItems", ()), *([schema["items"]] if schema.get("items") else [])]
        return schema.get("x-alula-type") in {"tuple", "namedtuple", "frozenset"} and all(map(_hashable, inner))
    return "enum" in schema or schema.get("type") in {"string", "integer", "number", "boolean", "null"}


def _is_frozen(annotation: Any) -> bool:
    parameters = getattr(_class(annotation), "__dataclass_params__", None)
    return parameters is not None and parameters.frozen and parameters.eq


def _class(annotation: Any) -> Any:
    return typing.get_origin(annotation) or annotation


def _label(annotation: Any, cls: Any) -> str:
    """The name of a class, with its arguments where it is generic: `Box[list[int]]`."""
    arguments = typing.get_args(annotation)
    if not arguments:
        return "None" if cls is type(None) else getattr(cls, "__name__", repr(cls))
    if cls in (typing.Union, types.UnionType):
        return " | ".join(_label(item, _class(item)) for item in arguments)
    if cls is typing.Literal:
        return _shown(annotation)
    return f"{cls.__name__}[{', '.join('...' if item is ... else _label(item, _class(item)) for item in arguments)}]"


def _substituted(hints: dict[str, Any], annotation: Any, cls: Any) -> dict[str, Any]:
    """The annotations of a generic dataclass with the arguments in place of its type variables."""
    parameters = getattr(cls, "__parameters__", ())
    if not parameters:
        return hints
    arguments = typing.get_args(annotation)
    if len(arguments) != len(parameters):
        example = ", ".join("int" for _ in parameters)
        raise Unsupported(annotation, f"{cls.__name__} is generic and has no arguments", f"{cls.__name__}[{example}]")
    table = dict(zip(parameters, arguments, strict=True))
    return {name: _replaced(hint, table) for name, hint in hints.items()}


def _replaced(hint: Any, table: dict[Any, Any]) -> Any:
    if hint in table:
        return table[hint]
    inner = getattr(hint, "__parameters__", ())
    return hint[tuple(table.get(parameter, parameter) for parameter in inner)] if inner else hint


def _unsupported(annotation: Any) -> Unsupported:
    origin = typing.get_origin(annotation) or annotation
    name = getattr(origin, "__name__", None) or repr(origin)
    module = getattr(origin, "__module__", "").partition(".")[0]
    if isinstance(annotation, typing.TypeVar):
        return Unsupported(annotation, f"the type variable {name} stands for no type", "a concrete type")
    if isinstance(annotation, str):
        return Unsupported(annotation, f"the annotation {annotation!r} could not be resolved", "a type")
    if module == "numpy" and isinstance(origin, type):
        names = {base.__name__ for base in origin.__mro__}
        for scalar, nearest in (("bool", "bool"), ("bool_", "bool"), ("integer", "int"), ("floating", "float")):
            if scalar in names:
                return Unsupported(
                    annotation, f"numpy.{name} is not carried as such", f"{nearest}, which takes numpy scalars"
                )
    if hasattr(origin, "model_fields") and hasattr(origin, "model_validate"):
        return Unsupported(annotation, f"{name} is a pydantic model", "a dataclass with the same fields")
    if isinstance(origin, type) and typing.is_typeddict(origin):
        return Unsupported(annotation, f"{name} is a TypedDict", "a dataclass with the same fields")
    nearest = _NEAREST.get(name, "")
    if not nearest and isinstance(origin, type):
        nearest = "a dataclass, or a File that your code writes and reads"
    return Unsupported(annotation, f"{_shown(annotation)} is not a type that alula can carry", nearest)


def _shown(annotation: Any) -> str:
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        module = annotation.__module__
        return annotation.__qualname__ if module in {"builtins", "__main__"} else f"{module}.{annotation.__qualname__}"
    return repr(annotation).replace("typing.", "").replace("collections.abc.", "")


__all__ = ["Mismatch", "PyType", "Unsupported", "compile"]
