"""What changed in what a workflow takes and gives, and whom it breaks. Pure.

An input may take more, an output may give less: everything that worked goes on working. The reverse breaks a user.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from alula.gitops.changes import Change, shown
from alula_api.contract import assignable, type_names
from alula_api.contract.graphs.specs import LaunchPlanSpec, Output, Port, WorkflowSpec

Plans = Mapping[str, LaunchPlanSpec]


def compare(subject: str, before: WorkflowSpec, after: WorkflowSpec, plans: Plans) -> Iterator[Change]:
    """The changes of inputs and outputs.

    Args:
        subject: The workflow, for messages.
        before: What it was.
        after: What it is to be.
        plans: Its launch plans afterwards, by name.
    """
    old, new = ({port.name: port for port in each.inputs} for each in (before, after))
    for name in [*old, *(name for name in new if name not in old)]:
        part = f"input {name}"
        if name not in new:
            text = f"removed (was {_described(old[name])})"
            yield Change(subject, part, text, True, tuple(_givers(name, plans)))
        elif name not in old:
            needed = new[name].default is None
            text = f"added, {_described(new[name])}{': every run must give it' if needed else ''}"
            yield Change(subject, part, text, needed, tuple(_silent(name, plans)) if needed else ())
        else:
            yield from _input(subject, part, old[name], new[name], plans)
    yield from _outputs(subject, before.outputs, after.outputs)


def _input(subject: str, part: str, old: Port, new: Port, plans: Plans) -> Iterator[Change]:
    if old.type != new.type:
        types = f"{type_names.describe(old.type)} → {type_names.describe(new.type)}"
        why = assignable.assignable(old.type, new.type)
        if why is None:
            yield Change(subject, part, f"widened: {types}")
        else:
            word = "narrowed" if assignable.assignable(new.type, old.type) is None else "changed"
            yield Change(subject, part, f"{word}: {types}", True, tuple(_givers(old.name, plans)))
    if old.default != new.default:
        if new.default is None:
            text = f"has no default any more (was {shown(old.default)}): every run must give it"
            yield Change(subject, part, text, True, tuple(_silent(old.name, plans)))
        else:
            was = "none" if old.default is None else shown(old.default)
            yield Change(subject, part, f"default {was} → {shown(new.default)}")


def _outputs(subject: str, before: Sequence[Output], after: Sequence[Output]) -> Iterator[Change]:
    old, new = ({output.name: output for output in each} for each in (before, after))
    for name in [*old, *(name for name in new if name not in old)]:
        part = f"output {name}"
        if name not in new:
            yield Change(subject, part, f"removed (was {type_names.describe(old[name].type)})", True)
        elif name not in old:
            yield Change(subject, part, f"added, {type_names.describe(new[name].type)}")
        elif old[name].type != new[name].type:
            types = f"{type_names.describe(old[name].type)} → {type_names.describe(new[name].type)}"
            fits = assignable.assignable(new[name].type, old[name].type) is None
            yield Change(subject, part, f"{'narrowed' if fits else 'changed'}: {types}", not fits)


def _described(port: Port) -> str:
    default = "" if port.default is None else f" = {shown(port.default)}"
    return f"{type_names.describe(port.type)}{default}"


def _givers(name: str, plans: Plans) -> Iterator[str]:
    """Launch plans that give an input."""
    for plan, spec in plans.items():
        if any(each.name == name for each in spec.fixed_inputs):
            yield f"launch plan {plan} fixes it"
        elif any(each.name == name for each in spec.inputs):
            yield f"launch plan {plan} gives it"
        elif spec.schedule and spec.schedule.input == name:
            yield f"the schedule of launch plan {plan} gives the scheduled time to it"


def _silent(name: str, plans: Plans) -> Iterator[str]:
    """Launch plans that run by themselves and do not give an input."""
    for plan, spec in plans.items():
        given = {each.name for each in (*spec.inputs, *spec.fixed_inputs)}
        if spec.schedule and name not in given and name != spec.schedule.input:
            yield f"the schedule of launch plan {plan} does not give it"
