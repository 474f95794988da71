"""From JSON data to a model, with every problem as a `Diagnostic` that names the field.

Called by the CLI, the compiler and the controller on what git or the API server holds. It never raises for a bad
resource, whatever is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, get_args, get_origin

import pydantic
import pydantic_core

from alula_api.contract import labels, names, problems, schedules
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import SMALLER, Diagnostic, did_you_mean
from alula_api.contract.graphs import conditions, json_fields
from alula_api.contract.named_types import NamedType, Types
from alula_api.kinds.domains import Domain
from alula_api.kinds.fields import (
    API_VERSION,
    CLEAN,
    DNS_LABEL,
    DURATION,
    ENTRYPOINT,
    PARAMETER,
    QUANTITY,
    RELEASE,
)
from alula_api.kinds.launch_plans import LaunchPlan
from alula_api.kinds.resources import Resource
from alula_api.kinds.workflows import Workflow

R = TypeVar("R", bound=Resource)

MOST_PROBLEMS = 20
KINDS: Mapping[str, type[Workflow] | type[LaunchPlan] | type[Domain]] = {
    "Workflow": Workflow,
    "LaunchPlan": LaunchPlan,
    "Domain": Domain,
}

_NAMED_LISTS = {
    "types": "type",
    "fields": "field",
    "tasks": "task",
    "graphs": "graph",
    "nodes": "node",
    "inputs": "input",
    "outputs": "output",
}
# What a pattern means, in words that a reader can act on.
_PATTERNS = {
    DNS_LABEL: "lower-case letters, digits and dashes, with a letter or digit at both ends",
    RELEASE: "letters, digits and - _ . with a letter or digit at both ends",
    DURATION: "a duration such as 90s, 10m or 1h30m",
    CLEAN: "text without the control characters U+007F to U+009F, which kustomize changes (in JSON: \\\\u007f)",
    PARAMETER: "a name of letters, digits, _ and -, that begins with a letter or _",
    ENTRYPOINT: "module:function",
    QUANTITY: "a quantity such as 500m, 2 or 4Gi",
}
_TYPES = {
    "string_type": "a string",
    "int_type": "an integer",
    "bool_type": "true or false",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "list_type": "a list",
}


@dataclass(frozen=True)
class _Problem:
    """What is wrong at one place of a resource."""

    loc: tuple[int | str, ...]
    message: str
    hint: str = ""
    code: Code = Code.BAD_RESOURCE


def read(kind: type[R], obj: object) -> tuple[R | None, list[Diagnostic]]:
    """The resource as a model, or None and what is wrong with it; at most `MOST_PROBLEMS` problems are told."""
    if not isinstance(obj, dict):
        return None, [Diagnostic(Code.BAD_RESOURCE, f"a {kind.KIND.name} must be an object, not {_kind_of(obj)}")]
    found = list(_head_problems(kind, obj))
    model: R | None = None
    if not found:
        try:
            model = kind.model_validate(obj, by_alias=True, by_name=False)
            found = list(_later_problems(model))
        except pydantic.ValidationError as error:
            found = list(_told(kind, error.errors(include_url=False, include_context=True)))
        except RecursionError:
            found = [_Problem((), "must not be nested as deep as this")]
    if not found:
        return model, []
    return None, [_diagnostic(kind, obj, problem) for problem in _shortened(found)]


def _diagnostic(kind: type[Resource], obj: dict[str, Any], problem: _Problem) -> Diagnostic:
    metadata = obj.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    annotations = metadata.get("annotations")
    source = annotations.get(labels.SOURCE, "") if isinstance(annotations, dict) else ""
    path = path_text(problem.loc)
    return Diagnostic(
        problem.code,
        f"{path}: {problem.message}" if path else problem.message,
        source=source if isinstance(source, str) else "",
        subject=", ".join(_subjects(kind, obj, problem.loc)),
        hint=problem.hint,
    )


def _subjects(kind: type[Resource], obj: Any, loc: tuple[int | str, ...]) -> Iterator[str]:
    """What the place belongs to, by the names that its author gave: `Workflow train`, `graph main`, `node load`."""
    name = obj["metadata"].get("name") if isinstance(obj.get("metadata"), dict) else None
    yield f"{kind.KIND.name} {name}" if isinstance(name, str) and name else kind.KIND.name
    word: str | None = None
    for step in loc:
        try:
            obj = obj[step]
        except (LookupError, TypeError):
            return
        name = (obj.get("name") or obj.get("id")) if isinstance(obj, dict) else None
        if isinstance(step, int) and word and isinstance(name, str):
            yield f"{word} {name[:100]}"
        word = _NAMED_LISTS.get(step) if isinstance(step, str) else None


def _shortened(problems: list[_Problem]) -> list[_Problem]:
    if len(problems) <= MOST_PROBLEMS:
        return problems
    more = len(problems) - MOST_PROBLEMS + 1
    return [*problems[: MOST_PROBLEMS - 1], _Problem((), f"and {more} more problems")]


def _head_problems(kind: type[Resource], obj: dict[str, Any]) -> Iterator[_Problem]:
    """A wrong kind or version makes every other message noise, so it is told alone."""
    for field, expected in (("apiVersion", API_VERSION), ("kind", kind.KIND.name)):
        found = obj.get(field)
        if found != expected:
            yield _Problem((field,), f"must be {expected}, not {_shown(found) if field in obj else 'absent'}")


def _later_problems(resource: Resource) -> Iterator[_Problem]:
    """What the schema of the API server says by CEL, and what only Python can say: whether types are well formed."""
    name = resource.metadata.name
    broken = [rule.message for rule in resource.KIND.name_rules if not rule.holds(name)]
    if not broken and not names.is_dns_label(name):  # the API server's own rule for names, which no schema states
        broken.append(f"must be {_PATTERNS[DNS_LABEL]}, not {_shown(name)}")
    for message in broken:
        yield _Problem(("metadata", "name"), message)
    if isinstance(resource, Workflow):
        yield from _type_problems(resource)
        yield from _condition_problems(resource)
    if isinstance(resource, LaunchPlan) and resource.spec.schedule and resource.spec.schedule.timezone:
        wrong = schedules.zone_problem(resource.spec.schedule.timezone)
        if wrong is not None:
            yield _Problem(("spec", "schedule", "timezone"), wrong.message, wrong.hint, Code.BAD_SCHEDULE)


def _type_problems(workflow: Workflow) -> Iterator[_Problem]:
    """Of the named types first: what uses a wrong one is not blamed for it."""
    named = [each.model_dump(by_alias=True, exclude_defaults=True) for each in workflow.spec.types]
    types = Types([json_fields.from_json(NamedType, each) for each in named])
    wrong = types.problems()
    for path, problem in wrong:
        yield _of_type(("spec", "types", *path), problem)
    for loc, port in workflow.spec.ports():
        for problem in types.of_form(port.type) if wrong else types.of_text(port.type):
            yield _of_type((*loc, "type"), problem)


def _condition_problems(workflow: Workflow) -> Iterator[_Problem]:
    """What no condition is, and names in one that its node does not read."""
    for at, text, known in workflow.spec.conditions():
        try:
            missing = [name for name in conditions.reads(conditions.parse(text)) if name not in known]
        except problems.InvalidValue as error:
            yield _Problem(at, error.problems[0].message)
        else:
            yield from (_Problem(at, f"reads `{name}`, which is not among `reads`") for name in missing)
    for loc, branch in workflow.spec.branches():
        if not branch.cases:
            yield _Problem((*loc, "cases"), "must have a case")
    for loc, repeat in workflow.spec.repeats():
        named = [((*loc, "state", i, "output"), fed.output) for i, fed in enumerate(repeat.state)]
        named += [((*loc, "reads", i, "output"), each.output) for i, each in enumerate(repeat.reads) if each.output]
        for at, output in named:
            if output not in repeat.outputs:
                yield _Problem(at, f"is `{output}`, which is not among `outputs`")


def _of_type(loc: tuple[int | str, ...], problem: problems.Problem) -> _Problem:
    inside = problem.path.removeprefix("$").lstrip(".")
    code = Code.TOO_LARGE if problem.code is Code.TOO_LARGE else Code.BAD_RESOURCE
    return _Problem(loc, f"{problem.message} (at {inside})" if inside else problem.message, code=code)


def _told(kind: type[Resource], errors: Sequence[pydantic_core.ErrorDetails]) -> Iterator[_Problem]:
    for error in errors:
        loc = error["loc"]
        if error["type"] == "extra_forbidden":
            known = _known_fields(kind, loc[:-1])
            hint = did_you_mean(str(loc[-1]), known, f"known fields: {', '.join(known)}" if known else "", str)
            yield _Problem(loc, "unknown field", hint)
        elif error["type"] in ("too_long", "too_many"):
            hint = SMALLER if loc[-1] in ("nodes", "items") else ""
            yield _Problem(loc, _message(error), hint, Code.TOO_LARGE)
        elif error["type"] == "string_too_long" and loc[-1] == "value":
            yield _Problem(loc, _message(error), "make the value in a task, or give it to the run", Code.TOO_LARGE)
        else:
            yield _Problem(loc, _message(error))


def _message(error: pydantic_core.ErrorDetails) -> str:
    kind, found, limits = error["type"], error["input"], error.get("ctx", {})
    if kind == "missing":
        return "must be given"
    if kind in _TYPES:
        return f"must be {_TYPES[kind]}, not {_kind_of(found)} {_shown(found)}".rstrip()
    if kind == "string_pattern_mismatch":
        pattern = limits.get("pattern", "")
        return f"must be {_PATTERNS.get(pattern) or f'text that matches {pattern}'}, not {_shown(found)}"
    if kind == "string_too_long":
        return f"must have at most {limits['max_length']:,} characters, not {len(found):,}"
    if kind == "string_too_short":
        least = limits.get("min_length")
        return "must not be empty" if least == 1 else f"must have at least {least} characters, not {len(found)}"
    if kind in ("too_long", "too_many"):
        most = limits.get("max_length", limits.get("most"))
        return f"must have at most {most:,} entries, not {len(found):,}"
    if kind == "literal_error":
        return f"must be {limits.get('expected')}, not {_shown(found)}"
    if kind in ("greater_than_equal", "less_than_equal"):
        words, limit = ("at least", limits.get("ge")) if kind == "greater_than_equal" else ("at most", limits.get("le"))
        return f"must be {words} {limit}, not {_shown(found)}"
    if kind == "string_unicode":
        return "must be text without lone surrogates"
    return error["msg"][:1].lower() + error["msg"][1:]


def _known_fields(kind: type[Resource], loc: Sequence[int | str]) -> list[str]:
    """The names of the fields that stand at that place of the resource."""
    model: Any = kind
    in_map = False
    for step in loc:
        if isinstance(step, int) or in_map or not _is_model(model):
            in_map = False
            continue
        field = next((f for f in model.model_fields.values() if f.alias == step), None)
        if field is None:
            return []
        in_map = get_origin(field.annotation) is dict
        model = _model_of(field.annotation)
    return [f.alias or name for name, f in model.model_fields.items()] if _is_model(model) else []


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel)


def _model_of(annotation: Any) -> Any:
    """The model inside `X | None`, `list[X]`, `dict[str, X]` or `Annotated[X, ...]`."""
    if _is_model(annotation):
        return annotation
    for inner in reversed(get_args(annotation)):
        found = _model_of(inner)
        if found is not None:
            return found
    return None


def path_text(loc: Sequence[int | str]) -> str:
    """A field's path as the API server writes it: `spec.tasks[2].retries.limit`."""
    text = ""
    for step in loc:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.replace("_", "a").replace("-", "a").isalnum():
            text += f".{step}" if text else step
        else:
            text += f"[{step[:100]!r}]"
    return text


def _kind_of(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case dict():
            return "an object"
    return type(value).__name__


def _shown(value: object) -> str:
    """A value, short; never a long text, which may hold anything."""
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "...")
    if isinstance(value, (int, float)):
        return str(value).lower() if isinstance(value, bool) else str(value)[:60]
    return "" if isinstance(value, (dict, list)) else _kind_of(value)
