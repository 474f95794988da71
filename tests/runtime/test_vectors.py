"""A pod reads the golden vectors from its arguments as what they are, and knows identities without decoding."""

from __future__ import annotations

from typing import Any

import pytest

from alula.runtime import inputs
from alula_api.contract import pods, values
from tests import vectors


@pytest.mark.parametrize("case", vectors.INLINE, ids=vectors.name)
def test_an_argument_is_the_value_with_its_identity(case: dict[str, Any]) -> None:
    sent = pods.Call("m:f", "m:f", "0" * 64, inputs=(("x", case["argo_safe"]),), outputs=("o0",))
    (arrival,) = inputs.read(pods.parse_argv(pods.argv(sent)))
    codec = values.codec(case["schema"])
    assert codec.wire(arrival.value(lambda json: json)) == case["wire"]
    assert arrival.identity(case["schema"], lambda json: json) == case["identity"]


def test_the_arguments_are_the_vectors() -> None:
    for argv in vectors.VECTORS["argv"]:
        assert pods.argv(pods.parse_argv(argv)) == argv
