"""Lines of the source for messages about resources, which hold none.

Called by commands that have the definitions at hand: they compiled them a moment ago.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.names import MAIN, launch_plan_template

if TYPE_CHECKING:
    from alula.emit.discovery import Definitions


def with_lines(problems: Iterable[Diagnostic], found: Definitions) -> list[Diagnostic]:
    """The problems, each with file and line of the innermost part of a definition that its subject names."""
    places: dict[str, str] = {}
    placed = []
    for problem in problems:
        places = places or dict(_places(found))
        parts = (problem.subject[:1].lower() + problem.subject[1:]).split(", ")
        known = (places.get(", ".join(parts[:count])) for count in range(len(parts), 0, -1))
        source = next((place for place in known if place), problem.source)
        placed.append(problem._replace(source=source))
    return placed


def _places(found: Definitions) -> Iterator[tuple[str, str]]:
    """What diagnostics call each part of the definitions, and where it is; `main` is the workflow itself."""
    for workflow in found.workflows:
        whole = f"workflow {workflow.name}"
        yield whole, str(workflow.source)
        yield f"workflowTemplate {workflow.name}", str(workflow.source)
        for task in workflow.closure.tasks:
            yield f"{whole}, task {task.name}", task.overridden_at or str(task.source)
        for place, graph in enumerate(workflow.closure.graphs):
            name = workflow.closure.workflows[place].name if place else MAIN
            for subject in (f"{whole}, graph {name}",) if place else (f"{whole}, graph {name}", whole):
                yield subject, str(graph.source)
                yield from ((f"{subject}, node {node.id}", str(node.source)) for node in graph.nodes)
    for plan in found.launch_plans:
        template = launch_plan_template(plan.name)
        for subject in (f"launch plan {plan.name}", f"launchPlan {plan.name}", f"workflowTemplate {template}"):
            yield subject, str(plan.source)
