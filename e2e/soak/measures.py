"""What the soak measures of the controller while it runs, and the bounds that it must keep."""

from __future__ import annotations

import pathlib
import statistics
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field

DEFECTS = ("Traceback", "a defect of ours")


@dataclass
class Measures:
    """Bounds, and what was seen.

    Args:
        memory: bytes of the controller with its compilers; what the Deployment allows.
        health_seconds: for an answer of /healthz.
        ready_seconds: for a right definition, changed in a namespace of its own, to be Ready.
    """

    memory: int = 512 << 20
    health_seconds: float = 5.0
    ready_seconds: float = 10.0
    most_memory: int = 0
    health: list[float] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)
    exits: list[int] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)

    def look(self, pid: int, port: int) -> None:
        """Measure memory, and the time that /healthz takes."""
        self.most_memory = max(self.most_memory, sum(map(resident, [pid, *children(pid)])))
        began = time.monotonic()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60) as response:
                response.read()
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            self.defects.append(f"/healthz: {error}")
        self.health.append(time.monotonic() - began)

    def read(self, log: pathlib.Path, offset: int) -> int:
        """Look for defects in what was logged since `offset`; where to read on."""
        with log.open("rb") as file:
            file.seek(offset)
            text = file.read().decode("utf-8", "replace")
        lines = text.splitlines()
        for index, line in enumerate(lines):
            if any(mark in line for mark in DEFECTS):
                self.defects.append("\n".join(lines[max(0, index - 1) : index + 40]))
        return offset + len(text.encode())

    def problems(self) -> list[str]:
        """The bounds that were not kept."""
        found = [f"the controller exited with {code}" for code in self.exits]
        if self.most_memory > self.memory:
            found.append(f"{self.most_memory >> 20} MiB of memory are more than {self.memory >> 20}")
        if self.health and max(self.health) > self.health_seconds:
            found.append(f"/healthz took {max(self.health):.1f} s, more than {self.health_seconds:g}")
        slow = [seconds for seconds in self.ready if seconds > self.ready_seconds]
        if slow:
            found.append(
                f"{len(slow)} right definitions took up to {max(slow):.1f} s, more than {self.ready_seconds:g}"
            )
        return found + [f"defect: {each}" for each in dict.fromkeys(self.defects)]

    def summary(self) -> str:
        """One line for people."""
        middle = statistics.median(self.ready) if self.ready else 0.0
        return (
            f"memory up to {self.most_memory >> 20} MiB, /healthz up to {max(self.health, default=0):.2f} s, "
            f"{len(self.ready)} right definitions Ready after {middle:.2f} s (median) to "
            f"{max(self.ready, default=0):.2f} s, {len(self.exits)} exits, {len(self.defects)} defects"
        )


def controller(folder: pathlib.Path) -> int:
    """The process of the controller whose kubeconfig lies below a folder; 0 for none."""
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            argv = (entry / "cmdline").read_bytes().split(b"\0")
            if b"alula_controller" in argv and str(folder).encode() in (entry / "environ").read_bytes():
                return int(entry.name)
        except OSError:
            continue
    return 0


def resident(pid: int) -> int:
    """Bytes of memory of a process; none of one that is gone."""
    try:
        return int(pathlib.Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * 4096
    except (OSError, IndexError):
        return 0


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    try:
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(each) for each in text.split()]
