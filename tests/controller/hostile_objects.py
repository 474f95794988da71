"""Objects of all kinds as a tenant may write them: generated from right ones by a seed, changed at random, or made to
cost much. Used by the soak on real servers and by the tests of the corpus."""

from __future__ import annotations

import base64
import copy
import functools
import gzip
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from e2e.controller import definitions

Object = dict[str, Any]

ALULA = "alula.dev/v1alpha1"
ARGO = "argoproj.io/v1alpha1"
TEXTS = (
    "", "x", "main", "admit", "n0", "o0", "lp-x", "a" * 300, "é世🐦\U000e0067", "{{workflow.uid}}", "{{=1+1}}",
    "{{= bad((", "$(HOME) $$", "\x00\x07\x7f\x85", "../../etc/passwd", "file:///etc/passwd", "1" * 5_000, "[" * 3_000,
    '{"$stored": {"digest": "x"}}', '"text"', "null", "1e400", "-1", "99999999999d", "@every 1s", "* * * * *",
    "list[" * 40 + "int" + "]" * 40, "dict[str, int]", "Forest", "int | None", "exit code 90): INPUT_LOST: x",
)  # fmt: skip
NUMBERS = (0, 1, -1, 2**31, 2**53, 2**63, 10**30, 1.5)


def deep(levels: int) -> Any:
    """An object in an object in an object."""
    found: Any = 1
    for _ in range(levels):
        found = {"a": found}
    return found


def workflow(name: str, random: random.Random) -> Object:
    """One that compiles, of several shapes."""
    return random.choice((definitions.workflow, definitions.nested, definitions.deep, definitions.stored))(name)


def launch_plan(name: str, random: random.Random, of: str) -> Object:
    schedule = random.choice(({}, {"schedule": {"cron": ["0 2 * * *"], "timezone": "Europe/Berlin"}}))
    inputs = random.choice(
        ({}, {"inputs": [{"name": "x", "value": "8"}]}, {"fixedInputs": [{"name": "x", "value": "9"}]})
    )
    return definitions.launch_plan(name, of, **schedule, **inputs)


def domain(random: random.Random) -> Object:
    spec = random.choice(({}, {"fill": "off"}, {"retention": {"failed": "1d"}}, {"storage": {"root": "nowhere"}}))
    return {"apiVersion": ALULA, "kind": "Domain", "metadata": {"name": "domain"}, "spec": dict(spec)}


def packed(text: bytes) -> str:
    return base64.b64encode(gzip.compress(text)).decode()


@functools.cache
def bombs() -> tuple[str, ...]:
    """Packed node maps that are not what they seem."""
    return (
        packed(b'{"r":{"children":[' + b",".join([b"{}"] * 2_000_000) + b"]}}"),
        packed(b'{"r":' * 50_000 + b"{}" + b"}" * 50_000),
        packed(b'{"r":' + b"[" * 400 + b"]" * 400 + b"}"),
        packed(b" " * 60_000_000 + b"{}"),
        packed(b"[1,2,3]"),
        "not base64",
    )


def run(name: str, random: random.Random, template: str, revision: str) -> Object:
    """A run with a status of its own."""
    root = {"id": name, "name": name, "type": "DAG", "phase": "Running", "children": [f"{name}-1"]}
    hold = {"id": f"{name}-1", "name": f"{name}.admit", "type": "Suspend", "phase": "Running", "boundaryID": name}
    hold["outputs"] = {"parameters": [{"name": "x", "valueFrom": {"supplied": {}}}]}
    nodes = random.choice(
        (
            {"nodes": {name: root, f"{name}-1": hold}},
            {"compressedNodes": packed(json.dumps({name: root, f"{name}-1": hold}).encode())},
            {"compressedNodes": random.choice(bombs())},
            {"offloadNodeStatusVersion": "fnv:1"},
            {},
        )
    )
    phase = random.choice(("Running", "Failed", "Pending", "Succeeded", ""))
    labels = {"alula.dev/revision": revision, "alula.dev/workflow": template, "workflows.argoproj.io/phase": phase}
    if random.random() < 0.3:
        labels["workflows.argoproj.io/completed"] = "true"
    parameters = [{"name": random.choice(("x", "label", "y")), "value": random.choice(TEXTS)}]
    return {
        "apiVersion": ARGO,
        "kind": "Workflow",
        "metadata": {"name": name, "labels": labels},
        "spec": {"workflowTemplateRef": {"name": template}, "arguments": {"parameters": parameters}, "suspend": True},
        "status": {"phase": phase, **nodes},
    }


def template(name: str, random: random.Random, of: str) -> Object:
    """A WorkflowTemplate that carries our marks, or none."""
    labels = {"app.kubernetes.io/managed-by": "alula", "alula.dev/workflow": of}
    big = {"x": "y" * random.choice((0, 100, 900_000))}
    main = {"name": "main", "suspend": {}, "metadata": {"annotations": big}}
    return {
        "apiVersion": ARGO,
        "kind": "WorkflowTemplate",
        "metadata": {"name": name, "labels": random.choice((labels, {})), "annotations": {"a": "b"}},
        "spec": {"entrypoint": "main", "templates": [main]},
    }


