"""Runs tasks of a module by the local runner, one process an attempt; prints what became of each as a line of JSON.

`python laptop.py STORE JOBS`, in the project's folder, with JOBS as JSON: `[[name, {input: value}], ...]`. A value
`{"file": path}` is a File.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import alula
from alula_api.contract import values


def outcome(task: Any, store: str, inputs: dict[str, Any]) -> dict[str, Any]:
    given = {name: alula.File(value["file"]) if type(value) is dict else value for name, value in inputs.items()}
    try:
        result = alula.run(task, given, processes=True, workers=1, store=store, project="p", domain="d")
    except alula.RunFailed as failed:
        result = failed.result
    (node,) = result.nodes
    return {
        "attempts": node.attempts,
        "record": node.failure.to_json() if node.failure is not None else None,
        "outputs": {name: values.dumps(value) for name, value in result.wire.items()},
        "warnings": list(result.warnings),
    }


def ran(name: str) -> int:
    mark = Path(os.environ["RAN"], name)
    return mark.stat().st_size if mark.exists() else 0


def main() -> None:
    sys.path.insert(0, ".")
    module = importlib.import_module("flows.table")
    for name, inputs in json.loads(sys.argv[2]):
        task = getattr(module, name)
        interface = {
            "interface": task.interface.digest,
            "inputs": {item.name: item.type.schema for item in task.interface.inputs},
            "outputs": {item.name: item.type.schema for item in task.interface.outputs},
            "cache": task.version,
            "retries": task.options.budget.user,
            "system_retries": task.options.budget.system,
            "timeout": task.options.timeout.total_seconds() if task.options.timeout else 0,
        }
        before = ran(name)
        found = outcome(task, sys.argv[1], inputs)
        print(json.dumps({"task": interface, "ran": ran(name) - before, **found}), flush=True)


if __name__ == "__main__":
    main()
