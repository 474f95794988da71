"""What is known while a workflow is traced: which workflow it is, what is wrong, and where the user's code stands.

The ground that the rest of this package stands on: promises point at it, checks write into it. It knows no node, no
type and no promise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from alula.code import places

if TYPE_CHECKING:
    import types

    from alula_api.contract.codes import Code
    from alula_api.contract.diagnostics import Diagnostic


class Trace:
    """One trace of one workflow.

    Attributes:
        subject: What messages call the workflow: `workflow train`.
        function: Its function.
        problems: What is wrong with it, in the order in which it was found.
        after: For a node, the nodes that `>>` puts before it.
        inside: The beginnings of the ids of nodes in the parts of the workflow that are being written.
    """

    __slots__ = ("_lines", "after", "function", "inside", "problems", "subject")

    def __init__(self, subject: str, function: Callable[..., Any]) -> None:
        self.subject = subject
        self.function = function
        self.problems: list[Diagnostic] = []
        self.after: dict[str, list[str]] = {}
        self.inside: list[str] = []
        self._lines = places.Lines()

    def problem(
        self, code: Code, message: str, source: str, *, subject: str = "", expected: str = "", hint: str = ""
    ) -> None:
        """Note a problem and go on."""
        from alula_api.contract import diagnostics

        where = f"{self.subject}, {subject}" if subject else self.subject
        self.problems.append(diagnostics.Diagnostic(code, message, source, where, expected, hint))

    def sees(self, node: str) -> bool:
        """Whether what a node makes can be read where the trace is: not from inside a part that is over."""
        part = node.rpartition("/")[0]
        return not part or f"{part}/" in self.inside

    def source(self, call: places.Call) -> places.Source:
        """Where a call stands."""
        return self._lines.source(call)

    def place(self, call: places.Call) -> str:
        """file:line of a call."""
        return str(self._lines.source(call))

    def here(self) -> str:
        """file:line of the user's code that is running."""
        return str(places.caller())

    def calling(self, frame: types.FrameType | None) -> str:
        """Where the workflow's own function is while something that it called runs: `at flows/x.py:7`."""
        body = places.code(self.function)
        while frame is not None and frame.f_code is not body:
            frame = frame.f_back
        return "" if frame is None else f"at {places.relative(frame.f_code.co_filename)}:{frame.f_lineno}"