def revision(name: str, random: random.Random, of: str) -> Object:
    labels = {"app.kubernetes.io/managed-by": "alula", "alula.dev/workflow": of}
    text = random.choice(("{}", "[" * 5_000, '{"v":1}', '{"v":2,"graphs":{}}', "x" * 900_000, '{"templates":[]}'))
    return {
        "apiVersion": ALULA,
        "kind": "WorkflowRevision",
        "metadata": {"name": name, "labels": random.choice((labels, {}))},
        "spec": {"workflow": of, "plan": text, "spec": random.choice(("{}", "[]", "[" * 5_000, "null"))},
    }


def expensive(name: str, random: random.Random) -> Object:
    """A Workflow that the API server takes and that is far too large once it is compiled."""
    big = json.dumps("x" * random.choice((1_000, 30_000, 65_000)))
    inputs = [{"name": f"i{number}", "type": "str", "default": big} for number in range(random.choice((2, 17)))]
    task = {"name": "t", "entrypoint": "m:f", "inputs": inputs}
    count = random.choice((10, 500, 1_000))
    graphs = [{"name": "main", "nodes": [{"id": f"n{number}", "task": "t"} for number in range(count)]}]
    if random.random() < 0.5:
        ports, levels = [{"name": "a", "type": "list[str]"}], random.choice((10, 49))
        task["inputs"] = ports
        for level in range(levels):
            call = {"task": "t"} if level == levels - 1 else {"graph": f"g{level + 1}"}
            graphs.append({"name": f"g{level}", "inputs": ports, "nodes": [
                {"id": "n", **call, "inputs": {"a": {"input": "a"}}}]})  # fmt: skip
        sizes = range(1, random.choice((5, 60)))
        items = [{"items": [{"value": '"x"'}] * (size * 15)} for size in sizes]
        graphs[0]["nodes"] = [
            {"id": f"c{index}", "graph": "g0", "inputs": {"a": each}} for index, each in enumerate(items)
        ]
    body = definitions.workflow(name)
    body["spec"] |= {"inputs": [], "outputs": [], "tasks": [task], "graphs": graphs}
    return body


def junk(random: random.Random) -> Any:
    return random.choice(
        (
            None, True, [], {}, [None], [[]], {"x": None}, lambda: random.choice(TEXTS), lambda: random.choice(TEXTS),
            lambda: random.choice(NUMBERS), lambda: deep(random.choice((3, 150, 300))),
            lambda: "y" * random.choice((70_000, 300_000)), lambda: [random.choice(TEXTS)] * random.choice((3, 600)),
        )
    )  # fmt: skip


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each container in a JSON value with each of its keys."""
    left = [value]
    while left:
        holder = left.pop()
        for key in list(holder) if isinstance(holder, dict) else range(min(len(holder), 60)):
            yield holder, key
            if isinstance(holder[key], (dict, list)):
                left.append(holder[key])


def mutated(body: Object, random: random.Random) -> Object:
    """The object with up to four changes in its spec or status: other texts, other values, copies, parts left out."""
    body = copy.deepcopy(body)
    for _ in range(random.choice((1, 1, 2, 4))):
        part = body.get(random.choice(("spec", "spec", "status")))
        spots = list(places(part)) if part else []
        if not spots:
            continue
        holder, key = random.choice(spots)
        change = random.random()
        if change < 0.35 and isinstance(holder[key], str):
            holder[key] = random.choice(TEXTS)
        elif change < 0.5 and isinstance(holder, list):
            holder.extend(copy.deepcopy(holder[key]) for _ in range(random.choice((1, 3, 50))))
        elif change < 0.6:
            del holder[key]
        else:
            found = junk(random)
            holder[key] = found() if callable(found) else copy.deepcopy(found)
    return body


def generate(seed: int, names: list[str] | None = None, revisions: list[str] | None = None) -> Object:
    """One object, the same for a seed."""
    chance = random.Random(seed)
    names = names or [f"w{number}" for number in range(8)]
    revisions = revisions or ["w0-00000000"]
    name, of = chance.choice(names), chance.choice(names)
    makers: list[Callable[[], Object]] = [
        lambda: workflow(name, chance),
        lambda: workflow(name, chance),
        lambda: expensive(name, chance),
        lambda: launch_plan(name, chance, of),
        lambda: launch_plan(name, chance, of),
        lambda: domain(chance),
        lambda: run(f"{name}-r{chance.randrange(30)}", chance, of, chance.choice(revisions)),
        lambda: run(f"{name}-r{chance.randrange(30)}", chance, of, chance.choice(revisions)),
        lambda: template(chance.choice((name, f"lp-{name}", "theirs")), chance, of),
        lambda: revision(chance.choice((*revisions, f"{name}-00000000")), chance, of),
    ]
    made = chance.choice(makers)()
    return mutated(made, chance) if chance.random() < 0.7 else made
