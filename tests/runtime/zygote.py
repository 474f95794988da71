"""A process that has the runtime loaded and forks an attempt for every line it reads: 10 ms instead of 300.

Started once a test session by `tests.runtime.pod`. A line is JSON with `arguments`, `environment`, `cwd` and `stdio`;
the answer is the child's exit code, negative for a signal.
"""

from __future__ import annotations

import atexit
import json
import os
import sys


def attempt(job: dict[str, object]) -> int:
    from alula.runtime import running

    environment, cwd = job["environment"], str(job["cwd"])
    os.environ.clear()
    os.environ.update(environment)  # type: ignore[call-overload]
    os.chdir(cwd)
    sys.path.insert(0, cwd)
    return running.run(list(job["arguments"]), os.environ)  # type: ignore[call-overload]


def main() -> None:
    import pyarrow.parquet  # a second for every task with a frame

    import alula
    from alula.runtime import failure_report, running
    from alula_data import content

    assert all((alula, pyarrow.parquet, failure_report, running, content))

    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            for number, name in enumerate(("out", "err"), start=1):
                os.dup2(os.open(f"{job['stdio']}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), number)
            code = 1
            try:
                code = attempt(job)
                atexit._run_exitfuncs()
            except SystemExit as error:
                code = int(error.code or 0)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
