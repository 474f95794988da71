"""The compiler's process with a compiler that a workflow's version misleads; run by `test_compilation`."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from alula_controller.definitions import compiler_process

KEPT: list[bytearray] = []
REAL = compiler_process.alula_compiler.compile


def misled(workflow: Any, *rest: Any) -> Any:
    match workflow["spec"]["version"]:
        case "hungry":
            bytearray(1 << 30)
        case "busy":
            while True:
                pass
        case "dies":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "grows":
            KEPT.append(bytearray(b"x") * (60 << 20))
    return REAL(workflow, *rest)


compiler_process.alula_compiler.compile = misled
if __name__ == "__main__":
    compiler_process.main(int(sys.argv[1]), int(sys.argv[2]))
