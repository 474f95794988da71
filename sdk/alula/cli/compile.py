"""`alula compile PATH`: the Argo objects that resources become, by the function that the controller uses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from alula import display
from alula.cli import flags, usage
from alula.cli.command import Command, Operands
from alula_api.contract import codes, diagnostics

if TYPE_CHECKING:
    from pathlib import Path

    from alula.emit import discovery, manifests

FORMATS = ("yaml", "json")


def main(found: flags.Scan) -> int:
    """Compile what lies at the paths; exit code 1 when anything is wrong with it."""
    from pathlib import Path

    resources, definitions = _resources([Path(word) for word in found.rest], found.text("image"))
    if found.text("domain"):
        resources = [each for each in resources if each.resource["kind"] != "Domain"]
        resources += _domain(Path(found.text("domain")))
    notes: list[str] = []
    objects, problems = compiled(resources, notes)
    for note in notes:
        display.note(f"note: {note}")
    if problems:
        from alula.emit import lines

        display.diagnostics(lines.with_lines(problems, definitions))
        return 1
    text = _text(objects, found.text("output", FORMATS[0]))
    if not found.text("out"):
        display.out(text)
        return 0
    _write(text, found.text("out"))
    display.note(f"wrote {len(objects)} Argo objects to {found.text('out')}")
    return 0


def _domain(path: Path) -> list[manifests.Found]:
    """The Domain at a path: what this would be there, before it is committed."""
    from alula.emit import manifests

    file = path / "domain.yaml" if path.is_dir() else path
    found = [each for each in manifests.ours([file]) if each.resource["kind"] == "Domain"]
    if not found:
        raise usage.error(f"there is no Domain in {path}", "name its file, such as platform/penguins/prod/domain.yaml")
    return found


def _write(text: str, file: str) -> None:
    from pathlib import Path

    try:
        Path(file).write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise usage.error(f"{file} cannot be written: {error.strerror or error}") from None


def _resources(paths: list[Path], image: str) -> tuple[list[manifests.Found], discovery.Definitions]:
    """The resources at the paths, and the definitions that those of Python files come from."""
    from alula.emit import discovery

    definitions = discovery.Definitions((), ())
    python = [path for path in paths if path.suffix == ".py"]
    found = [each for path in paths if path.suffix != ".py" for each in _read(path)]
    if python:
        from alula.cli import projects
        from alula.emit import assemble, digests, manifests

        code = projects.code(python[0], image)
        block = digests.Block(code)
        definitions = discovery.discover(python)
        made = assemble.assemble(definitions, code)
        found += [manifests.Found(digests.applied(resource, [block])) for resource in made]
    return found, definitions


def _read(path: Path) -> list[manifests.Found]:
    """The resources at a path: of folders with a kustomization, what they become, patches applied."""
    from alula.emit import kustomize, manifests

    found: list[manifests.Found] = []
    for part in kustomize.parts(path):
        if not part.is_dir():
            found += manifests.ours([part]) if part.is_file() else ()
            continue
        built = kustomize.read(part)
        found += built.found
        for file in built.stale:
            message = f"the digests in {file} were made for other files, as after a merge"
            display.note(f"warning: {message}; register the merged sources again")
        for file in dict.fromkeys(file for _, file in built.left_out):
            fields = ", ".join(what for what, other in built.left_out if other == file)
            message = f"{fields} of {file} not applied: neither kubectl nor kustomize is on PATH"
            display.note(f"warning: {message}; what is printed is the release without them")
    return found or manifests.read([path])


def compiled(
    found: Iterable[manifests.Found], notes: list[str] | None = None
) -> tuple[list[dict[str, Any]], list[diagnostics.Diagnostic]]:
    """Each workflow with its launch plans and the domain, if one is among them; `notes` gets what is no mistake."""
    import alula_compiler
    from alula_api.contract import triggers

    by_kind: dict[str, list[manifests.Found]] = {"Workflow": [], "LaunchPlan": [], "Domain": []}
    for each in found:
        by_kind[each.resource["kind"]].append(each)
    domain = by_kind["Domain"][0].resource if by_kind["Domain"] else None
    plans: dict[str, list[manifests.Found]] = {}
    for plan in by_kind["LaunchPlan"]:
        plans.setdefault(str(_part(plan, "spec").get("workflow")), []).append(plan)
    objects: list[dict[str, Any]] = []
    waits: dict[str, tuple[str, triggers.Trigger]] = {}
    problems = _twice(by_kind["Workflow"] + by_kind["LaunchPlan"])
    for workflow in by_kind["Workflow"]:
        name = str(_part(workflow, "metadata").get("name"))
        own = plans.pop(name, [])
        compiled = alula_compiler.compile(workflow.resource, [plan.resource for plan in own], domain)
        objects += compiled.objects
        if notes is not None:
            notes += [f"{name}: {note}" for note in compiled.notes]
        waits |= triggers.compiled(name, compiled.objects)
        problems += [_placed(problem, [workflow, *own]) for problem in compiled.diagnostics]
    problems += [_orphan(name, plan) for name, orphans in plans.items() for plan in orphans]
    here = triggers.of_project("", {"": waits})  # which domain this is, is not said
    circular = (triggers.circle_problem(name, here) for name in sorted(waits))
    problems += [_placed(problem, by_kind["LaunchPlan"]) for problem in circular if problem is not None]
    return objects, problems


def _twice(found: Iterable[manifests.Found]) -> list[diagnostics.Diagnostic]:
    """Two resources of one name: most likely two domains at once."""
    first: dict[tuple[str, str], manifests.Found] = {}
    problems = []
    for each in found:
        kind, name = str(each.resource["kind"]), str(_part(each, "metadata").get("name"))
        other = first.setdefault((kind, name), each)
        if other is not each:
            message, hint = f"two {kind}s are named {name}", "name the folder of one domain"
            problems.append(
                diagnostics.Diagnostic(
                    codes.Code.DUPLICATE_NAME,
                    message,
                    source=each.file,
                    expected=f"a name of its own; the other one is in {other.file}",
                    hint=hint,
                )
            )
    return problems


def _part(found: manifests.Found, field: str) -> dict[str, Any]:
    part = found.resource.get(field)
    return part if isinstance(part, dict) else {}


def _placed(problem: diagnostics.Diagnostic, found: Sequence[manifests.Found]) -> diagnostics.Diagnostic:
    """A problem with the file of its resource: for a malformed field always, else where no line of Python is known."""
    if problem.source and problem.code != codes.Code.BAD_RESOURCE:
        return problem
    about = problem.subject.partition(",")[0].lower()
    names = {
        f"{kind} {_part(each, 'metadata').get('name')}".lower(): each.file
        for each in found
        for kind in (each.resource["kind"], "launch plan")
    }
    file = names.get(about, found[0].file)
    return problem._replace(source=file) if file else problem


def _orphan(name: str, plan: manifests.Found) -> diagnostics.Diagnostic:
    return diagnostics.Diagnostic(
        codes.Code.UNKNOWN_WORKFLOW,
        f"no workflow {name} is among what is compiled",
        source=plan.file,
        subject=f"launch plan {_part(plan, 'metadata').get('name')}",
        hint="name the whole folder, or the workflow's file too",
    )


def _text(objects: list[dict[str, Any]], form: str) -> str:
    if form == "json":
        import json

        return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}, indent=2, ensure_ascii=False) + "\n"
    from alula_api.kinds import yamltext

    return yamltext.dump_all(objects)


COMMAND = Command(
    name="compile",
    summary="print the Argo objects that a release becomes",
    usage="[options] PATH...",
    prose=(
        "Print the Argo objects that resources become. PATH is a folder that `alula register` wrote, a file of "
        "resources, or a Python file with workflows. A folder with a kustomization is built by kubectl or kustomize "
        "first, so that the domain's patches count."
    ),
    main=main,
    operands=Operands(example="alula compile PATH, such as ../gitops/penguins/dev"),
    flags={
        "options": (
            flags.Flag("out", "FILE", "write them there instead of printing them"),
            flags.Flag("output", "FORMAT", "yaml or json", default=FORMATS[0], letter="o", choices=FORMATS),
            flags.Flag("domain", "FILE", "with the defaults, limits and images of the Domain in this file or folder"),
            flags.Flag("image", "IMAGE", "for a Python file: the image that holds the code"),
        )
    },
)
