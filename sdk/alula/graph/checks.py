"""Checks of a graph: does a source type fit a target type, and do the tasks and workflows of a graph fit together.

Called while tracing (edges, names of calls) and once a workflow (names, circles). Finds everything, raises nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from alula.code import twins
from alula_api.contract import names, schemas
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_api.contract.schemas import Schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alula.interfaces.callee import Callee

__tracebackhide__ = True  # pytest shows the user's frames only

_known: dict[tuple[int, int], tuple[Schema, Schema, str | None]] = {}


def misfit(source: Schema, target: Schema) -> str | None:
    """Why a value of one type does not fit another, in words; None when it does. Compared once a pair of types."""
    if source is target:
        return None
    key = (id(source), id(target))
    known = _known.get(key)
    if known is None:
        # The schemas are kept so that their ids are not given to others.
        known = _known[key] = (source, target, schemas.assignable(source, target))
    return known[2]


def same_names(things: Sequence[Callee], subject: str) -> list[Diagnostic]:
    """Different tasks, or different workflows, that would have one name in the resource."""
    seen: dict[str, Callee] = {}
    problems = []
    for thing in things:
        other = seen.setdefault(thing.name, thing)
        if other is thing or _is_same(other, thing):
            continue
        kind = thing.kind
        message = f"two {kind}s are called {thing.name!r}: {other.entrypoint} at {other.source} and {thing.entrypoint}"
        hint = f"""give one of them another name: @{kind}(name="{thing.name}-2")"""
        if not (hasattr(other, "function") and hasattr(thing, "function")):
            hint = "they are named by their workflow and conditionals: give a conditional another name"
        elif other.source == thing.source:
            hint = f"they are made by one decorator: give each a name of its own, @{kind}(name=...)"
        problems.append(Diagnostic(Code.DUPLICATE_NAME, message, str(thing.source), subject, "", hint))
    return problems


def same_keys(tasks: Sequence[Callee], subject: str) -> list[Diagnostic]:
    """Tasks whose results another function's would be taken for, in this run or in another one."""
    return [
        Diagnostic(
            Code.DUPLICATE_NAME,
            f"the task {task.name} has one name and one cache version with another that the same function made",
            str(task.source),
            subject,
            hint=f'name each, @task(name=f"{task.name}-{{...}}"), or write cache=True: it counts what a function holds',
        )
        for task in tasks
        if task.twin is not None
    ]


def own_names(called: Sequence[Callee]) -> list[Diagnostic]:
    """Workflows that are called, and named like the graph that a run begins with."""
    message = f"a workflow that others call cannot be named {names.MAIN!r}, which is the graph that a run begins with"
    hint = f'give it another name: @workflow(name="{names.MAIN}-2")'
    return [
        Diagnostic(Code.DUPLICATE_NAME, message, str(each.source), each.subject, "", hint)
        for each in called
        if each.name == names.MAIN
    ]


def _is_same(one: Callee, other: Callee) -> bool:
    """One definition that two imports have made twice."""
    if one.entrypoint != other.entrypoint or one.source != other.source or one.obstacle:
        return False
    if not hasattr(one, "function"):  # parts of workflows, which are told apart by their own names
        return True
    options = [getattr(each, "options", None) for each in (one, other)]
    return options[0] == options[1] and twins.alike(one.function, other.function)


def node_name(name: object, usual: str, source: str, subject: str) -> list[Diagnostic]:
    """What is wrong with the name that a call is given, which is the id of its node and shown by Argo."""
    if isinstance(name, str) and names.is_node_id(name) and name != names.ADMIT:
        return []
    near = re.sub("[^a-z0-9]+", "-", str(name).lower()).strip("-")[: names.MOST_LABEL].strip("-")
    near = names.node_id(near or f"{usual}-2")
    what, how = ("a conditional", "conditional") if usual == "conditional" else ("a call", ".named")
    message = f"{what} cannot be named {name!r}"
    if name == names.ADMIT:
        message, near = f"{message}, which is the first node of every run", f"{names.ADMIT}-2"
    expected = f"lower case letters, digits and -, with a letter first, at most {names.MOST_LABEL}"
    return [Diagnostic(Code.BAD_NAME, message, source, subject, expected, f'write {how}("{near}")')]


def taken_name(name: str, other: str, source: str, subject: str) -> Diagnostic:
    """Two nodes of one graph would have one id; `other` is where the first one stands."""
    message = f"two calls are named {name!r}, the other one at {other}"
    hint = 'give each a name of its own; in a loop, one that says which: .named(f"fit-{city}")'
    return Diagnostic(Code.DUPLICATE_NAME, message, source, subject, "", hint)
