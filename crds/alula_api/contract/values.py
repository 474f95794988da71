"""Values: the one import for everything that reads, checks or writes them."""

from __future__ import annotations

from alula_api.contract.codecs import Codec, codec
from alula_api.contract.jsontext import Json, argo_safe, dumps, dumps_sorted, parse, select
from alula_api.contract.problems import InvalidValue, Problem

__all__ = ["Codec", "InvalidValue", "Json", "Problem", "argo_safe", "codec", "dumps", "dumps_sorted", "parse", "select"]
