"""What a workflow may call: the one place where things that can be called are told apart, by their `kind`.

Tasks and workflows are made by `alula.declare`; a kind to come subclasses `Callee` there. Where kinds are treated
differently, `kind` is compared and every other one ends in `refuse`: an unknown kind is an error with a name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn

from alula import errors
from alula.code import places
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic, did_you_mean

if TYPE_CHECKING:
    from alula.interfaces.interface import Interface

TASK: Final = "task"
"""Runs the user's function in a pod or a process of its own."""
WORKFLOW: Final = "workflow"
"""Is traced into a graph."""


class Callee(places.Decorated):
    """A function of the user's, decorated: what is the same for everything that can be called.

    Attributes:
        kind: What it is: `TASK`, `WORKFLOW`, or a kind to come.
        name: Its name in resources.
        subject: What messages call it: `task load`.
        function: The user's function.
        located: The function's own name, which need not lead to what was made of it.
        source: Where it is defined.
    """

    kind: ClassVar[str]
    name: str
    subject: str
    call_name: str | None = None
    """What overrides name the node of a call; None where they do not."""

    def __init__(self, function: Callable[..., Any], namespace: dict[str, Any] | None) -> None:
        self.function = function
        self.source = places.defined(function)
        self.located = places.entrypoint(function)
        self._maker = places.maker()
        notes = getattr(function, "__annotations__", {})
        self._namespace = namespace if any(isinstance(note, str) for note in notes.values()) else None
        functools.update_wrapper(self, function)

    @property
    def node_name(self) -> str:
        """What nodes that call it are named after."""
        return self.name

    @property
    def held(self) -> places.Entrypoint | None:
        """The name under which the module holds it that made it; None before it has one."""
        from alula.code import holders  # a pod knows what it calls by the name that it is given

        return None if self._maker is None else holders.entrypoint(self, self.located, self._maker)

    @property
    def entrypoint(self) -> str:
        """How another process finds it: `flows.penguins:load`."""
        return str(self.held or self.located)

    @property
    def obstacle(self) -> str:
        """Why another process could not find it, in words; empty when it can."""
        return "" if self.held else self.located.obstacle

    @property
    def twin(self) -> Callee | None:
        """Another one that would have the same keys in the cache, although it is another function."""
        return None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it here; while a workflow is traced, make a node of it."""
        raise NotImplementedError

    @functools.cached_property
    def interface(self) -> Interface:
        """The typed inputs and outputs.

        Raises:
            DefinitionError: The signature cannot be carried; says everything that is wrong with it.
        """
        from alula.interfaces import signatures

        return signatures.read(self.function, self.subject, self._namespace)


def refuse(found: Callee, what: str) -> NoReturn:
    """Refuse a callee of a kind that cannot be treated so here.

    Args:
        found: The callee.
        what: What cannot be done with it: `be written as a node`.

    Raises:
        DefinitionError: Always.
    """
    message = f"a callee of the kind {found.kind!r} cannot {what}"
    raise errors.DefinitionError([Diagnostic(Code.NOT_A_TASK, message, str(found.source), found.subject)])


def find(entrypoint: str) -> Callee:
    """The task or workflow behind an entrypoint `module:qualname`.

    Raises:
        LoadError: The module cannot be imported, or holds nothing of that name.
    """
    from alula.code import importing

    module_name, _, qualname = entrypoint.partition(":")
    module = importing.load(module_name)
    found: Any = module
    for part in qualname.split("."):
        found = getattr(found, part, None)
    known = {name: value for name, value in vars(module).items() if isinstance(value, Callee)}
    if isinstance(found, Callee):
        return found
    for value in known.values():
        if str(value.located) == entrypoint:
            return value
    hint = did_you_mean(qualname, known, f"it holds {', '.join(known) or 'no tasks and workflows'}", str)
    message = f"{module_name} has no task or workflow {qualname!r}"
    raise errors.LoadError([Diagnostic(Code.BAD_SOURCE, message, getattr(module, "__file__", None) or "", hint=hint)])
