"""Signatures read into interfaces: names, types, defaults, outputs, descriptions."""

from __future__ import annotations

import dataclasses
import functools
from typing import Annotated, Any, NamedTuple

import pandas as pd
import pytest

from alula import File, NaiveDatetime, errors, task
from alula.interfaces import signatures
from alula.interfaces.interface import Interface


class Outcome(NamedTuple):
    report: File
    accuracy: float


def read(function: Any) -> Interface:
    return signatures.read(function, "task it")


def shape(interface: Interface) -> list[Any]:
    return [(item.name, item.type.label, item.required, item.default) for item in interface.inputs]


def test_parameters_become_inputs_in_their_order() -> None:
    def it(a: int, b: str = "x", *, c: float = 1, d: list[int] | None = None) -> None: ...

    assert shape(read(it)) == [
        ("a", "int", True, None),
        ("b", "str", False, "x"),
        ("c", "float", False, 1.0),
        ("d", "list[int] | None", False, None),
    ]


@pytest.mark.parametrize(
    ("annotation", "style", "outputs"),
    [
        (None, "none", []),
        (int, "single", [("o0", "int")]),
        (tuple[int, str], "several", [("o0", "int"), ("o1", "str")]),
        (tuple[int], "several", [("o0", "int")]),
        (tuple[int, ...], "single", [("o0", "tuple[int, ...]")]),
        (tuple, "single", [("o0", "tuple[Any, ...]")]),
        (Outcome, "named", [("report", "File"), ("accuracy", "float")]),
        (list[tuple[int, str]], "single", [("o0", "list[tuple[int, str]]")]),
        (pd.DataFrame, "single", [("o0", "pandas.DataFrame")]),
    ],
)
def test_the_result_becomes_outputs(annotation: Any, style: str, outputs: list[tuple[str, str]]) -> None:
    def it(): ...

    it.__annotations__["return"] = annotation
    interface = read(it)
    assert interface.style == style
    assert [(item.name, item.type.label) for item in interface.outputs] == outputs


def test_a_result_that_is_not_annotated_is_none_when_nothing_is_returned() -> None:
    def nothing(n: int): ...

    def returns(n: int):
        if n:
            return
        return

    assert read(nothing).style == read(returns).style == "none"


@pytest.mark.parametrize("source", ["return n", "return 1", "return n or None", "return [n]", "return f(n)"])
def test_a_result_that_is_not_annotated_is_an_error_when_something_is_returned(source: str) -> None:
    scope: dict[str, Any] = {}
    exec(f"def it(n: int):\n    if n:\n        return None\n    {source}", scope)
    with pytest.raises(errors.DefinitionError, match="MISSING_ANNOTATION"):
        read(scope["it"])


def test_descriptions_come_from_the_docstring() -> None:
    def it(seed: int, rounds: int = 3) -> float:
        """Train it.

        More words.

        Args:
            seed: Seeds the split
                and the forest.
            rounds (int): How often.

        Returns:
            The accuracy.
        """
        return seed / rounds

    interface = read(it)
    assert interface.description == "Train it.\n\nMore words."
    assert [item.description for item in interface.inputs] == ["Seeds the split and the forest.", "How often."]
    assert interface.outputs[0].description == "The accuracy."


def test_a_wrapped_function_has_the_signature_of_the_inner_one() -> None:
    def traced(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs) + 1

        return wrapper

    @task
    @traced
    def it(n: int) -> int:
        return n

    assert shape(it.interface) == [("n", "int", True, None)]
    assert it(1) == 2


def test_the_digest_depends_on_names_and_types_alone() -> None:
    def one(a: int, b: float = 1.0) -> str:
        """One."""
        return ""

    def other(b: float, a: int = 3) -> str:
        """Other."""
        return ""

    def renamed(a: int, c: float) -> str:
        return ""

    assert read(one).digest == read(other).digest != read(renamed).digest
    assert len(read(one).digest) == 64


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(errors.DefinitionError, match="expected a function"):
        read(functools.partial(int, "7"))


def test_all_problems_come_at_once_in_the_order_of_the_signature() -> None:
    def it(a, b: complex, c: int = "x", *rest: int) -> object: ...  # type: ignore[no-untyped-def]

    with pytest.raises(errors.DefinitionError) as caught:
        read(it)
    codes = [str(problem.code) for problem in caught.value.diagnostics]
    assert codes == [
        "UNSUPPORTED_TYPE",
        "MISSING_ANNOTATION",
        "UNSUPPORTED_TYPE",
        "BAD_DEFAULT",
        "UNSUPPORTED_TYPE",
    ]
    assert all(
        problem.source.startswith("tests/interfaces/test_signatures.py:") for problem in caught.value.diagnostics
    )


def test_names_must_be_ones_that_resources_take() -> None:
    class Named(NamedTuple):
        größe: int  # noqa: PLC2401

    def it(größe: int, a: int) -> Named: ...  # type: ignore[empty-body]  # noqa: PLC2401

    with pytest.raises(errors.DefinitionError) as caught:
        signatures.read(it, "task it", {"Named": Named})
    assert [problem.subject for problem in caught.value.diagnostics] == [
        "task it, input größe",
        "task it, output größe",
    ]


def test_functions_that_have_no_place_in_a_graph_are_refused() -> None:
    def yields(n: int) -> int:
        yield n  # type: ignore[misc]

    async def later(n: int) -> int:
        return n

    with pytest.raises(errors.DefinitionError, match="it yields"):
        read(yields)
    with pytest.raises(errors.DefinitionError, match="its tasks may be async"):
        signatures.read(later, "workflow it")
    assert read(later).style == "single"


def test_a_method_is_told_to_move() -> None:
    def method(self, n: int) -> int:  # type: ignore[no-untyped-def]
        return n

    with pytest.raises(errors.DefinitionError, match="move it out of the class"):
        read(method)


def test_local_classes_may_name_each_other() -> None:
    import dataclasses

    @dataclasses.dataclass
    class Inner:
        n: int

    @dataclasses.dataclass
    class Outer:
        inner: Inner
        others: list[Outer]

    @task
    def it(value: Outer) -> Inner:
        return value.inner

    assert it(Outer(Inner(1), [Outer(Inner(2), [])])) == Inner(1)


def test_notes_of_annotated_that_mean_nothing_are_told_once() -> None:
    def noted(
        a: Annotated[int, "metres"], b: list[Annotated[File, "csv"]], c: Annotated[NaiveDatetime, 3]
    ) -> Annotated[int, {"unit": "m"}]:
        return a

    with pytest.warns(UserWarning) as caught:
        read(noted)
    assert sorted(str(each.message) for each in caught) == [
        "task it, input a: alula makes nothing of 'metres' in Annotated[...]",
        "task it, input c: alula makes nothing of 3 in Annotated[...]",
        "task it, the result: alula makes nothing of {'unit': 'm'} in Annotated[...]",
    ]
    assert {each.filename for each in caught} == {__file__}


@dataclasses.dataclass
class Measured:
    a: Annotated[int, "metres"]
    b: list[Annotated[File, "csv"]]


def test_notes_on_fields_that_mean_nothing_are_told_with_their_class() -> None:
    def noted(a: Measured) -> list[Measured]:
        return [a]

    with pytest.warns(UserWarning) as caught:
        read(noted)
    assert [str(each.message) for each in caught] == ["Measured.a: alula makes nothing of 'metres' in Annotated[...]"]
    assert {each.filename for each in caught} == {__file__}
