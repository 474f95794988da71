"""Compiles resources into Argo objects. Pure: no I/O, no clock, no environment."""

from alula_compiler.compile import Compiled, compile
from alula_compiler.engines import Engine, Limits

__all__ = ["Compiled", "Engine", "Limits", "compile"]
