"""pydantic models: objects with the fields by their aliases, made again by the model's own validation.

Fields are carried as their annotations say, as in a dataclass, so that `nan`, sets and files inside a model are what
they are elsewhere. What a model would lose on the way is refused when it is registered. pydantic is loaded here alone,
and only when an annotation is a model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pydantic
from pydantic.fields import FieldInfo

from alula.types import records
from alula.types.carriers import REFUSAL
from alula.types.mismatches import Flaw, Mismatch
from alula.types.pytypes import PyType
from alula.types.unsupported import Unsupported


def model(cls: type[pydantic.BaseModel], label: str, compile: Callable[[Any], PyType]) -> PyType:
    """The type of a model.

    Raises:
        Unsupported: It has something that does not survive the way to another process.
    """
    _check(cls)
    members = [_field(cls, name, info, compile) for name, info in cls.model_fields.items()]
    made = records.record(cls, cls, label, members, lambda arguments: _validated(cls, arguments))
    _try_round_trip(cls, label, members, made)
    return made


def _check(cls: type[pydantic.BaseModel]) -> None:
    name = cls.__name__
    if issubclass(cls, pydantic.RootModel):
        raise Unsupported(cls, f"{name} is a RootModel", "the annotation of its root")
    if cls.__private_attributes__:
        private = next(iter(cls.__private_attributes__))
        raise Unsupported(cls, f"{name}.{private} is private state, which is not kept in the value", "a field")
    if cls.model_config.get("extra") == "allow":
        raise Unsupported(cls, f"{name} allows extra fields, which no type describes", "a field of type dict[str, T]")
    written = cls.__pydantic_decorators__
    serializers = [*written.field_serializers, *written.model_serializers]
    if serializers:
        reason = f"{name}.{serializers[0]}() changes what is written, so the value might not come back"
        raise Unsupported(cls, reason, "a model without serializers")


def _field(
    cls: type[pydantic.BaseModel], name: str, info: FieldInfo, compile: Callable[[Any], PyType]
) -> records.Field:
    where = f"{cls.__name__}.{name}"
    if info.annotation in {pydantic.SecretStr, pydantic.SecretBytes}:
        reason = f"{where} is a secret, and values are stored and shown"
        raise Unsupported(cls, reason, "secrets=[Secret(...)] of the task, which reads it from its environment")
    if info.init is False or info.exclude:
        what = "init=False" if info.init is False else "exclude=True"
        raise Unsupported(cls, f"{where} has {what}, so its value cannot be restored", "a property")
    read, written = info.validation_alias or name, info.serialization_alias or name
    if read != written:
        raise Unsupported(cls, f"{where} is read as {read!r} and written as {written!r}", "one alias for both")
    default = None if info.is_required() else lambda: info.get_default(call_default_factory=True, validated_data={})
    return records.Field(written, compile(info.annotation), default, name)


def _validated(cls: type[pydantic.BaseModel], arguments: dict[str, Any]) -> pydantic.BaseModel:
    try:
        return cls.model_validate(arguments)
    except pydantic.ValidationError as error:
        raise Mismatch(
            flaws=[Flaw(tuple(f".{step}" for step in each["loc"]), each["msg"]) for each in error.errors()]
        ) from None


def _try_round_trip(cls: type[pydantic.BaseModel], label: str, members: list[records.Field], made: PyType) -> None:
    """Refuse a model whose default value does not come back as it was; models without one are not tried."""
    if any(member.default is None for member in members):
        return
    try:
        first = cls()
        again = made.from_json(made.to_json(first, REFUSAL), REFUSAL)
    except (Mismatch, pydantic.ValidationError) as problem:
        raise Unsupported(cls, f"the default value of {label} does not come back: {problem}") from problem
    if again != first:
        raise Unsupported(cls, f"the default value of {label} comes back as another: {again!r} for {first!r}")
