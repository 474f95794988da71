"""`alula compile PATH`: the Argo objects that resources become, by the function that the controller uses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import alula_compiler
from alula import display
from alula.cli import flags, helping, usage
from alula.emit import assembling, discovery, manifests
from alula_api.contract import codes, diagnostics

SUMMARY = "print the Argo objects that a release becomes"

FLAGS = (
    flags.Flag("out", "FILE", "write them there instead of printing them"),
    flags.Flag("output", "FORMAT", "yaml or json", default="yaml", letter="o"),
    flags.Flag("image", "IMAGE", "for a Python file: the image that holds the code"),
    flags.Flag("help", letter="h", help="show this page"),
)


def main(argv: Sequence[str]) -> int:
    """Compile what lies at the paths; exit code 1 when anything is wrong with it."""
    found = flags.scan(argv, FLAGS)
    if found.on("help"):
        display.out(
            helping.page(
                "usage: alula compile [options] PATH...",
                "Print the Argo objects that resources become. PATH is a folder that `alula register` wrote, a file of "
                "resources, or a Python file with workflows.",
                helping.flags("options", FLAGS),
            )
        )
        return 0
    found.check()
    if not found.rest:
        raise usage.error("compile what?", hint="alula compile PATH, such as ../gitops/penguins/dev")
    if found.text("output", "yaml") not in {"yaml", "json"}:
        raise usage.error(f"there is no output format {found.text('output')!r}", hint="yaml or json")
    resources = _resources([Path(word) for word in found.rest], found.text("image"))
    objects, problems = _compile(resources)
    if problems:
        display.diagnostics(problems)
        return 1
    text = _text(objects, found.text("output", "yaml"))
    if not found.text("out"):
        display.out(text)
        return 0
    Path(found.text("out")).write_text(text, encoding="utf-8", newline="")
    display.note(f"wrote {len(objects)} Argo objects to {found.text('out')}")
    return 0


def _resources(paths: list[Path], image: str) -> list[dict[str, Any]]:
    python = [path for path in paths if path.suffix == ".py"]
    found = manifests.read(path for path in paths if path.suffix != ".py") if len(python) < len(paths) else []
    if python:
        from alula.cli import projects

        found += assembling.assemble(discovery.discover(python), projects.code(python[0], image))
    return found


def _compile(resources: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[diagnostics.Diagnostic]]:
    """Each workflow with its launch plans and the domain, if one is among them."""
    by_kind: dict[str, list[dict[str, Any]]] = {"Workflow": [], "LaunchPlan": [], "Domain": []}
    for resource in resources:
        by_kind[resource["kind"]].append(resource)
    domain = by_kind["Domain"][0] if by_kind["Domain"] else None
    plans: dict[str, list[dict[str, Any]]] = {}
    for plan in by_kind["LaunchPlan"]:
        plans.setdefault(str((plan.get("spec") or {}).get("workflow")), []).append(plan)
    objects: list[dict[str, Any]] = []
    problems: list[diagnostics.Diagnostic] = []
    for workflow in by_kind["Workflow"]:
        name = str((workflow.get("metadata") or {}).get("name"))
        compiled = alula_compiler.compile(workflow, plans.pop(name, []), domain)
        objects += compiled.objects
        problems += compiled.diagnostics
    for name, orphans in plans.items():
        for plan in orphans:
            problems.append(_orphan(name, plan))
    return objects, problems


def _orphan(name: str, plan: dict[str, Any]) -> diagnostics.Diagnostic:
    return diagnostics.Diagnostic(
        codes.Code.UNKNOWN_WORKFLOW,
        f"no workflow {name} is among what is compiled",
        subject=f"launch plan {(plan.get('metadata') or {}).get('name')}",
    )


def _text(objects: list[dict[str, Any]], form: str) -> str:
    if form == "json":
        import json

        return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}, indent=2, ensure_ascii=False) + "\n"
    from alula_api.kinds import yamltext

    return yamltext.dump_all(objects)
