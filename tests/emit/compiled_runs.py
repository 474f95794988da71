"""A run of what the compiler made, without a cluster: Argo's part is done here, and each container is a pod's process.

Read are only the tags, predicates and expressions of the compiled templates, as Argo reads them; `admit` publishes what
the template's arguments hold. A task whose `when` is false is skipped, and so is what waits for one that was.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alula_api.argo import outputs
from alula_api.contract import pods
from alula_api.contract.jsontext import Json
from alula_data import content
from tests.emit import argo_expressions
from tests.runtime.pod import Pod

_TAG = re.compile(r"\{\{(?:tasks\.([^.{}]+)\.outputs|inputs)\.parameters\.([^.{}]+)\}\}")
_TERM = r"""(?:tasks\['([^']+)'\]\.outputs|inputs)\.parameters\['([^']+)'\]|("(?:[^"\\]|\\.)*")"""
_LIST = re.compile(rf"\{{\{{=toJson\(\[((?:{_TERM}|,)*)\]\)\}}\}}")
_SUM = re.compile(rf"(?:{_TERM})(?: \+ (?:{_TERM}))*")
_EXPRESSION = re.compile(r"\{\{=([^{}]*)\}\}")

Texts = dict[str, str]


class Failed(Exception):
    """A pod failed.

    Attributes:
        code: The stable code of the failure.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = message.partition(":")[0]


@dataclasses.dataclass
class CompiledRun:
    """Runs the templates of one WorkflowTemplate."""

    spec: Mapping[str, Any]
    pod: Pod
    limit: int = pods.MAX_INLINE
    """Bytes up to which an output travels inline."""

    def outputs(self) -> dict[str, Json]:
        """Return the values of the run's outputs, read as `alula run --remote` reads them.

        Raises:
            Failed: A pod failed.
        """
        admitted = {one["name"]: one["value"] for one in self.spec.get("arguments", {}).get("parameters", [])}
        made = self._graph(self._template("main"), {}, admitted)
        held = content.Content(self.pod.store)
        return {name: outputs.assembled(name, made, held.load_value) for name in made if not name.endswith("--path")}

    def _template(self, name: str) -> Mapping[str, Any]:
        (found,) = (template for template in self.spec["templates"] if template["name"] == name)
        assert isinstance(found, dict)
        return found

    def _graph(self, template: Mapping[str, Any], given: Texts, admitted: Texts) -> Texts:
        done: dict[str, Texts] = {}
        skipped = set[str]()
        waiting = [*template["dag"]["tasks"]]
        while waiting:
            ended = done.keys() | skipped
            ready = [task for task in waiting if ended.issuperset(_awaited(task))]
            assert ready, "every task that is left waits for another"
            for task in ready:
                waiting.remove(task)
                if not skipped.isdisjoint(_awaited(task)) or not _is_taken(task, given, done):
                    skipped.add(task["name"])
                    continue
                parameters = task.get("arguments", {}).get("parameters", [])
                arguments = {one["name"]: _filled(one["value"], given, done) for one in parameters}
                done[task["name"]] = self._called(task["template"], arguments, admitted)
        parameters = template.get("outputs", {}).get("parameters", [])
        return {one["name"]: _published(one["valueFrom"], given, done) for one in parameters}

    def _called(self, name: str, arguments: Texts, admitted: Texts) -> Texts:
        template = self._template(name)
        if "suspend" in template:
            names = [one["name"] for one in template.get("outputs", {}).get("parameters", [])]
            # A condition on an input reads a part of it: of a number or a truth value the text itself.
            return {name: admitted.get(name, admitted.get(name.removesuffix("--part"), "")) for name in names}
        parameters = template.get("inputs", {}).get("parameters", [])
        given = {one["name"]: arguments.get(one["name"], one.get("default")) for one in parameters}
        assert None not in given.values()
        assert arguments.keys() <= given.keys()
        if "dag" in template:
            return self._graph(template, given, admitted)
        words = [_filled(word, given, {}) for word in template["container"]["args"]]
        ended = self.pod.run_words(words, environment={pods.Env.INLINE_LIMIT: str(self.limit)})
        if ended.code:
            raise Failed(ended.message)
        names = [Path(one["valueFrom"]["path"]).name for one in template.get("outputs", {}).get("parameters", [])]
        return {name: ended.outputs[name] for name in names}


def _awaited(task: Mapping[str, Any]) -> list[str]:
    terms = task["depends"].split(" && ") if task.get("depends") else []
    assert all(term.endswith(".Succeeded") for term in terms)
    return [term.removesuffix(".Succeeded") for term in terms]


def _filled(text: str, given: Texts, done: Mapping[str, Texts]) -> str:
    if tag := _TAG.fullmatch(text):
        return _read(tag[1], tag[2], given, done)
    if made := _LIST.fullmatch(text):
        return json.dumps([_term(term, given, done) for term in re.finditer(_TERM, made[1])])
    if decided := _EXPRESSION.fullmatch(text):
        return str(_value(decided[1], given, done))
    assert "{{" not in text, f"Argo would look for a tag in {text}"
    return text


def _published(source: Mapping[str, str], given: Texts, done: Mapping[str, Texts]) -> str:
    if "parameter" in source:
        return _filled(source["parameter"], given, done)
    if not _SUM.fullmatch(source["expression"]):
        return str(_value(source["expression"], given, done))
    return "".join(_term(term, given, done) for term in re.finditer(_TERM, source["expression"]))


def _is_taken(task: Mapping[str, Any], given: Texts, done: Mapping[str, Texts]) -> bool:
    if "when" not in task:
        return True
    asked = _EXPRESSION.fullmatch(task["when"])
    assert asked
    found = _value(asked[1], given, done)
    assert isinstance(found, bool)
    return found


def _value(expression: str, given: Texts, done: Mapping[str, Texts]) -> Any:
    tasks = {name: {"outputs": {"parameters": texts}} for name, texts in done.items()}
    return argo_expressions.value(expression, {"inputs": {"parameters": given}, "tasks": tasks})


def _term(match: re.Match[str], given: Texts, done: Mapping[str, Texts]) -> str:
    return str(json.loads(match[3])) if match[3] else _read(match[1], match[2], given, done)


def _read(task: str | None, name: str, given: Texts, done: Mapping[str, Texts]) -> str:
    return given[name] if task is None else done[task][name]
