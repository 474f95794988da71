"""The compiler, called so that a bad launch plan spoils only itself. Pure and slow; `gather` runs it in a thread."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import alula_compiler
from alula_api.contract import labels
from alula_api.contract.codes import Code
from alula_api.contract.diagnostics import Diagnostic
from alula_controller import logs
from alula_controller.definitions.world import Body, Compiled
from alula_controller.domains.places import Place
from alula_controller.domains.view import DomainView
from alula_controller.settings import Settings

log = logging.getLogger(__name__)


def engine(settings: Settings, place: Place, domain: DomainView) -> alula_compiler.Engine:
    """What the compiler is told about the installation."""
    return alula_compiler.Engine(
        store=place.store,
        releases=place.releases,
        endpoint=place.root.endpoint,
        secret=domain.secret,
        service_account=settings.task_service_account,
    )


class Memory:
    """The latest results, by everything that they rest on: one change is looked at several times, and compiled once."""

    def __init__(self, most: int = 32) -> None:
        self._most = most
        self._known: OrderedDict[str, Compiled] = OrderedDict()

    def compile_all(
        self, workflow: Body, launch_plans: Sequence[Body], domain: Body | None, told: alula_compiler.Engine
    ) -> Compiled:
        """`compile_all`, remembered."""
        bodies = [_essence(body) for body in (workflow, domain, *launch_plans)]
        text = json.dumps([asdict(told), *bodies], sort_keys=True, separators=(",", ":"))
        key = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = compile_all(workflow, launch_plans, domain, told)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return found


def _essence(body: Body | None) -> object:
    """A definition without what changes by itself."""
    if body is None:
        return None
    metadata = body["metadata"]
    return [body.get("kind"), metadata["name"], metadata.get("annotations"), metadata.get("labels"), body.get("spec")]


def compile_all(
    workflow: Body, launch_plans: Sequence[Body], domain: Body | None, told: alula_compiler.Engine
) -> Compiled:
    """Compile a Workflow with its launch plans; each by itself where not all of them are right together."""
    together = _compile(workflow, launch_plans, domain, told)
    if together.ok:
        return _sorted(together, launch_plans)
    alone = _compile(workflow, (), domain, told)
    if not alone.ok:
        return Compiled(diagnostics=alone.diagnostics)
    made = _sorted(alone, ())
    plan_objects = {}
    plan_diagnostics = {}
    plans = dict(made.plans)
    for plan in launch_plans:
        name = str(plan["metadata"]["name"])
        one = _compile(workflow, (plan,), domain, told)
        if one.ok:
            with_plan = _sorted(one, (plan,))
            plan_objects[name] = with_plan.plan_objects.get(name, ())
            plans.update(with_plan.plans)
        else:
            plan_diagnostics[name] = one.diagnostics
    return Compiled(made.objects, (), plan_objects, plan_diagnostics, plans)


def _compile(
    workflow: Body, launch_plans: Sequence[Body], domain: Body | None, told: alula_compiler.Engine
) -> alula_compiler.Compiled:
    try:
        return alula_compiler.compile(_plain(workflow), [_plain(plan) for plan in launch_plans], _plain(domain), told)
    except Exception as error:
        # A defect of ours must not hide behind retries: the condition says so, the log has the traceback.
        name = workflow["metadata"]["name"]
        log.exception(
            "the compiler failed", extra=logs.about(workflow=name, namespace=workflow["metadata"]["namespace"])
        )
        message = f"the compiler itself failed with {type(error).__name__}; please report it with this Workflow"
        wrong = Diagnostic(Code.INTERNAL, message, subject=f"workflow {name}")
        return alula_compiler.Compiled(objects=(), diagnostics=(wrong,), plans={})


def _plain(body: Body | None) -> Any:
    return None if body is None else dict(body)


def _sorted(compiled: alula_compiler.Compiled, launch_plans: Sequence[Body]) -> Compiled:
    """Objects of the Workflow and objects of each plan, told apart by their label."""
    own: list[Body] = []
    of_plan: dict[str, list[Body]] = {str(plan["metadata"]["name"]): [] for plan in launch_plans}
    for body in compiled.objects:
        name = ((body.get("metadata") or {}).get("labels") or {}).get(labels.LAUNCH_PLAN)
        (of_plan[name] if name else own).append(body)
    return Compiled(
        objects=tuple(own),
        plan_objects={name: tuple(bodies) for name, bodies in of_plan.items()},
        plans=dict(compiled.plans),
    )
