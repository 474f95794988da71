"""Inputs and outputs of tasks and workflows as values; `alula.interfaces.signatures` makes them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from alula.types.mismatches import Mismatch, kind
from alula.types.pytypes import Json, PyType

if TYPE_CHECKING:
    from alula.code.places import Source


class Input(NamedTuple):
    """One input: a parameter of the function."""

    name: str
    type: PyType
    required: bool = True
    default: Json = None
    """The default as JSON; meaningless when `required`."""
    description: str = ""


class Output(NamedTuple):
    """One output: the result, or a part of it."""

    name: str
    type: PyType
    description: str = ""


class Interface:
    """What goes in and comes out.

    Args:
        inputs: The parameters of the function.
        outputs: The result, or its parts.
        style: How the function returns its outputs: `none`, `single`, `several` (a tuple) or `named` (a NamedTuple).
        result: The NamedTuple class, when the style is `named`.
        description: The prose of the docstring.
        positional: So many of the inputs, from the first, may be passed by position.
    """

    def __init__(
        self,
        inputs: tuple[Input, ...],
        outputs: tuple[Output, ...],
        style: str,
        *,
        result: Any = None,
        description: str = "",
        positional: int = 0,
    ) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self.style = style
        self.result = result
        self.description = description
        self.positional = positional
        self.by_name = {item.name: item for item in inputs}

    @cached_property
    def digest(self) -> str:
        """The digest of the types: part of every cache key."""
        from alula_api.contract import keys

        return keys.interface_digest(
            [(item.name, item.type.schema) for item in self.inputs],
            [(item.name, item.type.schema) for item in self.outputs],
        )

    def pack(self, result: object) -> list[Any]:
        """The function's result as one value an output.

        Raises:
            Mismatch: The result has another shape than declared.
        """
        if self.style == "single":
            return [result]
        if self.style == "none":
            if result is not None:
                raise Mismatch(f"returned {kind(result)}, but declares no output", "annotate the return type")
            return []
        expected = self.result or tuple
        if type(result) is not expected:
            listed = isinstance(result, (list, tuple))
            build = f"{expected.__name__}(*...)" if listed and self.result else f"{expected.__name__}(...)"
            hint = f"write {build}" if listed or self.result else ""
            raise Mismatch(f"expected {_result_label(self)}, got {kind(result)}", hint)
        if len(result) != len(self.outputs):
            raise Mismatch(f"expected {_result_label(self)}, got {len(result)} values")
        return list(result)

    def unpack(self, values: list[Any]) -> Any:
        """The values of all outputs as the function would have returned them."""
        if self.style == "single":
            return values[0]
        if self.style == "none":
            return None
        return self.result._make(values) if self.style == "named" else tuple(values)


def _result_label(interface: Interface) -> str:
    if interface.result is not None:
        return str(interface.result.__name__)
    return f"tuple[{', '.join(output.type.label for output in interface.outputs)}]"


class HasInterface(Protocol):
    """What messages about inputs and outputs need of a `Callee`: its types, what it is called and where it is."""

    subject: str
    source: Source

    @property
    def interface(self) -> Interface:
        """The typed inputs and outputs."""
