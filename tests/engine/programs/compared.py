"""A program run here, and what differs from that in its compiled templates, and where the cache holds all or a part of
what it makes."""

from __future__ import annotations

import dataclasses
import importlib
import pathlib
import random
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

import alula_compiler
from alula import errors
from alula.remote import outline as outlines
from alula_api.argo import outputs
from alula_api.contract import names
from alula_api.contract.graphs import plans, specs
from alula_api.contract.graphs.frames import State
from alula_compiler import engines
from tests.engine import outlined
from tests.engine.programs import cached, here, syntax, templates

WHOLE = engines.Engine.preview().limits.dag_tasks
"""So many tasks in a DAG cut no program into pieces."""


@dataclasses.dataclass(frozen=True)
class Compared:
    """A program, what became of it here, and what the compiler made."""

    program: syntax.Program
    outcome: here.Outcome
    plan: plans.Plan
    spec: Mapping[str, Any]
    outline: outlines.Outline
    is_cut: bool

    @property
    def is_coarse(self) -> bool:
        """Whether a failure may keep from running what does not wait for it: in a graph that is cut into pieces."""
        may_fail = self.outcome.outputs is None or self.outcome.failed or "min_success" in self.program.text()
        return self.is_cut and bool(may_fail)


def here_and_compiled(program: syntax.Program, dag_tasks: int = WHOLE) -> Compared | None:
    """Run and compile a program, with so many tasks in a DAG; None for one that is refused."""
    engine = engines.Engine.preview()
    engine = dataclasses.replace(engine, limits=dataclasses.replace(engine.limits, dag_tasks=dag_tasks))
    with tempfile.TemporaryDirectory() as folder:
        try:
            module = here.load(here.text(program), "made", pathlib.Path(folder))
            resource = here.resource(module.main)
            compiled = alula_compiler.compile(resource, engine=engine)
            if not compiled.ok:
                return None
            outcome = here.run(module, program.inputs)
        except errors.DefinitionError:
            return None
    (plan,) = compiled.plans.values()
    outline = outlines.Outline(specs.WorkflowSpec.from_json(resource["spec"]))
    return Compared(
        program,
        outcome,
        plans.from_json(plan),
        compiled.objects[0]["spec"],
        outline,
        dag_tasks < WHOLE,
    )


def differences(found: Compared, rng: random.Random) -> list[str]:
    """What differs in the templates, where all is cached, and where a random part is."""
    return _in_templates(found) or _cached(found, {}, 0.0, rng) or _cached(found, {}, 0.3, rng)


def _in_templates(found: Compared) -> list[str]:
    engine = templates.Engine(found.spec, found.plan, pieces())
    ended, outcome = engine.run(found.program.inputs), found.outcome
    must = outcome.done | outcome.failed
    if ended.phase != ("Failed" if outcome.outputs is None else "Succeeded"):
        return [f"is {ended.phase} by its templates: {engine.errors}"]
    told = []
    if outcome.outputs is not None:
        made = {name: outputs.assembled(name, ended.outputs, engine.store.load_value) for name in outcome.outputs}
        if made != outcome.outputs:
            told.append(f"gives {made} by its templates, and {outcome.outputs} here")
    ran = {path: outlined.tasks(found.outline, path, must) for path in engine.done | engine.failed}
    by_templates = set[str]().union(*ran.values())
    if not by_templates <= must if found.is_coarse else by_templates != must:
        told.append(f"runs {sorted(by_templates ^ must)} by its templates, or here, and not in both")
    failed = {task for path in engine.failed if not outlined.is_batch(found.outline, path) for task in ran[path]}
    if not failed <= outcome.failed:
        told.append(f"fails by its templates in {sorted(failed - outcome.failed)}")
    return told


def _cached(found: Compared, missing: dict[str, bool], share: float, rng: random.Random) -> list[str]:
    cache = cached.Cache(
        cached.of_all(found.plan), pieces(), lambda path: missing.setdefault(path, rng.random() < share)
    )
    walk = cache.walked(found.program.inputs)
    told = [f"would hang: {each}" for each in cache.filled(walk)]
    text, outcome = found.program.text(), found.outcome
    if "batch=" not in text:  # of which one is no item
        hits = {found.outline.id(names.argo_path(spot.path)) for spot in walk.hits}
        told += [f"is found, and does not succeed here: {path}" for path in sorted(hits - outcome.done)]
        if not share and "min_success" not in text and not found.is_coarse:  # whose items are looked up by their pods
            told += [f"succeeds here, and is not found: {path}" for path in sorted(outcome.done - hits)]
    if walk.root.state is State.DONE:
        outputs = {name: cache.load(value) for name, value in walk.root.outputs.items()}
        if outputs != outcome.outputs:
            told.append(f"gives {outputs} where it is cached, and {outcome.outputs} here")
    elif not share and outcome.outputs is not None and "min_success" not in text:
        told.append(f"is {walk.root.state} though all is cached")
    return told


def pieces() -> Any:
    """The module of the tasks."""
    if str(here.PROJECT) not in sys.path:
        sys.path.append(str(here.PROJECT))
    return importlib.import_module("pieces")
