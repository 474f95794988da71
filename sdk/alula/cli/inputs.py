"""The inputs of a workflow as flags: which there are, what their help says, and what a command line gives them.

Called by `alula run`. Every problem of a command line is told at once. An input may have any name, also that of an
option of ours, because ours stand before the file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alula.cli import flags, input_values, usage
from alula_api.contract import schemas, values
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class Parameter:
    """One input as the command line sees it.

    Attributes:
        default: As JSON; meaningless when `required`.
        fixed: Given by the launch plan for good: it is shown, not taken.
    """

    name: str
    schema: dict[str, Any]
    required: bool = True
    default: Any = None
    description: str = ""
    fixed: bool = False


def to_flags(parameters: Sequence[Parameter]) -> list[flags.Flag]:
    """The flags of all inputs that may be given."""
    listed = [_flag(parameter) for parameter in parameters if not parameter.fixed]
    names = {flags.dashed(flag.name) for flag in listed}
    return [_apart(flag) if flag.negatable and f"no-{flags.dashed(flag.name)}" in names else flag for flag in listed]


def _apart(flag: flags.Flag) -> flags.Flag:
    """The flag of an input `cache` beside an input `no_cache`, which is what `--no-cache` gives."""
    name = flags.dashed(flag.name)
    note = f"--no-{name} is another input" + ("" if flag.metavar else f"; off is --{name}=false")
    return flag._replace(help=f"{flag.help} ({note})".lstrip())


def read(
    argv: Sequence[str], parameters: Sequence[Parameter], subject: str, options: Collection[str] = ()
) -> dict[str, input_values.Given]:
    """The values that `argv` gives.

    Args:
        argv: What stands after the file.
        parameters: The inputs that exist.
        subject: What messages call the workflow.
        options: Names and letters of our own options, which may have been written in the wrong place.

    Raises:
        UsageError: With all that is wrong.
    """
    return _Reading(parameters, subject, options).read(argv)


def default_text(parameter: Parameter) -> str:
    """The default as a flag would take it."""
    if parameter.required:
        return ""
    default = parameter.default
    if default is None:
        return "none"
    if isinstance(default, dict) and default.keys() == {"$type", "value"}:  # a variant of a union
        default = default["value"]
    if isinstance(default, str):
        return _text(default, schemas.resolve(parameter.schema, parameter.schema))
    if default is True or default is False:
        return "yes" if default else "no"
    text = values.dumps(default)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _text(default: str, schema: dict[str, Any]) -> str:
    if schemas.family(schema) == "duration" and not default.startswith("-"):
        from alula_api.contract import durations

        return durations.text(durations.parse_iso(default).total_seconds())
    return repr(default) if not default.strip() or default == "none" else default


def _flag(parameter: Parameter) -> flags.Flag:
    schema = schemas.resolve(parameter.schema, parameter.schema)
    return _typed_flag(parameter.name, parameter.schema)._replace(
        help=_help(parameter, schema),
        default=default_text(parameter),
        required=parameter.required,
    )


def _typed_flag(name: str, whole: dict[str, Any]) -> flags.Flag:
    """The flag of a value of a type: of an input, or of a record's field."""
    schema = schemas.resolve(whole, whole)
    is_bool = schemas.family(schema) == "boolean"
    return flags.Flag(
        name,
        metavar="" if is_bool else input_values.label(whole),
        negatable=is_bool or input_values.nullable(schema, whole),
        many=input_values.is_list(schema, whole),
    )


def _parsed(texts: Sequence[flags.Given], whole: dict[str, Any]) -> input_values.Given:
    """The value that a flag gives, as often as it was given.

    Raises:
        Unfit: A text is no value of the type.
    """
    schema = schemas.resolve(whole, whole)
    if isinstance(texts[-1], bool):
        return texts[-1] if schemas.family(schema) == "boolean" else None  # --no-NAME
    # That anything but a list is given twice has been reported already.
    wanted = texts if input_values.is_list(schema, whole) else texts[:1]
    parsed = [input_values.parse(str(text), whole) for text in wanted if not isinstance(text, bool)]
    if len(parsed) == 1:
        return parsed[0]
    return input_values.fit([item for part in parsed for item in part or []], whole, whole)


