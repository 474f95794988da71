"""`python -m e2e.soak [--minutes 10] [--seed N] [--out DIR]`: starts the servers, writes hostile objects, measures.

Exit code 1 when a bound was not kept; the objects that were written before each finding lie in `--out`.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import pathlib
import sys
import time
from typing import Any

from e2e import installing
from e2e.cluster import api, starting
from e2e.controller import definitions
from e2e.soak import measures
from e2e.soak.measures import Measures
from tests.controller import hostile_objects

PORT = 8080
KEPT = 400  # objects; older ones are deleted
RECENT = 60  # objects that are written down with a finding
LOOK_SECONDS = 2.0
HEALTHY_SECONDS = 10.0


class Soak:
    """One soak: two domains for the hostile, one for the right definitions."""

    def __init__(self, installation: installing.Installation, seen: Measures, seed: int, out: pathlib.Path) -> None:
        self.installation, self.measures, self.out = installation, seen, out
        self.api: Any = installation.cluster.api
        self.hostile = [installation.place("hostile", name) for name in ("one", "two")]
        self.healthy = installation.place("healthy", "dev")
        self.seed, self.version, self.offset = seed, 0, 0
        self.revisions = ["w0-00000000"]
        self.recent: collections.deque[Any] = collections.deque(maxlen=RECENT)
        self.written: collections.deque[tuple[str, str, str, str]] = collections.deque()
        self.counts: collections.Counter[str] = collections.Counter()

    def run(self, seconds: float) -> None:
        """Write and measure for so long."""
        self.healthy.cluster.apply(definitions.workflow("right"), self.healthy.namespace)
        self.healthy.ready("Workflow", "right", 120)
        end = time.monotonic() + seconds
        look = healthy = 0.0
        while (now := time.monotonic()) < end:
            self._write()
            if now >= look:
                self._look()
                look = time.monotonic() + LOOK_SECONDS
            if now >= healthy:
                self._healthy()
                healthy = time.monotonic() + HEALTHY_SECONDS

    def _write(self) -> None:
        """One object, or one object less."""
        self.seed += 1
        space = self.hostile[self.seed % 2].namespace
        body = hostile_objects.generate(self.seed, revisions=self._revisions(space))
        self.recent.append({"seed": self.seed, "namespace": space, "object": body})
        kind, name = str(body["kind"]), str(body["metadata"]["name"])
        try:
            self._put(body, space)
        except api.ApiError as error:
            self.counts[f"{kind} refused" if error.code < 500 else f"{kind} {error.code}"] += 1
            return
        except OSError:  # the server closes the connection on what is far too large
            self.counts[f"{kind} cut off"] += 1
            return
        self.counts[kind] += 1
        self.written.append((str(body["apiVersion"]), kind, name, space))
        if len(self.written) > KEPT or self.seed % 7 == 0:
            with contextlib.suppress(api.ApiError, OSError):
                self.api.delete(*self.written.popleft())

    def _put(self, body: dict[str, Any], space: str) -> None:
        try:
            self.api.create(body, space)
        except api.ApiError as error:
            if error.code != 409:
                raise
            parts = {name: body[name] for name in ("spec", "status") if name in body}
            self.api.patch(body["apiVersion"], body["kind"], body["metadata"]["name"], space, parts)

    def _revisions(self, space: str) -> list[str]:
        """Those that are there: runs that name one get further."""
        if self.seed % 20 == 1:
            with contextlib.suppress(api.ApiError, OSError):
                found = self.api.list(hostile_objects.ALULA, "WorkflowRevision", space)
                self.revisions = [each["metadata"]["name"] for each in found][:50] or self.revisions
        return self.revisions

    def _look(self) -> None:
        controller = self.installation.controller
        assert controller is not None
        before = len(self.measures.defects)
        code = controller.poll()
        if code is not None:
            self.measures.exits.append(code)
            self._note(f"exit {code}")
            self.offset = self.measures.read(controller.log, self.offset)
            self.installation.start()
            self.offset = 0
            time.sleep(3)
            return
        self.measures.look(measures.controller(self.installation.cluster.folder), PORT)
        self.offset = self.measures.read(controller.log, self.offset)
        if len(self.measures.defects) > before:
            self._note(self.measures.defects[-1])

    def _healthy(self) -> None:
        """How long a right definition takes, changed in a namespace of its own."""
        self.version += 1
        self.healthy.cluster.apply(definitions.workflow("right", version=f"v{self.version}"), self.healthy.namespace)
        began = time.monotonic()
        try:
            self.healthy.ready("Workflow", "right", 120)
        except TimeoutError as error:
            self.measures.defects.append(f"a right definition: {error}")
            self._note(str(error))
        self.measures.ready.append(time.monotonic() - began)

    def _note(self, finding: str) -> None:
        self.out.mkdir(parents=True, exist_ok=True)
        file = self.out / f"{self.seed}.json"
        file.write_text(json.dumps({"finding": finding, "objects": list(self.recent)}, indent=1), encoding="utf-8")
        print(f"found something at seed {self.seed}: {file}", flush=True)


def main(argv: list[str]) -> int:
    """Soak; exit code 1 when a bound was not kept."""
    parser = argparse.ArgumentParser(prog="python -m e2e.soak")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=int(time.time()) * 1_000)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("soak"))
    parser.add_argument("--ready-seconds", type=float, default=10.0)
    parser.add_argument("--health-seconds", type=float, default=5.0)
    chosen = parser.parse_args(argv)
    seen = Measures(ready_seconds=chosen.ready_seconds, health_seconds=chosen.health_seconds)
    cluster = starting.start("soak")
    try:
        with cluster.entered():
            cluster.pods.image(definitions.IMAGE, env={})
            soak = Soak(installing.Installation(cluster), seen, chosen.seed, chosen.out)
            print(f"seed {chosen.seed}, {chosen.minutes:g} minutes", flush=True)
            soak.run(chosen.minutes * 60)
    finally:
        cluster.stop()
    print(", ".join(f"{count} {what}" for what, count in sorted(soak.counts.items())))
    print(seen.summary())
    problems = seen.problems()
    print("\n".join(problems) or "all bounds were kept")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
