"""What is no mistake and yet not what its author may think: shown beside what was compiled. Called by `compile`."""

from __future__ import annotations

from alula_compiler.program import Program


def notes(program: Program) -> tuple[str, ...]:
    """Return a sentence for each thing that a task asks for and the domain, as far as one is known, does not give."""
    if program.domain.pools is None:  # no Domain is known
        return ()
    asking = [task for task in program.tasks if task.interruptible]
    found = []
    if asking and program.domain.interruptible is None:
        names = ", ".join(task.name for task in asking[:8]) + (", ..." if len(asking) > 8 else "")
        found.append(f"the Domain names no nodes for interruptible tasks, so these run as all others: {names}")
    else:
        found += [
            f"the task {task.name} is interruptible, and its first attempt is its last one, which is never interrupted:"
            " its system retries are 0"
            for task in asking
            if not task.budget.system
        ]
    return tuple(found)
