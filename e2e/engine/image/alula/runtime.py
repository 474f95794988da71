"""A stand-in for the runtime: says what it was called with, and does what the entrypoint's name says.

The tests here are of compiled templates and Argo. With the real runtime a failure would have two suspects.
"""

from __future__ import annotations

import json
import os
import pathlib
import sys
import time

from alula_api.contract import jsontext, pods


def main() -> None:
    call = pods.parse_argv(sys.argv[1:])
    shown = {name: value for name, value in os.environ.items() if name not in ("PATH", "HOME", "PYTHONPATH")}
    told = {
        "task": call.task,
        "cache": call.cache,
        "retries": call.retries,
        "inputs": dict(call.inputs),
        "items": {name: json.loads(text) for name, text in call.items},
        "paths": {name: list(path) for name, path in call.paths.items() if path},
        "env": shown,
    }
    print(json.dumps(told), flush=True)
    what, _, number = call.entrypoint.partition(":")[2].partition("_")
    attempt = int(os.environ["ALULA_ATTEMPT"])
    if what == "sleep":
        time.sleep(float(number))
    if what == "fail":
        raise SystemExit(int(number))
    if what == "flaky" and attempt < int(number):
        raise SystemExit(91)
    texts = [text for _, text in call.inputs] or ['"nothing"']
    for name in call.outputs:
        path = pathlib.Path(pods.OUT_DIR) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(jsontext.argo_safe(texts[0]))


if __name__ == "__main__":
    main()
