"""Asks the compiler, which runs in a process of its own (`compiler_process`), and remembers what it said.

Called by `gather`. Whatever a definition does to that process is an answer about this definition: it needs too much
memory, it takes too long, the process died. The others wait for another process to start, and nothing more.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import sys
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alula_api.contract import log_lines
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_controller import metrics
from alula_controller.definitions.compiler_pipe import HEADER, OUT_OF_MEMORY
from alula_controller.definitions.world import Body, Compiled
from alula_controller.domains.places import Place
from alula_controller.domains.view import DomainView
from alula_controller.settings import Settings

MAX_MEMORY = 160 << 20  # bytes of a process, about 45 MiB of them before it is asked anything
MAX_CPU_SECONDS = 15
MAX_SECONDS = 120.0  # on a machine that has little CPU time to give
MAX_ANSWER = 32 << 20  # bytes
PROCESSES = 2
MAX_KEPT = 16 << 20  # bytes of answers that are remembered
MAX_REMEMBERED = 1_000  # answers
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR")

Asked = dict[str, Any]


class Stopped(Exception):
    """The process ended instead of answering; the message says why, for the author of the definition.

    `passing` is whether the machine may be the reason, so that it is worth another try.
    """

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


def asked(settings: Settings, place: Place, view: DomainView, workflow: Body, launch_plans: Sequence[Body]) -> Asked:
    """What the compiler is asked: the definitions without what changes by itself, and the installation."""
    return {
        "workflow": _essence(workflow),
        "launch_plans": [_essence(plan) for plan in launch_plans],
        "domain": _essence(view.body) if view.body is not None else None,
        "engine": {
            "store": place.store,
            "releases": place.releases,
            "endpoint": place.root.endpoint,
            "secret": view.secret,
            "service_account": settings.task_service_account,
            "least_interval": settings.least_interval,
            "log_format": settings.pod_log_format if settings.pod_log_format == log_lines.JSON else "",
        },
    }


def _essence(body: Body) -> dict[str, Any]:
    metadata = {name: text for name in ("name", "annotations", "labels") if (text := body["metadata"].get(name))}
    found = {"apiVersion": body.get("apiVersion"), "kind": body.get("kind"), "metadata": metadata}
    return found | ({"spec": body["spec"]} if "spec" in body else {})


def compiled(said: Mapping[str, Any]) -> Compiled:
    """An answer of `compiler_process.answer` as a value."""
    objects = {plan: tuple(bodies) for plan, bodies in said["objects"].items()}
    diagnostics = {
        plan: tuple(Diagnostic(Code[code], *texts) for code, *texts in found)
        for plan, found in said["diagnostics"].items()
    }
    own, wrong = objects.pop("", ()), diagnostics.pop("", ())
    return Compiled(own, wrong, objects, diagnostics, dict(said["plans"]), tuple(said["notes"]))


@dataclass
class Compiler:
    """The compiler's processes, as many as are busy and one more, and the answers that are remembered.

    One namespace has one process at a time: what takes long in one holds up no other.
    """

    processes: int = PROCESSES
    memory: int = MAX_MEMORY
    cpu_seconds: int = MAX_CPU_SECONDS
    module: str = "alula_controller.definitions.compiler_process"
    _known: OrderedDict[str, tuple[int, Compiled]] = field(default_factory=OrderedDict, init=False)
    _idle: list[asyncio.subprocess.Process] = field(default_factory=list, init=False)
    _gates: dict[str, asyncio.Lock] = field(default_factory=dict, init=False)
    _slots: asyncio.Semaphore | None = field(default=None, init=False)
    _ending: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def compile(self, namespace: str, question: Asked) -> Compiled:
        """The answer to a question, from memory if it was asked before."""
        request = json.dumps(question, separators=(",", ":")).encode("utf-8", "surrogatepass")
        key = hashlib.sha256(request).hexdigest()
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key][1]
        try:
            with metrics.COMPILE_SECONDS.time():
                text = await self._ask(namespace, request)
        except Stopped as stopped:
            found = Compiled(stopped=str(stopped), passing=stopped.passing)
            return found if stopped.passing else self._remember(key, len(str(stopped)), found)
        return self._remember(key, len(text), compiled(json.loads(text)))

    async def close(self) -> None:
        """End the processes."""
        while self._idle:
            self._end(self._idle.pop())
        await asyncio.gather(*self._ending)

    def _end(self, process: asyncio.subprocess.Process) -> None:
        """Kill a process; its pipes are closed soon."""
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        task = asyncio.create_task(_leave(process))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _remember(self, key: str, size: int, found: Compiled) -> Compiled:
        self._known[key] = size, found
        while len(self._known) > MAX_REMEMBERED or sum(size for size, _ in self._known.values()) > MAX_KEPT:
            self._known.popitem(last=False)
        return found

    async def _ask(self, namespace: str, request: bytes) -> bytes:
        if self._slots is None:
            self._slots = asyncio.Semaphore(self.processes)
        async with self._turn(namespace), self._slots:
            process = await self._process()
            stays = False
            try:
                async with asyncio.timeout(MAX_SECONDS):
                    text, stays = await _exchange(process, request)
            except TimeoutError:
                raise Stopped(f"the compiler had no answer after {MAX_SECONDS:.0f} s", passing=True) from None
            except (EOFError, ConnectionError):
                raise self._reason(await process.wait()) from None
            finally:
                if stays and not self._idle:
                    self._idle.append(process)
                else:
                    self._end(process)
            return text

    def _reason(self, code: int) -> Stopped:
        """Why the process ended."""
        if code == OUT_OF_MEMORY:
            return Stopped(f"it takes more than {self.memory >> 20} MiB of memory to compile")
        if code == -signal.SIGXCPU:
            return Stopped(f"it takes more than {self.cpu_seconds} s to compile")
        return Stopped(f"the compiler ended with {code} while it compiled this", passing=True)

    @contextlib.asynccontextmanager
    async def _turn(self, namespace: str) -> AsyncIterator[None]:
        """One at a time for each namespace."""
        gate = self._gates.setdefault(namespace, asyncio.Lock())
        try:
            async with gate:
                yield
        finally:
            if not gate.locked() and not getattr(gate, "_waiters", None):
                self._gates.pop(namespace, None)

    async def _process(self) -> asyncio.subprocess.Process:
        while self._idle:
            process = self._idle.pop()
            if process.returncode is None:
                return process
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self.module,
            str(self.memory),
            str(self.cpu_seconds),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            limit=1 << 20,
        )


async def _exchange(process: asyncio.subprocess.Process, request: bytes) -> tuple[bytes, bool]:
    """The answer to a request, and whether the process takes another one."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(HEADER.pack(len(request), True))
    process.stdin.write(request)
    await process.stdin.drain()
    size, stays = HEADER.unpack(await process.stdout.readexactly(HEADER.size))
    if size > MAX_ANSWER:
        raise Stopped(f"it compiles to {size:,} bytes, and must be at most {MAX_ANSWER:,} with all its launch plans")
    return await process.stdout.readexactly(size), stays


async def _leave(process: asyncio.subprocess.Process) -> None:
    """Close the pipes of a process that was killed: asyncio does so only when both ends were seen."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    with contextlib.suppress(ConnectionError):
        await process.stdout.read()
    await process.wait()
