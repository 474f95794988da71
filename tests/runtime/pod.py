"""A pod as a process: a small project in a folder, a store in another, and `python -m alula.runtime` between them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alula_api.contract import failures, keys, pods, values
from alula_api.contract.failures import FailureRecord
from alula_data.stores import folders

RUN_UID = "0d9f4f3e-9c7e-4d9e-8a52-6a3f6f1d7e11"
INTEGER = {"type": "integer"}
STRING = {"type": "string"}


@dataclass
class Ended:
    """What a pod left behind."""

    code: int
    stdout: str
    stderr: str
    message: str
    outputs: dict[str, str]
    """The texts of the output files."""

    def value(self, name: str = "o0") -> Any:
        return values.parse(self.outputs[name])


@dataclass(frozen=True)
class Job:
    """One attempt that has not begun."""

    folder: Path
    arguments: list[str]
    environment: dict[str, str]
    cwd: Path


@dataclass
class Pod:
    """Runs attempts; a new folder for the files of each."""

    home: Path
    zygote: subprocess.Popen[str]
    environment: dict[str, str] = field(default_factory=dict)
    """Overrides what a pod gets; an empty text removes."""

    def __post_init__(self) -> None:
        self.project = self.home / "project"
        self.project.mkdir()
        (self.project / "pyproject.toml").write_text("")
        self.store = folders.FolderStore(str(self.home / "store"), durable=False)
        self._count = 0

    def write(self, text: str, path: str = "flows/m.py") -> None:
        """Writes a module of the user's."""
        file = self.project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def _prepare(
        self,
        inputs: Mapping[str, Any] = {},
        *,
        entrypoint: str = "flows.m:f",
        task: str = "",
        digest: str = "",
        types: Mapping[str, dict[str, Any]] = {},
        outputs: Mapping[str, dict[str, Any]] = {"o0": INTEGER},
        texts: Mapping[str, str] = {},
        items: Mapping[str, Sequence[Any]] = {},
        paths: Mapping[str, Sequence[str]] = {},
        cache: str = "",
        retries: int = 0,
        system_retries: int = 3,
        attempt: int = 0,
        interface: str = "",
        environment: Mapping[str, str] = {},
    ) -> Job:
        """What makes an attempt.

        Args:
            inputs: values; `texts` are passed as they stand instead.
            types: schemas of the inputs where they are not integers.
            items: lists whose items several nodes made.
            interface: instead of the digest that fits.
            task: the name in the cache key, instead of the entrypoint.
            digest: of what the resource sets in the environment.
        """
        names = [*inputs, *texts, *items]
        call = pods.Call(
            entrypoint=entrypoint,
            task=task or entrypoint,
            environment=digest,
            interface=interface
            or keys.interface_digest([(name, types.get(name, INTEGER)) for name in names], list(outputs.items())),
            cache=cache,
            retries=retries,
            system_retries=system_retries,
            inputs=(
                *((name, values.argo_safe(values.dumps(value))) for name, value in inputs.items()),
                *texts.items(),
            ),
            items=tuple((name, json.dumps([values.dumps(value) for value in parts])) for name, parts in items.items()),
            paths={name: tuple(path) for name, path in paths.items()},
            outputs=tuple(outputs),
        )
        return self._job(pods.argv(call), {pods.Env.ATTEMPT: str(attempt), **environment})

    def _job(self, arguments: list[str], environment: Mapping[str, str]) -> Job:
        self._count += 1
        folder = self.home / f"pod-{self._count}"
        folder.mkdir()
        variables = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("ALULA_", "AWS_"))},
            pods.Env.RUN: "run-1",
            pods.Env.RUN_UID: RUN_UID,
            pods.Env.NODE: "run-1.f",
            pods.Env.ATTEMPT: "0",
            pods.Env.STORE: self.store.url,
            pods.Env.OUT: str(folder / "out"),
            pods.Env.TERMINATION_LOG: str(folder / "termination"),
            **self.environment,
            **environment,
        }
        variables = {name: value for name, value in variables.items() if value}
        return Job(folder, arguments, variables, self.project)

    def start(self, inputs: Mapping[str, Any] = {}, **options: Any) -> Running:
        """Starts an attempt as the real process; see `_prepare`."""
        job = self._prepare(inputs, **options)
        process = subprocess.Popen(
            [sys.executable, "-m", "alula.runtime", *job.arguments],
            env=job.environment,
            cwd=job.cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        return Running(process, job.folder)

    def run(self, inputs: Mapping[str, Any] = {}, **options: Any) -> Ended:
        """Runs an attempt to its end in a fork of a process that has the runtime loaded; see `_prepare`."""
        return self._forked(self._prepare(inputs, **options))

    def run_words(self, arguments: list[str], environment: Mapping[str, str]) -> Ended:
        """As `run`, with the arguments of a container as they stand."""
        return self._forked(self._job(arguments, environment))

    def _forked(self, job: Job) -> Ended:
        stdio = job.folder / "stdio"
        line = {"arguments": job.arguments, "environment": job.environment, "cwd": str(job.cwd), "stdio": str(stdio)}
        assert self.zygote.stdin
        assert self.zygote.stdout
        self.zygote.stdin.write(json.dumps(line) + "\n")
        self.zygote.stdin.flush()
        code = int(self.zygote.stdout.readline())
        texts = [stdio.with_suffix(f".{name}").read_bytes().decode(errors="replace") for name in ("out", "err")]
        return ended(job.folder, code, *texts)

    def records(self) -> list[FailureRecord]:
        """All failure records in the store, by attempt."""
        found = [
            FailureRecord.from_json(values.parse(self.store.get(head.key)))
            for head in self.store.list("runs")
            if head.key.endswith("/failure.json")
        ]
        for record in found:
            assert self.store.head(failures.path(RUN_UID, record.node, record.attempt)) is not None
        return sorted(found, key=lambda record: record.attempt)

    def committed(self) -> list[str]:
        """Keys of everything in the store but failure records."""
        return sorted(head.key for head in self.store.list() if not head.key.startswith("runs/"))


@dataclass
class Running:
    """A pod whose process runs."""

    process: subprocess.Popen[bytes]
    folder: Path

    def wait_for(self, path: Path, seconds: float = 20.0) -> None:
        """Returns when the user's code has made a file."""
        deadline = time.monotonic() + seconds
        while not path.exists():
            assert time.monotonic() < deadline, "the task did not get as far"
            assert self.process.poll() is None, self.process.communicate()[1].decode()
            time.sleep(0.01)

    def end(self) -> Ended:
        stdout, stderr = self.process.communicate(timeout=60)
        return ended(self.folder, self.process.returncode, stdout.decode(), stderr.decode())


def ended(folder: Path, code: int, stdout: str, stderr: str) -> Ended:
    out, log = folder / "out", folder / "termination"
    message = log.read_text(encoding="utf-8") if log.exists() else ""
    outputs = {path.name: path.read_text(encoding="ascii") for path in out.iterdir()} if out.exists() else {}
    return Ended(code, stdout, stderr, message, outputs)
