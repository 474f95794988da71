"""The local runner: a workflow on this machine, with the same values, cache keys and retries as on a cluster.

    running      what others call              runs      puts one run together
    options, results, watching, inputs         what goes in, comes out, is told
    plans        the graph as flat steps       places        where data is kept
    scheduling   which step may start          conducting    begin, conclude, expire an attempt
    threads, serial, alarms, clocks            the drivers and their time
    executing    one attempt                   handing       frames and files between tasks
    processes, worker                          attempts in processes of their own
    caching, histories, reasons                the cache, and why a task ran after all
    failures     what went wrong               environments, standins       variables, and functions in tests

Imports nothing of the display unless asked to show the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alula.local.options import Options
    from alula.local.results import NodeReport, RunFailed, RunResult
    from alula.local.running import run, run_serially

__all__ = ["NodeReport", "Options", "RunFailed", "RunResult", "run", "run_serially"]

_HOME = {
    "Options": "options",
    "NodeReport": "results",
    "RunFailed": "results",
    "RunResult": "results",
    "run": "running",
    "run_serially": "running",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its home on first use."""
    if name not in _HOME:
        raise AttributeError(f"module 'alula.local' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f"alula.local.{_HOME[name]}"), name)
    globals()[name] = value
    return value
