"""`fit.with_overrides(retries=0, resources=...)`: a task whose calls have other options than its decorator gives.

The same function under another template: the cache knows it by the same key, so a result of one is a hit for the
other where version and environment are equal.
"""

from __future__ import annotations

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


def merged(before: options.TaskOptions, given: Mapping[str, Any], usual: str, subject: str) -> options.TaskOptions:
    """The options of a task after `with_overrides`.

    Args:
        before: Its options so far.
        given: What `with_overrides` was called with.
        usual: What nodes that call it are named after.
        subject: What messages call it.

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
        raise errors.DefinitionError([Diagnostic(Code.PROMISE_AS_VALUE, message, source, subject, hint=hint)])
    found, problems = options.check(chosen, source, subject, partial=True)
    if "name" in given:
        problems += checks.node_name(name, usual, source, subject)
    after = before._replace(**{option: getattr(found, option) for option in chosen if option in found._fields})
    problems += _twice(after, chosen, source, subject)
    problems += options.check_together(after, source, subject) if not problems else ()
    if problems:
        raise errors.DefinitionError(problems)
    return after


def task_name(base: str, before: options.TaskOptions, after: options.TaskOptions) -> str:
    """The name of a task with other options: that of the decorated one, with a digest of what differs."""
    # Only of the options that are others, so that an option to come changes no name.
    differing = [(option, value) for option, value in after._asdict().items() if value != getattr(before, option)]
    if not differing:
        return base
    # What `Resources` and `Pod` can say since they had their first users changes no name where it says nothing.
    told = repr(sorted(differing)).replace(", other=None)", ")").replace(", config_maps={}, affinity=", ", affinity=")
    digest = hashlib.sha256(told.encode()).hexdigest()[:_DIGEST]
    return f"{base[: names.MOST_LABEL - _DIGEST - 1].rstrip('-')}-{digest}"


def _twice(after: options.TaskOptions, chosen: Mapping[str, Any], source: str, subject: str) -> list[Diagnostic]:
    """A variable of the one that the other has too: what only one of them names comes from the decorator."""
    if {"environment", "secrets"} <= chosen.keys():
        return []  # told already
    both = [secret.name for secret in after.secrets if secret.name in after.environment]
    given = "secrets" if "secrets" in chosen else "environment"
    expected = "a variable that is given once, in environment or by one secret"
    return [
        Diagnostic(Code.BAD_OPTION, f"the option {given} cannot be {name!r}", source, subject, expected)
        for name in both
    ]
