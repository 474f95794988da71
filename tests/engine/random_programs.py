"""`python -m tests.engine.random_programs COUNT [SEED]` compares so many random programs, and prints the smallest form
of the first that differs, with its seed."""

from __future__ import annotations

import random
import sys

from tests.engine.programs import compared, making, shrinking, syntax

_DAGS = (compared.WHOLE, 3, compared.WHOLE, 5)
"""Tasks of a DAG: of few the compiler makes several of one graph."""


def wrong(program: syntax.Program, seed: int) -> list[str]:
    """What differs; nothing of a program that is refused."""
    try:
        found = compared.here_and_compiled(program, _DAGS[seed % len(_DAGS)])
    except NameError:  # a part that was taken away is read
        return []
    return compared.differences(found, random.Random(seed)) if found is not None else []


def main(count: int, seed: int) -> int:
    for number in range(seed, seed + count):
        program = making.program(random.Random(number))
        if told := wrong(program, number):
            least = shrinking.smallest(program, lambda each: bool(wrong(each, number)))
            told = wrong(least, number) or told
            print(f"seed {number}, with {least.inputs}:", *told, syntax.HEAD + least.text(), sep="\n")
            return 1
    print(f"{count} programs from seed {seed}: nothing differs")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
