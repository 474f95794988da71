"""What the fields of all three kinds are made of: the strict base model, bounded strings, and bounded lists with keys.

Used by the modules of the kinds only. Everything here must mean the same to pydantic and to the API server: a rule
that one of them cannot hold does not belong in a model but in the compiler.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sized
from dataclasses import dataclass
from typing import Annotated, Any

import pydantic
import pydantic_core
from pydantic.alias_generators import to_camel
from pydantic_core import core_schema

from alula_api.contract import names, quantities, type_text
from alula_api.contract.graphs import conditions

GROUP, API_VERSION = names.GROUP, names.API_VERSION
VERSION = API_VERSION.removeprefix(f"{GROUP}/")

DNS_LABEL = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
RELEASE = "^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"
ENTRYPOINT = "^[^: ]+:[^: ]+$"
QUANTITY = f"^{quantities.PATTERN}$"
DURATION = "^([0-9]+([.][0-9]+)?(d|h|ms|m|s))+$"
PARAMETER = "^[A-Za-z_][-A-Za-z0-9_]*$"


class Part(pydantic.BaseModel):
    """An object inside a resource: camelCase on the wire, strict, immutable, and no field that is not declared."""

    model_config = pydantic.ConfigDict(
        defer_build=True, alias_generator=to_camel, validate_by_name=True, extra="forbid", strict=True, frozen=True
    )

    @pydantic.model_validator(mode="before")
    @classmethod
    def _null_is_absence(cls, data: Any) -> Any:
        """The API server drops the null of a field before it validates, so Python does too; of no other name."""
        if not isinstance(data, dict) or None not in data.values():
            return data
        known = {field.alias for field in cls.model_fields.values()}
        return {name: value for name, value in data.items() if value is not None or name not in known}


def without_nulls(data: Any) -> Any:
    """The object without its nulls; anything else as it is."""
    if isinstance(data, dict) and any(value is None for value in data.values()):
        return {name: value for name, value in data.items() if value is not None}
    return data


CLEAN = r"^[^\x{7f}-\x{9f}\x{fffe}\x{ffff}]*$"
"""Any text without what kustomize and server-side apply refuse or change: they take U+0085 for a space (seen)."""


def bounded(most: int, pattern: str = CLEAN, least: int = 1) -> Any:
    """The constraint of a string: every one has a longest length."""
    return pydantic.StringConstraints(min_length=least or None, max_length=most, pattern=pattern)


@dataclass(frozen=True)
class Whole:
    """The bounds of an integer. JSON knows none: to the API server `1.0` is one, so it is one here."""

    least: int
    most: int

    def __get_pydantic_core_schema__(
        self, source: Any, handler: pydantic.GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Validation: strict within the bounds, after `1.0` became `1`."""
        bounds = core_schema.int_schema(strict=True, ge=self.least, le=self.most)
        return core_schema.no_info_before_validator_function(_whole, bounds)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: pydantic.GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The same for the API server."""
        return {"type": "integer", "format": "int64", "minimum": self.least, "maximum": self.most}


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Count = Annotated[int, Whole(0, 2**53)]
Positive = Annotated[int, Whole(1, 2**31 - 1)]

Label = Annotated[str, bounded(63, DNS_LABEL)]
Parameter = Annotated[str, bounded(63, PARAMETER)]
Entrypoint = Annotated[str, bounded(512, ENTRYPOINT)]
CacheName = Annotated[str, bounded(512)]
Digest = Annotated[str, bounded(64, "^[0-9a-f]{64}$", least=64)]
ReleaseVersion = Annotated[str, bounded(63, RELEASE)]
Image = Annotated[str, bounded(1024)]
Duration = Annotated[str, bounded(50, DURATION)]
Quantity = Annotated[str, bounded(32, QUANTITY)]
EnvName = Annotated[str, bounded(256, "^[-._a-zA-Z][-._a-zA-Z0-9]*$")]
EnvValue = Annotated[str, bounded(32768, least=0)]
LabelKey = Annotated[str, bounded(316, f"^{names.LABEL_KEY}$")]
ObjectName = Annotated[str, bounded(253, f"^{names.OBJECT}$")]
SecretKey = Annotated[str, bounded(253, "^[-._a-zA-Z0-9]+$")]
Prefix = Annotated[str, bounded(1024)]
Text = Annotated[str, bounded(16384, least=0)]
Word = Annotated[str, bounded(256)]
JsonText = Annotated[str, bounded(65536, least=0)]
"""A value as canonical JSON text (`jsontext.resource_safe`): native YAML does not survive the road from git."""

ATOMIC = {"x-kubernetes-map-type": "atomic"}
"""An object that server-side apply replaces as a whole: half of a binding means nothing, and to note the
owner of every field of 10,000 nodes would double the size of the object."""

Identifier = Annotated[str, bounded(63, "^[A-Za-z_][A-Za-z0-9_]*$")]
ConditionText = Annotated[str, bounded(conditions.MAX_CHARACTERS)]
"""A condition: text to the API server, checked by `alula_api.contract.graphs.conditions` in Python."""

TypeText = Annotated[str, bounded(type_text.MAX_CHARACTERS)]
TypeName = Annotated[str, bounded(type_text.MAX_NAME)]
"""A type, and the name of one: text to the API server, checked by `alula_api.contract.named_types` in Python."""


@dataclass(frozen=True)
class Mapped:
    """The bound of a map; a null in it is absence, as in an object."""

    most: int

    def __get_pydantic_core_schema__(
        self, source: Any, handler: pydantic.GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Validation: without nulls, the bound, then the entries."""
        return core_schema.no_info_before_validator_function(
            without_nulls, core_schema.no_info_after_validator_function(self._check, handler(source))
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: pydantic.GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The same for the API server."""
        return {**handler(schema), "maxProperties": self.most}

    def _check(self, entries: dict[str, Any]) -> dict[str, Any]:
        _check_size(entries, self.most)
        return entries


def _check_size(found: Sized, most: int, least: int = 0) -> None:
    if len(found) < least:
        raise pydantic_core.PydanticCustomError("too_few", "must have at least {least} entries", {"least": least})
    if len(found) > most:
        raise pydantic_core.PydanticCustomError(
            "too_many", "must have at most {most} entries, not {found}", {"most": most, "found": len(found)}
        )


@dataclass(frozen=True)
class Listed:
    """The bounds and the kind of a list: a map by `key`, a set of scalars when `unique`, else atomic."""

    most: int
    key: str = ""
    unique: bool = False
    least: int = 0

    def __get_pydantic_core_schema__(
        self, source: Any, handler: pydantic.GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Validation: the items, then the bound, then that no key comes twice, as the API server does."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: pydantic.GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The same as markers of a structural schema."""
        described = handler(schema)
        kind: dict[str, Any] = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [self.key]}
        if not self.key:
            kind = {"x-kubernetes-list-type": "set" if self.unique else "atomic"}
        bounds = {"minItems": self.least, "maxItems": self.most} if self.least else {"maxItems": self.most}
        return {**described, **bounds, **kind}

    def _check(self, items: list[Any]) -> list[Any]:
        _check_size(items, self.most, self.least)
        if self.key or self.unique:
            found = Counter(getattr(item, self.key) for item in items) if self.key else Counter(items)
            twice = [name for name, count in found.items() if count > 1]
            if twice:
                raise pydantic_core.PydanticCustomError(
                    "duplicate",
                    "must have each {what} once, but has {names} more than once",
                    {"what": self.key or "item", "names": ", ".join(repr(name) for name in twice[:5])},
                )
        return items
