"""The compiler in a process of its own: `python -m alula_controller.definitions.compiler_process`.

`compilation` starts it and asks it one thing after the other over its pipes. It has limits of memory and of CPU time,
so what a tenant wrote can end it, and nothing else. It knows no cluster, and nothing of the controller's environment.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import alula_compiler
from alula_api.contract import jsontext, labels
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_compiler import problems
from alula_controller.definitions.compiler_pipe import HEADER, OUT_OF_MEMORY

MAX_GROWTH = 48 << 20  # bytes: one that has grown so far ends after its answer, and the next one is small again

Json = dict[str, Any]


def answer(asked: Mapping[str, Any]) -> Json:
    """What the compiler makes of a Workflow and its launch plans: objects and plans, or what is wrong, by launch plan.

    Args:
        asked: `workflow`, `launch_plans`, `domain`, and `engine` with the fields of `alula_compiler.Engine`.
    """
    workflow, engine = asked["workflow"], alula_compiler.Engine(**asked["engine"])
    try:
        made = alula_compiler.compile(workflow, asked["launch_plans"], asked["domain"], engine)
    except MemoryError:
        raise
    except Exception as error:
        # A defect of ours must not hide behind retries: the condition says so, the log has the traceback.
        traceback.print_exc()
        message = f"the compiler itself failed with {type(error).__name__}; please report it with this Workflow"
        wrong = Diagnostic(Code.INTERNAL, message, subject=f"workflow {workflow['metadata']['name']}")
        made = alula_compiler.Compiled((), (wrong,), {problems.WORKFLOW: (wrong,)})
    objects: dict[str, list[Any]] = {}
    for body in made.objects:
        objects.setdefault(body["metadata"]["labels"].get(labels.LAUNCH_PLAN, problems.WORKFLOW), []).append(body)
    return {
        "objects": objects,
        "plans": {name: jsontext.encode(plan) for name, plan in made.plans.items()},
        "notes": made.notes,
        "diagnostics": {plan: [_fields(each) for each in found] for plan, found in made.by_plan.items()},
    }


def _fields(diagnostic: Diagnostic) -> list[str]:
    return [
        str(diagnostic.code),
        diagnostic.message,
        diagnostic.source,
        diagnostic.subject,
        diagnostic.expected,
        diagnostic.hint,
    ]


def main(memory: int, cpu_seconds: int) -> None:
    """Answer until there is nothing more to read."""
    _limit(memory)
    begun = _resident()
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    stays = True
    while stays and (request := _read(asked)) is not None:
        spent = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
        resource.setrlimit(resource.RLIMIT_CPU, (spent + cpu_seconds + 1, resource.RLIM_INFINITY))
        try:
            text = json.dumps(answer(json.loads(request)), separators=(",", ":")).encode()
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        stays = _resident() - begun <= MAX_GROWTH
        answers.write(HEADER.pack(len(text), stays))
        answers.write(text)
        answers.flush()


def _read(asked: BinaryIO) -> bytes | None:
    header = asked.read(HEADER.size)
    return asked.read(HEADER.unpack(header)[0]) if len(header) == HEADER.size else None


def _limit(memory: int) -> None:
    """Private memory, where the system counts it (Linux); and it is the first to go when the container has none."""
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    except OSError:
        return


def _resident() -> int:
    """Bytes of memory now, where the system tells (Linux); what `getrusage` tells is also the starting process's."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * resource.getpagesize()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
