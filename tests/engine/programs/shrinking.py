"""Makes a program smaller for as long as what is wrong with it stays."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

from tests.engine.programs.syntax import Body, Branch, Constant, Map, Program

_PLAIN = {"int": "0", "opt": "None", "ints": "[]", "opts": "[]", "rows": "[]"}


def smallest(program: Program, is_wrong: Callable[[Program], bool]) -> Program:
    """The smallest program that is still wrong, as far as taking away one part after the other finds it."""
    while True:
        found = next((each for each in _smaller(program) if is_wrong(each)), None)
        if found is None:
            return program
        program = found


def _smaller(program: Program) -> Iterator[Program]:
    """The programs that lack one part of it: its workflows, statements, branches, options and results."""
    for number in range(len(program.flows) - 1):
        yield _changed(program, lambda made, n=number: made.flows.pop(n))
    for place, body in enumerate(_bodies(program)):
        for number in reversed(range(len(body.statements))):
            yield _changed(program, lambda made, p=place, n=number: _nth(made, p).statements.pop(n))
        for number, result in enumerate(body.results):
            plain = Constant(result.type, _PLAIN.get(result.type, ""))
            if plain.text and result != plain:
                yield _changed(program, lambda made, p=place, n=number, v=plain: _replace(_nth(made, p), n, v))
        for number, statement in enumerate(body.statements):
            if isinstance(statement, Branch) and len(statement.cases) > 1:
                for case in range(len(statement.cases)):
                    yield _changed(
                        program, lambda made, p=place, n=number, c=case: _nth(made, p).statements[n].cases.pop(c)
                    )
            if isinstance(statement, Map) and statement.options and "min_success" not in statement.options:
                yield _changed(
                    program, lambda made, p=place, n=number: setattr(_nth(made, p).statements[n], "options", "")
                )


def _changed(program: Program, change: Callable[[Program], object]) -> Program:
    made = copy.deepcopy(program)
    change(made)
    return made


def _replace(body: Body, number: int, value: Constant) -> None:
    body.results[number] = value


def _nth(program: Program, place: int) -> Body:
    return list(_bodies(program))[place]


def _bodies(program: Program) -> Iterator[Body]:
    for flow in program.flows:
        yield from _inside(flow.body)


def _inside(body: Body) -> Iterator[Body]:
    yield body
    for statement in body.statements:
        if isinstance(statement, Branch):
            for end in (*(each for _, each in statement.cases), statement.otherwise):
                if isinstance(end, Body):
                    yield from _inside(end)