def _help(parameter: Parameter, schema: dict[str, Any]) -> str:
    text = " ".join(parameter.description.split())
    inner = input_values.optional(schema, parameter.schema) or schema
    if schemas.family(inner) != "record":
        return text
    fields = ", ".join(f"{name}: {schemas.describe(item)}" for name, item in [*inner["properties"].items()][:8]) + (
        ", ..." if len(inner["properties"]) > 8 else ""
    )
    first = next(iter(inner["properties"]), "field")
    return f"{text} JSON with {fields}; or one by one: --{flags.dashed(parameter.name)}.{first} ...".strip()


class _Reading:
    def __init__(self, parameters: Sequence[Parameter], subject: str, options: Collection[str]) -> None:
        self.parameters = {parameter.name: parameter for parameter in parameters}
        self.subject = subject
        self.options = options
        self.problems: list[Diagnostic] = []
        self.parts: dict[str, tuple[Parameter, tuple[str, ...], dict[str, Any]]] = {}
        self.many: set[str] = set()

    def read(self, argv: Sequence[str]) -> dict[str, input_values.Given]:
        listed = to_flags([*self.parameters.values()])
        self.many = {flag.name for flag in listed if flag.many}
        found = flags.scan(argv, listed, unknown=Code.UNKNOWN_INPUT, also=self.part)
        self.problems += [self.explain(problem) for problem in found.problems]
        for index, word in enumerate(found.rest):
            before = found.before[index] if index < len(found.before) else ""
            name = before if before in self.many else self.next(found.values)
            hint = f"write --{flags.dashed(name)} {word}" if name else ""
            self.problem(Code.UNKNOWN_INPUT, f"inputs are flags, got {word!r}", hint)
        given: dict[str, input_values.Given] = {}
        for name, texts in found.values.items():
            if name in self.parameters:
                self.value(self.parameters[name], texts, given)
        for name, texts in found.values.items():
            if name in self.parts:
                self.set_part(*self.parts[name], texts, given)
        self.check_parts(found.values, given)
        told = {problem.subject for problem in self.problems}
        told |= {problem.message.partition(" ")[0] for problem in self.problems}
        for parameter in self.parameters.values():
            lacking = parameter.required and not parameter.fixed and parameter.name not in given
            if lacking and not told & {self.about(parameter), f"--{flags.dashed(parameter.name)}"}:
                self.missing(parameter)
        if self.problems:
            raise usage.UsageError(self.problems)
        return given

    def part(self, name: str) -> flags.Flag | None:
        """The flag of a field inside a record: `forest.trees`."""
        head, dot, rest = name.partition(".")
        parameter = self.parameters.get(head.replace("-", "_"))
        if not dot or parameter is None or parameter.fixed:
            return None
        schema = schemas.resolve(parameter.schema, parameter.schema)
        inner = input_values.optional(schema, parameter.schema)
        record = schema if inner is None else {**inner, **_definitions(parameter.schema)}
        path = tuple(step.replace("-", "_") for step in rest.split("."))
        target = schemas.at(record, path)
        if schemas.family(record) != "record" or not isinstance(target, dict):
            return None
        flag = _typed_flag(name, target)
        self.parts[flag.name] = (parameter, path, target)
        if flag.many:
            self.many.add(flag.name)
        return flag

    def value(self, parameter: Parameter, texts: list[flags.Given], given: dict[str, input_values.Given]) -> None:
        try:
            given[parameter.name] = _parsed(texts, parameter.schema)
        except input_values.Unfit as error:
            self.unfit(parameter, f"--{flags.dashed(parameter.name)}", error)

    def set_part(
        self, parameter: Parameter, path: tuple[str, ...], schema: dict[str, Any], texts: list[flags.Given],
        given: dict[str, input_values.Given],
    ) -> None:  # fmt: skip
        """Put one field into the record that is given, the default, or an empty one."""
        try:
            value = _parsed(texts, schema)
        except input_values.Unfit as error:
            self.unfit(parameter, f"--{flags.dashed(parameter.name)}.{'.'.join(path)}", error)
            return
        base = given.get(parameter.name, None if parameter.required else parameter.default)
        given[parameter.name] = _with(base if isinstance(base, dict) else {}, path, value)

    def check_parts(self, found: Mapping[str, list[flags.Given]], given: dict[str, input_values.Given]) -> None:
        """Records that were put together field by field must be whole."""
        for parameter in {
            self.parts[name][0].name: self.parts[name][0] for name in found if name in self.parts
        }.values():
            if parameter.name in given:
                try:
                    whole = input_values.fit(given[parameter.name], parameter.schema, parameter.schema)
                    given[parameter.name] = whole
                except input_values.Unfit as error:
                    self.unfit(parameter, f"--{flags.dashed(parameter.name)}", error)

    def explain(self, problem: Diagnostic) -> Diagnostic:
        """Say more of a flag that does not exist: the launch plan may have fixed it, or it is an option of ours."""
        word = problem.message.rpartition(" ")[2]
        name = word.lstrip("-").partition("=")[0].partition(".")[0].replace("-", "_")
        parameter = self.parameters.get(name) or self.parameters.get(name.removeprefix("no_"))
        if parameter is not None and parameter.fixed:
            message = f"the launch plan fixes --{flags.dashed(parameter.name)}, so it cannot be given"
            fixed = default_text(parameter)
            return Diagnostic(Code.FIXED_INPUT, message, subject=self.about(parameter), hint=f"it is {fixed}")
        hint = problem.hint
        if problem.code == Code.UNKNOWN_INPUT:
            known = self.fields(parameter, word) if parameter is not None and "." in word else ""
            hint = known or (self.known(word) if word.lstrip("-") in self.options else hint or self.known(word))
        return Diagnostic(problem.code, problem.message, subject=self.subject, hint=hint)

    def fields(self, parameter: Parameter, word: str) -> str:
        """The nearest field of a record, for one that it does not have."""
        schema = schemas.resolve(parameter.schema, parameter.schema)
        record = input_values.optional(schema, parameter.schema) or schema
        names = [f"--{flags.dashed(parameter.name)}.{name}" for name in record.get("properties", ())]
        return usage.did_you_mean(word, names) or (f"its fields are {', '.join(names)}" if names else "")

    def known(self, word: str) -> str:
        option = word.partition("=")[0]
        if option.lstrip("-") in self.options:
            return f"{option} is an option of alula run: write it before the file"
        names = [f"--{flags.dashed(name)}" for name, parameter in self.parameters.items() if not parameter.fixed]
        return f"its inputs are {', '.join(names)}" if names else "it takes no inputs"

    def next(self, found: Mapping[str, object]) -> str:
        """The first input that is not given: most likely what a bare word was meant for."""
        given = {name.partition(".")[0] for name in found}
        return next((name for name, item in self.parameters.items() if name not in given and not item.fixed), "")

    def missing(self, parameter: Parameter) -> None:
        label = input_values.label(parameter.schema)
        flag = f"--{flags.dashed(parameter.name)}"
        if schemas.family(schemas.resolve(parameter.schema, parameter.schema)) == "boolean":
            label = f"{flag} or --no-{flag[2:]}"
        self.problem(
            Code.MISSING_INPUT,
            f"{flag} is required",
            subject=self.about(parameter),
            expected=f"{label}" + (f": {' '.join(parameter.description.split())}" if parameter.description else ""),
        )

    def unfit(self, parameter: Parameter, flag: str, error: input_values.Unfit) -> None:
        """One problem a part that is wrong: `--config.depth must be an int, not "x"`."""
        schema = schemas.resolve(parameter.schema, parameter.schema)
        # What is wrong with a scalar says what was expected.
        expected = "" if schemas.family(schema) in input_values.SCALARS else schemas.describe(parameter.schema)
        for where, what in error.parts:
            colon = "" if what.startswith(("must ", "does not ", "is missing")) else ":"
            message = f"{flag}{where}{colon} {what}"
            self.problem(Code.BAD_VALUE, message, error.hint, subject=self.about(parameter), expected=expected)

    def about(self, parameter: Parameter) -> str:
        return f"{self.subject}, input {parameter.name}"

    def problem(self, code: Code, message: str, hint: str = "", subject: str = "", expected: str = "") -> None:
        self.problems.append(Diagnostic(code, message, subject=subject or self.subject, expected=expected, hint=hint))


def _definitions(schema: dict[str, Any]) -> dict[str, Any]:
    return {"$defs": schema["$defs"]} if "$defs" in schema else {}


def _with(base: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """`base` with `value` at `path`."""
    inner = base.get(path[0])
    held = _with(inner if isinstance(inner, dict) else {}, path[1:], value) if len(path) > 1 else value
    return {**base, path[0]: held}
