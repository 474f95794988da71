"""`fit.with_overrides(retries=0, resources=...)`: a task whose calls have other options than its decorator gives.

The same function under another template: the cache knows it by the same key, so a result of one is a hit for the
other where version and environment are equal.
"""

from __future__ import annotations

import copy
import hashlib
from typing import TYPE_CHECKING, Any, TypedDict

from alula import errors
from alula.code import places
from alula.declare import options
from alula.graph import checks, promises
from alula_api.contract import names
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alula.declare import pod_settings
    from alula.declare.tasks import Task

_DIGEST = 6
"""Hexadecimal digits that tell a task with its overrides from the same one with others."""


class Overrides(TypedDict, total=False):
    """What `with_overrides` takes: options of `@task`, and the name of the call's node."""

    name: str
    retries: int | options.Retries
    system_retries: int | None
    timeout: options.Duration | None
    cache: bool | options.Cache
    resources: options.Resources | None
    image: str | None
    pool: str | None
    environment: dict[str, str] | None
    secrets: list[options.Secret] | tuple[options.Secret, ...]
    pod: pod_settings.Pod | None
    interruptible: bool | None
    on_oom: options.Growth | None


def overridden(task: Task[..., Any], given: Mapping[str, Any]) -> Task[..., Any]:
    """The task with other options; the task itself is as before.

    Raises:
        DefinitionError: An option has a value that it cannot take, or no node can have the name.
    """
    source, chosen = str(places.caller()), dict(given)
    name = chosen.pop("name", None)
    if (held := promises.inside(list(given.values()))) is not None:
        message = (
            f"{held._alula_edge.label} is no option: options are chosen when the workflow is written, not in a run"
        )
        hint = "pass the value to the task, or choose between two calls with conditional(...)"
        raise errors.DefinitionError([Diagnostic(Code.PROMISE_AS_VALUE, message, source, task.subject, hint=hint)])
    found, problems = options.check(chosen, source, task.subject, partial=True)
    if "name" in given:
        problems += checks.node_name(name, task.node_name, source, task.subject)
    merged = task.options._replace(**{option: getattr(found, option) for option in chosen if option in found._fields})
    problems += _twice(merged, chosen, source, task.subject)
    problems += options.check_together(merged, source, task.subject) if not problems else ()
    if problems:
        raise errors.DefinitionError(problems)
    made = copy.copy(task)
    made.base = task.base or task
    made.take(merged)
    made.call_name = task.call_name if name is None else name
    differing = sorted(_differing(made.base.options, merged).items())
    if differing:
        # What `Resources` and `Pod` can say since they had their first users changes no name where it says nothing.
        told = repr(differing).replace(", other=None)", ")").replace(", config_maps={}, affinity=", ", affinity=")
        digest = hashlib.sha256(told.encode()).hexdigest()[:_DIGEST]
        made.name = f"{made.base.name[: names.MOST_LABEL - _DIGEST - 1].rstrip('-')}-{digest}"
    else:
        made.name = made.base.name
    made.subject = f"task {made.name}"
    return made


def _differing(before: options.TaskOptions, after: options.TaskOptions) -> dict[str, Any]:
    """The options that are others, so that an option to come changes no name."""
    return {option: value for option, value in after._asdict().items() if value != getattr(before, option)}


def _twice(merged: options.TaskOptions, chosen: Mapping[str, Any], source: str, subject: str) -> list[Diagnostic]:
    """A variable of the one that the other has too: what only one of them names comes from the decorator."""
    if {"environment", "secrets"} <= chosen.keys():
        return []  # told already
    both = [secret.name for secret in merged.secrets if secret.name in merged.environment]
    given = "secrets" if "secrets" in chosen else "environment"
    expected = "a variable that is given once, in environment or by one secret"
    return [
        Diagnostic(Code.BAD_OPTION, f"the option {given} cannot be {name!r}", source, subject, expected)
        for name in both
    ]
