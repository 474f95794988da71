"""Every exception that alula raises, as a tree; raised everywhere, rendered by `alula.display` and the command line.

    AlulaError
    ├── UserError            fix your code or your call: carries diagnostics with file and line; never retried
    │   ├── DefinitionError  a task, workflow or launch plan is wrong
    │   ├── ValueMismatch    a value does not fit the declared type (a TypeError too)
    │   ├── LoadError        a module of yours cannot be imported
    │   └── SettingsError    `[tool.alula]` or an `ALULA_*` variable is wrong
    └── NonRecoverable       raise it in a task: the run fails at once, whatever `retries` says

The local runner, the remote client and the store add their own leaves below `AlulaError`.
Those that users see in tracebacks call themselves by their public names, `alula.NonRecoverable`.
This module must stay light: a pod loads it before the user's code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alula_api.contract.diagnostics import Diagnostic


class AlulaError(Exception):
    """The root of every exception of alula."""

    __module__ = "alula"


class UserError(AlulaError):
    """Something in the user's code or call must change; `diagnostics` say what, where and how.

    Attributes:
        diagnostics: All the problems that were found, in the order in which they were found; never empty.
    """

    __module__ = "alula"

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        return "\n".join(diagnostic.render() for diagnostic in self.diagnostics)

    def _render_traceback_(self) -> list[str]:
        """What IPython and Jupyter show: the message, because the frames are ours."""
        return [str(self)]


class DefinitionError(UserError):
    """A task, workflow or launch plan is defined wrongly."""

    __module__ = "alula"


class ValueMismatch(UserError, TypeError):
    """A value does not fit the type that a task or workflow declares for it."""

    __module__ = "alula"


class LoadError(UserError):
    """A file or module that should hold workflows cannot be imported.

    Attributes:
        traceback: The frames of the user's own code, as text; empty when none was reached.
        missing: Whether there is no such file or module, so that a command line that names it is wrong.
    """

    __module__ = "alula"

    def __init__(self, diagnostics: Iterable[Diagnostic], traceback: str = "", missing: bool = False) -> None:
        super().__init__(diagnostics)
        self.traceback = traceback
        self.missing = missing

    def __str__(self) -> str:
        return "\n".join(part for part in (super().__str__(), self.traceback.rstrip()) if part)


class SettingsError(UserError):
    """The project's settings cannot be used."""


class NonRecoverable(AlulaError):
    """Raise this in a task when trying again cannot help: the task fails at once, whatever its `retries`."""

    __module__ = "alula"


class Given(NonRecoverable):
    """A failure whose message the workflow gives, by `.fail(...)`: it has no place in the user's code."""
