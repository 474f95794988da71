"""What becomes of a program in Argo, by its compiled templates alone: Argo's part is played here, and each container is
a call of a pure function of which is published what the container's arguments ask for, as a pod publishes it.

Read is what Argo reads: tags, predicates, counts and expressions. A task sees only what it waits for, directly or
through others.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from alula import NonRecoverable
from alula.attempt import parts
from alula_api.contract import jsontext, keys, names, pods, values
from alula_api.contract.graphs import interfaces, plans
from alula_controller.admission import check
from alula_data import content
from alula_data.stores.memory import MemoryStore
from tests.emit import argo_expressions
from tests.engine.programs import here

_TAG = re.compile(r"\{\{(?:tasks\.([^.{}]+)\.outputs|inputs)\.parameters\.([^.{}]+)\}\}")
_EXPRESSION = re.compile(r"\{\{=(.*)\}\}", re.DOTALL)
_TERM = re.compile(r"([A-Za-z0-9_-]+)\.(\w+)")
_BAD: Final = ("Failed", "Error")
INLINE = 300
"""Bytes up to which an output travels inline here."""

Texts = dict[str, str]


@dataclasses.dataclass
class Ended:
    """What became of a node: its phase as a predicate calls it, its outputs, and why it is in Error."""

    phase: str
    outputs: Texts = dataclasses.field(default_factory=dict)
    message: str = ""


class Wrong(Exception):
    """Argo ends a node in Error: a count that is no number, a value that is not there."""


@dataclasses.dataclass
class Engine:
    """Runs one compiled spec.

    Attributes:
        spec: Of the WorkflowTemplate.
        plan: The types of its tasks.
        pieces: The module of the tasks.
    """

    spec: Mapping[str, Any]
    plan: plans.Plan
    pieces: Any

    def __post_init__(self) -> None:
        self.templates = {each["name"]: each for each in self.spec["templates"]}
        self.store = content.Content(MemoryStore("templates"))
        self.done: set[str] = set()
        self.failed: set[str] = set()
        self.errors: list[str] = []
        self.admitted: Texts = {}

    def run(self, inputs: Mapping[str, Any]) -> Ended:
        """Run it to its end; `admitted` is what `admit` publishes."""
        parameters = [{"name": name, "value": json.dumps(value)} for name, value in inputs.items()]
        checked = check.check(self.plan, {"parameters": parameters}, "run-1")
        assert checked.problems == ()
        self.admitted = {name: check.safe(value) for name, value in checked.inputs.items()}
        return self._dag(self.templates["main"], {}, "")

    # Graphs

    def _dag(self, template: Mapping[str, Any], given: Texts, path: str) -> Ended:
        ended: dict[str, Ended] = {}
        tasks = {each["name"]: each for each in template["dag"]["tasks"]}
        waits = {name: {term[1] for term in _TERM.finditer(each.get("depends", ""))} for name, each in tasks.items()}
        seen: dict[str, set[str]] = {}
        while len(ended) < len(tasks):
            ready = [name for name in tasks if name not in ended and ended.keys() >= waits[name]]
            assert ready, "every task that is left waits for another"
            for name in ready:
                seen[name] = waits[name].union(*(seen[each] for each in waits[name]))
                scope = _scope(given, {each: ended[each] for each in seen[name]})
                ended[name] = self._task(tasks[name], scope, ended, f"{path}.{name}" if path else name)
        leaves = tasks.keys() - set().union(*waits.values())
        if any(_branch(name, ended, waits) in _BAD for name in leaves):
            return Ended("Failed")
        scope = _scope(given, ended)
        try:
            parameters = template.get("outputs", {}).get("parameters", [])
            return Ended("Succeeded", {each["name"]: _published(each["valueFrom"], scope) for each in parameters})
        except (Wrong, AssertionError, KeyError) as error:
            self.errors.append(f"outputs of {path}: {error!r}")
            return Ended("Error", {}, str(error))

    def _task(self, task: Mapping[str, Any], scope: Any, ended: Mapping[str, Ended], path: str) -> Ended:
        if task.get("depends") and not _depends(task["depends"], ended):
            return Ended("Omitted")
        try:
            if "when" in task and not argo_expressions.value(_expression(task["when"]), scope):
                return Ended("Skipped")
            if "withSequence" not in task:
                return self._called(task, scope, path)
            return self._group(task, scope, path)
        except (Wrong, AssertionError, KeyError) as error:
            self.errors.append(f"{path}: {error!r}")
            return Ended("Error", {}, str(error))

    def _group(self, task: Mapping[str, Any], scope: Any, path: str) -> Ended:
        sequence = task["withSequence"]
        counted = _filled(sequence["count"], scope)
        if not re.fullmatch(r"[0-9]+", counted):
            return Ended("Error", {}, f"strconv.Atoi: parsing {counted!r}: invalid syntax")
        start = int(_filled(sequence.get("start", "0"), scope))
        if not int(counted):
            return Ended("Skipped")
        made = []
        for number, item in enumerate(range(start, start + int(counted))):
            text = json.dumps(task).replace("{{item}}", str(item))
            one = json.loads(text)
            made.append(self._called(one, {**scope, "item": str(item)}, f"{path}({number}:{item})"))
        good = [each for each in made if each.phase == "Succeeded"]
        shared = {name: json.dumps([each.outputs[name] for each in good]) for name in (good[0].outputs if good else ())}
        phase = "Failed" if any(each.phase in _BAD for each in made) else "Succeeded"
        return Ended(phase, shared)

    def _called(self, task: Mapping[str, Any], scope: Any, path: str) -> Ended:
        template = self.templates[task["template"]]
        parameters = task.get("arguments", {}).get("parameters", [])
        arguments = {each["name"]: _filled(each["value"], scope) for each in parameters}
        if task["template"] == names.ADMIT:
            wanted = [each["name"] for each in template["outputs"]["parameters"]]
            return Ended("Succeeded", {name: self.admitted.get(name, "") for name in wanted})
        declared = template.get("inputs", {}).get("parameters", [])
        given = {each["name"]: arguments.get(each["name"], each.get("default")) for each in declared}
        lacking = [name for name, text in given.items() if text is None] + sorted(arguments.keys() - given.keys())
        if lacking:
            raise Wrong(f"{task['template']} is not given, or does not take, {lacking}")
        if "dag" in template:
            return self._dag(template, given, path)
        if "suspend" in template:
            return Ended("Succeeded")
        return self._pod(template, _scope(given, {}), path)

    # Pods

    def _pod(self, template: Mapping[str, Any], scope: Any, path: str) -> Ended:
        call = pods.parse_argv([_filled(word, scope) for word in template["container"]["args"]])
        name = call.entrypoint.rpartition(":")[2]
        made = self._batch(call, name) if call.over else self._single(call, name)
        if made is None:
            self.failed.add(path)
            return Ended("Failed")
        self.done.add(path)
        wanted = [each["name"] for each in template.get("outputs", {}).get("parameters", [])]
        texts = {key: values.argo_safe(jsontext.dumps(value)) for key, value in made.items()}
        return Ended("Succeeded", {each: texts[each] for each in wanted})

    def _single(self, call: pods.Call, name: str) -> dict[str, Any] | None:
        given = {key: self._read(text, call.paths.get(key, ())) for key, text in call.inputs}
        for key, text in call.items:
            items = enumerate(json.loads(text))
            given[key] = [self._read(item, call.paths.get(f"{key}.{index}", ())) for index, item in items]
        made = self._made(call, name, given)
        if made is None:
            return None
        types = {key: dict(self.plan.tasks[name].outputs[key]) for key in call.outputs}
        travelling = {key: self._kept(value, types[key], INLINE) for key, value in made.items()}
        published = parts.publish(call.parts, made.__getitem__, travelling, types, self._content)
        published |= parts.batches(made.__getitem__, call.batches, types, self._content)
        published |= parts.each(made.__getitem__, call.each, types, self._content)
        return travelling | published

    def _content(self) -> content.Content:
        return self.store

    def _batch(self, call: pods.Call, name: str) -> dict[str, Any] | None:
        given = {key: self._read(text, call.paths.get(key, ())) for key, text in call.inputs}
        given |= {key: self._read_all(json.loads(text)) for key, text in call.items}
        count = len(given[call.over[0]])
        made = [self._made(call, name, given | {key: given[key][n] for key in call.over}) for n in range(count)]
        if None in made and call.failing != pods.TOLERATE:
            return None
        found: dict[str, Any] = {}
        for key in call.outputs:
            listed = [one and one[key] for one in made]
            schema = interfaces.list_of(interfaces.or_none(dict(self.plan.tasks[name].outputs[key])))
            found[names.item_parameter(key)], _ = parts.item(listed, schema, self._content)
        return found | ({names.SUCCEEDED: count - made.count(None)} if call.failing == pods.TOLERATE else {})

    def _read_all(self, texts: list[str]) -> list[Any]:
        return [self._read(text, ()) for text in texts]

    def _read(self, text: str, path: tuple[str, ...]) -> Any:
        return jsontext.select(self.store.load_value(jsontext.parse(text)), path)

    def load(self, text: str) -> Any:
        """A published value, read."""
        return self._read(text, ())

    def _kept(self, value: Any, schema: dict[str, Any], limit: int) -> Any:
        return self.store.save_value(jsontext.dumps(value), keys.identity(value, schema), limit)

    def _made(self, call: pods.Call, name: str, given: Mapping[str, Any]) -> dict[str, Any] | None:
        if not hasattr(self.pieces, name):  # what ends a branch in a failure
            return None
        typed = {key: here.typed(value, self.pieces) for key, value in given.items()}
        try:
            found = getattr(self.pieces, name).function(**typed)
        except NonRecoverable:
            return None
        several = found if len(call.outputs) > 1 else (found,)
        return {key: here.plain(value) for key, value in zip(call.outputs, several, strict=True)}


def _scope(given: Texts, ended: Mapping[str, Ended]) -> dict[str, Any]:
    tasks: dict[str, Any] = {}
    for name, each in ended.items():
        tasks[name] = {"status": each.phase}
        if each.outputs:
            tasks[name]["outputs"] = {"parameters": each.outputs}
    return {"inputs": {"parameters": given}, "tasks": tasks}


def _branch(name: str, ended: Mapping[str, Ended], waits: Mapping[str, set[str]]) -> str:
    """The phase of a branch of a DAG that ends here: of what was left out that of what it waited for."""
    if ended[name].phase != "Omitted":
        return ended[name].phase
    return next((phase for each in waits[name] if (phase := _branch(each, ended, waits)) in _BAD), "Omitted")


def _depends(text: str, ended: Mapping[str, Ended]) -> bool:
    def asked(match: re.Match[str]) -> str:
        phase = {"Error": "Errored"}.get(ended[match[1]].phase, ended[match[1]].phase)
        return "true" if phase == match[2] else "false"

    return bool(argo_expressions.value(_TERM.sub(asked, text), {}))


def _expression(text: str) -> str:
    found = _EXPRESSION.fullmatch(text)
    assert found, text
    return found[1]


def _filled(text: str, scope: Any) -> str:
    if tag := _TAG.fullmatch(text):
        place = scope["inputs"] if tag[1] is None else scope["tasks"].get(tag[1], {}).get("outputs")
        if place is None or tag[2] not in place["parameters"]:
            raise Wrong(f"{text} is not there")
        return str(place["parameters"][tag[2]])
    if found := _EXPRESSION.fullmatch(text):
        made = argo_expressions.value(found[1], scope)
        return made if isinstance(made, str) else json.dumps(made)
    parts = text.split("{{")
    assert len(parts) == 1, f"Argo would look for a tag in {text}"
    return text


def _published(source: Mapping[str, str], scope: Any) -> str:
    if "parameter" in source:
        return _filled(source["parameter"], scope)
    made = argo_expressions.value(source["expression"], scope)
    return made if isinstance(made, str) else "<nil>" if made is None else json.dumps(made)
