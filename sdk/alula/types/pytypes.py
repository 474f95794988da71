"""One Python annotation, compiled: its schema and the closures that carry values over the wire and back.

Made by `alula.types.compiling` once an annotation; used by everything that touches values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alula.types.carriers import Carrier

Json = Any
"""What `json` can say; `Any` because type checkers cannot follow recursive unions through closures."""
Encode = Callable[[Any, "Carrier"], Json]
Decode = Callable[[Json, "Carrier"], Any]


class PyType:
    """What a Python type is to alula.

    Attributes:
        annotation: The annotation that it was compiled from.
        label: The annotation as a person writes it: `list[int]`. Tags of unions are made of it: it tells a
            Path from a File, and frames of one library from another's, which the contract does not.
        schema: The type in the contract's words.
        to_json: Python value and carrier to JSON value; raises `Mismatch`. The codec of the schema makes text of it.
        from_json: JSON value that fits the schema, and carrier, to a Python value of its own.
        exact: The Python classes whose instances belong to this type and, in a union, to no later variant.
        same: The one Python class whose instances are their own JSON (int, str, bool, None), else None.
        elements: For arrays: the type of every item, or one type a place.
        check: Value to value, for a plain call: checked, converted as the wire would (an int under float, a numpy
            scalar), and not shared with the caller where it is mutable.
    """

    __slots__ = (
        "_items",
        "annotation",
        "check",
        "elements",
        "exact",
        "from_json",
        "label",
        "same",
        "schema",
        "to_json",
    )

    def __init__(
        self,
        annotation: Any,
        label: str,
        schema: dict[str, Any],
        to_json: Encode,
        from_json: Decode,
        *,
        exact: tuple[type, ...] = (),
        same: type | None = None,
        elements: tuple[PyType, ...] = (),
        check: Callable[[Any], Any] | None = None,
    ) -> None:
        self.annotation = annotation
        self.label = label
        self.schema = schema
        self.to_json = to_json
        self.from_json = from_json
        self.exact = exact
        self.same = same
        self.elements = elements
        self._items: dict[int, list[PyType] | None] = {}
        self.check = check or _round_trip(to_json, from_json)

    def items(self, count: int) -> list[PyType] | None:
        """The types of the items of an array of `count` items, as the contract has them; None where none fits.

        The same objects each time, because checks of edges are cached by the identity of their types.
        """
        if count not in self._items:
            from alula_api.contract import schemas

            found = schemas.items(self.schema, count)
            each = self.elements if len(self.elements) == count else self.elements * count
            self._items[count] = None if found is None or len(each) != count else _as(each, found)
        return self._items[count]

    def __repr__(self) -> str:
        return f"PyType({self.label})"


def _as(types: tuple[PyType, ...], schemas: list[dict[str, Any]]) -> list[PyType]:
    """Types with these schemas, which say what references inside them lead to."""
    made: dict[tuple[int, int], PyType] = {}
    for type, schema in zip(types, schemas, strict=True):
        key = (id(type), id(schema))
        if key not in made:
            made[key] = type if type.schema == schema else PyType(
                type.annotation, type.label, schema, type.to_json, type.from_json,
                exact=type.exact, same=type.same, elements=type.elements, check=type.check,
            )  # fmt: skip
    return [made[id(type), id(schema)] for type, schema in zip(types, schemas, strict=True)]


def _round_trip(to_json: Encode, from_json: Decode) -> Callable[[Any], Any]:
    def check(value: object) -> object:
        from alula.types.carriers import Probe

        probe = Probe()
        return from_json(to_json(value, probe), probe)

    return check


def home(cls: type) -> str:
    """Where a class is defined: its module, and the classes around it. It tells two of one name apart."""
    return ".".join(filter(None, (cls.__module__, cls.__qualname__.rpartition(".")[0])))
