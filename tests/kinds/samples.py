"""One resource of each kind with every field set, mutations of them, and the verdict of the schema on a resource.

Shared by the tests of this folder and by `e2e/resources`, where a real API server gives its own verdict.
"""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
from hypothesis import strategies as st

from alula_api.kinds import definitions
from alula_api.kinds.resources import Resource

WORKFLOW: dict[str, Any] = {
    "apiVersion": "alula.dev/v1alpha1",
    "kind": "Workflow",
    "metadata": {"name": "penguins-train", "annotations": {"alula.dev/source": "flows/penguins.py"}},
    "spec": {
        "version": "3f9c2d71",
        "description": "Trains a model.\nAnd reports.",
        "failurePolicy": "Abort",
        "deadline": "2h",
        "handlers": [
            {"event": "Failure", "workflow": "penguins-train-on-failure", "inputs": ["seed"], "failure": "why"},
            {"event": "Exit", "workflow": "penguins-train-on-exit"},
        ],
        "code": {"image": "ghcr.io/acme/penguins:1", "runtime": 1, "bundle": {"digest": "0a" * 32, "size": 4096}},
        "types": [
            {
                "name": "Forest",
                "title": "Forest of trees",
                "fields": [
                    {"name": "trees", "type": "int", "default": "60"},
                    {"name": "seed", "type": "int", "optional": True},
                ],
            },
            {"name": "flows.a.Pair", "kind": "NamedTuple", "fields": [{"name": "x", "type": "Forest"}]},
            {
                "name": "Color",
                "kind": "Enum",
                "values": [{"name": "RED", "value": "1"}, {"name": "BLUE", "value": "2"}],
            },
        ],
        "inputs": [
            {"name": "seed", "type": "int", "default": "7", "description": "of the split"},
            {"name": "region", "type": "str", "default": '"eu"'},
        ],
        "outputs": [
            {
                "name": "report",
                "type": 'File["html"]',
                "from": {"node": "train", "output": "report"},
                "description": "the report",
            },
            {"name": "seeds", "type": "list[int]", "from": {"input": "seed"}},
        ],
        "tasks": [
            {
                "name": "load",
                "entrypoint": "flows.penguins:load",
                "key": "load-penguins",
                "kind": {"name": "container", "config": "{}"},
                "description": "Reads the data.",
                "outputs": [{"name": "o0", "type": "DataFrame"}],
                "cache": {"version": "1"},
                "retries": {"limit": 3, "system": 0, "backoff": {"duration": "10s", "factor": 2, "cap": "5m"}},
                "timeout": "10m",
                "resources": {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"memory": "4Gi"}},
                "onOom": {"factor": "1.5", "max": "16Gi"},
                "interruptible": True,
                "image": "ghcr.io/acme/loader:1",
                "pool": "licences",
                "env": [{"name": "LOG_LEVEL", "value": "debug"}, {"name": "EMPTY", "value": ""}],
                "secrets": [{"name": "TOKEN", "secret": "hub", "key": "token"}],
                "pod": {
                    "nodeSelector": {"pool": "gpu"},
                    "tolerations": [{"key": "nvidia.com/gpu", "value": "yes", "effect": "NoSchedule"}],
                    "affinity": {
                        "nodes": [{"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["eu-1a"]}],
                        "preferredNodes": [{"key": "fast", "operator": "In", "values": ["yes"]}],
                        "apartFrom": [{"labels": {"app": "db"}}],
                        "preferredApartFrom": [{"labels": {"app": "web"}}],
                        "topologyKey": "topology.kubernetes.io/zone",
                    },
                    "priorityClass": "high",
                    "serviceAccount": "trainer",
                    "labels": {"team": "birds"},
                    "annotations": {"example.org/note": "a note"},
                    "sharedMemory": "1Gi",
                    "mounts": [
                        {"path": "/secrets/db", "secret": "db"},
                        {"path": "/data", "claim": "data"},
                        {"path": "/config", "configMap": "settings"},
                    ],
                    "template": "large",
                },
            },
            {
                "name": "train",
                "entrypoint": "flows.penguins:train",
                "inputs": [
                    {"name": "df", "type": "DataFrame", "description": "rows"},
                    {"name": "seeds", "type": "list[int]", "default": "[]"},
                ],
                "outputs": [{"name": "report", "type": 'File["html"]', "description": "html"}],
            },
        ],
        "graphs": [
            {
                "name": "main",
                "nodes": [
                    {"id": "load", "task": "load"},
                    {
                        "id": "train",
                        "task": "train",
                        "inputs": {
                            "df": {"node": "load", "output": "o0", "path": ["frame"]},
                            "seeds": {"items": [{"input": "seed"}, {"value": "2"}, {"node": "load", "output": "o0"}]},
                        },
                        "after": ["load"],
                    },
                    {
                        "id": "again",
                        "graph": "sub",
                        "inputs": {"x": {"firstOf": [{"node": "load", "output": "o0"}, {"value": "null"}]}},
                    },
                    {
                        "id": "choose",
                        "branch": {
                            "reads": [{"name": "seed", "type": "int"}],
                            "cases": [{"name": "then", "when": "seed > 3 and not seed == 5", "graph": "sub"}],
                            "otherwise": "sub",
                        },
                        "inputs": {"seed": {"input": "seed"}, "x": {"value": "1"}},
                    },
                    {
                        "id": "each",
                        "map": {"graph": "sub", "over": ["x"], "outputs": ["y"], "minSuccesses": 1},
                        "inputs": {"x": {"value": "[1, 2]"}},
                    },
                    {
                        "id": "rounds",
                        "repeat": {
                            "graph": "sub",
                            "until": "seed > 3 or y is None",
                            "max": 3,
                            "state": [{"input": "x", "output": "y"}],
                            "outputs": ["y"],
                            "reads": [
                                {"name": "seed", "type": "int"},
                                {"name": "y", "type": "int | None", "output": "y", "path": ["a"]},
                            ],
                        },
                        "inputs": {"seed": {"input": "seed"}, "x": {"value": "1"}},
                    },
                    {
                        "id": "calls",
                        "repeat": {
                            "task": "load",
                            "until": "seed > 3",
                            "max": 50,
                            "state": [{"input": "x", "output": "o0"}],
                            "outputs": ["o0"],
                            "reads": [{"name": "seed", "type": "int"}],
                        },
                        "inputs": {"seed": {"input": "seed"}, "x": {"value": "1"}},
                    },
                    {
                        "id": "loads",
                        "map": {
                            "task": "load",
                            "over": ["x"],
                            "outputs": ["o0"],
                            "concurrency": 4,
                            "minSuccessRatio": "0.5",
                            "batch": 20,
                            "parallel": 4,
                        },
                        "inputs": {"x": {"value": "[1, 2]"}},
                    },
                ],
            },
            {
                "name": "sub",
                "inputs": [{"name": "x", "type": "Any", "default": "null", "description": "any"}],
                "outputs": [
                    {"name": "y", "type": "Any", "from": {"input": "x", "path": ["a", "a"]}, "description": "any"}
                ],
                "nodes": [{"id": "load", "task": "load"}],
            },
        ],
    },
}
LAUNCH_PLAN: dict[str, Any] = {
    "apiVersion": "alula.dev/v1alpha1",
    "kind": "LaunchPlan",
    "metadata": {"name": "nightly"},
    "spec": {
        "workflow": "penguins-train",
        "version": "3f9c2d71",
        "description": "Every night.",
        "inputs": [{"name": "seed", "value": "8"}],
        "fixedInputs": [{"name": "region", "value": "prod_table"}],
        "schedule": {
            "cron": ["0 2 * * *", "@daily"],
            "every": "15m",
            "timezone": "Europe/Berlin",
            "starts": "2026-11-29T02:00:00Z",
            "ends": "2027-11-29T02:00:00+01:00",
            "jitter": "5m",
            "input": "when",
            "catchUp": "Last",
            "within": "12h",
        },
        "suspend": False,
        "trigger": {
            "launchPlan": "hourly",
            "workflow": "penguins",
            "domain": "staging",
            "when": "Succeeded",
            "inputs": [{"name": "seed", "output": "best"}],
            "release": False,
            "event": {
                "name": "orders",
                "where": [{"path": "kind", "values": ["created", "7"]}],
                "inputs": [{"name": "seed", "path": "order.items.0.total"}],
                "delivery": "id",
                "deliveryHeader": "x-github-delivery",
            },
        },
        "concurrency": {"limit": 2, "policy": "Skip"},
        "priority": 10,
        "weight": 2,
        "queueTimeout": "2h",
        "deadline": "6h",
        "retention": {"succeeded": "1h", "failed": "2d"},
        "notifications": [
            {"place": "team"},
            {"place": "pager", "when": ["Late", "Queued"], "lateAfter": "2h", "queuedFor": "30m"},
        ],
    },
}
_POD = WORKFLOW["spec"]["tasks"][0]["pod"]

DOMAIN: dict[str, Any] = {
    "apiVersion": "alula.dev/v1alpha1",
    "kind": "Domain",
    "metadata": {"name": "domain"},
    "spec": {
        "storage": {"root": "main", "secret": "store-keys"},
        "fill": "Controller",
        "taskDefaults": {
            "retries": {"system": 1},
            "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "1Gi"}},
            "timeout": "1h",
            "interruptible": True,
            "podTemplate": "large",
        },
        "quota": {
            "running": 5,
            "queued": 100,
            "limits": [{"key": "example.org/team", "limit": 2}],
            "maxPriority": 50,
            "agingAfter": "1h",
            "maxPassed": 3,
        },
        "suspend": False,
        "schedules": "Disabled",
        "triggers": {"from": ["staging"]},
        "taskLimits": {"resources": {"memory": "64Gi"}, "timeout": "1d", "forbid": ["ServiceAccount"]},
        "source": "Committed",
        "interruptible": {
            "nodeSelector": {"lifecycle": "spot"},
            "tolerations": [{"key": "lifecycle", "value": "spot", "effect": "NoSchedule"}],
        },
        "podTemplates": [{**{key: each for key, each in _POD.items() if key != "template"}, "name": "large"}],
        "images": {"allow": ["ghcr.io/acme"], "digests": "Required"},
        "pools": [{"name": "licences", "limit": 3}],
        "resources": {"cpu": "64"},
        "guards": {
            "policies": "Strict",
            "quota": {"pods": "100"},
            "containers": {"requests": {"cpu": "10m"}, "limits": {"memory": "256Mi"}},
            "egress": [{"cidr": "10.0.0.0/8", "ports": [443]}],
            "accountAnnotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/penguins"},
        },
        "retention": {"succeeded": "1d", "failed": "90d"},
        "notifications": [
            {"name": "team", "slack": {"host": "hooks.slack.com"}},
            {"name": "room", "teams": {"host": "prod-12.westeurope.logic.azure.com:443"}},
            {
                "name": "mail",
                "email": {
                    "host": "smtp.example.org",
                    "port": 587,
                    "security": "StartTLS",
                    "sender": "alula@example.org",
                    "to": ["data@example.org"],
                },
            },
            {"name": "pager", "pagerDuty": {"host": "events.eu.pagerduty.com", "severity": "critical"}},
            {
                "name": "hook",
                "webhook": {
                    "url": "https://hooks.example.org/alula",
                    "template": '{"text": "{{message}}"}',
                    "signature": "Absent",
                },
            },
            {"name": "commits", "github": {"repository": "acme/penguins", "host": "api.github.com"}},
        ],
    },
}
SAMPLES = [WORKFLOW, LAUNCH_PLAN, DOMAIN]

