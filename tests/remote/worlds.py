"""Runs as Argo's status shows them, and a definition that they follow."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any

from alula_api.contract import failures
from alula_api.contract.graphs.specs import WorkflowSpec

RUN = "penguins-train-x7k2p"
PREFIX = "main: Error (exit code {code}): "

SPEC: dict[str, Any] = {
    "version": "1f2e3d4c",
    "code": {"image": "penguins:1", "runtime": 1},
    "outputs": [{"name": "o0", "type": "float", "from": {"node": "score", "output": "o0"}}],
    "tasks": [
        {
            "name": "load",
            "entrypoint": "flows.penguins:load",
            "cache": {"version": "1"},
        },
        {
            "name": "fit",
            "entrypoint": "flows.penguins:fit",
            "retries": {"limit": 3, "backoff": {"duration": "10s", "factor": 3, "cap": "1m"}},
        },
        {"name": "score", "entrypoint": "flows.penguins:score"},
    ],
    "graphs": [
        {
            "name": "main",
            "nodes": [
                {"id": "load", "task": "load"},
                {"id": "train", "graph": "training"},
                {"id": "score", "task": "score"},
            ],
        },
        {
            "name": "training",
            "nodes": [{"id": "fit", "task": "fit"}, {"id": "fit-2", "task": "fit"}],
        },
    ],
}

WORKFLOW = WorkflowSpec.from_json(SPEC)
SOURCES = {
    ("main", "load"): "flows/penguins.py:44",
    ("main", "train"): "flows/penguins.py:45",
    ("main", "score"): "flows/penguins.py:41",
    ("training", "fit"): "flows/training.py:9",
    ("training", "fit-2"): "flows/training.py:10",
}


def moment(second: int) -> str:
    return f"2026-03-04T10:00:{second:02}Z"


def node(name: str, phase: str, type: str = "Pod", began: int = 1, ended: int = 0, **more: Any) -> dict[str, Any]:
    """One node of Argo's; `name` is what follows the run's."""
    found = {"name": f"{RUN}.{name}" if name else RUN, "type": type, "phase": phase, "startedAt": moment(began)}
    if ended:
        found["finishedAt"] = moment(ended)
    return {**found, **more}


def admit(phase: str = "Succeeded") -> dict[str, Any]:
    return node("admit", phase, "Suspend")


def cached(name: str) -> dict[str, Any]:
    return node(name, "Succeeded", ended=1, message="cached", memoizationStatus={"hit": True, "key": "k"})


def failed(name: str, message: str, code: int = 91, **more: Any) -> dict[str, Any]:
    return node(name, "Failed", message=PREFIX.format(code=code) + message, **more)


def retried(name: str, phase: str, *attempts: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """A Retry node with its attempts, whose names are left to this."""
    inner = [{**each, "name": f"{RUN}.{name}({number})"} for number, each in enumerate(attempts)]
    return [node(name, phase, "Retry", **more), *inner]


def status(phase: str, *nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    found = {str(number): each for number, each in enumerate(nodes)}
    ended = {"finishedAt": moment(31)} if phase in ("Succeeded", "Failed", "Error") else {}
    return {"phase": phase, "startedAt": moment(0), **ended, **({"nodes": found} if found else {}), **more}


def run(status: Mapping[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": RUN, **metadata}, **({"status": dict(status)} if status is not None else {})}


def root(phase: str, outputs: Mapping[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """The node of the whole graph; its key in the map is the run's name."""
    parameters = [{"name": name, "value": text} for name, text in (outputs or {}).items()]
    return node("", phase, "DAG", **({"outputs": {"parameters": parameters}} if parameters else {}), **more)


def keyed(found: dict[str, Any]) -> dict[str, Any]:
    """The status with its nodes under ids as Argo's, the root's being the run's name."""
    nodes = {(RUN if each["name"] == RUN else key): each for key, each in found.get("nodes", {}).items()}
    return {**found, "nodes": nodes} if nodes else found


def packed(found: dict[str, Any]) -> dict[str, Any]:
    """The same status with its nodes packed."""
    text = json.dumps(found["nodes"]).encode()
    rest = {key: value for key, value in found.items() if key != "nodes"}
    return {**rest, "compressedNodes": base64.b64encode(gzip.compress(text)).decode()}


def said(record: failures.FailureRecord) -> str:
    """What the pod leaves as its termination message."""
    return failures.termination_message(record)
