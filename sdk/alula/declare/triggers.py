"""What starts runs of a launch plan beside a schedule: the end of other runs, or a release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alula.interfaces import callee

if TYPE_CHECKING:
    from alula.declare.launch_plans import LaunchPlan
    from alula.declare.workflows import Workflow

WHEN = {"succeeded": None, "failed": "Failed", "ended": "Ended"}
"""What `when` may be, and what stands in the resource for it."""


@callee.explain_options
@dataclass(frozen=True, slots=True)
class After:
    """Runs start when runs of another launch plan or workflow have ended: `After(nightly, inputs={"total": "sum"})`.

    Attributes:
        runs: The launch plan or workflow whose runs do.
        when: Whether they have to have `succeeded`, or `failed`, or just `ended`.
        inputs: The outputs of such a run that the new run gets, by the names of its inputs.
    """

    runs: LaunchPlan[Any] | Workflow[..., Any]
    when: str = "succeeded"
    inputs: Mapping[str, str] | None = None


@callee.explain_options
@dataclass(frozen=True, slots=True)
class Release:
    """A run starts when a new revision of the workflow is compiled in the cluster."""
