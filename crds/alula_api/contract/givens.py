"""Texts that people, schedules and patches give to inputs, read by the type of the input.

Used by the compiler for launch plans and by the controller for runs, so that one text means one value in both. For an
input that takes text, what is not a JSON string is taken as it stands: `prod_table` needs no quotation marks.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from alula_api.contract import codecs, jsontext, references
from alula_api.contract.families import Schema
from alula_api.contract.jsontext import Json
from alula_api.contract.problems import InvalidValue, Problem

Value: TypeAlias = Json | references.Stored

ENVELOPE: Final = (Problem("$", f"must not be an object with {references.STORED} alone: stored values travel so"),)


def written(text: str, schema: Schema) -> Json:
    """Return the wire value of a text in a definition, such as a launch plan.

    Args:
        text: JSON, or plain text for an input that takes text.
        schema: The type of the input.

    Raises:
        InvalidValue: The text does not fit; explains it as JSON where it is JSON, as text otherwise. `ENVELOPE` when it
            would be taken for a stored value; where the input takes text and no objects, it is text like any other.
    """
    codec = codecs.codec(schema)
    try:
        parsed = jsontext.parse(text)
    except InvalidValue:
        return codec.normal(text)
    envelope = references.is_envelope(parsed)
    try:
        found = codec.normal(parsed)
        if not envelope:
            return found
    except InvalidValue as wrong:
        try:
            return codec.normal(text)
        except InvalidValue:
            if not envelope:
                raise wrong from None
    raise InvalidValue(ENVELOPE)


def argument(text: str, schema: Schema) -> Value:
    """Return the wire value of a text that is given to a run: like `written`, but a stored value may be given too.

    Raises:
        InvalidValue: The text does not fit, or is a malformed envelope.
    """
    try:
        return written(text, schema)
    except InvalidValue as error:
        if error.problems != ENVELOPE:
            raise
    return references.stored(jsontext.parse(text))
