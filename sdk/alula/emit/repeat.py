"""Traces the same files once more in other processes, and says where two traces differ.

Called by `alula register`: what is in git must be what the files say, not what the clock, chance or the order of a set
said when they were traced. Each other process has another hash seed, another time and another time zone, in which it is
another day. `python -m alula.emit.repeat OUT IMAGE PATH...` is such a process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from alula_api.contract import codes, diagnostics, labels, names

SEEDS = ("1", "2")
"""Two, because two items of a set stand in one order under every second seed."""
SHIFT_SECONDS = 400 * 86_400
_HINT = "a set has no order: write sorted(...); the clock and chance belong into a task, or are inputs"

Resources = Sequence[Mapping[str, Any]]


class Repeat:
    """Traces that go on in other processes meanwhile.

    Args:
        paths: What is registered.
        image: The image that is named for it.
    """

    def __init__(self, paths: Sequence[Path], image: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="alula-repeat-")
        self._running = [self._start(seed, paths, image) for seed in SEEDS]

    def _start(self, seed: str, paths: Sequence[Path], image: str) -> tuple[subprocess.Popen[bytes], Path]:
        out = Path(self._folder.name) / seed
        words = [sys.executable, "-m", "alula.emit.repeat", str(out), image, *map(str, paths)]
        search = os.pathsep.join(path for path in sys.path if path)
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": search, "TZ": _other_zone()}
        silent = subprocess.DEVNULL
        return subprocess.Popen(words, env=environment, stdin=silent, stdout=silent, stderr=silent), out

    def problems(self, made: Resources) -> list[diagnostics.Diagnostic]:
        """Wait for the other traces, and return where the first of them that differs does."""
        for process, out in self._running:
            process.wait()
            found = json.loads(out.read_text(encoding="utf-8")) if out.exists() else None
            wrong = list(differences(json.loads(json.dumps(made)), found))
            if wrong:
                return wrong
        return []

    def __enter__(self) -> Repeat:
        return self

    def __exit__(self, *_: object) -> None:
        for running in self._running:
            running[0].kill()
            running[0].wait()
        self._folder.cleanup()


def _other_zone() -> str:
    """A zone in which it is another day than here: one of the two ends of the world, which are 26 hours apart."""
    import datetime

    here = datetime.datetime.now().date()
    east = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=14))).date()
    return "Etc/GMT-14" if east != here else "Etc/GMT+12"


class _Difference(NamedTuple):
    subject: str
    message: str


def differences(first: Resources, second: Resources | None) -> Iterator[diagnostics.Diagnostic]:
    """Yield where two traces of the same files differ, of each resource the first place."""
    if second is None:
        yield _diagnostic(_Difference("", "a second trace of the same files fails, and the first one does not"), "")
        return
    others = {(each["kind"], each["metadata"]["name"]): each for each in second}
    for each in first:
        kind, name = each["kind"], each["metadata"]["name"]
        source = each["metadata"]["annotations"].get(labels.SOURCE, "")
        subject = f"{'workflow' if kind == 'Workflow' else 'launch plan'} {name}"
        other = others.get((kind, name))
        if other is None:
            yield _diagnostic(_Difference(subject, "only one of two traces makes it"), source)
        elif (found := _of_spec(each["spec"], other["spec"], subject)) is not None:
            yield _diagnostic(found, source)


def _diagnostic(found: _Difference, source: str) -> diagnostics.Diagnostic:
    return diagnostics.Diagnostic(
        codes.Code.NOT_REPEATABLE, found.message, source, found.subject, "the same resource each time", _HINT
    )


def _of_spec(one: Mapping[str, Any], other: Mapping[str, Any], subject: str) -> _Difference | None:
    graphs = {graph["name"]: graph for graph in other.get("graphs", ())}
    for graph in one.get("graphs", ()):
        where = subject if graph["name"] == names.MAIN else f"{subject}, graph {graph['name']}"
        found = _of_nodes(graph.get("nodes", []), graphs.get(graph["name"], {}).get("nodes", []), where)
        if found is not None:
            return found
    for field in dict.fromkeys((*one, *other)):
        if field not in ("version", "graphs") and one.get(field) != other.get(field):
            return _Difference(subject, f"two traces differ in its {field}: {_both(one.get(field), other.get(field))}")
    if one.get("graphs") != other.get("graphs"):
        return _Difference(subject, "two traces differ in the workflows that it calls")
    return None


def _of_nodes(one: Sequence[Any], other: Sequence[Any], subject: str) -> _Difference | None:
    for place, (mine, yours) in enumerate(zip(one, other, strict=False), 1):
        if mine["id"] != yours["id"]:
            return _Difference(
                f"{subject}, node {mine['id']}",
                f"two traces differ: node {place} is {mine['id']} in one and {yours['id']} in the other",
            )
        if mine != yours:
            where = f"{subject}, node {mine['id']}"
            given, got = mine.get("inputs", {}), yours.get("inputs", {})
            for name in dict.fromkeys((*given, *got)):
                if given.get(name) != got.get(name):
                    message = f"two traces differ: it is given {_both(given.get(name), got.get(name))}"
                    return _Difference(f"{where}, input {name}", message)
            return _Difference(where, f"two traces differ: {_both(mine, yours)}")
    if len(one) != len(other):
        return _Difference(subject, f"two traces differ: one calls {len(one)} tasks, the other {len(other)}")
    return None


def _both(one: Any, other: Any) -> str:
    return f"{_shown(one)} in one and {_shown(other)} in the other"


def _shown(value: Any) -> str:
    if isinstance(value, dict) and set(value) == {"value"}:
        value = value["value"]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _main(out: str, image: str, paths: Sequence[str]) -> None:
    """Trace at another time and write the resources."""
    import time

    real, real_ns = time.time, time.time_ns
    time.time = lambda: real() + SHIFT_SECONDS
    time.time_ns = lambda: real_ns() + SHIFT_SECONDS * 1_000_000_000
    from alula.emit import assemble, discovery, resources

    made = assemble.make(discovery.discover(map(Path, paths)), resources.Code(image))
    Path(out).write_text(json.dumps([each.resource for each in made]), encoding="utf-8")


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], sys.argv[3:])
