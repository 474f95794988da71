"""Annotation to `PyType`, once each. `registry` says which types there are; here parts, names and recursion meet.

Called by `alula.interfaces.signatures`. What nothing claims is refused with the nearest type that is carried.
"""

from __future__ import annotations

import functools
import operator
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any

from alula.types import notes, records, registry
from alula.types.mismatches import Mismatch
from alula.types.pytypes import PyType
from alula.types.unsupported import Unsupported

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


def annotation(value: object) -> Any:
    """The narrowest annotation of a constant: `list[int]` of `[1, 2]`, `list[Never]` of `[]`."""
    if type(value) is list:
        return list[_of_all(value)]  # type: ignore[misc]
    if type(value) is dict and all(type(key) is str for key in value):
        return dict[str, _of_all(value.values())]  # type: ignore[misc]
    return type(value)


def _of_all(values: Iterable[object]) -> Any:
    found = [*dict.fromkeys(map(annotation, values))] or [typing.Never]
    return functools.reduce(operator.or_, found[1:], found[0])


def _key(annotation: Any) -> Any:
    """`list[int] == list[bool]` is False, but `Literal[1] == Literal[True]` needs the types told apart."""
    return (annotation, repr(annotation) if typing.get_origin(annotation) is not None else None)


class _Recursion:
    """A class that is being compiled; `used` once something inside refers to it."""

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
    """One root annotation on its way; holds the classes that are open and the definitions that they left."""

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
        found = registry.compile(annotation, self)
        if found is None:
            raise _unsupported(annotation)
        return found

    def hints(self, cls: Any) -> dict[str, Any]:
        found = _hints(cls, self.local)
        notes.of_class(cls, found)
        return found

    def record(self, annotation: Any, make: Callable[[str], PyType]) -> PyType:
        if annotation in self.open:
            return self.open[annotation].reference(annotation)
        cls = _class(annotation)
        label = _label(annotation, cls)
        self.open[annotation] = here = _Recursion(self.distinct(label, annotation))
        try:
            made = make(label)
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
    if isinstance(origin, type) and typing.is_typeddict(origin):
        return Unsupported(annotation, f"{name} is a TypedDict", "a dataclass with the same fields")
    nearest = _NEAREST.get(name, "") or _meant(annotation)
    if not nearest and isinstance(origin, type):
        nearest = "a dataclass, or a File that your code writes and reads"
    return Unsupported(annotation, f"{_shown(annotation)} is not a type that alula can carry", nearest)


def _meant(annotation: Any) -> str:
    """The type that was meant by a container of types, `(float, float)`, or by an example, `0.0`."""
    match annotation:
        case tuple() if annotation:
            return f"tuple[{', '.join(map(_shown, annotation))}]"
        case list() | set() if len(annotation) == 1:
            return f"{type(annotation).__name__}[{_shown(*annotation)}]"
        case dict() if len(annotation) == 1:
            return f"dict[{', '.join(map(_shown, *annotation.items()))}]"
        case bool() | int() | float() | bytes():
            return type(annotation).__name__
    return ""


def _shown(annotation: Any) -> str:
    if isinstance(annotation, (tuple, list)) and not hasattr(annotation, "_fields"):
        listed = ", ".join(map(_shown, annotation))
        return f"[{listed}]" if isinstance(annotation, list) else f"({listed})"
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        module = annotation.__module__
        return annotation.__qualname__ if module in {"builtins", "__main__"} else f"{module}.{annotation.__qualname__}"
    return repr(annotation).replace("typing.", "").replace("collections.abc.", "")


__all__ = ["Mismatch", "PyType", "Unsupported", "compile"]
