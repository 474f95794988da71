"""A function's signature read into an `Interface`, on first use, with all its problems at once.

Called by `Callee.interface`, and by imperative workflows for one input or output at a time. Uses the code object rather
than `inspect`, which a pod must not load.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from alula import errors
from alula.code import places, returns
from alula.interfaces import docstrings, encode
from alula.interfaces.interface import Input, Interface, Output
from alula.types import scalars
from alula.types.carriers import REFUSAL
from alula.types.mismatches import Mismatch, kind
from alula.types.pytypes import PyType
from alula.types.unsupported import Unsupported
from alula_api.contract import names
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic


def read(function: Callable[..., Any], subject: str, namespace: dict[str, Any] | None = None) -> Interface:
    """The interface of a function.

    Args:
        function: The user's function.
        subject: What messages call it: `task load`.
        namespace: Local names at the place of definition, for annotations that are strings.

    Raises:
        DefinitionError: With everything that is wrong with the signature.
    """
    return _Reading(function, subject, namespace or {}).interface()


def port(
    what: str,
    name: Any,
    annotation: Any,
    default: dict[str, Any],
    *,
    function: types.FunctionType,
    subject: str,
    source: str,
) -> Input:
    """An input or output of a workflow that is put together without a function.

    Args:
        what: `input` or `output`.
        name: Its name.
        annotation: Its type.
        default: The default by its name; empty for none.
        function: What stands for the workflow: annotations that are strings name what its module has.
        subject: What messages call the workflow.
        source: Where the user's code says it.

    Raises:
        DefinitionError: With everything that is wrong with it.
    """
    holder = types.FunctionType(function.__code__, function.__globals__, function.__name__)
    holder.__annotations__ = {name: annotation}
    reading = _Reading(holder, subject, {})
    reading.source = source
    if not isinstance(name, str):
        reading.problem(Code.BAD_NAME, f"{name!r} cannot name an {what}", expected="a text such as rounds")
        raise errors.DefinitionError(reading.problems)
    made = reading.input(name, default, what)
    if made is None or reading.problems:
        raise errors.DefinitionError(reading.problems)
    return made


_VARARGS, _VARKEYWORDS, _GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x04, 0x08, 0x20, 0x80, 0x200
"""Flags of code objects, as `inspect` names them."""


class _Reading:
    def __init__(self, function: Callable[..., Any], subject: str, namespace: dict[str, Any]) -> None:
        self.function = _signed(function)
        self.subject = subject
        self.source = str(places.defined(self.function))
        self.problems: list[Diagnostic] = []
        self.namespace = namespace
        self.docs = docstrings.parse(self.function.__doc__)

    def interface(self) -> Interface:
        inputs = self.inputs()
        style, result, outputs = self.outputs()
        if self.problems:
            raise errors.DefinitionError(self.problems)
        code = self.function.__code__
        return Interface(
            inputs=inputs,
            outputs=outputs,
            style=style,
            result=result,
            description=self.docs.description,
            positional=code.co_argcount,
        )

    def problem(self, code: Code, message: str, hint: str = "", expected: str = "", subject: str = "") -> None:
        where = f"{self.subject}, {subject}" if subject else self.subject
        self.problems.append(Diagnostic(code, message, self.source, where, expected, hint))

    def resolve(self, name: str, place: str) -> tuple[Any] | None:
        """One annotation with strings resolved; None, and a problem, when it cannot be."""
        import typing

        annotation = self.function.__annotations__[name]
        if type(annotation) is type:
            return (annotation,)
        holder = types.SimpleNamespace(__annotations__={"it": annotation})
        try:
            hints = typing.get_type_hints(
                holder, globalns=self.function.__globals__, localns=self.names() or None, include_extras=True
            )
        except NameError as problem:
            message = f"the annotation {annotation!r} names {problem.name!r}, which does not exist here"
            hint = "import it at the top level of the module (not under TYPE_CHECKING)"
            if f"File[{problem.name}]" in str(annotation):  # what ruff's UP037 leaves of File["csv"]
                hint = f"""write File[Literal["{problem.name}"]]: linters drop the quotes of File["{problem.name}"]"""
            self.problem(Code.UNSUPPORTED_TYPE, message, hint, subject=place)
        except Unsupported as problem:
            self.unsupported(problem, place)
        except (TypeError, SyntaxError, AttributeError) as problem:
            message = f"the annotation {annotation!r} is not a type: {problem}"
            self.problem(Code.UNSUPPORTED_TYPE, message, "write the name of a type", subject=place)
        else:
            self.unused_notes(hints["it"], place)
            return (hints["it"],)
        return None

    def names(self) -> dict[str, Any]:
        """Local names that the annotations may use: those where the function was defined, and its closure."""
        function = self.function
        closure = dict(self.namespace)
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            try:
                closure[name] = cell.cell_contents
            except ValueError:  # not assigned yet
                continue
        return closure

    def unused_notes(self, annotation: Any, place: str) -> None:
        """Warn once of what in `Annotated` has no meaning here."""
        import typing

        if typing.get_origin(annotation) is not None:
            from alula.types import notes

            code = self.function.__code__
            notes.warn(annotation, f"{self.subject}, {place}", code.co_filename, code.co_firstlineno)

    def inputs(self) -> tuple[Input, ...]:
        code, function = self.function.__code__, self.function
        count = code.co_argcount + code.co_kwonlyargcount
        self.shape(code, count)
        defaults = dict(
            zip(code.co_varnames[code.co_argcount - len(function.__defaults__ or ()) : code.co_argcount],
                function.__defaults__ or (), strict=True)
        ) | (function.__kwdefaults__ or {})  # fmt: skip
        made = (self.input(name, defaults) for name in code.co_varnames[:count])
        return tuple(item for item in made if item is not None)

    def shape(self, code: types.CodeType, count: int) -> None:
        """Kinds of functions and parameters that have no place in a static graph."""
        if code.co_flags & (_GENERATOR | _ASYNC_GENERATOR):
            message = "it yields, but its results are carried when it is done"
            self.problem(Code.UNSUPPORTED_TYPE, message, "collect them in a list and return it")
        if code.co_flags & _COROUTINE and self.subject.startswith("workflow "):
            message = "it is async, but a workflow is traced before anything runs"
            self.problem(Code.UNSUPPORTED_TYPE, message, "write `def`; its tasks may be async")
        if code.co_flags & (_VARARGS | _VARKEYWORDS):
            stars = code.co_varnames[count : count + (code.co_flags >> 2 & 1) + (code.co_flags >> 3 & 1)]
            message = f"the inputs must be fixed, got the catch-all parameter {', '.join(stars)}"
            self.problem(Code.UNSUPPORTED_TYPE, message, "name each input, or take one list[T] or dict[str, T]")
        if code.co_posonlyargcount:
            message = f"the inputs are passed by name, got {code.co_posonlyargcount} that are positional only"
            self.problem(Code.BAD_NAME, message, "drop the `/` from the signature")

    def input(self, name: str, defaults: dict[str, Any], what: str = "input") -> Input | None:
        place = f"{what} {name}"
        self.name(name, place)
        if name not in self.function.__annotations__:
            hint = f"write `{name}: T` with its type T, as in `{name}: int`"
            if name in {"self", "cls"} and name == self.function.__code__.co_varnames[0]:
                hint = "a task is a function of a module: move it out of the class"
            elif defaults.get(name) is not None:
                hint = f"write `{name}: {type(defaults[name]).__name__}`, or another type that it has"
            self.problem(Code.MISSING_ANNOTATION, f"the parameter {name!r} has no type", hint, subject=place)
            return None
        annotation = self.resolve(name, place)
        compiled = None if annotation is None else self.compile(annotation[0], place)
        if compiled is None:
            return None
        description = self.docs.inputs.get(name, "")
        if name not in defaults:
            return Input(name, compiled, description=description)
        try:
            default = encode.to_json(compiled, defaults[name], REFUSAL)
        except Mismatch as mismatch:
            for flaw in mismatch.flaws:
                hint = flaw.hint
                if defaults[name] is None:
                    hint = f"write `{name}: {compiled.label} | None = None`"
                inside = f" at {flaw.where()}" if flaw.path else ""
                message = f"the default of {name!r} does not fit{inside}: {flaw.message}"
                self.problem(Code.BAD_DEFAULT, message, hint, subject=place)
            return None
        return Input(name, compiled, required=False, default=default, description=description)

    def name(self, name: str, place: str) -> None:
        """Resources and Argo's parameters take ASCII names of a bounded length."""
        if not names.is_parameter(name):
            expected = "ASCII letters, digits and _, at most 63"
            message = f"{name!r} cannot name a parameter of a workflow"
            self.problem(Code.BAD_NAME, message, "rename it", expected, place)

    def outputs(self) -> tuple[str, Any, tuple[Output, ...]]:
        if "return" not in self.function.__annotations__:
            if returns.lines(self.function.__code__):
                self.problem(
                    Code.MISSING_ANNOTATION,
                    "it returns a value, but the type of its result is not declared",
                    f"write `def {self.function.__name__}(...) -> T:` with the type that it returns",
                    subject="the result",
                )
            return "none", None, ()
        resolved = self.resolve("return", "the result")
        if resolved is None:
            return "none", None, ()
        annotation = resolved[0]
        parts = _parts(annotation)
        if parts is None:
            compiled = self.compile(annotation, "the result")
            if compiled is None or annotation is None or annotation is type(None):
                return "none", None, ()
            return "single", None, (Output("o0", compiled, self.docs.returns),)
        named = hasattr(annotation, "_fields")
        outputs = []
        for name, part in parts:
            self.name(name, f"output {name}")
            compiled = self.compile(part, f"output {name}")
            if compiled is not None:
                outputs.append(Output(name, compiled))
        return ("named", annotation, tuple(outputs)) if named else ("several", None, tuple(outputs))

    def compile(self, annotation: Any, place: str) -> PyType | None:
        simple = scalars.simple(annotation)
        if simple is not None:
            return simple
        from alula.types import compiling

        try:
            return compiling.compile(annotation, self.names())
        except Unsupported as problem:
            self.unsupported(problem, place)
            return None

    def unsupported(self, problem: Unsupported, place: str) -> None:
        hint = f"use {problem.nearest}" if problem.nearest else ""
        self.problem(Code.UNSUPPORTED_TYPE, problem.reason, hint, subject=place)


def _signed(function: Callable[..., Any]) -> types.FunctionType:
    """The function whose signature counts: below decorators that used functools.wraps."""
    seen = places.layers(function)[-1]
    if not isinstance(seen, types.FunctionType):
        raise errors.DefinitionError(
            [
                Diagnostic(
                    Code.NOT_A_TASK,
                    f"expected a function, got {kind(function)}",
                    hint="write a function with `def` and decorate it",
                )
            ]
        )
    return seen


def _parts(annotation: Any) -> list[tuple[str, Any]] | None:
    """The outputs of `-> tuple[A, B]` or a NamedTuple; None when the result is one value."""
    import typing

    if isinstance(annotation, type) and issubclass(annotation, tuple) and hasattr(annotation, "_fields"):
        hints = typing.get_type_hints(annotation, include_extras=True)
        return [(name, hints.get(name, Any)) for name in annotation._fields]
    if typing.get_origin(annotation) is not tuple:
        return None
    arguments = typing.get_args(annotation)
    if not arguments or (len(arguments) == 2 and arguments[1] is Ellipsis):
        return None
    return [(f"o{index}", argument) for index, argument in enumerate(arguments)]