Path = tuple[str | int, ...]

STRANGE: list[Any] = [
    "a\x85b", '"\x7f"', "\uffff", "\ufeff",
    None, True, False, 0, 1, -1, 101, 1.0, 1.5, 2**53, 2**53 + 1, 2**70, "", " ", "a", "A", "-a", "a-", "a.b",
    "a_b", "a b", "a\n", "é", "1", "1Gi", "1.5", "-1", "1e3", "10m", "10", "1h30m", "0s", "m:f", "m:", ":",
    "a:b:c", "x" * 63, "x" * 64, "x" * 257, "x" * 1025, "x" * 16385, "x" * 65537, "😀" * 63, "0" * 64, [],
    [None], ["a"], ["a", "a"], [1], {}, {"a": None}, {"a": "1"}, {"a": {}}, {"name": "a"}, {"value": "1"},
    {"node": "a"}, {"node": "a", "output": "b"}, {"items": []}, {"items": [{"items": []}]},
    {"firstOf": []}, {"firstOf": [{"items": []}]},
    {"value": "1", "path": []}, {"input": "x", "output": "y"}, {"output": "y"}, "Controller", "Disabled",
]  # fmt: skip


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place in a value."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*path, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from paths(inner, (*path, i))


def at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A sample with one to three things changed in its spec."""
    obj: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([p for p in paths(obj["spec"]) if p] or [("storage",)]))
        mutate(draw, obj["spec"], path)
    return obj


def mutate(draw: st.DrawFn, spec: Any, path: Path) -> None:
    owner: Any = at(spec, path[:-1])
    last: Any = path[-1]
    found = owner[last] if isinstance(owner, list) or last in owner else None
    match draw(st.sampled_from(["remove", "replace", "replace", "add", "twice"])):
        case "remove":
            if isinstance(owner, list) or last in owner:
                del owner[last]
        case "replace":
            owner[last] = copy.deepcopy(draw(st.sampled_from(STRANGE)))
        case "add" if isinstance(found, dict):
            key = draw(
                st.sampled_from(["unknown", "path", "value", "graph", "name", "apiVersion", "fixed_inputs", "é"])
            )
            found[key] = copy.deepcopy(draw(st.sampled_from(STRANGE)))
        case _ if isinstance(found, list) and found:
            found.append(copy.deepcopy(draw(st.sampled_from(found))))


@functools.cache
def schema_of(kind: type[Resource]) -> dict[str, Any]:
    """The schema as the API server has it, read back from the CRD."""
    versions = definitions.definition(kind)["spec"]["versions"]
    schema: dict[str, Any] = versions[0]["schema"]["openAPIV3Schema"]
    return schema


def _full_pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[jsonschema.ValidationError]:
    # Python's `$` also matches before a last newline, that of Go does not; and Python has no `\x{7f}`.
    python = re.sub(r"\$$", r"\\Z", re.sub(r"\\x\{([0-9a-f]+)\}", lambda m: f"\\u{int(m[1], 16):04x}", pattern))
    if isinstance(instance, str) and not re.search(python, instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


_Validator: Any = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator, {"pattern": _full_pattern}
)


def schema_problems(kind: type[Resource], obj: dict[str, Any]) -> list[str]:
    """What the API server finds wrong: nulls dropped, schema, list keys; an unknown field counts as wrong."""
    schema = schema_of(kind)["properties"]["spec"]
    spec = without_nulls(schema, obj.get("spec", {}))
    found = [f"{error.json_path}: {error.message[:200]}" for error in _Validator(schema).iter_errors(spec)]
    return found + list(unknown_or_double(schema, spec, "spec"))


def without_nulls(schema: dict[str, Any], value: Any) -> Any:
    if isinstance(value, dict):
        fields = schema.get("properties", {})
        rest = schema.get("additionalProperties")
        return {
            key: without_nulls(fields.get(key, rest or {}), inner)
            for key, inner in value.items()
            if inner is not None or (key not in fields and rest is None)
        }
    if isinstance(value, list):
        return [without_nulls(schema.get("items", {}), inner) for inner in value]
    return value


def unknown_or_double(schema: dict[str, Any], value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            found = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            if found is None:
                yield f"{path}.{key}: unknown field"
            else:
                yield from unknown_or_double(found, inner, f"{path}.{key}")
    elif isinstance(value, list) and schema.get("type") == "array":
        keys = schema.get("x-kubernetes-list-map-keys")
        if keys or schema["x-kubernetes-list-type"] == "set":
            names = [item.get(keys[0]) if isinstance(item, dict) and keys else item for item in value]
            if any(names.count(name) > 1 for name in names):
                yield f"{path}: duplicate"
        for i, inner in enumerate(value):
            yield from unknown_or_double(schema["items"], inner, f"{path}[{i}]")
