"""Runs of compiled templates whose hold at `admit` is answered by hand, as the controller would."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import alula_compiler
from alula_api.contract import jsontext
from alula_compiler import engines
from e2e.cluster import clusters

Object = dict[str, Any]

API = "argoproj.io/v1alpha1"
IMAGE = Path(__file__).parent / "image"
ENGINE = engines.Engine(
    store="s3://acme/penguins/dev",
    releases="s3://acme/penguins/releases",
    endpoint="http://store.local:9000",
    service_account="default",
)


def apply(
    cluster: clusters.Cluster,
    namespace: str,
    documents: Sequence[Mapping[str, Any]],
    engine: engines.Engine = ENGINE,
) -> alula_compiler.Compiled:
    """Compile the Workflow and LaunchPlans among documents, and apply what comes out; Domains are heard."""
    kinds: dict[str, list[Any]] = {"Workflow": [], "LaunchPlan": [], "Domain": []}
    for document in documents:
        kinds[document["kind"]].append(document)
    domain = kinds["Domain"][0] if kinds["Domain"] else None
    compiled = alula_compiler.compile(kinds["Workflow"][0], kinds["LaunchPlan"], domain, engine)
    assert compiled.ok, "\n".join(found.render() for found in compiled.diagnostics)
    for found in compiled.objects:
        apply_strictly(cluster, namespace, found)
    return compiled


def apply_strictly(cluster: clusters.Cluster, namespace: str, found: Object) -> Object:
    """Apply an object; the server refuses what it does not know."""
    path = cluster.api.path(found["apiVersion"], found["kind"], namespace, found["metadata"]["name"])
    options = {"fieldManager": "engine-tests", "force": "true", "fieldValidation": "Strict"}
    applied: Object = cluster.api.request("PATCH", path, found, "application/apply-patch+yaml", options)
    return applied


def start(
    cluster: clusters.Cluster, namespace: str, template: str, name: str, arguments: Mapping[str, str] = {}
) -> None:
    """Start a run of a compiled template."""
    spec: Object = {"workflowTemplateRef": {"name": template}}
    if arguments:
        spec["arguments"] = {"parameters": [{"name": key, "value": text} for key, text in arguments.items()]}
    cluster.api.create({"apiVersion": API, "kind": "Workflow", "metadata": {"name": name}, "spec": spec}, namespace)


def await_held(cluster: clusters.Cluster, namespace: str, name: str, timeout: float = 60) -> Object:
    """Wait until a run is held at `admit`, and return it."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        run = cluster.api.get(API, "Workflow", name, namespace)
        status = run.get("status", {})
        if any(node["displayName"] == "admit" for node in status.get("nodes", {}).values()):
            return run
        message = status.get("message", "")
        if status.get("phase") == "Error" and message.endswith("not found"):
            # Argo has not seen the template yet, which was made a moment ago: the run is made anew.
            cluster.api.delete(API, "Workflow", name, namespace)
            again = {"apiVersion": API, "kind": "Workflow", "metadata": {"name": name}, "spec": run["spec"]}
            cluster.api.create(again, namespace)
        assert status.get("phase") not in ("Failed", "Error") or message.endswith("not found"), message
        time.sleep(0.2)
    raise TimeoutError(f"{name} is not held after {timeout:g} s")


def admit(cluster: clusters.Cluster, namespace: str, name: str, values: Mapping[str, Any] = {}) -> None:
    """Publish the run's inputs as the outputs of `admit`; texts are Argo-safe JSON, as the controller writes them."""
    run = await_held(cluster, namespace, name)
    node = next(node for node in run["status"]["nodes"].values() if node["displayName"] == "admit")
    texts = {key: jsontext.argo_safe(jsontext.dumps(value)) for key, value in values.items()} or {"admitted": "true"}
    answered = {
        **node,
        "phase": "Succeeded",
        "finishedAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "outputs": {"parameters": [{"name": key, "value": text} for key, text in texts.items()]},
    }
    version = {"resourceVersion": run["metadata"]["resourceVersion"]}
    patch = {"metadata": version, "status": {"nodes": {node["id"]: answered}}}
    cluster.api.patch(API, "Workflow", name, namespace, patch)


def run(
    cluster: clusters.Cluster,
    namespace: str,
    template: str,
    name: str,
    values: Mapping[str, Any] = {},
    arguments: Mapping[str, str] = {},
    timeout: float = 180,
) -> Object:
    """Start a run, admit it with these values, and return it when it has ended."""
    start(cluster, namespace, template, name, arguments)
    admit(cluster, namespace, name, values)
    return cluster.await_workflow(namespace, name, timeout)


def phases(run: Object) -> dict[str, str]:
    """Return the phase of each node by its path in the run; of retried ones that of the whole."""
    start = len(run["metadata"]["name"]) + 1
    nodes = run["status"]["nodes"].values()
    return {node["name"][start:]: node["phase"] for node in nodes if "(" not in node["name"] and node["name"][start:]}


def root(run: Object) -> Object:
    """Return the node of the whole run."""
    found: Object = next(one for one in run["status"]["nodes"].values() if one["name"] == run["metadata"]["name"])
    return found


def outputs(run: Object, path: str = "") -> dict[str, Any]:
    """Return the values of a node's outputs; of the run's without a path."""
    name = run["metadata"]["name"] + (f".{path}" if path else "")
    node = next(node for node in run["status"]["nodes"].values() if node["name"] == name)
    return {one["name"]: json.loads(one["value"]) for one in node["outputs"]["parameters"]}


def calls(cluster: clusters.Cluster, namespace: str, name: str) -> dict[str, list[Object]]:
    """Return what the runtime said in each attempt, by the path of the node."""
    found: dict[str, list[Object]] = {}
    for pod in cluster.pods.started(name, namespace):
        told = json.loads(pod.output().splitlines()[0])
        found.setdefault(pod.node.partition(".")[2].partition("(")[0], []).append(told)
    return found
