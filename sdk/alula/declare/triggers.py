"""What starts runs of a launch plan beside a schedule: the end of other runs, a release, or an event from outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alula.interfaces import explained

if TYPE_CHECKING:
    from alula.declare.launch_plans import LaunchPlan
    from alula.declare.workflows import Workflow
    from alula_api.contract import events

WHEN = {"succeeded": None, "failed": "Failed", "ended": "Ended"}
"""What `when` may be, and what stands in the resource for it."""


@explained.explain_options
@dataclass(frozen=True, slots=True)
class After:
    """Runs start when runs of another launch plan or workflow have ended: `After(nightly, inputs={"total": "sum"})`.

    Attributes:
        runs: The launch plan or workflow whose runs do.
        when: Whether they have to have `succeeded`, or `failed`, or just `ended`.
        inputs: The outputs of such a run that the new run gets, by the names of its inputs.
        domain: Whose runs do: one of the same project that the Domain of the launch plan lists, which passes inline
            values only. None for the launch plan's own.
    """

    runs: LaunchPlan[Any] | Workflow[..., Any]
    when: str = "succeeded"
    inputs: Mapping[str, str] | None = None
    domain: str | None = None


@explained.explain_options
@dataclass(frozen=True, slots=True)
class Release:
    """A run starts when a new revision of the workflow is compiled in the cluster."""


Plain = str | int | float | bool | None
"""What a part of a payload is compared with."""


@explained.explain_options
@dataclass(frozen=True, slots=True)
class Event:
    """A run starts when an event is sent to Argo's server: `Event(inputs={"key": "Records.0.s3.object.key"})`.

    A path names a part of the event's payload: names of members, or numbers of items from 0, with dots between; `$` is
    the payload itself.

    Attributes:
        name: As in the address that events are sent to; None for the name of the launch plan.
        inputs: The paths of what the run gets, by the names of its inputs. An input whose part is not there has its
            default.
        where: What has to be so: the value at each path, or a list of those that it may be. A run of another event
            ends at once, as skipped.
        delivery: The path of what is the same when an event is sent twice, so that it starts one run; None for the
            whole payload.
        delivery_header: The header that is, such as `x-github-delivery`.
    """

    name: str | None = None
    inputs: Mapping[str, str] | None = None
    where: Mapping[str, Plain | Sequence[Plain]] | None = None
    delivery: str | None = None
    delivery_header: str | None = None


def conditions(given: Event) -> list[tuple[str, list[Any]]]:
    """What has to be so, as paths with the values that may lie there."""
    found: list[tuple[str, list[Any]]] = []
    for path, wanted in (given.where or {}).items():
        found.append((path, [*wanted] if isinstance(wanted, Sequence) and not isinstance(wanted, str) else [wanted]))
    return found


def contract(given: Event, plan: str) -> events.Event:
    """An event in the form of the contract, of a launch plan of this name."""
    import json

    from alula_api.contract import events

    where = (
        events.Condition(path, tuple(events.wanted(json.dumps(value)) for value in values))
        for path, values in conditions(given)
    )
    mapped = tuple(events.Mapped(name, path) for name, path in (given.inputs or {}).items())
    return events.Event(given.name or plan, tuple(where), mapped)


def event_problems(given: Event) -> Iterator[tuple[str, str]]:
    """What is wrong with an event, each with a hint."""
    import json

    from alula_api.contract import events, names
    from alula_api.contract.problems import InvalidValue

    name: object = given.name
    if name is not None and not (isinstance(name, str) and names.is_dns_label(name)):
        yield f"the name of an event must be lower-case letters, digits and -, got {name!r}", ""
    paths: list[object] = [*(given.inputs or {}).values(), *(given.where or {})]
    paths += [given.delivery] if given.delivery is not None else []
    for path in paths:
        if not isinstance(path, str) or not events.is_path(path):
            hint = "write names of members and numbers of items with dots between, such as Records.0.key, or $ for all"
            yield f"{path!r} names no part of a payload", hint
    header: object = given.delivery_header
    if header is not None and not (isinstance(header, str) and events.is_header(header)):
        yield f"delivery_header must be in lower case with x- before it, got {header!r}", "write x-github-delivery"
    if given.delivery is not None and header is not None:
        hint = "keep delivery or delivery_header"
        yield "an event that is sent twice is known by a part of its payload or by a header", hint
    for path, values in conditions(given):
        if not values:
            yield f"nothing can be at {path}", "write a value, or a list of some"
        for value in values:
            try:
                events.wanted(json.dumps(value))
            except (InvalidValue, TypeError, ValueError) as error:
                reason = error.problems[0].message if isinstance(error, InvalidValue) else f"must not be {value!r}"
                yield f"a value that {path} is compared with {reason}", ""
